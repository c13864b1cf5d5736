//! The record of what travels between actors in the world.

use std::collections::VecDeque;
use std::fmt::Write;

use crate::engine::Letter;
use crate::message::{Moment, Outcome};

/// How much of what happens is kept for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: for speed.
    Nothing,
    /// So many messages, the last ones.
    Last(usize),
    /// Everything.
    All,
}

/// The record of messages.
#[derive(Debug)]
pub struct Journal {
    keep: Keep,
    entries: VecDeque<Entry>,
    /// How many were handled altogether.
    handled: u64,
}

#[derive(Debug)]
struct Entry {
    at: Moment,
    letter: Letter,
    outcome: Outcome,
}

impl Journal {
    pub(super) fn new(keep: Keep) -> Self {
        Self { keep, entries: VecDeque::new(), handled: 0 }
    }

    /// A copy to be noted later, when copies are kept.
    pub(super) fn copy(&self, letter: &Letter) -> Option<Letter> {
        (self.keep != Keep::Nothing).then(|| letter.clone())
    }

    pub(super) fn note(&mut self, at: Moment, copy: Option<Letter>, outcome: Outcome) {
        self.handled += 1;
        let Some(letter) = copy else { return };
        self.entries.push_back(Entry { at, letter, outcome });
        if let Keep::Last(most) = self.keep
            && self.entries.len() > most
        {
            self.entries.pop_front();
        }
    }

    /// How many messages were handled.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.handled
    }

    /// One line for each message that is kept.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            let Entry { at, letter, outcome } = entry;
            let Letter { id, cause, from, message } = letter;
            let because = cause.message.map_or_else(|| "-".to_owned(), |cause| cause.0.to_string());
            let (to, seconds) = (message.receiver(), at.since_boot().as_secs_f64());
            let (kind, detail) = (message.described().kind(), message.described().detail());
            let _ = writeln!(
                text,
                "{seconds:12.6} #{} <-{because} trace {}  {from} -> {to}  {kind} [{}] {detail}",
                id.0,
                cause.trace.0,
                outcome.as_str()
            );
        }
        text
    }
}
