//! A radio put together from what its three sources say. Pure.

use std::collections::BTreeMap;

use mainstay_config::model::WifiMode;
use mainstay_config::names::MacAddress;
use nl80211::{Nl80211IfMode, Nl80211InterfaceType};

use crate::sighting::{Access, Generation, Key, Link, Rfkill, Sighting, Sort, UsbFacts, WifiFacts};

/// A radio as sysfs shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phy {
    pub(crate) wiphy: u32,
    /// Permanent address.
    pub(crate) mac: MacAddress,
    pub(crate) driver: Option<String>,
    pub(crate) rfkill: Rfkill,
    pub(crate) usb: Option<UsbFacts>,
}

/// An interface of a radio as nl80211 shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) wiphy: u32,
    pub(crate) ifindex: u32,
    pub(crate) name: String,
    pub(crate) mode: WifiMode,
    pub(crate) frequency_mhz: Option<u32>,
}

/// An interface as rtnetlink shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinkFacts {
    pub(crate) link: Link,
    /// Present address.
    pub(crate) mac: Option<MacAddress>,
    /// `IFLA_PERM_ADDRESS`, since Linux 5.6.
    pub(crate) permanent: Option<MacAddress>,
}

/// The interfaces of one radio, the main one first: the oldest that has the radio's permanent address, else the
/// oldest. What programs add later has a higher index.
pub(crate) fn of_radio<'a>(
    wiphy: u32,
    permanent: Option<MacAddress>,
    interfaces: &'a [Interface],
    links: &BTreeMap<u32, LinkFacts>,
) -> Vec<&'a Interface> {
    let is_own = |interface: &Interface| {
        let link = links.get(&interface.ifindex);
        permanent.is_some() && link.is_some_and(|link| link.permanent.or(link.mac) == permanent)
    };
    let mut own: Vec<&Interface> = interfaces.iter().filter(|i| i.wiphy == wiphy).collect();
    own.sort_by_key(|i| (!is_own(i), i.ifindex));
    own
}

/// A radio with at least one interface.
pub(crate) fn sighting(
    phy: Phy,
    interfaces: &[&Interface],
    links: &BTreeMap<u32, LinkFacts>,
    supported: Vec<WifiMode>,
    manager: Option<String>,
) -> Option<Sighting> {
    let (main, others) = interfaces.split_first()?;
    let Phy { wiphy, mac, driver, rfkill, usb } = phy;
    let facts = WifiFacts {
        wiphy,
        ifindex: main.ifindex,
        interface: main.name.clone(),
        mac,
        driver,
        mode: main.mode,
        link: links.get(&main.ifindex).map_or(Link::Down, |link| link.link),
        supported,
        rfkill,
        others: others.iter().map(|other| other.name.clone()).collect(),
        manager,
    };
    Some(Sighting {
        key: key(wiphy),
        generation: generation(wiphy),
        usb,
        sort: Sort::Wifi(facts),
        access: Access::Unknown,
    })
}

/// Where a radio is known by.
pub(crate) fn key(wiphy: u32) -> Key {
    Key(format!("wifi/phy{wiphy}"))
}

/// Which arrival: the kernel counts wiphys upwards and uses no number twice in one boot (net/wireless/core.c).
fn generation(wiphy: u32) -> Generation {
    Generation(format!("wifi {wiphy}"))
}

/// The mode an interface is in.
pub(crate) fn mode_of(kind: Nl80211InterfaceType) -> WifiMode {
    match kind {
        Nl80211InterfaceType::Station => WifiMode::Managed,
        Nl80211InterfaceType::Monitor => WifiMode::Monitor,
        Nl80211InterfaceType::Ap => WifiMode::Ap,
        Nl80211InterfaceType::Adhoc => WifiMode::Ibss,
        Nl80211InterfaceType::MeshPoint => WifiMode::Mesh,
        _ => WifiMode::Other,
    }
}

/// The type to ask the kernel for; `None` for a mode that is only ever seen.
pub(crate) fn type_of(mode: WifiMode) -> Option<Nl80211InterfaceType> {
    match mode {
        WifiMode::Managed => Some(Nl80211InterfaceType::Station),
        WifiMode::Monitor => Some(Nl80211InterfaceType::Monitor),
        WifiMode::Ap => Some(Nl80211InterfaceType::Ap),
        WifiMode::Ibss => Some(Nl80211InterfaceType::Adhoc),
        WifiMode::Mesh => Some(Nl80211InterfaceType::MeshPoint),
        WifiMode::Other => None,
    }
}

/// A mode that a radio says it can do, where mainstay has a word for it.
pub(crate) fn supported_mode(kind: Nl80211IfMode) -> Option<WifiMode> {
    match kind {
        Nl80211IfMode::Station => Some(WifiMode::Managed),
        Nl80211IfMode::Monitor => Some(WifiMode::Monitor),
        Nl80211IfMode::Ap => Some(WifiMode::Ap),
        Nl80211IfMode::Adhoc => Some(WifiMode::Ibss),
        Nl80211IfMode::MeshPoint => Some(WifiMode::Mesh),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    const OWN: MacAddress = MacAddress([2, 0, 0, 0, 2, 0]);
    const OTHER: MacAddress = MacAddress([0x42, 0, 0, 0, 2, 0]);

    fn interface(ifindex: u32, name: &str) -> Interface {
        Interface { wiphy: 2, ifindex, name: name.to_owned(), mode: WifiMode::Managed, frequency_mhz: None }
    }

    fn link(mac: MacAddress, permanent: Option<MacAddress>) -> LinkFacts {
        LinkFacts { link: Link::Up, mac: Some(mac), permanent }
    }

    fn names(interfaces: &[Interface], links: &[(u32, LinkFacts)]) -> Vec<String> {
        let links = links.iter().cloned().collect();
        of_radio(2, Some(OWN), interfaces, &links).iter().map(|i| i.name.clone()).collect()
    }

    #[test]
    fn the_main_interface_is_the_oldest_with_the_permanent_address() {
        let interfaces = [interface(9, "wlan2mon"), interface(5, "wlan2"), interface(3, "p2p0")];
        let links = [(3, link(OTHER, Some(OTHER))), (5, link(OWN, Some(OWN))), (9, link(OWN, Some(OWN)))];
        assert_eq!(names(&interfaces, &links), ["wlan2", "wlan2mon", "p2p0"]);
    }

    #[test]
    fn an_interface_with_a_made_up_address_is_known_by_its_permanent_one() {
        let interfaces = [interface(4, "ap0"), interface(5, "wlan2")];
        let links = [(4, link(OTHER, Some(OTHER))), (5, link(OTHER, Some(OWN)))];
        assert_eq!(names(&interfaces, &links), ["wlan2", "ap0"]);
    }

    #[test]
    fn without_addresses_the_oldest_interface_is_the_main_one() {
        assert_eq!(names(&[interface(9, "b"), interface(5, "a")], &[]), ["a", "b"]);
    }

    #[test]
    fn a_mode_is_asked_for_by_the_type_it_is_seen_by() {
        for mode in [WifiMode::Managed, WifiMode::Monitor, WifiMode::Ap, WifiMode::Ibss, WifiMode::Mesh] {
            assert_eq!(mode_of(type_of(mode).unwrap()), mode);
        }
        assert_eq!(type_of(WifiMode::Other), None);
    }
}
