//! "Did you mean …?"

mod elsewhere;
mod examples;

use elsewhere::Meant;
pub(crate) use examples::{example, shown};

use crate::read::joined;

/// The candidate that somebody who wrote `word` most likely meant, if any is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance costs the product of the lengths, and no name is longer than this.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    let lower = word.to_lowercase();
    let scored = candidates.into_iter().map(|candidate| {
        let other = candidate.to_lowercase();
        let within = other.len() >= 3 && lower.contains(&other) || lower.len() >= 3 && other.contains(&lower);
        // The distance is at least the difference in length, and dearer to find out.
        let far = lower.chars().count().abs_diff(other.chars().count()) > allowed;
        let distance = if far { usize::MAX } else { strsim::damerau_levenshtein(&lower, &other) };
        (if within { distance.min(1) } else { distance }, candidate)
    });
    scored.filter(|(distance, _)| *distance <= allowed).min().map(|(_, candidate)| candidate)
}

/// ``did you mean `command`?``, else all candidates.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
    what: &str,
) -> String {
    match nearest(word, candidates.clone()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("{what}: {}", list(candidates)),
    }
}

/// The keys of a section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'a> {
    /// Where the section is, in words.
    pub(crate) path: &'a str,
    /// All that it takes.
    pub(crate) known: &'a [&'a str],
    /// Those that this version acts on.
    pub(crate) offered: &'a [&'a str],
}

/// What to write instead of a key that is none of those `known`: what others call it, what is spelled like it, or all on offer.
pub(crate) fn key(written: &str, Keys { path, known, offered }: Keys<'_>) -> String {
    match elsewhere::meant(written, known) {
        Some(Meant::Keys(keys)) => {
            let one = if let [key] = keys[..] { example(&joined(path, key), None) } else { None };
            let write = one.map_or_else(String::new, |line| format!(" Such as `{line}`"));
            format!("did you mean {}?{write}", quoted(keys).join(" or "))
        }
        Some(Meant::Section(section)) => {
            format!("leave it out; what holds for all services stands in a section of its own, `[{section}]`")
        }
        None => match nearest(written, known.iter().copied()) {
            Some(candidate) => format!("did you mean `{candidate}`?"),
            None => keys(offered),
        },
    }
}

/// Says which keys there are.
pub(crate) fn keys(known: &[&str]) -> String {
    format!("the keys here are: {}", all(known.iter().copied()))
}

/// The words in backquotes, separated by commas: all of them, for words of mainstay's own.
pub(crate) fn all<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    quoted(words).join(", ")
}

fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(|word| format!("`{word}`")).collect()
}

/// The words in backquotes, separated by commas; after twenty it stops, since a file may hold thousands.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let mut words = words.into_iter();
    let shown = quoted(words.by_ref().take(MOST));
    let more = words.count();
    match (shown.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, did_you_mean, key, list, nearest};

    const KEYS: [&str; 4] = ["command", "container", "requires", "ready"];

    #[test]
    fn a_slip_of_the_finger_finds_the_word_that_was_meant() {
        assert_eq!(nearest("comand", KEYS), Some("command"));
        assert_eq!(nearest("reqiures", KEYS), Some("requires"));
        assert_eq!(nearest("SIGTERM", ["TERM", "INT"]), Some("TERM"));
    }

    #[test]
    fn a_word_that_is_like_nothing_gets_the_whole_list() {
        assert_eq!(nearest("colour", KEYS), None);
        assert_eq!(did_you_mean("colour", ["a", "b"], "the keys here are"), "the keys here are: `a`, `b`");
    }

    #[test]
    fn a_key_is_found_by_what_others_call_it_before_what_is_spelled_like_it() {
        let key = |written, known| key(written, Keys { path: "services.a", known, offered: &["a", "b"] });
        assert_eq!(key("devices", &["hardware", "services"]), "did you mean `hardware`?");
        assert_eq!(key("comand", &KEYS), "did you mean `command`?");
        let example = "did you mean `ready`? Such as `ready = { tcp = { port = 8000 } }`";
        assert_eq!(key("readiness_probe", &KEYS), example);
        assert_eq!(key("colour", &["a", "b", "later"]), "the keys here are: `a`, `b`", "only what is acted on");
    }

    #[test]
    fn a_long_list_is_cut() {
        let words: Vec<String> = (0..25).map(|n| format!("w{n}")).collect();
        assert!(list(words.iter().map(String::as_str)).ends_with("`w19` and 5 more"));
        assert_eq!(list([]), "none");
    }
}
