//! The registry, told things by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod again;
mod files;
mod granting;
mod holders;
mod ports;
mod property;
mod radios;
mod renewing;
mod whole;

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Sharing, Takeover, WifiMode};
use mainstay_config::names::{DeviceName, PortName, ServiceName};
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::sighting::{Generation, Key, Link, Rfkill};

use super::LeaseMachine;
use crate::cause::{Absence, Holder, Soon, Unusable};
use crate::machine::{Beginning, Machine};
use crate::message::device::{DeviceMessage, Offer};
use crate::message::lasting::Remembered;
use crate::message::lease::{Grant, LeaseMessage, LeaseRequest, LeaseTimer, Token, Want};
use crate::message::lease_table::LeaseTable;
use crate::message::service::ServiceMessage;
use crate::message::supervision::RootMessage;
use crate::message::{Action, ActorId, Effect, Message, Moment, OperationId, Publication, round_trip};
use crate::world::stations::{Draft, assemble};

/// A registry and what it has said since it was last asked.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) machine: LeaseMachine,
    pub(super) told: Vec<(ServiceName, ServiceMessage)>,
    pub(super) told_devices: Vec<(DeviceName, DeviceMessage)>,
    pub(super) acts: Vec<Action>,
    /// What it has had written down.
    pub(super) remembered: Remembered,
    pub(super) timers: Vec<LeaseTimer>,
    pub(super) shown: LeaseTable,
    /// Whether it has just said that everything is given back.
    pub(super) closed: bool,
}

const SERVICES: [&str; 4] = ["a", "b", "c", "d"];

pub(super) fn name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

pub(super) fn device_name(text: &str) -> DeviceName {
    DeviceName::new(text).unwrap()
}

/// An arrival of a device. A device whose name begins with `w` is a radio.
pub(super) fn offer(device: &str, arrival: u32) -> Offer {
    Offer {
        generation: Generation(format!("{device} {arrival}")),
        node: None,
        interface: None,
        ifindex: device.starts_with('w').then_some(arrival),
        serial: None,
    }
}

pub(super) fn exclusive(device: &str) -> Want {
    want(device, Sharing::Exclusive)
}

pub(super) fn shared(device: &str) -> Want {
    want(device, Sharing::Shared)
}

fn want(device: &str, sharing: Sharing) -> Want {
    let mode = device.starts_with('w').then_some(WifiMode::Monitor);
    Want::Device { device: device_name(device), sharing, mode, takeover: Takeover::Refuse }
}

pub(super) fn request(service: &str, wants: Vec<Want>) -> LeaseRequest {
    LeaseRequest { holder: name(service).into(), wants, priority: 0, timeout: None, arrival: Moment::default() }
}

pub(super) fn baseline(ifindex: u32) -> WifiBaseline {
    WifiBaseline {
        wiphy: ifindex,
        ifindex,
        interface: "wlan2".to_owned(),
        mode: WifiMode::Managed,
        link: Link::Up,
        mac: "02:00:00:00:02:00".parse().unwrap(),
        frequency_mhz: None,
        interfaces: vec![ifindex],
        rfkill: Rfkill::Unblocked,
    }
}

impl Bench {
    /// Devices `x` and `y`, and a radio `w`, all there.
    pub(super) fn new() -> Self {
        let mut bench = Self::build();
        for device in ["x", "y", "w"] {
            bench.tell(LeaseMessage::DeviceAvailable(device_name(device), offer(device, 1)));
        }
        bench
    }

    fn build() -> Self {
        let kinds = [("x", DeviceKind::Usb), ("y", DeviceKind::Usb), ("w", DeviceKind::Wifi)];
        let drafts = SERVICES.map(|name| Draft::new(name).device("x", Sharing::Exclusive));
        let station = assemble(&kinds, drafts.into());
        let machine = LeaseMachine::new(&station, &Remembered::default());
        Self {
            machine,
            told: Vec::new(),
            told_devices: Vec::new(),
            acts: Vec::new(),
            remembered: Remembered::default(),
            timers: Vec::new(),
            shown: LeaseTable::default(),
            closed: false,
        }
    }

    /// The registry after a panic.
    pub(super) fn begin_again(&mut self) -> &mut Self {
        let effects = self.machine.begin(Moment::default(), Beginning::Again);
        self.take(effects);
        self
    }

    /// The registry after two panics, one upon the other.
    pub(super) fn begin_afresh(&mut self) -> &mut Self {
        self.machine = self.machine.successor();
        self.begin_again()
    }

    /// What it says again to a service, in words.
    pub(super) fn says_again(&self, service: &str) -> Vec<String> {
        let again = self.machine.tell_again(&ActorId::Service(name(service)));
        again
            .iter()
            .map(|message| format!("{}: {}", message.described().kind(), message.described().detail()))
            .collect()
    }

    /// What it says again to a device, in words; but not whether it is waited for.
    pub(super) fn says_again_to_device(&self, device: &str) -> Vec<String> {
        let again = self.machine.tell_again(&ActorId::Device(device_name(device)));
        let said = again.iter().map(Message::described).filter(|said| said.kind() != "Awaited");
        said.map(|said| format!("{}: {}", said.kind(), said.detail())).collect()
    }

