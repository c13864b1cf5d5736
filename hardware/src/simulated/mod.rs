//! A bus that is only imagined: for `--demo`, and for tests of everything above hardware.
//!
//! Events reach every sink in the order in which the state changed, from the thread that changed it, and outside the
//! lock: a sink may call the bus again.

mod delivery;
mod demo;
mod device;
mod faults;
mod plugged;
mod radio;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Takeover, WifiMode};
use mainstay_config::names::UsbPath;

use crate::bus::{Bus, Depth, Findings, Sink, Supply, Wakefulness, Watch, WifiBaseline};
use crate::error::{Error, ErrorKind};
use crate::sighting::{HardwareEvent, ScanReason, Sighting};

use delivery::Delivery;
pub use device::{Body, Place, Presence, Radio, SimulatedDevice, SimulatedGps, SimulatedHackrf};
use faults::Faults;
use state::State;

/// Imagined hardware. Clones are the same hardware.
#[derive(Clone)]
pub struct SimulatedBus {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    delivery: Delivery,
    faults: Faults,
}

/// A simulated device, as [`SimulatedBus::list`] shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name it is plugged and unplugged by.
    pub name: String,
    /// What it shows, when it is plugged in. A receiver shows itself twice: as a USB device and as a serial port.
    pub sightings: Vec<Sighting>,
}

impl SimulatedBus {
    /// A bus with these devices; those that are [`Presence::Plugged`] are there from the start, but one whose socket
    /// is taken. Of two devices with one name the last counts.
    #[must_use]
    pub fn new(devices: Vec<SimulatedDevice>) -> Self {
        let inner = Inner { state: Mutex::new(State::new(devices)), delivery: Delivery::new(), faults: Faults::new() };
        Self { inner: Arc::new(inner) }
    }

    /// The hardware of the demo: a HackRF, a GPS receiver and two radios, all plugged in.
    #[must_use]
    pub fn demo() -> Self {
        Self::new(demo::devices())
    }

    /// Plugs a device in, into another socket if one is given, else where it was last.
    ///
    /// # Errors
    /// When there is no such device, it is plugged in already, or the socket is taken.
    pub fn plug(&self, name: &str, path: Option<UsbPath>) -> Result<(), Error> {
        self.plug_at(name, Place { path, node: None })
    }

    /// Plugs a device in and chooses its device node too: while a dead `ttyACM0` is held open, the kernel gives the
    /// next arrival `ttyACM1`.
    ///
    /// # Errors
    /// As [`SimulatedBus::plug`].
    pub fn plug_at(&self, name: &str, place: Place) -> Result<(), Error> {
        self.change(|state| state.plug(name, place))?;
        self.inner.faults.plugged(name);
        Ok(())
    }

    /// Pulls a device out.
    ///
    /// # Errors
    /// When there is no such device or it is not plugged in.
    pub fn unplug(&self, name: &str) -> Result<(), Error> {
        self.change(|state| state.unplug(name))
    }

