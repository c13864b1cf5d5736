//! One actor: its machine, its mail, its timers, and whether it lives.

use std::collections::{BTreeMap, VecDeque};

use super::agenda::{Agenda, Entry};
use super::spare::Spare;
use super::{AnyMachine, Mail, Timer};
use crate::machine::Effect;
use crate::trace::Cause;

/// Whether an actor takes mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It does.
    Alive,
    /// It has panicked and is about to be restarted; its inbox is kept.
    Down,
}

/// One actor.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) machine: AnyMachine,
    /// How many times it was restarted.
    pub(super) incarnation: u32,
    pub(super) spare: Option<Spare>,
    pub(super) inbox: VecDeque<Mail>,
    /// What it wants done and nobody has begun to do.
    pub(super) outbox: VecDeque<(Cause, Effect<Timer>)>,
    /// The timers that are set or have rung without having been heard yet, with where they stand on the agenda.
    pub(super) timers: BTreeMap<Timer, Entry>,
    pub(super) life: Life,
}

impl Cell {
    pub(super) fn new(machine: AnyMachine) -> Self {
        Self {
            machine,
            incarnation: 0,
            spare: None,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            timers: BTreeMap::new(),
            life: Life::Alive,
        }
    }

    /// Lets a timer not ring, or not be heard when it has.
    pub(super) fn forget_timer(&mut self, timer: &Timer, agenda: &mut Agenda) {
        if let Some(entry) = self.timers.remove(timer) {
            agenda.remove(entry);
            self.inbox.retain(|mail| !matches!(mail, Mail::Rang(rang, _, _) if rang == timer));
        }
    }

    pub(super) fn forget_timers(&mut self, agenda: &mut Agenda) {
        for (_, entry) in std::mem::take(&mut self.timers) {
            agenda.remove(entry);
        }
        self.inbox.retain(|mail| matches!(mail, Mail::Letter(_)));
    }
}
