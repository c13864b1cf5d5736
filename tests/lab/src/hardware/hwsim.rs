//! Radios of `mac80211_hwsim`, made and taken away one at a time (drivers/net/wireless/virtual/mac80211_hwsim.h).

use anyhow::{Context as _, Result};

use super::netlink::{Attributes, Family};

const NEW_RADIO: u8 = 4;
const DEL_RADIO: u8 = 5;
const ATTR_RADIO_ID: u16 = 10;
const ATTR_PERM_ADDR: u16 = 22;

/// The driver's number for a radio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RadioId(u32);

/// Loads the driver without a single radio.
pub(crate) fn set_up() -> Result<()> {
    super::load_module(&["mac80211_hwsim", "radios=0"])
}

/// Takes the driver away, and every radio with it, whatever they are doing.
pub(crate) fn unload(depth: Depth) -> Result<()> {
    match depth {
        Depth::Driver => super::run(&["rmmod", "mac80211_hwsim"]),
        Depth::Everything => super::run(&["rmmod", "mac80211_hwsim", "mac80211", "cfg80211"]),
    }
}

/// How much is unloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Only the driver.
    Driver,
    /// The driver and the kernel's whole Wi-Fi below it, nl80211 included.
    Everything,
}

/// Makes a radio with this permanent address.
pub(crate) fn create(address: [u8; 6]) -> Result<RadioId> {
    let attributes = Attributes::default().with(ATTR_PERM_ADDR, &address)?;
    let number = Family::open("MAC80211_HWSIM")?.command(NEW_RADIO, &attributes).context("no radio could be made")?;
    Ok(RadioId(u32::try_from(number)?))
}

/// Takes a radio away, whatever it is doing.
pub(crate) fn remove(radio: RadioId) -> Result<()> {
    let attributes = Attributes::default().with(ATTR_RADIO_ID, &radio.0.to_ne_bytes())?;
    Family::open("MAC80211_HWSIM")?.command(DEL_RADIO, &attributes).context("a radio could not be taken away")?;
    Ok(())
}
