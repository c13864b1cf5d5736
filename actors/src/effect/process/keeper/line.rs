//! Cuts a stream of bytes into stamped lines. Pure.
//!
//! ```text
//! 2026-11-20T22:56:33.123Z a line
//! 2026-11-20T22:56:34.001Z password:
//! 2026-11-20T22:56:39.520Z+ thank you
//! ```
//! A mark instead of the space: it goes on with the line above, which was cut because it was long, or because nothing more came.

/// A longer line is cut into pieces of this many bytes, each on a line of its own.
pub(super) const MAX_LINE: usize = 8 * 1024;
/// Bytes of a stamp: `2026-11-20T22:56:33.123Z`.
const STAMP: usize = 24;
/// After the stamp of a new line.
const NEW: u8 = b' ';
/// After the stamp of a piece that goes on with the line above.
const GOES_ON: u8 = b'+';
/// Bytes before the text of a line.
pub(crate) const HEAD: usize = STAMP + 1;

/// Whether a line of a log goes on with the line above it: `head` is the first [`HEAD`] bytes of it.
pub(crate) fn goes_on(head: &[u8]) -> bool {
    let fits = |(place, byte): (usize, &u8)| match place {
        4 | 7 => *byte == b'-',
        10 => *byte == b'T',
        13 | 16 => *byte == b':',
        19 => *byte == b'.',
        23 => *byte == b'Z',
        STAMP => *byte == GOES_ON,
        _ => byte.is_ascii_digit(),
    };
    head.len() == HEAD && head.iter().enumerate().all(fits)
}

/// Bytes of a UTF-8 character at most.
const LONGEST_CHAR: usize = 4;

/// How many bytes at the end begin a character that is not complete.
#[must_use]
pub fn unfinished(bytes: &[u8]) -> usize {
    (1..=LONGEST_CHAR.saturating_sub(1).min(bytes.len()))
        .find(|length| {
            let tail = bytes.get(bytes.len() - length..).unwrap_or_default();
            std::str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

/// What has come of a line that has not ended.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// With its stamp in front; empty between lines.
    partial: Vec<u8>,
    /// How many bytes of it are the stamp.
    stamp: usize,
    next: Next,
}

/// What the next byte is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    /// The first of a line.
    #[default]
    New,
    /// Of the line of which a piece is written already.
    GoesOn,
}

/// Whether something waits for the end of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unended {
    Something,
    Nothing,
}

