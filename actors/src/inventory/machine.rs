//! What is attached, and which configured device it is.
//!
//! ```text
//!  a thing:   unknown ──seen──▶ unclaimed ──choose (the only one that fits, or back where it was)──▶ claimed
//!                ▲                ▲  │                                                                 │
//!                │                │  │                              give_up (a second one of its stick) │
//!                │                └──┼────── or disown (it is another arrival, and not what is meant) ◀┤
//!                └──────remove───────┴──────────── remove (gone, or missing in a scan) ────────────────┘
//!
//!  all of it: not looked ──scanned──▶ looked: only now is anything claimed, since what is not known yet may fit as well
//! ```
//! A device of which something is claimed hears `Seen`; one that loses it hears `Gone`; what else fits it are its `Rivals`.
//! //! Hardware is a level-triggered snapshot: events may come twice and in any order, and a scan sets everything right.

use crate::message::supervision::NoTimer as InventoryTimer;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mainstay_config::model::{Device, Station};
use mainstay_config::names::DeviceName;
use mainstay_hardware::advice::{self, Configured};
use mainstay_hardware::matching;
use mainstay_hardware::sighting::{Generation, HardwareEvent, Key, Sighting, Sort, Source};
use mainstay_hardware::trouble::Trouble;

use super::matching::Choices;
use crate::cause::{Absence, Rivals};
use crate::machine::{Beginning, Machine};
use crate::message::device::DeviceMessage;
use crate::message::inventory::{InventoryMessage, InventorySnapshot, OtherDevice};
use crate::message::{Action, ActorId, Effect, Effects, Message, Moment, Outcome, Publication, told};

pub(super) type Out = Effects<InventoryTimer>;

/// The supervisor of devices.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct InventoryMachine {
    pub(super) devices: Arc<[Device]>,
    pub(super) present: BTreeMap<Key, Sighting>,
    /// Which of what is there fits each device, whosever it is. Compared once for each thing that is seen, not for each device and
    /// thing over and over.
    pub(super) fits: BTreeMap<DeviceName, BTreeSet<Key>>,
    pub(super) matches: BTreeMap<DeviceName, Key>,
    pub(super) choices: Choices,
    /// What each device was told of others that fit it.
    pub(super) told: BTreeMap<DeviceName, Rivals>,
    /// What was claimed before a restart, until it is seen again.
    arrivals: BTreeMap<Key, Generation>,
    troubles: BTreeMap<Source, Trouble>,
    pub(super) looked: Looked,
    pub(super) now: Moment,
    /// What was shown last.
    published: Option<InventorySnapshot>,
}

/// Whether it knows all that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Looked {
    /// Nothing has been scanned since it began: what it has not seen may be there all the same.
    NotYet,
    Once,
}

impl Machine for InventoryMachine {
    type Message = InventoryMessage;
    type Timer = InventoryTimer;

