//! What a file says, made safe to show: whatever moves the cursor, reverses text or cannot be seen is spelled out.

/// The text with such characters spelled out: `\x1b`, `\u{202e}`.
pub(super) fn visible(text: &str) -> String {
    spelled_out(text, is_dangerous)
}

/// Like [`visible`], but a tab stays a tab: for a line of the file.
pub(super) fn visible_but_tabs(text: &str) -> String {
    spelled_out(text, |c| c != '\t' && is_dangerous(c))
}

fn spelled_out(text: &str, is_told: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !is_told(c) => out.push(c),
            '\n' | '\r' | '\t' => out.extend(c.escape_default()),
            c if c.is_ascii() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// Control characters, those that change the direction of text or break the line, and those without a width.
fn is_dangerous(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks_the_line = matches!(c, '\u{2028}' | '\u{2029}');
    let is_unseen = matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    c.is_control() || turns || breaks_the_line || is_unseen
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_but_tabs};

    #[test]
    fn what_drives_a_terminal_or_cannot_be_seen_is_spelled_out() {
        assert_eq!(visible("a\u{1b}[31m\tb\u{202e}c\u{200b}d\u{9b}é…"), r"a\x1b[31m\tb\u{202e}c\u{200b}d\u{9b}é…");
        assert_eq!(visible_but_tabs("\ta\rb"), "\ta\\rb");
    }
}