    fn take(&mut self, effects: Vec<Effect<LeaseTimer>>) {
        (self.told, self.acts, self.timers, self.closed) = (Vec::new(), Vec::new(), Vec::new(), false);
        self.told_devices = Vec::new();
        for effect in effects {
            round_trip::survives(&effect);
            match effect {
                Effect::Tell(Message::Service(service, message)) => self.told.push((service, message)),
                Effect::Tell(Message::Device(device, message)) => self.told_devices.push((device, message)),
                Effect::Tell(Message::Root(RootMessage::LeasesClosed(_))) => self.closed = true,
                Effect::Act(Action::Remember(lasting)) => self.remembered.take(lasting),
                Effect::Act(action) => self.acts.push(action),
                Effect::SetTimer(timer, _) => self.timers.push(timer),
                Effect::Publish(Publication::Leases(news)) => self.shown.take_in(news),
                _ => {}
            }
        }
    }

    pub(super) fn tell(&mut self, message: LeaseMessage) -> &mut Self {
        self.tell_at(Moment::default(), message)
    }

    pub(super) fn tell_at(&mut self, now: Moment, message: LeaseMessage) -> &mut Self {
        round_trip::survives(&message);
        let effects = self.machine.handle(now, message);
        self.take(effects);
        self.is_as_if_all_had_been_looked_at();
        self
    }

    pub(super) fn ask(&mut self, service: &str, wants: Vec<Want>) -> &mut Self {
        self.tell(LeaseMessage::Request(request(service, wants)))
    }

    pub(super) fn release(&mut self, service: &str) -> &mut Self {
        let held = self.machine.holders.get(&Holder::from(name(service))).map(|holding| holding.grant.token);
        self.tell(LeaseMessage::Release(name(service).into(), held.unwrap_or(Token(0))))
    }

    pub(super) fn unplug(&mut self, device: &str) -> &mut Self {
        let reason = Unusable::Absent(Absence::Left(Key("usb/1-1".to_owned())));
        self.tell(LeaseMessage::DeviceUnavailable { device: device_name(device), reason, soon: Soon::Unknown })
    }

    pub(super) fn plug(&mut self, device: &str, arrival: u32) -> &mut Self {
        self.tell(LeaseMessage::DeviceAvailable(device_name(device), offer(device, arrival)))
    }

    /// An arrival of a device wants to be lent to itself; whether it is.
    pub(super) fn lend(&mut self, device: &str, arrival: u32) -> bool {
        self.tell(LeaseMessage::Lend(device_name(device), offer(device, arrival).generation));
        self.told_devices.iter().any(|(_, message)| matches!(message, DeviceMessage::Lent(_)))
    }

    /// Who was just granted what.
    pub(super) fn granted(&self) -> BTreeMap<&str, &Grant> {
        let granted = self.told.iter().filter_map(|(service, message)| match message {
            ServiceMessage::Granted(grant) => Some((service.as_str(), grant)),
            _ => None,
        });
        granted.collect()
    }

    /// The names of those who were just served.
    pub(super) fn served(&self) -> Vec<&str> {
        self.granted().into_keys().collect()
    }

    /// Everything said to a service just now, in words.
    pub(super) fn heard(&self, service: &str) -> Vec<String> {
        use crate::message::Described;
        let to_it = self.told.iter().filter(|(to, _)| to.as_str() == service);
        to_it.map(|(_, message)| format!("{}: {}", message.kind(), message.detail())).collect()
    }

    /// Everything said to a device just now, in words; but not whether it is waited for.
    pub(super) fn device_heard(&self, device: &str) -> Vec<String> {
        use crate::message::Described;
        let to_it = self.told_devices.iter().filter(|(to, _)| to.as_str() == device);
        let to_it = to_it.filter(|(_, message)| !matches!(message, DeviceMessage::Awaited(_)));
        to_it.map(|(_, message)| format!("{}: {}", message.kind(), message.detail())).collect()
    }

    /// The operation that a radio is being made ready by.
    pub(super) fn preparing(&self) -> Option<OperationId> {
        self.acts.iter().find_map(|act| match act {
            Action::ReadRadio { operation, .. } | Action::SetRadio { operation, .. } => Some(*operation),
            _ => None,
        })
    }

    /// The operation that a radio is being put back by.
    pub(super) fn restoring(&self) -> Option<OperationId> {
        self.acts.iter().find_map(|act| match act {
            Action::RestoreRadio { operation, .. } => Some(*operation),
            _ => None,
        })
    }

    /// The operation that ports are being looked at by.
    pub(super) fn looking(&self) -> Option<OperationId> {
        self.acts.iter().find_map(|act| match act {
            Action::LookAtPorts(operation, _) => Some(*operation),
            _ => None,
        })
    }
}

pub(super) fn port(text: &str) -> PortName {
    PortName::new(text).unwrap()
}

pub(super) const PATIENCE: Duration = Duration::from_secs(20);