    fn id(&self) -> ActorId {
        ActorId::Hardware
    }

    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        match beginning {
            // The watchers scan by themselves when they begin.
            Beginning::First => Vec::new(),
            Beginning::Again => {
                // It may have panicked over just that.
                self.published = None;
                vec![Effect::Act(Action::Rescan)]
            }
        }
    }

    fn handle(&mut self, now: Moment, message: InventoryMessage) -> Out {
        self.now = now;
        let mut out = match message {
            InventoryMessage::Event(HardwareEvent::Seen(sighting)) => self.seen(sighting),
            InventoryMessage::Event(HardwareEvent::Gone { key, generation, .. }) => {
                self.gone(&key, generation.as_ref())
            }
            InventoryMessage::Event(HardwareEvent::Scanned { present, troubles, .. }) => {
                // Word of one may have been lost, or be of a watch that has panicked.
                self.troubles = troubles;
                self.scanned(present)
            }
            InventoryMessage::Event(HardwareEvent::Trouble(source, why)) => {
                self.troubles.insert(source, why);
                Vec::new()
            }
            InventoryMessage::Event(HardwareEvent::Works(source)) => {
                self.troubles.remove(&source);
                Vec::new()
            }
            InventoryMessage::Disclaimed(name, generation) => self.disclaimed(&name, &generation),
            InventoryMessage::Admitted(name) => self.admitted(&name),
            InventoryMessage::Timer(timer) => match timer {},
        };
        self.publish(&mut out);
        // What is only shown has changed something all the same.
        if out.is_empty() {
            out.push(Effect::Note(Outcome::Ignored));
        }
        out
    }

    /// A thing that is called otherwise by now still is what it was found to be.
    fn successor(&self) -> Self {
        let mut arrivals = self.arrivals.clone();
        arrivals.extend(self.present.iter().map(|(key, sighting)| (key.clone(), sighting.generation.clone())));
        arrivals.retain(|key, _| self.matches.values().any(|matched| matched == key));
        let matches = self.matches.iter().filter(|(_, key)| arrivals.contains_key(*key));
        let matches = matches.map(|(name, key)| (name.clone(), key.clone())).collect();
        Self { matches, arrivals, choices: self.choices.clone(), ..Self::of(Arc::clone(&self.devices)) }
    }

    fn peers(&self) -> Vec<ActorId> {
        self.devices.iter().map(|device| ActorId::Device(device.name.clone())).collect()
    }

    /// Before it has looked itself it does not know: the scan, which is on its way, tells everybody.
    fn tell_again(&self, to: &ActorId) -> Vec<Message> {
        match (to, self.looked) {
            (ActorId::Device(name), Looked::Once) => told(self.tell_present(name)),
            (_, Looked::Once | Looked::NotYet) => Vec::new(),
        }
    }

    fn weight(&self) -> usize {
        self.devices.len() + self.present.len()
    }

    fn timer(timer: InventoryTimer) -> InventoryMessage {
        match timer {}
    }
}

impl InventoryMachine {
    /// An inventory that has seen nothing yet.
    #[must_use]
    pub fn new(station: &Station) -> Self {
        Self::of(station.devices.values().cloned().collect())
    }

    fn of(devices: Arc<[Device]>) -> Self {
        Self {
            devices,
            present: BTreeMap::new(),
            fits: BTreeMap::new(),
            matches: BTreeMap::new(),
            choices: Choices::new(),
            told: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            troubles: BTreeMap::new(),
            looked: Looked::NotYet,
            now: Moment::default(),
            published: None,
        }
    }

    fn seen(&mut self, sighting: Sighting) -> Out {
        let mut out = self.note(sighting);
        out.extend(self.settle_matches());
        out
    }

    /// Something is there, and whose it is may know already.
    fn note(&mut self, sighting: Sighting) -> Out {
        self.compare(&sighting);
        let known = self.present.insert(sighting.key.clone(), sighting.clone());
        let before = self.arrivals.remove(&sighting.key);
        let arrival = known.as_ref().map(|known| known.generation.clone()).or(before);
        let whose = self.matches.iter().find(|(_, key)| **key == sighting.key).map(|(name, _)| name.clone());
        match whose {
            // Of the arrival that it knows, the device says itself when that is no longer it: whoever leases it may rename it.
            Some(name) if arrival.as_ref() == Some(&sighting.generation) || self.is_match(&name, &sighting) => {
                vec![tell(&name, DeviceMessage::Seen(sighting))]
            }
            Some(name) => vec![self.disown(&name, &sighting.key)],
            None => Vec::new(),
        }
    }

    /// What a device was found to be is no longer what the configuration means.
    fn disown(&mut self, name: &DeviceName, key: &Key) -> Effect<InventoryTimer> {
        self.matches.remove(name);
        let how = Absence::NotIt(key.clone());
        tell(name, DeviceMessage::Gone { generation: None, how })
    }

