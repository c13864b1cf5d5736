//! Radios are put back as they were: when nobody holds them any more, and again after a pause where that failed.

use std::time::Duration;

use mainstay_config::names::DeviceName;
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::Generation;

use super::machine::{LeaseMachine, Out, tell_device};
use super::radios::Restoring;
use crate::cause::{DeviceFault, Resource, Withheld};
use crate::message::device::DeviceMessage;
use crate::message::lease::LeaseTimer;
use crate::message::{Action, Effect, OperationId, Outcome};

/// Between the tries to put back a radio that refuses; who has it open for a moment (EBUSY) is waited for.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

impl LeaseMachine {
    pub(super) fn radio_restored(
        &mut self,
        operation: OperationId,
        device: &DeviceName,
        result: Result<(), Error>,
    ) -> Out {
        let failures = match self.radios.restoring.get(device) {
            Some(Restoring::UnderWay { operation: current, failures }) if *current == operation => *failures,
            Some(Restoring::UnderWay { .. } | Restoring::Pausing { .. } | Restoring::GivenUp { .. }) | None => {
                return vec![Effect::Note(Outcome::Superseded)];
            }
        };
        match result {
            Err(error) if error.kind() != ErrorKind::NotFound => self.still_changed(device, failures, &error),
            // A radio that is gone needs no restoring.
            result => {
                self.radios.restoring.remove(device);
                let (before, noted) = self.radios.forget(device).unzip();
                let told = DeviceMessage::PutBack(before.filter(|_| result.is_ok()));
                noted.into_iter().chain([tell_device(device, told)]).collect()
            }
        }
    }

    /// A driver that hangs would hang again; anything else may pass.
    fn still_changed(&mut self, device: &DeviceName, failures: usize, error: &Error) -> Out {
        let last = PAUSES.last().copied().unwrap_or_default();
        match PAUSES.get(failures) {
            // That it was not even tried is not its failure.
            _ if error.kind() == ErrorKind::NotTried => self.try_again_later(device, failures, last, error),
            Some(pause) if error.kind() != ErrorKind::TimedOut => {
                self.try_again_later(device, failures.saturating_add(1), *pause, error)
            }
            _ => {
                let tries = count(failures.saturating_add(1));
                self.give_up(device, DeviceFault::NotPutBack { error: error.clone(), tries })
            }
        }
    }

    /// How it was stays known, for when it is said to be usable again. Its own actor says to all others that it is not.
    pub(super) fn give_up(&mut self, device: &DeviceName, fault: DeviceFault) -> Out {
        if self.radios.changed.contains_key(device) {
            self.radios.restoring.insert(device.clone(), Restoring::GivenUp { fault: fault.clone() });
        }
        vec![tell_device(device, self.radios.is_faulty(device, fault))]
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

    /// Another arrival is there: nothing is left of the one that was changed, whatever its driver still says of it.
    pub(super) fn forget_earlier(&mut self, device: &DeviceName, present: &Generation) -> Out {
        let is_earlier = self.radios.arrivals.get(device).is_some_and(|arrival| arrival != present);
        let forgotten = if is_earlier { self.radios.forget(device) } else { None };
        let Some((_, noted)) = forgotten else { return Vec::new() };
        self.radios.restoring.remove(device);
        vec![
            noted,
            Effect::CancelTimer(LeaseTimer::PutBack(device.clone())),
            tell_device(device, DeviceMessage::PutBack(None)),
        ]
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
        self.radios.changed.contains_key(device)
            && !self.radios.preparing.contains_key(device)
            && self.holder_of(device).is_none()
            && self.queue.prepared_with(device).is_empty()
    }

    /// Puts back what nobody uses any more; of those who share a radio, the last one's end does it.
    pub(super) fn put_back_unused(&mut self, out: &mut Out) {
        let begun = |device: &&DeviceName| self.radios.restoring.contains_key(*device);
        let due = self.radios.changed.keys().filter(|device| !begun(device) && self.is_due(device));
        for device in due.cloned().collect::<Vec<_>>() {
            self.queue.touch(&Resource::Device(device.clone()));
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

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
