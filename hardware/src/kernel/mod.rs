//! The real thing: what the kernel of this machine shows, and what it lets mainstay do.
//!
//! The kernel's messages are taken as hints to look again, never as the truth: what is there is read from sysfs and by
//! netlink dumps, after subscribing, and compared with what is known. While watching there are two threads,
//! `hardware-events` and `usb-events` (and one that libusb keeps for itself); they sleep until something happens.

mod access;
mod last_told;
mod libusb;
mod power;
mod probe;
mod radio;
mod reader;
mod sysfs;
mod tty;
mod uevent;
mod usb;
mod watch;
mod watcher;

#[cfg(test)]
mod made_up;
#[cfg(test)]
mod scan_tests;
#[cfg(test)]
mod watcher_tests;

use std::time::Duration;

use mainstay_config::model::{DeviceKind, Takeover, WifiMode};

use crate::bus::{Bus, Depth, Findings, Sink, Supply, Wakefulness, Watch, WifiBaseline};
use crate::error::Error;
use crate::sighting::Sighting;

use libusb::SharedContext;
use radio::{mode, restore, talk};
use sysfs::Sysfs;
use watch::KernelWatch;

/// The hardware of this machine.
#[derive(Debug, Clone)]
pub struct Kernel {
    sysfs: Sysfs,
    usb: SharedContext,
}

impl Kernel {
    /// The hardware of this machine. Nothing is opened yet.
    #[must_use]
    pub fn new() -> Self {
        Self { sysfs: Sysfs::system(), usb: SharedContext::default() }
    }
}

impl Default for Kernel {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus for Kernel {
    fn watch(&self, sink: Sink) -> Result<Box<dyn Watch>, Error> {
        Ok(Box::new(KernelWatch::start(self.sysfs.clone(), &self.usb, sink)?))
    }

    fn accessible(&self, sighting: &Sighting) -> Result<(), Error> {
        access::check(&self.sysfs, sighting)
    }

    fn keep_awake(&self, sighting: &Sighting) -> Result<Wakefulness, Error> {
        power::keep_awake(&self.sysfs, sighting)
    }

    fn let_sleep(&self, sighting: &Sighting) -> Result<(), Error> {
        power::let_sleep(&self.sysfs, sighting)
    }

    fn supply(&self) -> Supply {
        power::supply(&self.sysfs)
    }

    fn probe(&self, sighting: &Sighting, kind: DeviceKind, depth: Depth, within: Duration) -> Result<Findings, Error> {
        match kind {
            DeviceKind::Hackrf => probe::hackrf::probe(&self.usb, sighting, depth, within),
            DeviceKind::Gps => probe::gps::probe(sighting, depth, within),
            DeviceKind::Wifi => Ok(Findings::Wifi),
            // Opening a serial port moves its modem lines, and a board behind them may restart.
            DeviceKind::Usb | DeviceKind::Serial => Ok(Findings::Opened),
        }
    }

    fn wifi_baseline(&self, ifindex: u32) -> Result<WifiBaseline, Error> {
        talk(async |netlink| restore::baseline(netlink, &self.sysfs, ifindex).await)
    }

    fn wifi_set_mode(&self, ifindex: u32, mode: WifiMode, takeover: Takeover) -> Result<(), Error> {
        talk(async |netlink| mode::set(netlink, &self.sysfs, ifindex, mode, takeover).await)
    }

    fn wifi_restore(&self, baseline: &WifiBaseline) -> Result<(), Error> {
        talk(async |netlink| restore::restore(netlink, &self.sysfs, baseline).await)
    }
}
