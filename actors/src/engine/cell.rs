//! One actor: its machine, its mail, its timers, and whether it lives.

use std::collections::{BTreeMap, VecDeque};

use super::agenda::{Agenda, Entry};
use super::spare::Spare;
use super::{AnyMachine, Letter, Mail, Timer};
use crate::message::{Address, Effect, Message};
use crate::trace::Cause;

/// Whether an actor takes mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Life {
    /// It does.
    Alive,
    /// It has panicked and is about to be restarted; its inbox is kept.
    Down,
}

/// Whether an actor has handled anything since it was restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Footing {
    /// It has, or was never restarted.
    Steady,
    /// It has not: when it panics, what it was before it panicked is no good.
    JustRestarted,
}

/// Something that is said once. Should its actor panic over it, it comes again.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) enum Once {
    /// A timer has rung.
    Rang(Timer, Cause),
    /// The root was told by somebody outside, who thinks that it was heard.
    Told(Box<Letter>),
}

impl Once {
    /// Whether a letter is to come again: only to the root nobody tells again what it has lost.
    pub(super) fn of(letter: &Letter) -> Option<Self> {
        let from_outside = matches!(letter.from, Address::Outside(_));
        (from_outside && matches!(letter.message, Message::Root(_))).then(|| Self::Told(Box::new(letter.clone())))
    }
}

/// One actor.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Cell {
    pub(super) machine: AnyMachine,
    pub(super) spare: Option<Spare>,
    pub(super) inbox: VecDeque<Mail>,
    /// What it wants done and nobody has begun to do.
    pub(super) outbox: VecDeque<(Cause, Effect<Timer>)>,
    /// The timers that are set or have rung without having been heard yet, with where they stand on the agenda.
    #[serde(with = "crate::message::pairs")]
    pub(super) timers: BTreeMap<Timer, Entry>,
    /// Of what is being handled, that which nobody would say again.
    pub(super) once: Option<Once>,
    pub(super) life: Life,
    pub(super) footing: Footing,
}

impl Cell {
    pub(super) fn new(machine: AnyMachine) -> Self {
        Self {
            machine,
            spare: None,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            timers: BTreeMap::new(),
            once: None,
            life: Life::Alive,
            footing: Footing::Steady,
        }
    }

    /// Takes a timer out of those that are set. A map that was ever filled keeps room for eleven: most actors at rest have none.
    pub(super) fn take_timer(&mut self, timer: &Timer) -> Option<Entry> {
        let entry = self.timers.remove(timer);
        if self.timers.is_empty() {
            self.timers = BTreeMap::new();
        }
        entry
    }

    /// Lets a timer not ring, or not be heard when it has.
    pub(super) fn forget_timer(&mut self, timer: &Timer, agenda: &mut Agenda) {
        if let Some(entry) = self.take_timer(timer) {
            agenda.remove(entry);
            self.inbox.retain(|mail| !matches!(mail, Mail::Rang(rang, _, _) if rang == timer));
        }
    }
}
