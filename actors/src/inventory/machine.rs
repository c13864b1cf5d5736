//! What is attached, and which configured device it is.
//!
//! Hardware is a level-triggered snapshot: events may come twice and in any order, and a scan sets everything right.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_config::model::{Device, Station};
use mainstay_config::names::DeviceName;
use mainstay_hardware::matching;
use mainstay_hardware::sighting::{Generation, HardwareEvent, Key, Sighting, Sort, Source};

use super::messages::{InventoryMessage, InventorySnapshot, OtherDevice, OtherKind};
use crate::cause::Departure;
use crate::device::DeviceMessage;
use crate::machine::{Action, ActorId, Beginning, Effect, Effects, Machine, Message, Moment, Outcome, Publication};
use crate::supervision::{Intensity, RootMessage, Verdict};

/// The supervisor of devices has no timers of its own.
pub type InventoryTimer = crate::supervision::NoTimer;

type Out = Effects<InventoryTimer>;

/// What cannot be asked for anew: a thing that is called otherwise by now still is what it was found to be.
#[derive(Debug, Clone, Default)]
pub struct InventoryMemo {
    claims: BTreeMap<DeviceName, (Key, Generation)>,
}

/// The supervisor of devices.
#[derive(Debug, Clone)]
pub struct InventoryMachine {
    devices: Vec<Device>,
    present: BTreeMap<Key, Sighting>,
    claims: BTreeMap<DeviceName, Key>,
    /// What was claimed before a restart, until it is seen again.
    arrivals: BTreeMap<Key, Generation>,
    troubles: BTreeMap<Source, String>,
    deaths: Intensity,
    /// What was shown last; a restarted actor's predecessor may have shown something else.
    published: Option<InventorySnapshot>,
}

impl Machine for InventoryMachine {
    type Message = InventoryMessage;
    type Timer = InventoryTimer;
    type Memo = InventoryMemo;

    fn id(&self) -> ActorId {
        ActorId::Hardware
    }

    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        match beginning {
            // The watchers scan by themselves when they begin.
            Beginning::First => Vec::new(),
            Beginning::Again => vec![Effect::Act(Action::Rescan)],
        }
    }

    fn handle(&mut self, now: Moment, message: InventoryMessage) -> Out {
        let mut out = match message {
            InventoryMessage::Event(HardwareEvent::Seen(sighting)) => self.seen(sighting),
            InventoryMessage::Event(HardwareEvent::Gone { key, generation, .. }) => {
                self.gone(&key, generation.as_ref())
            }
            InventoryMessage::Event(HardwareEvent::Scanned { present, .. }) => self.scanned(present),
            InventoryMessage::Event(HardwareEvent::Trouble(source, words)) => {
                self.troubles.insert(source, words);
                Vec::new()
            }
            InventoryMessage::Event(HardwareEvent::Works(source)) => {
                self.troubles.remove(&source);
                Vec::new()
            }
            InventoryMessage::Inquire(name) => vec![self.tell_present(&name)],
            InventoryMessage::Disclaimed(name, generation) => self.disclaimed(&name, &generation),
            InventoryMessage::Died(actor, _) => match self.deaths.died(now) {
                Verdict::Restart(pause) => vec![Effect::Act(Action::RestartActor(actor, pause))],
                Verdict::Escalate => {
                    let escalated = RootMessage::Escalated(ActorId::Hardware, Intensity::words());
                    vec![Effect::Tell(Message::Root(escalated))]
                }
            },
            InventoryMessage::RestartAll => self.restart_all(),
            InventoryMessage::Timer(timer) => match timer {},
        };
        if out.is_empty() {
            out.push(Effect::Note(Outcome::Ignored));
        }
        self.publish(&mut out);
        out
    }

    fn memo(&self) -> InventoryMemo {
        let arrival = |key: &Key| {
            let present = self.present.get(key).map(|sighting| sighting.generation.clone());
            present.or_else(|| self.arrivals.get(key).cloned())
        };
        let claimed = |(name, key): (&DeviceName, &Key)| Some((name.clone(), (key.clone(), arrival(key)?)));
        InventoryMemo { claims: self.claims.iter().filter_map(claimed).collect() }
    }

    fn timer(timer: InventoryTimer) -> InventoryMessage {
        match timer {}
    }
}

