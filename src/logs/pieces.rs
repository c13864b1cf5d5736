//! Bytes of a log cut into lines, a very long line into several pieces, so that a program that never ends its line
//! needs no memory here.

use mainstay_actors::effect::process::keeper::unfinished;

/// Bytes of a piece at most.
const LONGEST: usize = 64 * 1024;

/// A line, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its text; what is not UTF-8 is replaced.
    pub(crate) text: String,
    /// Whether it is the end of its line.
    pub(crate) ends_line: bool,
}

/// Collects bytes and gives pieces.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    held: Vec<u8>,
}

impl Pieces {
    /// Takes bytes and gives what is complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut found = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            for chunk in part.chunks(LONGEST) {
                self.held.extend_from_slice(chunk);
                if let Some(line) = self.held.strip_suffix(b"\n") {
                    found.push(Piece { text: String::from_utf8_lossy(line).into_owned(), ends_line: true });
                    self.held.clear();
                } else if self.held.len() >= LONGEST {
                    found.push(self.part());
                }
            }
        }
        found
    }

    /// What is left when no more bytes are there now: an unfinished line.
    pub(crate) fn flush(&mut self) -> Option<Piece> {
        if self.held.is_empty() { None } else { Some(self.part()) }
    }

    /// Everything held, but for a character at its end that is not complete yet.
    fn part(&mut self) -> Piece {
        let whole = match std::str::from_utf8(&self.held) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            // A broken byte further ahead hides the end; look at the last few alone.
            Err(_) => self.held.len() - unfinished(&self.held),
            Ok(_) => self.held.len(),
        };
        let kept = self.held.split_off(whole);
        let text = String::from_utf8_lossy(&std::mem::replace(&mut self.held, kept)).into_owned();
        Piece { text, ends_line: false }
    }
}
