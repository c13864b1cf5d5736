//! Looking at a device that has arrived: whether it can be opened, what it is, and what is wrong with it.

use std::time::Duration;

use mainstay_config::model::DeviceKind;
use mainstay_hardware::bus::{Depth, Findings, Supply, Unrecognised};
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::{Access, Generation, Sighting};

use super::machine::{Arrived, DeviceMachine, Mending, Out, State};
use crate::cause::{DeviceFault, Quarantine, Soon, Unusable};
use crate::message::device::{Awaited, DeviceTimer};
use crate::message::lease::LeaseMessage;
use crate::message::{Action, Effect, Moment, OperationId, Outcome};

/// A probe is given up after this long (DESIGN section 5).
const PROBE_WITHIN: Duration = Duration::from_secs(10);
/// udev sets permissions up to about a second after the node appears; slow boards take longer.
const ACCESS_WITHIN: Duration = Duration::from_secs(3);
/// Between two looks at a node that cannot be opened yet.
const ACCESS_RETRY: Duration = Duration::from_millis(100);
/// Until a device is looked at after all, which was kept from it by drivers of others that hang.
const LOOK_AFTER_ALL: Duration = Duration::from_secs(10);

impl DeviceMachine {
    /// It was seen a moment ago. Where it need not settle and its node was open, nobody has to look at the node once more.
    pub(super) fn arrive(&mut self, now: Moment) -> Out {
        let is_open = self.sighting.as_ref().is_some_and(|sighting| sighting.access == Access::Open);
        if !is_open || self.leased_since.is_some() || !self.departures.settling_time(now).is_zero() {
            return self.settle(now);
        }
        let looked_at = self.look();
        let mut out = Vec::new();
        if self.state != State::Ready {
            out.push(self.unavailable(Unusable::LookedAt, Soon::Yes));
        }
        out.extend(looked_at);
        out
    }

    /// Looks whether the node can be opened; `since` is when looking began.
    pub(super) fn check(&mut self, since: Moment) -> Out {
        let Some(sighting) = self.sighting.clone() else { return Vec::new() };
        if self.leased_since.is_some() {
            // It is in use (its actor was restarted meanwhile): it is not disturbed.
            self.state = State::Ready;
            return vec![self.restated()];
        }
        let operation = self.operation.advance();
        self.state = State::Checking { since, operation };
        let mut out = vec![Effect::Act(Action::CheckAccess(operation, sighting))];
        if self.refused.is_none() {
            out.insert(0, self.restated());
        }
        out
    }

