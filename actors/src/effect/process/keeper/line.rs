//! Cuts a stream of bytes into stamped lines. Pure.

/// A longer line is cut into pieces of this many bytes, each on a line of its own.
pub(super) const MAX_LINE: usize = 8 * 1024;

/// What has come of a line that has not ended.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// With its stamp in front; empty between lines.
    partial: Vec<u8>,
    /// How many bytes of it are the stamp.
    stamp: usize,
}

impl Lines {
    /// Adds bytes that arrived at `stamp`, and appends every line that is now whole to `out`, as `stamp line\n`. A line has the
    /// stamp of its first byte. Bytes are kept as they are, whether they are text or not.
    pub(super) fn add(&mut self, stamp: &str, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            if self.partial.is_empty() {
                self.begin(stamp);
            }
            let room = (self.stamp + MAX_LINE).saturating_sub(self.partial.len());
            let window = bytes.get(..room).unwrap_or(bytes);
            let (line, rest, ends) = match window.iter().position(|byte| *byte == b'\n') {
                Some(end) => (window.get(..end).unwrap_or(window), bytes.get(end + 1..).unwrap_or_default(), true),
                // A newline right after a full piece belongs to it.
                None if window.len() == room => {
                    let rest = bytes.get(room..).unwrap_or_default();
                    (window, rest.strip_prefix(b"\n").unwrap_or(rest), true)
                }
                None => (window, Default::default(), false),
            };
            self.partial.extend_from_slice(line);
            bytes = rest;
            if ends {
                self.finish(out);
            }
        }
    }

    fn begin(&mut self, stamp: &str) {
        self.partial.extend_from_slice(stamp.as_bytes());
        self.partial.push(b' ');
        self.stamp = self.partial.len();
    }

    /// Ends a line that was not ended by its program.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.partial.is_empty() {
            out.append(&mut self.partial);
            out.push(b'\n');
        }
        // A quiet service must not hold the memory of its longest line.
        self.partial = Vec::new();
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
        assert_eq!(
            all(&[&long, b"\n"]).len(),
            3 + MAX_LINE + 1 + 3 + 1,
            "the newline came too late to be seen as its end"
        );
        let with_newline = [&long[..], b"\nyy\n"].concat();
        assert_eq!(all(&[&with_newline]).len(), 3 + MAX_LINE + 1 + 3 + 2 + 1);
        assert_eq!(all(&[&[&long[..], b"yy"].concat()]).len(), 3 + MAX_LINE + 1 + 3 + 2 + 1);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_long(parts in proptest::collection::vec("[a-z\n]{0,5000}", 0..6)) {
            let bytes: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            let out = String::from_utf8(all(&bytes)).unwrap();
            let mut kept = String::new();
            for line in out.lines() {
                let (stamp, text) = line.split_once(' ').unwrap();
                prop_assert!(stamp.starts_with('t') && text.len() <= MAX_LINE);
                kept.push_str(text);
            }
            prop_assert_eq!(kept, parts.concat().replace('\n', ""));
        }
    }
}