impl InventoryMachine {
    /// An inventory that has seen nothing yet.
    #[must_use]
    pub fn new(station: &Station) -> Self {
        Self {
            devices: station.devices.values().cloned().collect(),
            present: BTreeMap::new(),
            claims: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            troubles: BTreeMap::new(),
            deaths: Intensity::default(),
            published: None,
        }
    }

    /// The same, with what its predecessor remembered.
    #[must_use]
    pub fn remembering(mut self, memo: InventoryMemo) -> Self {
        for (name, (key, arrival)) in memo.claims {
            self.arrivals.insert(key.clone(), arrival);
            self.claims.insert(name, key);
        }
        self
    }

    fn seen(&mut self, sighting: Sighting) -> Out {
        let known = self.present.insert(sighting.key.clone(), sighting.clone());
        let before = self.arrivals.remove(&sighting.key);
        let arrival = known.as_ref().map(|known| known.generation.clone()).or(before);
        let claimant = self.claims.iter().find(|(_, key)| **key == sighting.key).map(|(name, _)| name.clone());
        if known.as_ref() == Some(&sighting) && claimant.is_none() {
            return Vec::new();
        }
        match claimant {
            // Of the arrival that it knows, the device says itself when that is no longer it: whoever leases it may rename it.
            Some(name) if arrival.as_ref() == Some(&sighting.generation) || self.is_match(&name, &sighting) => {
                vec![tell(&name, DeviceMessage::Seen(sighting))]
            }
            Some(name) => self.disown(&name, &sighting.key),
            None => self.claim_unclaimed(),
        }
    }

    /// What a device was found to be is no longer what the configuration means.
    fn disown(&mut self, name: &DeviceName, key: &Key) -> Out {
        self.claims.remove(name);
        let how = Departure::NotIt(key.clone());
        let mut out = vec![tell(name, DeviceMessage::Gone { generation: None, how })];
        out.extend(self.claim_unclaimed());
        out
    }

    /// A device has given up what it was found to be. That may have changed again since.
    fn disclaimed(&mut self, name: &DeviceName, generation: &Generation) -> Out {
        let present = self.claims.get(name).and_then(|key| self.present.get(key));
        match present {
            Some(present) if present.generation == *generation && !self.is_match(name, present) => {
                let key = present.key.clone();
                self.disown(name, &key)
            }
            _ => Vec::new(),
        }
    }

    fn gone(&mut self, key: &Key, generation: Option<&Generation>) -> Out {
        let Some(sighting) = self.present.get(key) else { return Vec::new() };
        if generation.is_some_and(|gone| *gone != sighting.generation) {
            return Vec::new();
        }
        let how = how_it_left(sighting);
        let mut out = self.remove(key, &how);
        out.extend(self.claim_unclaimed());
        out
    }

    /// Takes a thing away, and with a USB device what sits on it.
    fn remove(&mut self, key: &Key, how: &Departure) -> Out {
        let Some(sighting) = self.present.remove(key) else { return Vec::new() };
        let mut out = Vec::new();
        if let Some(name) = self.claims.iter().find(|(_, claimed)| *claimed == key).map(|(name, _)| name.clone()) {
            self.claims.remove(&name);
            let generation = Some(sighting.generation.clone());
            out.push(tell(&name, DeviceMessage::Gone { generation, how: how.clone() }));
        }
        if let (Sort::Usb { .. }, Some(parent)) = (&sighting.sort, &sighting.usb) {
            let on_it = |child: &&Sighting| {
                child.usb.as_ref().is_some_and(|usb| (usb.bus, usb.address) == (parent.bus, parent.address))
            };
            let children: Vec<Key> = self.present.values().filter(on_it).map(|child| child.key.clone()).collect();
            for child in children {
                out.extend(self.remove(&child, how));
            }
        }
        out
    }

