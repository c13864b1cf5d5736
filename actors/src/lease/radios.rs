//! Radios are put into their mode before a grant, and back as they were when nobody uses them any more.
//!
//! How a changed radio was before is kept by the executor as well, from the change until it is put back: a registry that
//! panics over that very news leaves nothing behind, and its successor asks.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::{DeviceKind, Station};
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, ErrorKind};

use super::machine::{LeaseMachine, LeaseTimer, Out, refuse, tell_device};
use super::messages::Soon;
use super::preparation::Preparation;
use crate::device::DeviceMessage;
use crate::machine::{Action, Effect, OperationId, Outcome};

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
    pub(super) restoring: BTreeMap<DeviceName, OperationId>,
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
        if let Some(before) = before {
            self.radios.changed.insert(device, before);
        }
        Vec::new()
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
        if !end(&mut self.radios.restoring, device, operation) {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        self.radios.changed.remove(device);
        match result {
            Ok(()) => Vec::new(),
            // A radio that is gone needs no restoring.
            Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                vec![tell_device(device, DeviceMessage::Fault(format!("it could not be put back as it was: {error}")))]
            }
        }
    }

    /// Puts back what nobody uses any more; of those who share a radio, the last one's end does it.
    pub(super) fn put_back_unused(&mut self, out: &mut Out) {
        let used = |device: &DeviceName| {
            let prepared = self.queue.iter().filter_map(|queued| queued.preparation.as_ref());
            self.holders.values().any(|holding| holding.grant.devices.contains_key(device))
                || prepared.into_iter().any(|preparation: &Preparation| preparation.offers.contains_key(device))
        };
        let unused: Vec<(DeviceName, WifiBaseline)> = self
            .radios
            .changed
            .iter()
            .filter(|(device, _)| !self.radios.restoring.contains_key(*device) && !used(device))
            .map(|(device, baseline)| (device.clone(), baseline.clone()))
            .collect();
        for (device, baseline) in unused {
            let operation = self.operation.advance();
            self.radios.restoring.insert(device.clone(), operation);
            out.push(Effect::Act(Action::RestoreRadio(operation, device, baseline)));
        }
    }
}

fn fault_if_hung(device: &DeviceName, error: &Error) -> Option<Effect<LeaseTimer>> {
    let hung = error.kind == ErrorKind::TimedOut;
    hung.then(|| tell_device(device, DeviceMessage::Fault(format!("driver hung: {error}"))))
}
