//! All radios, read anew.

use std::collections::BTreeMap;

use mainstay_config::model::WifiMode;

use super::facts::{self, of_radio};
use super::manager::Managers;
use super::{netlink, sysfs};
use crate::error::Error;
use crate::kernel::sysfs::Sysfs;
use crate::sighting::Sighting;

/// What a radio can do never changes while it is there, and asking takes about 200 messages.
pub(crate) type Supported = BTreeMap<u32, Vec<WifiMode>>;

/// Every radio that was there.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Radios with at least one interface.
    pub(crate) radios: Vec<Sighting>,
    /// Radios without: a program has deleted the interface and will make another.
    pub(crate) bare: Vec<u32>,
    /// For the next reading.
    pub(crate) supported: Supported,
}

/// Reads all radios. Blocks for as long as a driver does.
///
/// # Errors
/// When the kernel has no nl80211 or does not answer.
pub(crate) fn read(sysfs: &Sysfs, former: &Supported) -> Result<Reading, Error> {
    let phys = sysfs::phys(sysfs);
    if phys.is_empty() {
        return Ok(Reading::default());
    }
    netlink::talk(async |netlink| {
        let interfaces = netlink.interfaces().await?;
        let links = netlink.links().await?;
        let managers = Managers::look();
        let mut reading = Reading::default();
        for phy in phys {
            let wiphy = phy.wiphy;
            let own = of_radio(wiphy, Some(phy.mac), &interfaces, &links);
            let supported = match former.get(&wiphy) {
                Some(modes) => modes.clone(),
                None => netlink.supported(wiphy).await?,
            };
            reading.supported.insert(wiphy, supported.clone());
            let manager = own.first().and_then(|main| managers.of(main.ifindex, &main.name));
            match facts::sighting(phy, &own, &links, supported, manager) {
                Some(sighting) => reading.radios.push(sighting),
                None => reading.bare.push(wiphy),
            }
        }
        Ok(reading)
    })
}
