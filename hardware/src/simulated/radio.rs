//! A simulated radio while it is plugged in: mode, link, and the interfaces that programs add.

use std::collections::BTreeMap;

use mainstay_config::model::{Takeover, WifiMode};
use mainstay_config::names::MacAddress;

use super::device::Radio;
use super::state::State;
use crate::bus::WifiBaseline;
use crate::error::{Error, ErrorKind, Tenancy};
use crate::modes;
use crate::sighting::{Access, Generation, HardwareEvent, Key, Link, Rfkill, Sighting, Sort, WifiFacts};

/// A radio that is plugged in.
pub(super) struct LiveRadio {
    pub(super) ifindex: u32,
    wiphy: u32,
    interface: String,
    mac: MacAddress,
    mode: WifiMode,
    link: Link,
    supported: Vec<WifiMode>,
    /// Virtual interfaces beside the main one, by index.
    others: BTreeMap<u32, String>,
}

impl LiveRadio {
    pub(super) fn new(radio: &Radio, wiphy: u32, ifindex: u32) -> Self {
        let Radio { interface, mac, mode, link, supported, .. } = radio.clone();
        Self { ifindex, wiphy, interface, mac, mode, link, supported, others: BTreeMap::new() }
    }

    pub(super) fn sighting(&self, radio: &Radio) -> Sighting {
        Sighting {
            key: Key(format!("wifi/phy{}", self.wiphy)),
            generation: Generation(format!("wifi {}", self.wiphy)),
            usb: None,
            sort: Sort::Wifi(WifiFacts {
                wiphy: self.wiphy,
                ifindex: self.ifindex,
                interface: self.interface.clone(),
                mac: self.mac,
                driver: Some(radio.driver.clone()),
                mode: self.mode,
                link: self.link,
                supported: self.supported.clone(),
                rfkill: Rfkill::Unblocked,
                others: self.others.values().cloned().collect(),
                manager: None,
            }),
            access: Access::Unknown,
        }
    }

    fn set_mode(&mut self, mode: WifiMode, takeover: Takeover) -> Result<(), Error> {
        modes::check(&self.interface, &self.supported, mode)?;
        if self.mode == WifiMode::Ap && takeover == Takeover::Refuse {
            return Err(Error::LivedOn(Tenancy::AccessPoint(self.interface.clone())));
        }
        self.mode = mode;
        self.link = Link::Up;
        Ok(())
    }

    fn restore(&mut self, baseline: &WifiBaseline) {
        self.mode = baseline.mode;
        self.link = baseline.link;
        self.interface.clone_from(&baseline.interface);
        self.others.retain(|index, _| baseline.interfaces.contains(index));
    }
}

impl State {
    pub(super) fn add_interface(&mut self, radio: &str, interface: &str) -> Result<Vec<HardwareEvent>, Error> {
        self.change_radio(radio, |live, spare| {
            if live.interface == interface || live.others.values().any(|other| other == interface) {
                return Err(Error::Simulated(ErrorKind::Busy));
            }
            live.others.insert(spare, interface.to_owned());
            Ok(())
        })
    }

    pub(super) fn set_mode(
        &mut self,
        ifindex: u32,
        mode: WifiMode,
        takeover: Takeover,
    ) -> Result<Vec<HardwareEvent>, Error> {
        let name = self.radio_name(ifindex)?;
        self.change_radio(&name, |live, _| live.set_mode(mode, takeover))
    }

    pub(super) fn restore(&mut self, baseline: &WifiBaseline) -> Result<Vec<HardwareEvent>, Error> {
        let name = self.radio_name(baseline.ifindex)?;
        self.change_radio(&name, |live, _| {
            live.restore(baseline);
            Ok(())
        })
    }

    pub(super) fn baseline(&self, ifindex: u32) -> Result<WifiBaseline, Error> {
        let live = self.radio(ifindex)?;
        Ok(WifiBaseline {
            wiphy: live.wiphy,
            ifindex,
            interface: live.interface.clone(),
            mode: live.mode,
            link: live.link,
            mac: live.mac,
            frequency_mhz: None,
            interfaces: std::iter::once(ifindex).chain(live.others.keys().copied()).collect(),
            rfkill: Rfkill::Unblocked,
        })
    }
}