impl Lines {
    /// Adds bytes that arrived at `stamp`, and appends every line that is now whole to `out`, as `stamp line\n`. A line has the
    /// stamp of its first byte. Bytes are kept as they are, whether they are text or not.
    pub(super) fn add(&mut self, stamp: &str, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            if self.partial.is_empty() {
                // The end of a line that is written already needs no line of its own.
                if self.next == Next::GoesOn
                    && let Some(rest) = bytes.strip_prefix(b"\n")
                {
                    self.next = Next::New;
                    bytes = rest;
                    continue;
                }
                self.begin(stamp);
            }
            let room = (self.stamp + MAX_LINE).saturating_sub(self.partial.len());
            let window = bytes.get(..room).unwrap_or(bytes);
            if let Some(end) = window.iter().position(|byte| *byte == b'\n') {
                self.partial.extend_from_slice(window.get(..end).unwrap_or(window));
                bytes = bytes.get(end + 1..).unwrap_or_default();
                self.end(Next::New, out);
            } else {
                self.partial.extend_from_slice(window);
                bytes = bytes.get(window.len()..).unwrap_or_default();
                if window.len() == room {
                    self.cut(stamp, out);
                }
            }
        }
    }

    /// Whether there is a line that has not ended and of which nothing, or not all, is written. Of a character that has not ended
    /// nothing can be written, however long it takes.
    pub(super) fn unended(&self) -> Unended {
        let text = self.partial.get(self.stamp..).unwrap_or_default();
        if unfinished(text) < text.len() { Unended::Something } else { Unended::Nothing }
    }

    /// Nothing more comes for now: what there is is written, but for a character that has not ended. What comes later goes on with it.
    pub(super) fn pause(&mut self, out: &mut Vec<u8>) {
        if self.unended() == Unended::Something {
            let stamp = self.partial.get(..self.stamp.saturating_sub(1)).unwrap_or_default();
            let stamp = String::from_utf8_lossy(stamp).into_owned();
            self.cut(&stamp, out);
        }
    }

    /// Ends a line that was not ended by its program.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.partial.is_empty() {
            self.end(Next::GoesOn, out);
        }
        self.next = Next::New;
    }

    /// Ends a piece of a line. A character is never cut: one that is not complete begins the next piece, with this stamp.
    fn cut(&mut self, stamp: &str, out: &mut Vec<u8>) {
        let text = self.partial.get(self.stamp..).unwrap_or_default();
        let begun = self.partial.split_off(self.partial.len() - unfinished(text));
        self.end(Next::GoesOn, out);
        if !begun.is_empty() {
            self.begin(stamp);
            self.partial.extend_from_slice(&begun);
        }
    }

    fn begin(&mut self, stamp: &str) {
        self.partial.extend_from_slice(stamp.as_bytes());
        self.partial.push(match self.next {
            Next::New => NEW,
            Next::GoesOn => GOES_ON,
        });
        self.stamp = self.partial.len();
    }

    fn end(&mut self, next: Next, out: &mut Vec<u8>) {
        out.append(&mut self.partial);
        out.push(b'\n');
        // A quiet service must not hold the memory of its longest line.
        self.partial = Vec::new();
        self.stamp = 0;
        self.next = next;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(parts: &[&[u8]]) -> Vec<u8> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        parts.iter().enumerate().for_each(|(i, part)| lines.add(&format!("t{i}"), part, &mut out));
        lines.finish(&mut out);
        out
    }

    #[test]
    fn a_line_that_comes_in_parts_has_the_stamp_of_its_first_byte() {
        assert_eq!(all(&[b"a\nb", b"c\n\n", b"d"]), b"t0 a\nt0 bc\nt1 \nt2 d\n");
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        assert_eq!(all(&[b"\xff\xfe\0x\n"]), b"t0 \xff\xfe\0x\n");
    }

    #[test]
    fn a_long_line_is_cut_and_a_newline_after_a_full_piece_adds_no_empty_line() {
        let long = vec![b'x'; MAX_LINE];
        let line = |rest: &str| [b"t0 ", &long[..], b"\n", rest.as_bytes()].concat();
        assert_eq!(all(&[&long]), line(""));
        assert_eq!(all(&[&long, b"\n"]), line(""));
        assert_eq!(all(&[&[&long[..], b"\nyy\n"].concat()]), line("t0 yy\n"));
        assert_eq!(all(&[&[&long[..], b"yy"].concat()]), line("t0+yy\n"));
    }

    #[test]
    fn what_comes_after_a_pause_goes_on_with_its_line() {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        lines.add("t0", b"a\npassword: ", &mut out);
        assert_eq!((out.as_slice(), lines.unended()), (&b"t0 a\n"[..], Unended::Something));
        lines.pause(&mut out);
        lines.pause(&mut out);
        assert_eq!(lines.unended(), Unended::Nothing);
        lines.add("t1", b"thank", &mut out);
        lines.add("t2", b" you\nb\nagain: ", &mut out);
        lines.pause(&mut out);
        lines.add("t3", b"\nc\nlast: ", &mut out);
        lines.pause(&mut out);
        lines.finish(&mut out);
        lines.add("t4", b"d\n", &mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "t0 a\nt0 password: \nt1+thank you\nt2 b\nt2 again: \nt3 c\nt3 last: \nt4 d\n");
    }

    #[test]
    fn a_piece_that_goes_on_is_told_from_a_line_by_its_head() {
        assert!(goes_on(b"2026-11-20T22:56:33.123Z+"));
        for head in [&b"2026-11-20T22:56:33.123Z "[..], b"2026-11-20T22:56:33.123Z", b"2026-11-20 22:56:33.123Z+", b""]
        {
            assert!(!goes_on(head));
        }
    }

    #[test]
    fn a_character_is_never_cut_where_a_long_line_is() {
        let mut long = vec![b'x'; MAX_LINE - 1];
        long.extend_from_slice("é!\n".as_bytes());
        let (first, rest) = long.split_at(MAX_LINE);
        let cut = [b"t0 ", &long[..MAX_LINE - 1], "\nt0+é!\n".as_bytes()].concat();
        assert_eq!(all(&[&long]), cut);
        assert_eq!(all(&[first, rest]), cut);
    }

    #[test]
    fn a_character_is_never_cut_where_a_program_pauses() {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        let prompt = "Geschwindigkeit in m/s²: ".as_bytes();
        let (first, rest) = prompt.split_at(prompt.len() - 3);
        lines.add("t0", first, &mut out);
        lines.pause(&mut out);
        assert_eq!(lines.unended(), Unended::Nothing, "a timer for half a character would run for ever");
        lines.pause(&mut out);
        assert_eq!(out, "t0 Geschwindigkeit in m/s\n".as_bytes());
        lines.add("t1", rest, &mut out);
        lines.pause(&mut out);
        lines.add("t2", b"\nlast \xc3", &mut out);
        lines.finish(&mut out);
        assert_eq!(out, b"t0 Geschwindigkeit in m/s\nt0+\xc2\xb2: \nt2 last \xc3\n");
    }

    proptest! {
        #[test]
        fn text_in_is_text_out_however_it_is_cut(
            text in "[aé€🙂\n]{0,40}", long in 0usize..3, cuts in proptest::collection::vec(0usize..200, 0..8),
        ) {
            let text = text + &"🙂€".repeat(long * 1500) + "\n";
            let (mut lines, mut out, mut rest) = (Lines::default(), Vec::new(), text.as_bytes());
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                lines.add("t", now, &mut out);
                lines.pause(&mut out);
                rest = later;
            }
            lines.add("t", rest, &mut out);
            prop_assert_eq!(lines.unended(), Unended::Nothing);
            for line in out.split(|byte| *byte == b'\n') {
                prop_assert!(std::str::from_utf8(line).is_ok() && line.len() <= MAX_LINE + 2);
            }
            let kept: Vec<u8> = out.split(|byte| *byte == b'\n').flat_map(|line| line.get(2..).unwrap_or_default().to_vec()).collect();
            prop_assert_eq!(String::from_utf8(kept).unwrap(), text.replace('\n', ""));
        }

        #[test]
        fn nothing_is_lost_and_no_line_is_too_long(parts in proptest::collection::vec("[a-z\n]{0,5000}", 0..6)) {
            let bytes: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            let out = String::from_utf8(all(&bytes)).unwrap();
            let mut kept = String::new();
            for line in out.lines() {
                let (stamp, text) = line.split_once([' ', '+']).unwrap();
                prop_assert!(stamp.starts_with('t') && text.len() <= MAX_LINE);
                kept.push_str(text);
            }
            prop_assert_eq!(kept, parts.concat().replace('\n', ""));
        }
    }
}
