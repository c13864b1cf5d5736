//! Radios: what nl80211, rtnetlink and sysfs say of them, and what may be changed.

pub(crate) mod events;
mod facts;
mod guard;
mod manager;
pub(crate) mod mode;
mod netlink;
pub(crate) mod read;
pub(crate) mod restore;
mod sysfs;

pub(crate) use netlink::talk;

use crate::sighting::{Key, Link, Sighting, Sort};

/// Where a radio is known by.
pub(crate) fn wifi_key(wiphy: u32) -> Key {
    facts::key(wiphy)
}

/// A radio whose only interface was deleted: the radio is still there, and can do nothing until it has another.
pub(crate) fn without_interface(former: &Sighting) -> Sighting {
    let mut sighting = former.clone();
    if let Sort::Wifi(wifi) = &mut sighting.sort {
        wifi.link = Link::Down;
        wifi.others.clear();
    }
    sighting
}