    /// All devices, plugged in or not.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        self.state().list()
    }

    /// A program adds a virtual interface to a radio, as `airmon-ng` or Kismet do: `wlan2mon`.
    ///
    /// # Errors
    /// When there is no such radio, or the interface's name is taken.
    pub fn add_interface(&self, radio: &str, interface: &str) -> Result<(), Error> {
        self.change(|state| state.add_interface(radio, interface))
    }

    /// From now on probing this device fails so; `None`: it works again.
    pub fn fail_probe(&self, name: &str, error: Option<Error>) {
        self.inner.faults.fail_probe(name, error);
    }

    /// From now on setting this radio's mode fails so; `None`: it works again.
    pub fn fail_mode(&self, name: &str, error: Option<Error>) {
        self.inner.faults.fail_mode(name, error);
    }

    /// From now on calls to this device's driver do not return, until [`SimulatedBus::release`].
    pub fn hang(&self, name: &str) {
        self.inner.faults.hang(name);
    }

    /// Calls to this device's driver return again.
    pub fn release(&self, name: &str) {
        self.inner.faults.release(name);
    }

    /// After each arrival the device cannot be opened the first `refusals` times: udev is still setting permissions.
    pub fn settle_after(&self, name: &str, refusals: u32) {
        self.inner.faults.settle_after(name, refusals);
    }

    /// Whether a device on USB may be suspended now; `None` for what is not plugged in, or not on USB.
    #[must_use]
    pub fn wakefulness(&self, name: &str) -> Option<Wakefulness> {
        self.state().wakefulness(name)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, then tells everybody.
    fn change(&self, work: impl FnOnce(&mut State) -> Result<Vec<HardwareEvent>, Error>) -> Result<(), Error> {
        {
            let mut state = self.state();
            let events = work(&mut state)?;
            // Queued under the lock of the state, so that events keep the order of the changes.
            self.inner.delivery.queue(events);
        }
        self.inner.delivery.deliver();
        Ok(())
    }

    fn scan(&self, receiver: delivery::Receiver, why: ScanReason) {
        {
            let state = self.state();
            let scanned = HardwareEvent::Scanned { present: state.present(), why, troubles: BTreeMap::new() };
            self.inner.delivery.queue_for(receiver, scanned);
        }
        self.inner.delivery.deliver();
    }

    fn name_of(&self, sighting: &Sighting) -> Result<String, Error> {
        self.state().name_of(sighting)
    }
}

impl Bus for SimulatedBus {
    fn watch(&self, sink: Sink) -> Result<Box<dyn Watch>, Error> {
        let receiver = self.inner.delivery.subscribe(sink);
        self.scan(receiver, ScanReason::Start);
        Ok(Box::new(SimulatedWatch { bus: self.clone(), receiver }))
    }

    fn accessible(&self, sighting: &Sighting) -> Result<(), Error> {
        let name = self.name_of(sighting)?;
        self.inner.faults.access(&name)
    }

    fn keep_awake(&self, sighting: &Sighting) -> Result<Wakefulness, Error> {
        self.state().wake(sighting, Wakefulness::WasAwake)
    }

    fn let_sleep(&self, sighting: &Sighting) -> Result<(), Error> {
        match self.state().wake(sighting, Wakefulness::CouldSleep) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn supply(&self) -> Supply {
        Supply::Unknown
    }

    fn probe(&self, sighting: &Sighting, kind: DeviceKind, depth: Depth, _within: Duration) -> Result<Findings, Error> {
        let name = self.name_of(sighting)?;
        self.inner.faults.probe(&name)?;
        self.state().findings(sighting, kind, depth)
    }

    fn wifi_baseline(&self, ifindex: u32) -> Result<WifiBaseline, Error> {
        let name = self.state().radio_name(ifindex)?;
        self.inner.faults.wait(&name);
        self.state().baseline(ifindex)
    }

    fn wifi_set_mode(&self, ifindex: u32, mode: WifiMode, takeover: Takeover) -> Result<(), Error> {
        let name = self.state().radio_name(ifindex)?;
        self.inner.faults.mode(&name)?;
        self.change(|state| state.set_mode(ifindex, mode, takeover))
    }

    fn wifi_restore(&self, baseline: &WifiBaseline) -> Result<(), Error> {
        let name = self.state().radio_name(baseline.ifindex)?;
        self.inner.faults.mode(&name)?;
        self.change(|state| state.restore(baseline))
    }
}

struct SimulatedWatch {
    bus: SimulatedBus,
    receiver: delivery::Receiver,
}

impl Watch for SimulatedWatch {
    fn rescan(&self) {
        self.bus.scan(self.receiver, ScanReason::Asked);
    }
}

impl Drop for SimulatedWatch {
    fn drop(&mut self) {
        self.bus.inner.delivery.unsubscribe(self.receiver);
    }
}

#[cfg(test)]
mod tests;
