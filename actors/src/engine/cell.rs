//! One actor: its machine, its mail, its timers, and whether it lives.

use std::collections::{BTreeMap, VecDeque};

use super::agenda::{Agenda, Entry};
use super::spare::Spare;
use super::{AnyMachine, Mail, Timer};
use crate::message::{ActorId, Effect};
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
    /// The timer whose ringing is being handled.
    pub(super) rang: Option<(Timer, Cause)>,
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
            rang: None,
            life: Life::Alive,
            footing: Footing::Steady,
        }
    }

    /// Lets a timer not ring, or not be heard when it has.
    pub(super) fn forget_timer(&mut self, timer: &Timer, agenda: &mut Agenda) {
        if let Some(entry) = self.timers.remove(timer) {
            agenda.remove(entry);
            self.inbox.retain(|mail| !matches!(mail, Mail::Rang(rang, _, _) if rang == timer));
        }
    }

    /// Says again to an actor what still holds of what it was told.
    pub(super) fn tell_again(&mut self, actor: &ActorId, cause: Cause) {
        let again = self.machine.tell_again(actor);
        self.outbox.extend(again.into_iter().map(|message| (cause, Effect::Tell(message))));
    }
}
