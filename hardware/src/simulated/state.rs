//! What is plugged in, and what plugging in and out does. Pure: a change returns the events it causes.

use std::collections::BTreeMap;

use mainstay_config::model::DeviceKind;
use mainstay_config::names::UsbPath;

use super::Listed;
use super::device::{Body, Place, Presence, SimulatedDevice};
use super::plugged::Plugged;
use crate::bus::{Depth, Findings, Wakefulness};
use crate::error::{Error, ErrorKind, PlugError};
use crate::sighting::{HardwareEvent, Sighting, Witness};

/// USB numbers its devices from 1; root hubs have the first of each bus.
const FIRST_ADDRESS: u8 = 2;
const LAST_ADDRESS: u8 = 127;
/// Interface 1 is `lo`, 2 usually Ethernet.
const FIRST_IFINDEX: u32 = 3;

/// All devices of a simulated bus.
pub(super) struct State {
    devices: BTreeMap<String, Device>,
    next_address: u8,
    next_wiphy: u32,
    next_ifindex: u32,
}

/// A device, plugged in or not.
struct Device {
    body: Body,
    /// Where it is, or was last.
    path: Option<UsbPath>,
    /// Its serial port now, or last.
    node: Option<String>,
    plugged: Option<Plugged>,
}

impl State {
    pub(super) fn new(devices: Vec<SimulatedDevice>) -> Self {
        let mut state =
            Self { devices: BTreeMap::new(), next_address: FIRST_ADDRESS, next_wiphy: 1, next_ifindex: FIRST_IFINDEX };
        for SimulatedDevice { name, presence, body } in devices {
            let (path, node) = (body.path().cloned(), body.node().map(str::to_owned));
            state.devices.insert(name.clone(), Device { body, path, node, plugged: None });
            if presence == Presence::Plugged && state.plug(&name, Place::default()).is_err() {
                tracing::warn!(%name, "simulated device starts unplugged: its socket is taken");
            }
        }
        state
    }

    pub(super) fn plug(&mut self, name: &str, place: Place) -> Result<Vec<HardwareEvent>, Error> {
        let device = self.device(name)?;
        if device.plugged.is_some() {
            return Err(PlugError::Plugged(name.to_owned()).into());
        }
        let path = match (&device.path, place.path) {
            (None, Some(path)) => {
                return Err(PlugError::NotOnUsb(name.to_owned(), path).into());
            }
            (Some(last), None) => Some(last.clone()),
            (_, path) => path,
        };
        self.check_free(name, path.as_ref())?;
        let plugged = Plugged::new(&self.device(name)?.body, self.free_address(), self.next_wiphy, self.next_ifindex);
        self.count(&plugged);
        let device = self.device_mut(name)?;
        device.path = path;
        device.node = place.node.or_else(|| device.node.take());
        device.plugged = Some(plugged);
        Ok(device.sightings().into_iter().map(HardwareEvent::Seen).collect())
    }

    fn free_address(&self) -> u8 {
        let in_use = |address: &u8| {
            let here = |d: &Device| matches!(d.plugged, Some(Plugged::Usb { address: a, .. }) if a == *address);
            self.devices.values().any(here)
        };
        let upwards = (self.next_address..=LAST_ADDRESS).chain(FIRST_ADDRESS..self.next_address);
        upwards.into_iter().find(|address| !in_use(address)).unwrap_or(self.next_address)
    }

    /// The next arrival gets other numbers.
    fn count(&mut self, plugged: &Plugged) {
        match plugged {
            // As the kernel does it: upwards, and from the start again after 127.
            Plugged::Usb { address, .. } => {
                self.next_address = if *address >= LAST_ADDRESS { FIRST_ADDRESS } else { address + 1 };
            }
            Plugged::Radio(_) => {
                self.next_wiphy += 1;
                self.next_ifindex += 1;
            }
        }
    }

    fn check_free(&self, name: &str, path: Option<&UsbPath>) -> Result<(), Error> {
        let Some(path) = path else { return Ok(()) };
        let there = |(other, device): &(&String, &Device)| {
            *other != name && device.plugged.is_some() && device.path.as_ref() == Some(path)
        };
        match self.devices.iter().find(there) {
            Some((other, _)) => Err(PlugError::Taken(path.clone(), other.clone()).into()),
            None => Ok(()),
        }
    }

    pub(super) fn unplug(&mut self, name: &str) -> Result<Vec<HardwareEvent>, Error> {
        let device = self.device_mut(name)?;
        let sightings = device.sightings();
        if device.plugged.take().is_none() {
            return Err(PlugError::NotPlugged(name.to_owned()).into());
        }
        // The kernel takes down what sits on the device first.
        let gone = sightings.into_iter().rev().map(|sighting| HardwareEvent::Gone {
            key: sighting.key,
            generation: Some(sighting.generation),
            witness: Witness::Simulation,
        });
        Ok(gone.collect())
    }