    /// A device has given up what it was found to be. That may have changed again since.
    fn disclaimed(&mut self, name: &DeviceName, generation: &Generation) -> Out {
        let present = self.matches.get(name).and_then(|key| self.present.get(key));
        match present {
            Some(present) if present.generation == *generation && !self.is_match(name, present) => {
                let key = present.key.clone();
                let mut out = vec![self.disown(name, &key)];
                out.extend(self.settle_matches());
                out
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
        out.extend(self.settle_matches());
        out
    }

    /// Takes a thing away, and with a USB device what sits on it.
    fn remove(&mut self, key: &Key, how: &Absence) -> Out {
        let Some(sighting) = self.present.remove(key) else { return Vec::new() };
        self.forget(key);
        let mut out = Vec::new();
        if let Some(name) = self.matches.iter().find(|(_, matched)| *matched == key).map(|(name, _)| name.clone()) {
            self.matches.remove(&name);
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

    /// Every device is told how it stands: one that asked since the actor was restarted has no other answer.
    fn scanned(&mut self, present: Vec<Sighting>) -> Out {
        self.looked = Looked::Once;
        let missing: Vec<Key> =
            self.present.keys().filter(|key| !present.iter().any(|there| there.key == **key)).cloned().collect();
        let mut out = Vec::new();
        for key in missing {
            let how = self.present.get(&key).map(how_it_left);
            out.extend(how.map(|how| self.remove(&key, &how)).unwrap_or_default());
        }
        for sighting in present {
            out.extend(self.note(sighting));
        }
        self.arrivals.clear();
        self.matches.retain(|_, key| self.present.contains_key(key));
        // Devices that nothing was found for may believe otherwise after a restart.
        let before: BTreeSet<DeviceName> = self.matches.keys().cloned().collect();
        self.told.clear();
        let settled = self.settle_matches();
        for device in self.devices.iter().filter(|device| !before.contains(&device.name)) {
            if !self.matches.contains_key(&device.name) && !self.told.contains_key(&device.name) {
                let how = Absence::NotFound;
                out.push(tell(&device.name, DeviceMessage::Gone { generation: None, how }));
            }
        }
        out.extend(settled);
        out
    }

    fn is_match(&self, name: &DeviceName, sighting: &Sighting) -> bool {
        self.devices.iter().any(|device| device.name == *name && matching::matches(device, sighting))
    }

    fn publish(&mut self, out: &mut Out) {
        let snapshot = InventorySnapshot { others: self.others(), troubles: self.troubles.clone() };
        if self.published.as_ref() != Some(&snapshot) {
            self.published = Some(snapshot.clone());
            out.push(Effect::Publish(Publication::Inventory(snapshot)));
        }
    }

    /// What is attached and not in the configuration. A USB device that shows itself as a serial port or a radio is listed as that.
    fn others(&self) -> Vec<OtherDevice> {
        let unmatched = |sighting: &&Sighting| !self.matches.values().any(|matched| *matched == sighting.key);
        let shown = |sighting: &&Sighting| match (&sighting.sort, &sighting.usb) {
            (Sort::Usb { .. }, Some(usb)) => !self.present.values().any(|other| {
                !matches!(other.sort, Sort::Usb { .. })
                    && other.usb.as_ref().is_some_and(|on| (on.bus, on.address) == (usb.bus, usb.address))
            }),
            (Sort::Usb { .. }, None) | (Sort::Tty { .. } | Sort::Wifi(_), _) => true,
        };
        let others: Vec<&Sighting> = self.present.values().filter(unmatched).filter(shown).collect();
        if others.is_empty() {
            return Vec::new();
        }
        let present: Vec<&Sighting> = self.present.values().collect();
        let is = |device: &Device| self.matches.get(&device.name).and_then(|key| self.present.get(key));
        let configured: Vec<_> = self.devices.iter().map(|device| Configured { device, is: is(device) }).collect();
        let suggestions = advice::advise(&others, &present, &configured);
        let other =
            |(sighting, suggestion): (&&Sighting, _)| OtherDevice { what: Arc::new((*sighting).clone()), suggestion };
        others.iter().zip(suggestions).map(other).collect()
    }
}

/// How a thing left: for a thing on USB the socket says it best.
fn how_it_left(sighting: &Sighting) -> Absence {
    Absence::Left(match &sighting.usb {
        Some(usb) => Key(format!("usb/{}", usb.path)),
        None => sighting.key.clone(),
    })
}

pub(super) fn tell(name: &DeviceName, message: DeviceMessage) -> Effect<InventoryTimer> {
    Effect::Tell(Message::Device(name.clone(), message))
}
