//! What the inventory can know of what it is told of: every pair, for seeing which of them were tried.

use mainstay_config::names::DeviceName;
use mainstay_hardware::sighting::{HardwareEvent, Key};

use super::machine::{InventoryMachine, Looked};
use crate::machine::closed::{Taken, closed};
use crate::message::inventory::InventoryMessage;

closed! {
    /// What it knows of the thing, or the device, that a message is about.
    pub(crate) enum Is { NotLooked, Unknown, Unclaimed, Claimed }
}

closed! {
    /// What it is told.
    pub(crate) enum Told { Seen, Gone, Scanned, Trouble, Works, Disclaimed, Admitted }
}

impl InventoryMachine {
    /// What it knows of what a message is about, and what it is told.
    pub(crate) fn pair(&self, message: &InventoryMessage) -> (Is, Told) {
        match message {
            InventoryMessage::Event(event) => match event {
                HardwareEvent::Seen(sighting) => (self.of_thing(&sighting.key), Told::Seen),
                HardwareEvent::Gone { key, .. } => (self.of_thing(key), Told::Gone),
                HardwareEvent::Scanned { .. } => (self.of_all(), Told::Scanned),
                HardwareEvent::Trouble(..) => (self.of_all(), Told::Trouble),
                HardwareEvent::Works(_) => (self.of_all(), Told::Works),
            },
            InventoryMessage::Disclaimed(name, _) => (self.of_device(name), Told::Disclaimed),
            InventoryMessage::Admitted(name) => (self.of_device(name), Told::Admitted),
            InventoryMessage::Timer(timer) => match *timer {},
        }
    }

    fn of_all(&self) -> Is {
        if self.looked == Looked::NotYet { Is::NotLooked } else { Is::Unknown }
    }

    fn of_thing(&self, key: &Key) -> Is {
        if self.looked == Looked::NotYet {
            Is::NotLooked
        } else if self.matches.values().any(|matched| matched == key) {
            Is::Claimed
        } else if self.present.contains_key(key) {
            Is::Unclaimed
        } else {
            Is::Unknown
        }
    }

    fn of_device(&self, name: &DeviceName) -> Is {
        match self.looked {
            Looked::NotYet => Is::NotLooked,
            Looked::Once if self.matches.contains_key(name) => Is::Claimed,
            Looked::Once => Is::Unclaimed,
        }
    }
}

/// Why it never knows this of what it is told this of.
pub(crate) fn impossible(is: Is, told: Told) -> Option<&'static str> {
    match told {
        Told::Scanned | Told::Trouble | Told::Works => {
            matches!(is, Is::Unclaimed | Is::Claimed).then_some("it is told of nothing in particular")
        }
        Told::Disclaimed | Told::Admitted => (is == Is::Unknown).then_some("it is told of a device that it knows"),
        Told::Seen | Told::Gone => None,
    }
}

/// How it takes what it is told.
pub(crate) fn taken(is: Is, told: Told) -> Taken {
    match told {
        Told::Seen if matches!(is, Is::Unknown | Is::Claimed) => Taken::Handled,
        Told::Seen | Told::Gone | Told::Trouble | Told::Works | Told::Disclaimed | Told::Admitted => Taken::Either,
        Told::Scanned => Taken::Handled,
    }
}
