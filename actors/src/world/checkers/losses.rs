//! What each service has lost that it was granted, by what is true in the environment and what was heard: whatever the registry says of it.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::sighting::{Generation, HardwareEvent, Key, Sighting};

use crate::engine::Letter;
use crate::message::device::DeviceMessage;
use crate::message::inventory::InventoryMessage;
use crate::message::lease::{Grant, LeaseMessage, Token};
use crate::message::service::ServiceMessage;
use crate::message::{Message, Moment};
use crate::trace::TraceId;
use crate::world::environment::{Environment, Happening};

/// What was granted, and what has become of it.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// What each service was granted last, and when.
    grants: BTreeMap<ServiceName, Granted>,
    /// When a device was ejected, admitted, given up as another one, or found faulty, each as far as the registry has heard of it.
    troubled: BTreeMap<(DeviceName, TraceId), Moment>,
    /// Radios that somebody has renamed.
    renamed: BTreeSet<DeviceName>,
    /// The arrivals that the inventory has heard of, by their keys.
    sighted: BTreeMap<Key, Generation>,
    /// Arrivals that the kernel said to be over, also those that are there all the same.
    denied: BTreeMap<Generation, Denial>,
}

/// That the kernel said that an arrival is over.
#[derive(Debug)]
struct Denial {
    trace: TraceId,
    /// When it said otherwise again, or the registry heard of the denial, whichever was later.
    until: Option<Moment>,
}

#[derive(Debug)]
struct Granted {
    token: Token,
    at: Moment,
    arrivals: Vec<(DeviceName, Generation)>,
}

impl Losses {
    pub(super) fn sent(&mut self, letter: &Letter, now: Moment) {
        if let Message::Service(name, ServiceMessage::Granted(grant)) = &letter.message {
            self.granted(name, grant, now);
        }
    }

    pub(super) fn happened(&mut self, happening: &Happening) {
        if let Happening::Renamed(device) = happening {
            self.renamed.insert(device.clone());
        }
    }

    pub(super) fn handled(&mut self, letter: &Letter, now: Moment) {
        match &letter.message {
            // While it waits until it is believed that it is another one, it may be leased once more.
            Message::Hardware(InventoryMessage::Disclaimed(device, _)) if self.renamed.contains(device) => {
                self.troubled.insert((device.clone(), letter.cause.trace), now);
            }
            Message::Hardware(InventoryMessage::Event(event)) => self.kernel_said(event, letter.cause.trace, now),
            Message::Leases(LeaseMessage::DeviceUnavailable { device, .. }) => {
                self.registry_heard(device, letter.cause.trace, now);
            }
            Message::Device(device, DeviceMessage::Eject(_) | DeviceMessage::Admit(_))
            | Message::Device(device, DeviceMessage::Accessible(_, Err(_)) | DeviceMessage::Probed(_, Err(_)))
            | Message::Leases(
                LeaseMessage::RadioRead(_, device, Err(_))
                | LeaseMessage::RadioSet(_, device, Err(_))
                | LeaseMessage::RadioRestored(_, device, Err(_)),
            ) => {
                self.troubled.insert((device.clone(), letter.cause.trace), now);
            }
            _ => {}
        }
    }

    /// What a service was granted last.
    pub(super) fn token(&self, name: &ServiceName) -> Option<Token> {
        self.grants.get(name).map(|granted| granted.token)
    }

    /// Whether an arrival that it was granted is over, or in trouble.
    pub(super) fn has_lost(&self, name: &ServiceName, environment: &Environment) -> bool {
        let Some(Granted { at, arrivals, .. }) = self.grants.get(name) else { return false };
        arrivals.iter().any(|(device, generation)| {
            environment.generation(device) != Some(generation)
                || self.denied.get(generation).is_some_and(|denial| denial.until.is_none_or(|until| until >= *at))
                || self.troubled.iter().any(|((troubled, _), heard)| troubled == device && heard >= at)
        })
    }

    fn granted(&mut self, name: &ServiceName, grant: &Grant, now: Moment) {
        if self.grants.get(name).is_some_and(|known| known.token == grant.token) {
            // It is said again.
            return;
        }
        let arrivals = grant.devices.iter().map(|(device, held)| (device.clone(), held.offer.generation.clone()));
        let granted = Granted { token: grant.token, at: now, arrivals: arrivals.collect() };
        self.grants.insert(name.clone(), granted);
    }

    /// What the inventory hears. Where the kernel does not say which arrival is over, it is the one that was heard of.
    fn kernel_said(&mut self, event: &HardwareEvent, trace: TraceId, now: Moment) {
        match event {
            HardwareEvent::Seen(sighting) => self.sighted(sighting, trace, now),
            HardwareEvent::Gone { key, generation, .. } => {
                let meant = generation.clone().or_else(|| self.sighted.get(key).cloned());
                self.denied.extend(meant.map(|generation| (generation, Denial { trace, until: None })));
            }
            HardwareEvent::Scanned { present, .. } => present.iter().for_each(|there| self.sighted(there, trace, now)),
            HardwareEvent::Trouble(..) | HardwareEvent::Works(_) => {}
        }
    }

    /// Where another arrival is seen, the one before is over.
    fn sighted(&mut self, Sighting { key, generation, .. }: &Sighting, trace: TraceId, now: Moment) {
        let before = self.sighted.insert(key.clone(), generation.clone());
        let over = before.filter(|before| before != generation);
        self.denied.extend(over.map(|generation| (generation, Denial { trace, until: None })));
        if let Some(denial) = self.denied.get_mut(generation) {
            denial.until.get_or_insert(now);
        }
    }

    /// Before it hears that a device is in trouble the registry may grant it once more.
    fn registry_heard(&mut self, device: &DeviceName, of: TraceId, now: Moment) {
        if let Some(at) = self.troubled.get_mut(&(device.clone(), of)) {
            *at = now;
        }
        let denials = self.denied.values_mut().filter(|denial| denial.trace == of);
        denials.filter_map(|denial| denial.until.as_mut()).for_each(|until| *until = now);
    }
}
