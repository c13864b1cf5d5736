//! Radios are put into their mode before a grant, and back as they were when nobody uses them any more.
//!
//! How a changed radio was before is kept by the executor as well, from the change until it is put back: a registry that
//! panics over that very news leaves nothing behind, and its successor asks. A radio that refuses to be put back is given up
//! after some tries: its own actor says so, and before anybody leases it again it is tried anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Station};
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, ErrorKind};

use super::machine::{LeaseMachine, LeaseTimer, Out, refuse, tell_device};
use super::messages::NotPrepared;
use super::preparation::Preparation;
use crate::cause::{Absence, Blocker, DeviceFault, Holder, Refusal, Soon, Unusable, Withheld};
use crate::device::DeviceMessage;
use crate::machine::{Action, Effect, OperationId, Outcome};

/// Between the tries to put back a radio that refuses; who has it open for a moment (EBUSY) is waited for.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// A radio that is being put back, after so many failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Restoring {
    UnderWay {
        operation: OperationId,
        failures: usize,
    },
    Pausing {
        failures: usize,
    },
    /// It stays as it is, which is told to people; nothing is tried behind their backs until it is said to be usable again.
    GivenUp {
        fault: DeviceFault,
    },
}

/// What is known of radios that are not as they were.
#[derive(Debug, Clone, Default)]
pub(super) struct Radios {
    /// All of them.
    all: BTreeSet<DeviceName>,
    /// How each changed radio was before.
    pub(super) changed: BTreeMap<DeviceName, WifiBaseline>,
    /// Those that are being changed; after a restart also those of which it is not known yet whether they were.
    pub(super) preparing: BTreeMap<DeviceName, OperationId>,
    /// Those that are being put back.
    pub(super) restoring: BTreeMap<DeviceName, Restoring>,
}

impl Radios {
    /// The radios of a station, all of them as they were.
    pub(super) fn of(station: &Station) -> Self {
        let radios = station.devices.values().filter(|device| device.kind == DeviceKind::Wifi);
        Self { all: radios.map(|device| device.name.clone()).collect(), ..Self::default() }
    }

    /// Whether all are as they were, or given up.
    pub(super) fn are_settled(&self) -> bool {
        let is_given_up = |device| matches!(self.restoring.get(device), Some(Restoring::GivenUp { .. }));
        self.preparing.is_empty() && self.changed.keys().chain(self.restoring.keys()).all(is_given_up)
    }

    /// Whether something is done to put it back.
    pub(super) fn is_being_put_back(&self, device: &DeviceName) -> bool {
        matches!(self.restoring.get(device), Some(Restoring::UnderWay { .. } | Restoring::Pausing { .. }))
    }

