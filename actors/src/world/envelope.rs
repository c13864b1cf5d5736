//! What travels between actors in the world, and the record of it.

use std::collections::VecDeque;
use std::fmt::Write;

use crate::machine::{ActorId, Address, Described, Message, Moment, Outcome};

/// A message with where it came from.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Its number; grows.
    pub id: u64,
    /// The message that was being handled when it was sent, or when the act was ordered that it answers.
    pub cause: Option<u64>,
    /// The number of the message that the whole trace began with.
    pub trace: u64,
    /// Who sent it.
    pub from: Address,
    /// What it says, and to whom.
    pub message: Message,
}

/// What a message was caused by: carried along by acts and timers until they are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The message.
    pub message: u64,
    /// Its trace.
    pub trace: u64,
}

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
    envelope: Envelope,
    outcome: Outcome,
}

impl Journal {
    pub(super) fn new(keep: Keep) -> Self {
        Self { keep, entries: VecDeque::new(), handled: 0 }
    }

    /// A copy to be noted later, when copies are kept.
    pub(super) fn copy(&self, envelope: &Envelope) -> Option<Envelope> {
        (self.keep != Keep::Nothing).then(|| envelope.clone())
    }

    pub(super) fn note(&mut self, at: Moment, copy: Option<Envelope>, outcome: Outcome) {
        self.handled += 1;
        let Some(envelope) = copy else { return };
        self.entries.push_back(Entry { at, envelope, outcome });
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
            let Entry { at, envelope, outcome } = entry;
            let Envelope { id, cause, trace, from, message } = envelope;
            let cause = cause.map_or_else(|| "-".to_owned(), |cause| cause.to_string());
            let (to, seconds) = (message.receiver(), at.since_boot().as_secs_f64());
            let (kind, detail) = described(message);
            let _ = writeln!(
                text,
                "{seconds:12.6} #{id} <-{cause} trace {trace}  {from} -> {to}  {kind} [{}] {detail}",
                outcome.as_str()
            );
        }
        text
    }
}

fn described(message: &Message) -> (&'static str, String) {
    let inner: &dyn Described = match message {
        Message::Root(inner) => inner,
        Message::Hardware(inner) => inner,
        Message::Device(_, inner) => inner,
        Message::Leases(inner) => inner,
        Message::Services(inner) => inner,
        Message::Service(_, inner) => inner,
    };
    (inner.kind(), inner.detail().to_string())
}

/// Who restarts an actor.
pub(super) fn supervisor(actor: &ActorId) -> ActorId {
    match actor {
        ActorId::Device(_) => ActorId::Hardware,
        ActorId::Service(_) => ActorId::Services,
        ActorId::Root | ActorId::Hardware | ActorId::Leases | ActorId::Services => ActorId::Root,
    }
}
