//! What a radio is like before it is leased, and putting it back so. Putting back twice does no harm.

use std::collections::BTreeMap;

use mainstay_config::model::WifiMode;

use super::facts::{Interface, LinkFacts};
use super::guard;
use super::netlink::Netlink;
use crate::bus::WifiBaseline;
use crate::error::{Error, ErrorKind, NetworkAttempt, Tenancy};
use crate::kernel::sysfs::Sysfs;
use crate::sighting::{Link, Rfkill};

/// Reads a radio whole.
///
/// # Errors
/// `NotFound` when no radio has this interface; otherwise what the kernel says.
pub(crate) async fn baseline(netlink: &Netlink, sysfs: &Sysfs, ifindex: u32) -> Result<WifiBaseline, Error> {
    let interfaces = netlink.interfaces().await?;
    let links = netlink.links().await?;
    let gone = || Error::NoIndex(ifindex);
    let main = interfaces.iter().find(|interface| interface.ifindex == ifindex).ok_or_else(gone)?;
    let link = links.get(&ifindex).ok_or_else(gone)?;
    Ok(WifiBaseline {
        wiphy: main.wiphy,
        ifindex,
        interface: main.name.clone(),
        mode: main.mode,
        link: link.link,
        mac: link.mac.ok_or_else(gone)?,
        frequency_mhz: main.frequency_mhz,
        interfaces: interfaces.iter().filter(|i| i.wiphy == main.wiphy).map(|i| i.ifindex).collect(),
        rfkill: super::sysfs::blocked(sysfs, main.wiphy),
    })
}

/// Puts a radio back: deletes what was added, makes the main interface again if it was deleted, then name, mode,
/// address, link and frequency where they differ, and last a soft block of rfkill. A radio that somebody lives on by now is
/// left as it is, unless its mode was changed.
///
/// # Errors
/// `NotFound` when the radio is gone; otherwise the first thing the kernel refused. What can be done is done.
pub(crate) async fn restore(netlink: &Netlink, sysfs: &Sysfs, baseline: &WifiBaseline) -> Result<(), Error> {
    let interfaces = netlink.interfaces().await?;
    let own: Vec<&Interface> = interfaces.iter().filter(|interface| interface.wiphy == baseline.wiphy).collect();
    let lived_on = guard::lived_on(netlink, &own).await?;
    if let Course::Leave(why) = course(baseline, &interfaces, lived_on) {
        tracing::info!("the radio of {} is not put back but left as it is: {why}", baseline.interface);
        return Ok(());
    }
    let deleted = delete_added(netlink, baseline, &interfaces).await;
    let main = match main_of(baseline, &interfaces) {
        Some(main) => main.clone(),
        None => make_again(netlink, baseline).await?,
    };
    let links = netlink.links().await?;
    put_back(netlink, baseline, &main, &links).await?;
    if baseline.rfkill == Rfkill::Soft {
        super::sysfs::block(sysfs, baseline.wiphy, &baseline.interface)?;
    }
    deleted
}

/// What is to be done with a radio whose lease is over.
#[derive(Debug, PartialEq, Eq)]
enum Course {
    PutBack,
    /// Since somebody lives on it.
    Leave(Tenancy),
}

/// While the mode is as it was, what else differs may be the work of whoever lives on the radio now, and putting it back would cut
/// them off. Another mode is the work of the lease.
fn course(baseline: &WifiBaseline, interfaces: &[Interface], lived_on: Option<Tenancy>) -> Course {
    match (main_of(baseline, interfaces), lived_on) {
        (Some(main), Some(why)) if main.mode == baseline.mode => Course::Leave(why),
        _ => Course::PutBack,
    }
}

/// The main interface: the same index, or, when a program made it anew, the same name.
fn main_of<'a>(baseline: &WifiBaseline, interfaces: &'a [Interface]) -> Option<&'a Interface> {
    let own = || interfaces.iter().filter(|interface| interface.wiphy == baseline.wiphy);
    own().find(|i| i.ifindex == baseline.ifindex).or_else(|| own().find(|i| i.name == baseline.interface))
}

/// Interfaces that were not there before.
fn added<'a>(baseline: &WifiBaseline, interfaces: &'a [Interface]) -> Vec<&'a Interface> {
    let main = main_of(baseline, interfaces).map(|main| main.ifindex);
    let is_added = |interface: &&Interface| {
        interface.wiphy == baseline.wiphy
            && Some(interface.ifindex) != main
            && !baseline.interfaces.contains(&interface.ifindex)
    };
    interfaces.iter().filter(is_added).collect()
}

async fn delete_added(netlink: &Netlink, baseline: &WifiBaseline, interfaces: &[Interface]) -> Result<(), Error> {
    let mut result = Ok(());
    for interface in added(baseline, interfaces) {
        let tried = NetworkAttempt::Delete(interface.name.clone());
        match netlink.delete(interface.ifindex, &tried).await {
            Err(error) if error.kind() != ErrorKind::NotFound => result = result.and(Err(error)),
            _ => {}
        }
    }
    result
}

