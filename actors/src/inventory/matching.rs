//! Which piece of hardware a configured device is, and what happens where several could be it.
//!
//! A device takes the one piece that fits it. Where two fit, none is taken, and both are named; pieces that have once fitted beside
//! another are not taken when they are the last, either: a service must not move to another antenna because its own was unplugged.
//! What comes back into the place where it was is the same as before. Otherwise the operator says which is meant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::Device;
use mainstay_config::names::DeviceName;
use mainstay_hardware::sighting::{Key, Place, Sighting};
use mainstay_hardware::{advice, matching};

use super::machine::{InventoryMachine, Looked, Out, tell};
use crate::cause::{Absence, Piece, Rivals};
use crate::message::device::DeviceMessage;
use crate::message::supervision::NoTimer as InventoryTimer;
use crate::message::{Effect, Moment};

/// Places that are remembered for one device; beyond, none is taken unasked.
const DOUBTFUL_MAX: usize = 64;

/// All functions of a stick have come within this time after the first.
const TOGETHER: Duration = Duration::from_secs(5);

/// What is remembered of the pieces that a device was, or could have been.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Choice {
    /// Where the piece sits that it was taken to be.
    known: Option<Place>,
    taken_at: Option<Moment>,
    /// Where others sit, or sat, that fit it as well.
    doubtful: BTreeSet<Place>,
}

impl Choice {
    fn doubts(&self, piece: &Sighting) -> bool {
        self.doubtful.len() >= DOUBTFUL_MAX || self.doubtful.contains(&Place::of(piece))
    }

    fn doubt(&mut self, places: Vec<Place>) {
        let room = DOUBTFUL_MAX.saturating_sub(self.doubtful.len());
        self.doubtful.extend(places.into_iter().take(room));
    }
}

/// What each device remembers, by name.
pub(super) type Choices = BTreeMap<DeviceName, Choice>;

impl InventoryMachine {
    /// Gives configured devices that are missing what is there and can only be theirs, and tells who could be what besides.
    pub(super) fn settle_matches(&mut self) -> Out {
        if self.looked == Looked::NotYet {
            // What is not known yet may fit as well.
            return Vec::new();
        }
        let mut out = Vec::new();
        for device in self.devices.clone().iter() {
            if self.is_torn(device) {
                self.give_up(&device.name);
            }
            if !self.matches.contains_key(&device.name) {
                out.extend(self.choose(device));
            }
            out.extend(self.mind_rivals(device));
        }
        out
    }

    /// Remembers what else fits a device, and tells it when that has changed.
    fn mind_rivals(&mut self, device: &Device) -> Option<Effect<InventoryTimer>> {
        let places: Vec<Place> = self.fitting(device).into_iter().map(Place::of).collect();
        if !places.is_empty() {
            self.choices.entry(device.name.clone()).or_default().doubt(places);
        }
        let rivals = self.rivals(device);
        let is_news = self.told.get(&device.name) != rivals.as_ref();
        if is_news { self.tell_rivals(&device.name, rivals) } else { None }
    }

    /// Which devices a thing that is seen fits.
    pub(super) fn compare(&mut self, piece: &Sighting) {
        for device in self.devices.clone().iter() {
            if matching::matches(device, piece) {
                self.fits.entry(device.name.clone()).or_default().insert(piece.key.clone());
            } else if let Some(fits) = self.fits.get_mut(&device.name) {
                fits.remove(&piece.key);
            }
        }
    }

    /// A thing that has left fits none any more.
    pub(super) fn forget(&mut self, key: &Key) {
        for fits in self.fits.values_mut() {
            fits.remove(key);
        }
    }

