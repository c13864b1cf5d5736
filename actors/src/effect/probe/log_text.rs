//! Finds a text in a log, also where the log-keeper has cut a line. Pure.

use crate::effect::process::keeper::{LINE_HEAD, goes_on};

/// Whether the text has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Yes,
    No,
}

/// The search for one text, in bytes, in a log that comes in parts.
#[derive(Debug)]
pub(super) struct Search {
    text: Vec<u8>,
    /// The end of what was read before, cut lines joined: the text may have begun there.
    tail: Vec<u8>,
    /// The end of a line, and too little of the next one to know whether it goes on with it.
    undecided: Vec<u8>,
}

impl Search {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.as_bytes().to_vec(), tail: Vec::new(), undecided: Vec::new() }
    }

    /// What comes next does not follow what came before.
    pub(super) fn begin_anew(&mut self) {
        self.tail.clear();
        self.undecided.clear();
    }

    /// Reads on.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Seen {
        self.undecided.extend_from_slice(bytes);
        self.join();
        let joined = self.tail.len();
        self.tail.extend_from_slice(&self.undecided);
        let seen = contains(&self.tail, &self.text);
        self.tail.truncate(joined);
        let keep = self.text.len().saturating_sub(1);
        self.tail.drain(..joined.saturating_sub(keep));
        if seen { Seen::Yes } else { Seen::No }
    }

    /// Leaves out where lines were cut, as far as that can be told.
    fn join(&mut self) {
        let mut rest = self.undecided.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, next) = rest.split_at(end);
            self.tail.extend_from_slice(line);
            rest = next;
            let Some(head) = next.get(1..=LINE_HEAD) else { break };
            if goes_on(head) {
                rest = next.get(1 + LINE_HEAD..).unwrap_or_default();
            } else {
                self.tail.push(b'\n');
                rest = next.get(1..).unwrap_or_default();
            }
        }
        if rest.first() != Some(&b'\n') {
            self.tail.extend_from_slice(rest);
            rest = &[];
        }
        self.undecided = rest.to_vec();
    }
}

/// An empty text is in everything.
fn contains(bytes: &[u8], text: &[u8]) -> bool {
    text.is_empty() || bytes.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOES_ON: &str = "\n2026-11-20T08:00:00.000Z+";
    const NEW: &str = "\n2026-11-20T08:00:00.000Z ";

    fn search(text: &str, parts: &[&str]) -> Seen {
        let mut search = Search::new(text);
        let seen = parts.iter().map(|part| search.feed(part.as_bytes())).filter(|seen| *seen == Seen::Yes).count();
        if seen > 0 { Seen::Yes } else { Seen::No }
    }

    #[test]
    fn a_text_is_found_across_the_cuts_of_its_line_and_not_across_lines() {
        assert_eq!(search("now serving", &[&format!("now ser{GOES_ON}ving\n")]), Seen::Yes);
        assert_eq!(search("now serving", &[&format!("now{GOES_ON} {GOES_ON}serving")]), Seen::Yes);
        assert_eq!(search("now serving", &[&format!("now{NEW}serving\n")]), Seen::No);
        assert_eq!(search("now serving", &["nothing of the kind\n"]), Seen::No);
    }

    #[test]
    fn a_text_in_a_short_file_that_nobody_has_stamped_is_found() {
        assert_eq!(search("ready", &["x\nready\n"]), Seen::Yes);
    }

    proptest! {
        #[test]
        fn it_makes_no_difference_how_the_log_comes(pieces in prop::collection::vec(("[ready]{0,7}", any::<bool>()), 1..8), at in 1usize..40) {
            let mut log = String::new();
            let mut said = String::new();
            for (piece, goes_on) in &pieces {
                log.push_str(piece);
                log.push_str(if *goes_on { GOES_ON } else { NEW });
                said.push_str(piece);
                said.push_str(if *goes_on { "" } else { NEW });
            }
            let parts: Vec<&str> = log.as_bytes().chunks(at).filter_map(|part| std::str::from_utf8(part).ok()).collect();
            prop_assert_eq!(search("ready", &parts) == Seen::Yes, said.contains("ready"));
        }
    }
}