    pub(super) fn accessible(&mut self, now: Moment, operation: OperationId, result: Result<(), Error>) -> Out {
        let State::Checking { since, operation: asked } = self.state else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        if asked != operation {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        match result {
            Ok(()) => self.look(),
            Err(error) if error.kind() == ErrorKind::NotTried => self.look_later(&error),
            Err(error) if now.since(since) < ACCESS_WITHIN => {
                self.state = State::Settling { since, until: DeviceTimer::AccessRetry };
                let mut out = vec![Effect::SetTimer(DeviceTimer::AccessRetry, ACCESS_RETRY)];
                if self.refused.as_ref() != Some(&error) {
                    self.refused = Some(error);
                    out.push(self.restated());
                }
                out
            }
            Err(error) => self.fault(DeviceFault::Unusable(error), Mending::SeenAgain),
        }
    }

    fn look(&mut self) -> Out {
        self.refused = None;
        let Some(sighting) = self.sighting.clone() else { return Vec::new() };
        if let Some(findings) = self.known_unasked(&sighting) {
            return self.ready(findings);
        }
        let depth = match self.awaited {
            Awaited::Somebody => Depth::Identity,
            Awaited::Nobody => Depth::Full,
        };
        vec![self.ask(sighting, depth)]
    }

    fn ask(&mut self, sighting: Sighting, depth: Depth) -> Effect<DeviceTimer> {
        let operation = self.operation.advance();
        self.state = State::Probing { operation };
        Effect::Act(Action::ProbeDevice(operation, sighting, self.spec.kind, depth, PROBE_WITHIN))
    }

    /// A HackRF that was not asked what it is, for somebody waited, is asked when nobody does any more. Only the registry knows that it is
    /// not about to give it away. A GPS is not read then: that takes seconds, which whoever comes next would have to wait.
    pub(super) fn wants_to_be_lent(&self) -> Option<Effect<DeviceTimer>> {
        let sighting = self
            .sighting
            .as_ref()
            .filter(|_| self.is_free() && self.is_unasked() && self.awaited == Awaited::Nobody)?;
        Some(self.tell_leases(LeaseMessage::Lend(self.spec.name.clone(), sighting.generation.clone())))
    }

    fn is_unasked(&self) -> bool {
        self.spec.kind == DeviceKind::Hackrf && self.findings == Some(Findings::Unread)
    }

    fn is_free(&self) -> bool {
        self.state == State::Ready && self.leased_since.is_none() && self.withheld.is_none()
    }

    pub(super) fn lent(&mut self, generation: &Generation) -> Out {
        let sighting = self.sighting.clone().filter(|sighting| sighting.generation == *generation);
        vec![match sighting.filter(|_| self.is_free() && self.is_unasked()) {
            Some(sighting) => self.ask(sighting, Depth::Full),
            // It has changed meanwhile, or was asked already, as it had asked for that twice (the registry panicked): the registry shall
            // not keep it for that.
            None => self.restated(),
        }]
    }

    /// What need not be asked. A radio and a device without a language of its own have nothing to say. Whoever waits for one that was
    /// just plugged in has it as soon as it can be opened, when the kernel already knows which it is.
    fn known_unasked(&self, sighting: &Sighting) -> Option<Findings> {
        let is_awaited = self.awaited == Awaited::Somebody;
        let is_named = sighting.usb.as_ref().is_some_and(|usb| usb.serial.is_some());
        match self.spec.kind {
            DeviceKind::Wifi => Some(Findings::Wifi),
            DeviceKind::Usb | DeviceKind::Serial => Some(Findings::Opened),
            DeviceKind::Gps => is_awaited.then_some(Findings::Unread),
            DeviceKind::Hackrf => {
                (is_awaited && is_named && self.arrived == Arrived::Later).then_some(Findings::Unread)
            }
        }
    }

    pub(super) fn probed(&mut self, operation: OperationId, result: Result<Findings, Error>) -> Out {
        if self.state != (State::Probing { operation }) {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        match result {
            Ok(findings) => self.ready(findings),
            // It works without.
            Err(error) if error.kind() == ErrorKind::NotTried && self.findings == Some(Findings::Unread) => {
                self.ready(Findings::Unread)
            }
            Err(error) => match error.kind() {
                ErrorKind::NotTried => self.look_later(&error),
                ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::Busy | ErrorKind::TimedOut => {
                    self.fault(DeviceFault::Unusable(error), Mending::SeenAgain)
                }
                // It is there and can be opened; what it said could not be understood.
                ErrorKind::NotSupported | ErrorKind::Refused | ErrorKind::Other => {
                    self.ready(Findings::Unrecognised(Unrecognised::Failed(error)))
                }
            },
        }
    }

    /// Other devices keep it from being looked at.
    fn look_later(&mut self, error: &Error) -> Out {
        let mut out = self.fault(DeviceFault::Unusable(error.clone()), Mending::Later);
        out.push(Effect::SetTimer(DeviceTimer::LookAfterAll, LOOK_AFTER_ALL));
        out
    }

    fn ready(&mut self, findings: Findings) -> Out {
        self.findings = Some(findings);
        self.state = State::Ready;
        vec![self.restated()]
    }

    /// The board's own word on its supply belongs to the reason why a device that drops out whenever it is used is kept out.
    pub(super) fn heard_supply(&mut self, operation: OperationId, supply: Supply) -> Out {
        let State::Quarantined { reason: Quarantine::Power { supply: said, .. }, .. } = &mut self.state else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        if operation != self.operation {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        *said = Some(supply);
        vec![self.restated()]
    }

    /// Whoever used it says that it does not work. What is said of an arrival that is over may be said once more when the next is there.
    pub(super) fn found_faulty(&mut self, reason: DeviceFault, arrival: Option<&Generation>) -> Out {
        let present = self.sighting.as_ref().map(|sighting| &sighting.generation);
        if arrival.is_some() && arrival != present {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        self.fault(reason, Mending::ByHand)
    }

    pub(super) fn fault(&mut self, reason: DeviceFault, mending: Mending) -> Out {
        (self.withheld, self.refused) = (None, None);
        // What the operator took out of use, or what is in quarantine, stays there, whatever else is wrong with it.
        if self.sighting.is_none() || self.is_out_of_use() {
            return vec![Effect::Note(Outcome::Ignored)];
        }
        self.state = State::Faulted { reason, mending };
        vec![self.restated()]
    }
}
