//! What a device remembers over a panic of its actor, and how it goes on from there.

use mainstay_hardware::sighting::Generation;

use super::claim::Owed;
use super::flap::Departures;
use super::machine::{DeviceMachine, DeviceTimer, Out, Recovering, State};
use super::messages::Awaited;
use crate::cause::Holder;
use crate::lease::LeaseMessage;
use crate::machine::{Effect, Moment};

/// What cannot be asked for anew: what keeps the device out of use, how it left, how it came and went before, and who waits.
#[derive(Debug, Clone, Default)]
pub struct DeviceMemo {
    /// Ejected, quarantined or absent.
    state: Option<State>,
    departures: Departures,
    /// Who leases it the registry says; since when tells an early departure from a late one.
    holder: Option<(Holder, Moment)>,
    /// The arrival that was known: its departure may be what the actor panicked over.
    arrival: Option<Generation>,
    /// Whether it was to be put back: the registry says no more of one that was given up.
    owed: Owed,
    /// Whether somebody waits for it, which the registry says only when that changes.
    awaited: Awaited,
}

impl DeviceMachine {
    /// The same, with what its predecessor remembered.
    #[must_use]
    pub fn remembering(mut self, memo: DeviceMemo) -> Self {
        let DeviceMemo { state, departures, holder, arrival, owed, awaited } = memo;
        if let Some(state) = state {
            self.state = state;
        }
        (self.departures, self.holder, self.before, self.awaited) = (departures, holder, arrival, awaited);
        self.owed = owed;
        self
    }

    pub(super) fn remember(&self) -> DeviceMemo {
        let known = self.sighting.as_ref().map(|sighting| sighting.generation.clone());
        DeviceMemo {
            state: (self.is_out_of_use() || matches!(self.state, State::Absent { .. })).then(|| self.state.clone()),
            departures: self.departures.clone(),
            holder: self.holder.clone(),
            arrival: known.or_else(|| self.before.clone()),
            owed: self.owed,
            awaited: self.awaited,
        }
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
