//! Putting a radio into a mode.

use mainstay_config::model::{Takeover, WifiMode};

use super::facts::{Interface, LinkFacts, of_radio};
use super::netlink::Netlink;
use super::{guard, sysfs};
use crate::error::{Error, NetworkAttempt};
use crate::kernel::sysfs::Sysfs;
use crate::modes;
use crate::sighting::Link;

/// Puts the interface with this index into a mode and takes it up: down, set type, up, because a driver changes the
/// type only while the interface is down. A soft block of rfkill is lifted first. When that fails on the way, the radio is
/// left half changed: whoever has its baseline puts it back.
///
/// # Errors
/// `NotSupported` for a mode that the radio cannot do; `Refused` for an interface that somebody lives on; otherwise what the kernel says.
pub(crate) async fn set(
    netlink: &Netlink,
    sysfs: &Sysfs,
    ifindex: u32,
    mode: WifiMode,
    takeover: Takeover,
) -> Result<(), Error> {
    let interfaces = netlink.interfaces().await?;
    let links = netlink.links().await?;
    let (main, link) = find(ifindex, &interfaces, &links)?;
    if main.mode == mode && link == Link::Up {
        return Ok(());
    }
    if main.mode != mode {
        // The kernel would refuse as well, but without saying why, and when the interface has been taken down for it.
        modes::check(&main.name, &netlink.supported(main.wiphy).await?, mode)?;
    }
    if takeover == Takeover::Refuse {
        guard::check(netlink, &of_radio(main.wiphy, None, &interfaces, &links)).await?;
    }
    sysfs::unblock(sysfs, main.wiphy, &main.name)?;
    change(netlink, main, link, mode).await
}

fn find<'a>(
    ifindex: u32,
    interfaces: &'a [Interface],
    links: &std::collections::BTreeMap<u32, LinkFacts>,
) -> Result<(&'a Interface, Link), Error> {
    let main = interfaces.iter().find(|interface| interface.ifindex == ifindex);
    let link = links.get(&ifindex).map(|link| link.link);
    main.zip(link).ok_or(Error::NoIndex(ifindex))
}

async fn change(netlink: &Netlink, main: &Interface, link: Link, mode: WifiMode) -> Result<(), Error> {
    let tried = |how: fn(String, WifiMode) -> NetworkAttempt| how(main.name.clone(), mode);
    if main.mode != mode {
        if link == Link::Up {
            netlink.set_link(main.ifindex, Link::Down, &tried(NetworkAttempt::TakeDown)).await?;
        }
        netlink.set_mode(main.ifindex, mode, &tried(NetworkAttempt::SetMode)).await?;
    }
    netlink.set_link(main.ifindex, Link::Up, &tried(NetworkAttempt::TakeUp)).await
}