async fn make_again(netlink: &Netlink, baseline: &WifiBaseline) -> Result<Interface, Error> {
    let name = &baseline.interface;
    let tried = NetworkAttempt::MakeAgain(name.clone());
    netlink.add(baseline.wiphy, baseline.mode, name, &tried).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::NoRadio(name.clone()),
        _ => error,
    })?;
    let interfaces = netlink.interfaces().await?;
    let made = interfaces.into_iter().find(|i| i.wiphy == baseline.wiphy && i.name == *name);
    made.ok_or_else(|| Error::Gone(tried.into()))
}

async fn put_back(
    netlink: &Netlink,
    baseline: &WifiBaseline,
    main: &Interface,
    links: &BTreeMap<u32, LinkFacts>,
) -> Result<(), Error> {
    let WifiBaseline { interface: name, mode, link, mac, frequency_mhz, .. } = baseline;
    let index = main.ifindex;
    let tried = NetworkAttempt::PutBack(name.clone());
    let present = links.get(&index).ok_or_else(|| Error::Gone(tried.clone().into()))?;
    let other_mac = present.mac != Some(*mac);
    let must_be_down = main.name != *name || main.mode != *mode || other_mac;
    let mut is = present.link;
    if must_be_down && is == Link::Up {
        netlink.set_link(index, Link::Down, &tried).await?;
        is = Link::Down;
    }
    if main.name != *name {
        netlink.rename(index, name, &tried).await?;
    }
    if main.mode != *mode {
        netlink.set_mode(index, *mode, &tried).await?;
    }
    if other_mac {
        netlink.set_mac(index, *mac, &tried).await?;
    }
    if is != *link {
        netlink.set_link(index, *link, &tried).await?;
    }
    match frequency_mhz {
        Some(mhz) if *mode == WifiMode::Monitor && *link == Link::Up && main.frequency_mhz != Some(*mhz) => {
            netlink.set_frequency(index, *mhz, &tried).await
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use mainstay_config::names::MacAddress;

    use super::*;

    fn baseline() -> WifiBaseline {
        WifiBaseline {
            wiphy: 2,
            ifindex: 5,
            interface: "wlan2".to_owned(),
            mode: WifiMode::Managed,
            link: Link::Up,
            mac: MacAddress([2, 0, 0, 0, 2, 0]),
            frequency_mhz: None,
            interfaces: vec![5, 6],
            rfkill: Rfkill::Unblocked,
        }
    }

    fn interface(wiphy: u32, ifindex: u32, name: &str) -> Interface {
        Interface { wiphy, ifindex, name: name.to_owned(), mode: WifiMode::Monitor, frequency_mhz: None }
    }

    #[test]
    fn a_radio_in_its_former_mode_that_somebody_lives_on_is_left_as_it_is() {
        let managed = [Interface { mode: WifiMode::Managed, ..interface(2, 5, "wlan2") }, interface(2, 9, "ap0")];
        let monitor = [interface(2, 5, "wlan2")];
        let somebody = || Some(Tenancy::DefaultRoute("wlan2".to_owned()));
        assert_eq!(course(&baseline(), &managed, somebody()), Course::Leave(somebody().unwrap()));
        assert_eq!(course(&baseline(), &managed, None), Course::PutBack);
        assert_eq!(course(&baseline(), &monitor, somebody()), Course::PutBack, "another mode is the work of the lease");
        assert_eq!(course(&baseline(), &[], somebody()), Course::PutBack, "it was deleted");
    }

    #[test]
    fn only_what_was_added_to_this_radio_is_deleted() {
        let now =
            [interface(2, 5, "wlan2"), interface(2, 6, "p2p0"), interface(2, 9, "wlan2mon"), interface(1, 8, "x")];
        assert_eq!(added(&baseline(), &now), [&now[2]]);
    }

    #[test]
    fn an_interface_made_anew_under_the_old_name_is_the_main_one() {
        let now = [interface(2, 6, "p2p0"), interface(2, 9, "wlan2")];
        assert_eq!(main_of(&baseline(), &now), Some(&now[1]));
        assert!(added(&baseline(), &now).is_empty());
    }

    #[test]
    fn a_renamed_interface_is_still_the_main_one() {
        let now = [interface(2, 5, "wlan2mon"), interface(2, 9, "wlan2")];
        assert_eq!(main_of(&baseline(), &now), Some(&now[0]));
        assert_eq!(added(&baseline(), &now), [&now[1]]);
    }

    #[test]
    fn a_deleted_interface_is_missing_and_must_be_made_again() {
        let now = [interface(2, 9, "wlan2mon"), interface(1, 3, "wlan2")];
        assert_eq!(main_of(&baseline(), &now), None);
    }
}