    /// Takes the only piece that fits, or the one that is back where it was.
    fn choose(&mut self, device: &Device) -> Option<Effect<InventoryTimer>> {
        let fitting = self.fitting(device);
        let choice = self.choices.get(&device.name).cloned().unwrap_or_default();
        let mut back = fitting.iter().filter(|piece| choice.known.as_ref() == Some(&Place::of(piece)));
        let chosen = match (fitting.as_slice(), back.next(), back.next()) {
            (_, Some(piece), None) => Some(*piece),
            ([piece], ..) if !choice.doubts(piece) => Some(*piece),
            _ => None,
        };
        let piece = chosen?.clone();
        self.matches.insert(device.name.clone(), piece.key.clone());
        let choice = self.choices.entry(device.name.clone()).or_default();
        choice.doubtful.remove(&Place::of(&piece));
        (choice.known, choice.taken_at) = (Some(Place::of(&piece)), Some(self.now));
        Some(tell(&device.name, DeviceMessage::Seen(piece)))
    }

    /// The functions of one stick come one after the other: the first is not the right one for having come first. A function that
    /// comes later, with its driver say, does not take a device from who uses it.
    fn is_torn(&self, device: &Device) -> bool {
        let on = |piece: &Sighting| piece.usb.as_ref().map(|usb| (usb.bus, usb.address));
        let taken = self.matches.get(&device.name).and_then(|key| self.present.get(key));
        let since = self.choices.get(&device.name).and_then(|choice| choice.taken_at);
        let is_new = since.is_some_and(|since| self.now.since(since) <= TOGETHER);
        taken.filter(|taken| is_new && taken.usb.is_some()).is_some_and(|taken| {
            self.fitting(device).iter().any(|other| on(other) == on(taken)) && matching::matches(device, taken)
        })
    }

    /// The device is told so with the news of the others.
    fn give_up(&mut self, name: &DeviceName) {
        let taken = self.matches.remove(name).and_then(|key| self.present.get(&key));
        let place = taken.map(Place::of);
        let choice = self.choices.entry(name.clone()).or_default();
        choice.known = None;
        choice.doubtful.extend(place);
    }

    /// The operator says that what is there is meant.
    pub(super) fn admitted(&mut self, name: &DeviceName) -> Out {
        if self.matches.contains_key(name) {
            return Vec::new();
        }
        self.choices.remove(name);
        self.settle_matches()
    }

    /// What fits a device and is nobody's.
    fn fitting(&self, device: &Device) -> Vec<&Sighting> {
        let own = self.matches.get(&device.name);
        let free = |key: &&Key| !self.matches.values().any(|matched| matched == *key);
        let fits = self.fits.get(&device.name).into_iter().flatten();
        fits.filter(|key| own != Some(*key)).filter(free).filter_map(|key| self.present.get(key)).collect()
    }

    /// `None`: nothing fits it that is not its own.
    fn rivals(&self, device: &Device) -> Option<Rivals> {
        let others = self.fitting(device);
        if others.is_empty() {
            return None;
        }
        let present: Vec<&Sighting> = self.present.values().collect();
        let describe = |piece: &Sighting| Piece {
            what: Arc::new(piece.clone()),
            matching: Arc::new(advice::telling_match(device.kind, piece, &present)),
        };
        let taken = self.matches.get(&device.name).and_then(|key| self.present.get(key)).map(describe);
        Some(Rivals { taken, others: others.into_iter().map(describe).collect() })
    }

    fn tell_rivals(&mut self, name: &DeviceName, rivals: Option<Rivals>) -> Option<Effect<InventoryTimer>> {
        match rivals {
            Some(rivals) => {
                self.told.insert(name.clone(), rivals.clone());
                Some(tell(name, DeviceMessage::Rivals(rivals)))
            }
            None => self.told.remove(name).map(|_| tell(name, DeviceMessage::NoRivals)),
        }
    }

    /// How a device stands, whole.
    pub(super) fn tell_present(&self, name: &DeviceName) -> Out {
        let sighting = self.matches.get(name).and_then(|key| self.present.get(key));
        let rivals = self.devices.iter().find(|device| device.name == *name).and_then(|device| self.rivals(device));
        let first = match sighting {
            Some(sighting) => DeviceMessage::Seen(sighting.clone()),
            None => DeviceMessage::Gone { generation: None, how: Absence::NotPluggedIn },
        };
        let all = std::iter::once(first).chain(rivals.map(DeviceMessage::Rivals));
        all.map(|message| tell(name, message)).collect()
    }
}
