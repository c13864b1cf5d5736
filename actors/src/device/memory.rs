//! What a device remembers over a panic of its actor, and how it goes on from there.

use super::machine::{DeviceMachine, DeviceTimer, Out, Recovering, State};
use crate::lease::LeaseMessage;
use crate::machine::{Effect, Moment};

impl DeviceMachine {
    /// What cannot be asked for anew: what keeps the device out of use, how it left, how it came and went before, and who waits.
    /// Who leases it the registry says; since when tells an early departure from a late one. The departure of the arrival that was
    /// known may be what the actor panicked over. The registry says no more of a radio that was given up.
    pub(super) fn remembered(&self, incarnation: u32) -> Self {
        let known = self.sighting.as_ref().map(|sighting| sighting.generation.clone());
        let mut again = Self::new(self.spec.clone(), incarnation);
        if self.is_out_of_use() || matches!(self.state, State::Absent { .. }) {
            again.state = self.state.clone();
        }
        again.before = known.or_else(|| self.before.clone());
        (again.departures, again.holder) = (self.departures.clone(), self.holder.clone());
        (again.owed, again.awaited) = (self.owed, self.awaited);
        again
    }

    /// A quarantine goes on to its end; everything else is asked for.
    pub(super) fn recover(&mut self, now: Moment) -> Out {
        self.recovering = Recovering::AskingRegistry;
        let mut out = vec![self.tell_leases(LeaseMessage::InquireDevice(self.spec.name.clone()))];
        if let State::Quarantined { until, .. } = self.state {
            out.push(Effect::SetTimer(DeviceTimer::Quarantine, until.since(now)));
        }
        out
    }
}
