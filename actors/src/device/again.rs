//! A device after a panic of its actor, and what it says again after a panic of another's.

use super::machine::{DeviceMachine, Out, State};
use crate::message::device::{Awaited, DeviceTimer};
use crate::message::{Action, ActorId, Effect, Message, Moment, told};

impl DeviceMachine {
    /// Without what it is told again, or finds out anew when it is looked at.
    pub(super) fn reduced(&self) -> Self {
        Self { findings: None, awaited: Awaited::Nobody, ..self.clone() }
    }

    /// What was under way may have been lost.
    pub(super) fn begin_again(&mut self, now: Moment) -> Out {
        let mut out = match self.state {
            State::Checking { since, .. } => self.check(since),
            State::Probing { .. } => self.check(now),
            State::Absent { .. }
            | State::Settling { .. }
            | State::Ready
            | State::Faulted { .. }
            | State::Quarantined { .. }
            | State::Ejected => Vec::new(),
        };
        out.extend(self.mind_sleep());
        out.push(self.publication());
        out
    }

    /// On USB it is not suspended while it is leased.
    pub(super) fn mind_sleep(&self) -> Option<Effect<DeviceTimer>> {
        let on_usb = self.sighting.clone().filter(|sighting| sighting.usb.is_some());
        match self.leased_since {
            Some(_) => on_usb.map(Action::KeepAwake),
            None => Some(Action::LetSleep),
        }
        .map(Effect::Act)
    }

    pub(super) fn say_again(&self, to: &ActorId) -> Vec<Message> {
        told(match to {
            ActorId::Leases => vec![self.restated()],
            ActorId::Hardware => self.disclaim(),
            ActorId::Root | ActorId::Device(_) | ActorId::Services | ActorId::Service(_) => Vec::new(),
        })
    }
}