    pub(super) fn list(&self) -> Vec<Listed> {
        let listed = |(name, device): (&String, &Device)| Listed { name: name.clone(), sightings: device.sightings() };
        self.devices.iter().map(listed).collect()
    }

    pub(super) fn present(&self) -> Vec<Sighting> {
        self.devices.values().flat_map(Device::sightings).collect()
    }

    /// The device whose present arrival this is.
    pub(super) fn name_of(&self, sighting: &Sighting) -> Result<String, Error> {
        let is = |s: &Sighting| s.key == sighting.key && s.generation == sighting.generation;
        let found = self.devices.iter().find(|(_, device)| device.sightings().iter().any(is));
        found.map(|(name, _)| name.clone()).ok_or(Error::Simulated(ErrorKind::NotFound))
    }

    /// Keeps a device awake or not; answers with how it was. A radio of the demo is not on USB, and never sleeps.
    pub(super) fn wake(&mut self, sighting: &Sighting, awake: Wakefulness) -> Result<Wakefulness, Error> {
        let name = self.name_of(sighting)?;
        match &mut self.device_mut(&name)?.plugged {
            Some(Plugged::Usb { wakefulness, .. }) => Ok(std::mem::replace(wakefulness, awake)),
            _ => Ok(Wakefulness::WasAwake),
        }
    }

    pub(super) fn wakefulness(&self, name: &str) -> Option<Wakefulness> {
        match self.devices.get(name)?.plugged.as_ref()? {
            Plugged::Usb { wakefulness, .. } => Some(*wakefulness),
            Plugged::Radio(_) => None,
        }
    }

    pub(super) fn findings(&self, sighting: &Sighting, kind: DeviceKind, depth: Depth) -> Result<Findings, Error> {
        let name = self.name_of(sighting)?;
        Ok(match (&self.device(&name)?.body, kind) {
            (Body::Hackrf(hackrf), DeviceKind::Hackrf) => Findings::Hackrf {
                board: hackrf.board.clone(),
                firmware: hackrf.firmware.clone(),
                serial: (depth == Depth::Full).then(|| hackrf.serial.clone()),
            },
            (Body::Gps(_), DeviceKind::Gps) if depth == Depth::Identity => Findings::Unread,
            (Body::Gps(gps), DeviceKind::Gps) => {
                Findings::Gps { baud: gps.baud, protocol: gps.protocol, fix: Some(gps.fix) }
            }
            (Body::Wifi(_), DeviceKind::Wifi) => Findings::Wifi,
            _ => Findings::Opened,
        })
    }

    fn device(&self, name: &str) -> Result<&Device, Error> {
        self.devices.get(name).ok_or_else(|| self.unknown(name))
    }

    fn device_mut(&mut self, name: &str) -> Result<&mut Device, Error> {
        let unknown = self.unknown(name);
        self.devices.get_mut(name).ok_or(unknown)
    }

    fn unknown(&self, name: &str) -> Error {
        PlugError::Unknown(name.to_owned(), self.devices.keys().cloned().collect()).into()
    }

    /// The radio whose main interface has this index, by name.
    pub(super) fn radio_name(&self, ifindex: u32) -> Result<String, Error> {
        let found = self
            .devices
            .iter()
            .find(|(_, device)| matches!(&device.plugged, Some(Plugged::Radio(radio)) if radio.ifindex == ifindex));
        found.map(|(name, _)| name.clone()).ok_or(Error::NoIndex(ifindex))
    }

    /// Reads a radio that is plugged in.
    pub(super) fn radio(&self, ifindex: u32) -> Result<&super::radio::LiveRadio, Error> {
        let name = self.radio_name(ifindex)?;
        match &self.device(&name)?.plugged {
            Some(Plugged::Radio(radio)) => Ok(radio),
            _ => Err(self.unknown(&name)),
        }
    }

    /// Changes a radio that is plugged in, and says how it is afterwards.
    pub(super) fn change_radio(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut super::radio::LiveRadio, u32) -> Result<(), Error>,
    ) -> Result<Vec<HardwareEvent>, Error> {
        let spare = self.next_ifindex;
        self.next_ifindex += 1;
        let device = self.device_mut(name)?;
        let Some(Plugged::Radio(radio)) = &mut device.plugged else {
            return Err(PlugError::NotPlugged(name.to_owned()).into());
        };
        work(radio, spare)?;
        Ok(device.sightings().into_iter().map(HardwareEvent::Seen).collect())
    }
}

impl Device {
    fn sightings(&self) -> Vec<Sighting> {
        self.plugged
            .as_ref()
            .map(|p| p.sightings(&self.body, self.path.as_ref(), self.node.as_deref()))
            .unwrap_or_default()
    }
}
