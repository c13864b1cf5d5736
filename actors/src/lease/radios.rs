//! Radios are put into their mode before a grant, and back as they were when nobody uses them any more.
//!
//! How a changed radio was before is kept by the executor as well, from the change until it is put back: a registry that
//! panics over that very news leaves nothing behind, and its successor asks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Station};
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, ErrorKind};

use super::machine::{LeaseMachine, LeaseTimer, Out, refuse, tell_device};
use super::messages::Soon;
use super::preparation::Preparation;
use super::queue::DeviceState;
use crate::device::DeviceMessage;
use crate::machine::{Action, Effect, OperationId, Outcome};

/// Between the tries to put back a radio that refuses; who has it open for a moment (EBUSY) is waited for.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// What becomes of a radio that cannot be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It is tried again.
    TryAgain,
    /// It stays as it is, which is told to people; nothing is tried behind their backs.
    GiveUp,
}

impl OnFailure {
    /// Whether it is tried again after this error. A radio that is gone needs no restoring; a driver that hangs would hang again.
    #[must_use]
    pub fn tries_again_after(self, error: &Error) -> bool {
        self == Self::TryAgain && !matches!(error.kind, ErrorKind::NotFound | ErrorKind::TimedOut)
    }
}

/// A radio that is being put back, after so many failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restoring {
    UnderWay { operation: OperationId, failures: usize },
    Pausing { failures: usize },
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

    /// Whether all are as they were.
    pub(super) fn are_settled(&self) -> bool {
        self.changed.is_empty() && self.preparing.is_empty() && self.restoring.is_empty()
    }
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
            // That it was put back may be what the predecessor panicked over.
            None => vec![tell_device(&device, DeviceMessage::PutBack(None))],
        }
    }

    pub(super) fn radio_prepared(
        &mut self,
        operation: OperationId,
        device: &DeviceName,
        result: Result<WifiBaseline, Error>,
    ) -> Out {
        if !end(&mut self.radios.preparing, device, operation) {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        let error = result.map(|baseline| self.radios.changed.insert(device.clone(), baseline)).err();
        let waiting = self.queue.iter_mut().find_map(|queued| {
            let service = queued.request.service.clone();
            let preparation = queued.preparation.as_mut()?;
            preparation.radios.remove(device).map(|_| service)
        });
        match (waiting, error) {
            // Somebody waits for it and goes on; or nobody does, and it is put back.
            (_, None) => Vec::new(),
            (None, Some(_)) => vec![Effect::Note(Outcome::Superseded)],
            (Some(_), Some(error)) if error.kind == ErrorKind::NotFound => self.vanished(device),
            (Some(service), Some(error)) => {
                let mut out = self.withdraw(&service);
                out.extend(fault_if_hung(device, &error));
                out.push(refuse(&service, format!("{device} could not be made ready: {error}")));
                out
            }
        }
    }

    /// It left while it was made ready, which is nobody's failure. Its own actor will say how, or that it is there again.
    fn vanished(&mut self, device: &DeviceName) -> Out {
        self.unavailable(device, "gone (it vanished while it was made ready)", Soon::Unknown)
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
        if let (Err(error), Some(pause)) = (&result, PAUSES.get(failures))
            && OnFailure::TryAgain.tries_again_after(error)
        {
            return self.try_again_later(device, failures.saturating_add(1), *pause, error);
        }
        self.radios.restoring.remove(device);
        let before = self.radios.changed.remove(device);
        match result {
            Ok(()) => vec![tell_device(device, DeviceMessage::PutBack(before))],
            // A radio that is gone needs no restoring.
            Err(error) if error.kind == ErrorKind::NotFound => vec![tell_device(device, DeviceMessage::PutBack(None))],
            Err(error) => self.given_up(device, failures, &error),
        }
    }

    fn given_up(&mut self, device: &DeviceName, failures: usize, error: &Error) -> Out {
        let tried = if failures == 0 { String::new() } else { format!(" (tried {} times)", failures + 1) };
        let words = format!("it could not be put back as it was: {error}{tried}");
        let mut out = Vec::new();
        if matches!(self.devices.get(device), Some(DeviceState::Available(_))) {
            // Its own actor will say so, too late for whoever waits for it. What keeps it out of use already stays.
            out.extend(self.unavailable(device, &format!("faulted: {words}"), Soon::Unknown));
        }
        out.push(tell_device(device, DeviceMessage::Fault(words)));
        out
    }

    fn try_again_later(&mut self, device: &DeviceName, failures: usize, pause: Duration, error: &Error) -> Out {
        self.radios.restoring.insert(device.clone(), Restoring::Pausing { failures });
        let words = format!("being put back as it was; try {} of {}, since {error}", failures + 1, PAUSES.len() + 1);
        vec![
            tell_device(device, DeviceMessage::PuttingBack(words)),
            Effect::SetTimer(LeaseTimer::PutBack(device.clone()), pause),
        ]
    }

    /// The pause is over.
    pub(super) fn try_again(&mut self, device: &DeviceName) -> Out {
        let Some(Restoring::Pausing { failures }) = self.radios.restoring.get(device).copied() else {
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
        let on_failure = if failures < PAUSES.len() { OnFailure::TryAgain } else { OnFailure::GiveUp };
        Some(Effect::Act(Action::RestoreRadio { operation, device: device.clone(), before, on_failure }))
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
            out.push(tell_device(&device, DeviceMessage::PuttingBack("being put back as it was".to_owned())));
            out.extend(self.put_back(&device, 0));
        }
    }
}

fn fault_if_hung(device: &DeviceName, error: &Error) -> Option<Effect<LeaseTimer>> {
    let hung = error.kind == ErrorKind::TimedOut;
    hung.then(|| tell_device(device, DeviceMessage::Fault(format!("driver hung: {error}"))))
}
