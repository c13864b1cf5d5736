//! What is due, and when.

use std::collections::BTreeMap;

use super::{Place, Timer};
use crate::message::Moment;
use crate::trace::Cause;

/// With what a restarted actor begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Again {
    /// With what it was before it panicked.
    AsItWas,
    /// Without what it can be told again: it panics whatever it is told.
    Afresh,
}

/// Something that is due at some moment.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) enum What {
    /// A timer of an actor rings.
    Rings(Place, Timer, Cause),
    /// An actor begins anew.
    Restart(Place, Cause, Again),
}

/// Where something stands on the agenda: of what is due at the same moment, the first that was put there comes first.
pub(super) type Entry = (Moment, u64);

/// What is due.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Agenda {
    #[serde(with = "crate::message::pairs")]
    entries: BTreeMap<Entry, What>,
    numbers: u64,
}

impl Agenda {
    pub(super) fn put(&mut self, at: Moment, what: What) -> Entry {
        self.numbers = self.numbers.wrapping_add(1);
        let entry = (at, self.numbers);
        self.entries.insert(entry, what);
        entry
    }

    pub(super) fn remove(&mut self, entry: Entry) {
        self.entries.remove(&entry);
    }

    pub(super) fn next_at(&self) -> Option<Moment> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }

    /// What is due by now, the earliest first.
    pub(super) fn take(&mut self, now: Moment) -> Option<What> {
        let first = self.entries.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}
