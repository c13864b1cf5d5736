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
        out.extend(self.sleep_as_it_should());
        out.push(self.publication());
        out
    }

    /// On USB it is not suspended while it is leased.
    fn sleep_as_it_should(&self) -> Option<Effect<DeviceTimer>> {
        let on_usb = self.sighting.clone().filter(|sighting| sighting.usb.is_some());
        Some(Effect::Act(match (&self.holder, on_usb) {
            (Some(_), Some(sighting)) => Action::KeepAwake(sighting),
            (Some(_), None) => return None,
            (None, _) => Action::LetSleep,
        }))
    }

    pub(super) fn say_again(&self, to: &ActorId) -> Vec<Message> {
        told(match to {
            ActorId::Leases => vec![self.restated()],
            ActorId::Hardware => self.disclaim(),
            _ => Vec::new(),
        })
    }
}