    fn scanned(&mut self, present: Vec<Sighting>) -> Out {
        let missing: Vec<Key> =
            self.present.keys().filter(|key| !present.iter().any(|there| there.key == **key)).cloned().collect();
        let mut out = Vec::new();
        for key in missing {
            out.extend(self.gone(&key, None));
        }
        for sighting in present {
            out.extend(self.seen(sighting));
        }
        self.arrivals.clear();
        self.claims.retain(|_, key| self.present.contains_key(key));
        out.extend(self.claim_unclaimed());
        // Devices that nothing was found for are told so: after a restart they may believe otherwise.
        for device in &self.devices {
            if !self.claims.contains_key(&device.name) {
                let how = Departure::NotFound;
                out.push(tell(&device.name, DeviceMessage::Gone { generation: None, how }));
            }
        }
        out
    }

    /// Gives configured devices that are missing what is there and belongs to nobody.
    fn claim_unclaimed(&mut self) -> Out {
        let mut out = Vec::new();
        for device in &self.devices {
            if self.claims.contains_key(&device.name) {
                continue;
            }
            let free = |sighting: &&Sighting| !self.claims.values().any(|claimed| *claimed == sighting.key);
            let found = self.present.values().filter(free).find(|sighting| matching::matches(device, sighting));
            if let Some(sighting) = found.cloned() {
                self.claims.insert(device.name.clone(), sighting.key.clone());
                out.push(tell(&device.name, DeviceMessage::Seen(sighting)));
            }
        }
        out
    }

    fn is_match(&self, name: &DeviceName, sighting: &Sighting) -> bool {
        self.devices.iter().any(|device| device.name == *name && matching::matches(device, sighting))
    }

    fn tell_present(&self, name: &DeviceName) -> Effect<InventoryTimer> {
        let sighting = self.claims.get(name).and_then(|key| self.present.get(key));
        match sighting {
            Some(sighting) => tell(name, DeviceMessage::Seen(sighting.clone())),
            None => tell(name, DeviceMessage::Gone { generation: None, how: Departure::NotPluggedIn }),
        }
    }

    fn restart_all(&mut self) -> Out {
        self.deaths.forget();
        let restart =
            |device: &Device| Effect::Act(Action::RestartActor(ActorId::Device(device.name.clone()), Duration::ZERO));
        self.devices.iter().map(restart).collect()
    }

    fn publish(&mut self, out: &mut Out) {
        let snapshot = InventorySnapshot { others: self.others(), troubles: self.troubles.values().cloned().collect() };
        if self.published.as_ref() != Some(&snapshot) {
            self.published = Some(snapshot.clone());
            out.push(Effect::Publish(Publication::Inventory(snapshot)));
        }
    }

    /// What is attached and not in the configuration. A USB device that shows itself as a serial port or a radio is listed as that.
    fn others(&self) -> Vec<OtherDevice> {
        let unclaimed = |sighting: &&Sighting| !self.claims.values().any(|claimed| *claimed == sighting.key);
        let shown = |sighting: &&Sighting| match (&sighting.sort, &sighting.usb) {
            (Sort::Usb { .. }, Some(usb)) => !self.present.values().any(|other| {
                !matches!(other.sort, Sort::Usb { .. })
                    && other.usb.as_ref().is_some_and(|on| (on.bus, on.address) == (usb.bus, usb.address))
            }),
            _ => true,
        };
        let describe = |sighting: &Sighting| OtherDevice {
            kind: match sighting.sort {
                Sort::Usb { .. } => OtherKind::Usb,
                Sort::Tty { .. } => OtherKind::Serial,
                Sort::Wifi(_) => OtherKind::Wifi,
            },
            identity: matching::identity(sighting, None),
            suggestion: matching::suggestion(sighting),
        };
        self.present.values().filter(unclaimed).filter(shown).map(describe).collect()
    }
}

/// How a thing left: for a thing on USB the socket says it best.
fn how_it_left(sighting: &Sighting) -> Departure {
    Departure::Left(match &sighting.usb {
        Some(usb) => Key(format!("usb/{}", usb.path)),
        None => sighting.key.clone(),
    })
}

fn tell(name: &DeviceName, message: DeviceMessage) -> Effect<InventoryTimer> {
    Effect::Tell(Message::Device(name.clone(), message))
}