    /// What keeps a radio from being leased, when it is not as it was.
    pub(super) fn blocker(&self, device: &DeviceName) -> Option<Blocker> {
        match self.restoring.get(device) {
            Some(Restoring::GivenUp { fault }) => {
                let reason = Unusable::Faulted(fault.clone());
                Some(Blocker::Device { device: device.clone(), reason, soon: Soon::Unknown })
            }
            Some(_) => Some(Blocker::Restoring { device: device.clone() }),
            None => self.preparing.contains_key(device).then_some(Blocker::Preparing),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Ends an operation; whether it was the one under way.
fn end(under_way: &mut BTreeMap<DeviceName, OperationId>, device: &DeviceName, operation: OperationId) -> bool {
    let current = under_way.get(device) == Some(&operation);
    if current {
        under_way.remove(device);
    }
    current
}

impl LeaseMachine {
    /// After a restart: until it is known whether a radio was changed, nobody gets it.
    pub(super) fn ask_for_radios(&mut self, out: &mut Out) {
        for device in self.radios.all.clone() {
            let operation = self.operation.advance();
            self.radios.preparing.insert(device.clone(), operation);
            out.push(Effect::Act(Action::ReportRadio(operation, device)));
        }
    }

    pub(super) fn radio_reported(
        &mut self,
        operation: OperationId,
        device: DeviceName,
        before: Option<WifiBaseline>,
    ) -> Out {
        if !end(&mut self.radios.preparing, &device, operation) {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        match before {
            Some(before) => {
                self.radios.changed.insert(device, before);
                Vec::new()
            }
            // That it was put back, or released as it was, may be what the predecessor panicked over.
            None => {
                let unheld = self.tell_unheld(&device);
                vec![unheld.unwrap_or_else(|| tell_device(&device, DeviceMessage::PutBack(None)))]
            }
        }
    }

    pub(super) fn radio_prepared(
        &mut self,
        operation: OperationId,
        device: &DeviceName,
        result: Result<WifiBaseline, NotPrepared>,
    ) -> Out {
        if !end(&mut self.radios.preparing, device, operation) {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        let (before, error) = match result {
            Ok(before) => (Some(before), None),
            Err(NotPrepared { before, error }) => (before, Some(error)),
        };
        if let Some(before) = before {
            self.radios.changed.insert(device.clone(), before);
        }
        let waiting = self.queue.iter_mut().find_map(|queued| {
            let asked = queued.preparation.as_mut()?.radios.remove(device)?;
            Some((queued.request.holder.clone(), asked))
        });
        // Without an error, somebody waits for it and goes on; or nobody does, and it is put back.
        let Some(error) = error else { return Vec::new() };
        let mut out = Vec::new();
        if error.kind == ErrorKind::TimedOut {
            out.extend(self.give_up(device, DeviceFault::DriverHung(error.clone())));
        }
        match waiting {
            Some((holder, asked)) => out.extend(self.not_prepared(device, &holder, asked, &error)),
            None if out.is_empty() => out.push(Effect::Note(Outcome::Superseded)),
            None => {}
        }
        out
    }

    /// Somebody waits for a radio that could not be made ready.
    fn not_prepared(&mut self, device: &DeviceName, holder: &Holder, asked: u32, error: &Error) -> Out {
        let queued = self.queue.iter_mut().find(|queued| queued.request.holder == *holder);
        match (error.kind, queued) {
            (ErrorKind::NotFound, Some(queued)) => {
                let offer = queued.preparation.as_ref().and_then(|preparation| preparation.offers.get(device));
                if offer.and_then(|offer| offer.ifindex).is_some_and(|present| present != asked) {
                    // The interface was made anew since, and is there.
                    queued.preparation = None;
                    return Vec::new();
                }
                self.vanished(device)
            }
            (ErrorKind::NotTried, Some(queued)) => {
                queued.preparation = None;
                queued.untried = Some((device.clone(), error.clone()));
                Vec::new()
            }
            _ => {
                let mut out = self.withdraw(holder);
                out.extend(refuse(holder, Refusal::NotPrepared { device: device.clone(), error: error.clone() }));
                out
            }
        }
    }

    /// It left while it was made ready, which is nobody's failure. Its own actor will say how, or that it is there again.
    fn vanished(&mut self, device: &DeviceName) -> Out {
        self.unavailable(device, Unusable::Absent(Absence::Vanished), Soon::Unknown)
    }

    pub(super) fn radio_restored(
        &mut self,
        operation: OperationId,
        device: &DeviceName,
        result: Result<(), Error>,
    ) -> Out {
        let failures = match self.radios.restoring.get(device) {
            Some(Restoring::UnderWay { operation: current, failures }) if *current == operation => *failures,
            _ => return vec![Effect::Note(Outcome::Superseded)],
        };
        match result {
            Err(error) if error.kind != ErrorKind::NotFound => self.still_changed(device, failures, &error),
            // A radio that is gone needs no restoring.
            result => {
                self.radios.restoring.remove(device);
                let before = self.radios.changed.remove(device);
                vec![tell_device(device, DeviceMessage::PutBack(before.filter(|_| result.is_ok())))]
            }
        }
    }

    /// A driver that hangs would hang again; anything else may pass.
    fn still_changed(&mut self, device: &DeviceName, failures: usize, error: &Error) -> Out {
        let last = PAUSES.last().copied().unwrap_or_default();
        match PAUSES.get(failures) {
            // That it was not even tried is not its failure.
            _ if error.kind == ErrorKind::NotTried => self.try_again_later(device, failures, last, error),
            Some(pause) if error.kind != ErrorKind::TimedOut => {
                self.try_again_later(device, failures.saturating_add(1), *pause, error)
            }
            _ => {
                let tries = count(failures.saturating_add(1));
                self.give_up(device, DeviceFault::NotPutBack { error: error.clone(), tries })
            }
        }
    }

    /// How it was stays known, for when it is said to be usable again. Its own actor says to all others that it is not.
    fn give_up(&mut self, device: &DeviceName, fault: DeviceFault) -> Out {
        if self.radios.changed.contains_key(device) {
            self.radios.restoring.insert(device.clone(), Restoring::GivenUp { fault: fault.clone() });
        }
        vec![tell_device(device, DeviceMessage::Fault(fault))]
    }

    fn try_again_later(&mut self, device: &DeviceName, failures: usize, pause: Duration, error: &Error) -> Out {
        self.radios.restoring.insert(device.clone(), Restoring::Pausing { failures });
        let (attempt, of) = (count(failures.saturating_add(1)), count(PAUSES.len() + 1));
        let withheld = Withheld::TryingAgain { attempt, of, error: error.clone() };
        vec![
            tell_device(device, DeviceMessage::Withheld(withheld)),
            Effect::SetTimer(LeaseTimer::PutBack(device.clone()), pause),
        ]
    }

    /// The pause is over.
    pub(super) fn try_again(&mut self, device: &DeviceName) -> Out {
        let Some(&Restoring::Pausing { failures }) = self.radios.restoring.get(device) else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        let mut out = vec![Effect::CancelTimer(LeaseTimer::PutBack(device.clone()))];
        out.extend(self.put_back(device, failures));
        out
    }

    /// A device has come or gone: perhaps there is nothing left to put back, and nobody shall wait for that.
    pub(super) fn hasten(&mut self, device: &DeviceName) -> Out {
        let pauses = matches!(self.radios.restoring.get(device), Some(Restoring::Pausing { .. }));
        if pauses { self.try_again(device) } else { Vec::new() }
    }

    fn put_back(&mut self, device: &DeviceName, failures: usize) -> Option<Effect<LeaseTimer>> {
        let before = self.radios.changed.get(device)?.clone();
        let operation = self.operation.advance();
        self.radios.restoring.insert(device.clone(), Restoring::UnderWay { operation, failures });
        Some(Effect::Act(Action::RestoreRadio { operation, device: device.clone(), before }))
    }

    /// Whether a radio was changed and nobody uses it any more.
    pub(super) fn is_due(&self, device: &DeviceName) -> bool {
        let mut prepared = self.queue.iter().filter_map(|queued| queued.preparation.as_ref());
        self.radios.changed.contains_key(device)
            && !self.holders.values().any(|holding| holding.grant.devices.contains_key(device))
            && !prepared.any(|preparation: &Preparation| preparation.offers.contains_key(device))
    }

    /// Puts back what nobody uses any more; of those who share a radio, the last one's end does it.
    pub(super) fn put_back_unused(&mut self, out: &mut Out) {
        let begun = |device: &&DeviceName| self.radios.restoring.contains_key(*device);
        let due = self.radios.changed.keys().filter(|device| !begun(device) && self.is_due(device));
        for device in due.cloned().collect::<Vec<_>>() {
            out.extend(self.begin_to_put_back(&device));
        }
    }

    fn begin_to_put_back(&mut self, device: &DeviceName) -> Out {
        let mut out = vec![tell_device(device, DeviceMessage::Withheld(Withheld::PuttingBack))];
        out.extend(self.put_back(device, 0));
        out
    }

    /// A radio that was given up is said to be usable again: mended, taken back by the operator, or another arrival.
    pub(super) fn try_anew(&mut self, device: &DeviceName) -> Out {
        let given_up = matches!(self.radios.restoring.get(device), Some(Restoring::GivenUp { .. }));
        if given_up { self.begin_to_put_back(device) } else { Vec::new() }
    }
}
