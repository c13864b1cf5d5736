//! Chains of causes: kept with every published state, and put into words when somebody asks why.

use std::sync::Arc;

use super::recorder::{ExternalCause, Said};
use crate::machine::{Address, Moment, Outside};

/// Steps of a chain of causes that are followed.
pub(super) const CHAIN_MAX: usize = 64;

/// One step of a chain of causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Moment,
    /// What happened, a sentence without a full stop.
    pub what: String,
}

/// What led to a message. It holds on to what was said, so it can be told when the recorder has long forgotten it; states that
/// were reached one through another share most of it.
#[derive(Debug, Clone)]
pub struct Chain {
    event: Option<(Moment, Arc<ExternalCause>)>,
    /// The latest first.
    said: Box<[Arc<Said>]>,
}

impl Chain {
    pub(super) fn new(event: Option<(Moment, Arc<ExternalCause>)>, said: Vec<Arc<Said>>) -> Self {
        Self { event, said: said.into_boxed_slice() }
    }

    /// The steps in words, the external event first.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let event = self
            .event
            .iter()
            .map(|(at, cause)| Step { at: *at, what: format!("{}: {}", cause.kind.as_str(), cause.detail) });
        let said = self.said.iter().rev().map(|said| Step { at: said.sent, what: said.sentence() });
        event.chain(said).collect()
    }
}

impl Said {
    /// What happened, for a chain of causes.
    fn sentence(&self) -> String {
        let said = if self.detail.is_empty() { self.kind } else { &self.detail };
        match (&self.from, &self.to) {
            (Address::Outside(Outside::Clock), Address::Actor(to)) => format!("{to}: {said}"),
            (Address::Actor(from), Address::Outside(to)) => format!("{from} had {to} do: {said}"),
            (from, to) => format!("{from} told {to}: {said}"),
        }
    }
}
