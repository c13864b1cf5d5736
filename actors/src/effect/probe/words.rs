//! Text from outside, made fit for a message.

/// Shortens text to `most` characters and takes out what would disturb a terminal or a log line.
pub(super) fn plain(text: &str, most: usize) -> String {
    let mut plain: String = text.chars().take(most).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(plain("a\x1b[31mb\nc", 100), "a?[31mb?c");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(plain("äöüß", 3), "äöü…");
        assert_eq!(plain("äöü", 3), "äöü");
    }
}
