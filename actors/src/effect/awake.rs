//! Which devices are kept from being suspended, and which of them could be before.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::Wakefulness;
use mainstay_hardware::sighting::{Sighting, UsbFacts};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::drivers::Drivers;

/// Whoever is given a device is started first: that is not held up by the thread that keeps it awake. What nobody uses yet may sleep that
/// long.
const START_FIRST: Duration = Duration::from_millis(100);

/// Keeps devices awake while they are leased. Belongs to the actor thread.
pub(super) struct Awake {
    drivers: Drivers,
    kept: Rc<Kept>,
    under_way: RefCell<JoinSet<()>>,
}

/// What is kept awake. Known to the executor, and so known over a panic of the device's actor.
#[derive(Default)]
struct Kept {
    /// One call after the other, in the order in which they were wanted: a service that is restarted lets go and takes again at once.
    turn: Mutex<()>,
    devices: RefCell<BTreeMap<DeviceName, (Sighting, Wakefulness)>>,
}

impl Awake {
    pub(super) fn new(drivers: Drivers) -> Self {
        Self { drivers, kept: Rc::default(), under_way: RefCell::default() }
    }

    /// Keeps a device from being suspended.
    pub(super) fn keep(&self, device: &DeviceName, sighting: Sighting) {
        let (drivers, kept, device) = (self.drivers.clone(), Rc::clone(&self.kept), device.clone());
        // From now on, whoever else's turn comes first.
        let start_first = tokio::time::sleep(START_FIRST);
        self.begin(async move {
            let _turn = kept.turn.lock().await;
            start_first.await;
            let asked = sighting.clone();
            match drivers.look(move |bus| bus.keep_awake(&asked)).await {
                Ok(before) => kept.note(device, sighting, before),
                Err(error) => tracing::warn!("{device} may be suspended while it is in use: {error}"),
            }
        });
    }

    /// Lets a device be suspended that could be before, unless another one in the same socket is in use.
    pub(super) fn let_sleep(&self, device: &DeviceName) {
        let (drivers, kept, device) = (self.drivers.clone(), Rc::clone(&self.kept), device.clone());
        self.begin(async move {
            let _turn = kept.turn.lock().await;
            let Some(sighting) = kept.forget(&device) else { return };
            if let Err(error) = drivers.look(move |bus| bus.let_sleep(&sighting)).await {
                tracing::warn!("{device} is not suspended any more, which it could be before it was used: {error}");
            }
        });
    }

    /// Waits for what is under way; every call to a driver has a bound.
    pub(super) async fn done(&self) {
        let mut under_way = self.under_way.take();
        while under_way.join_next().await.is_some() {}
    }

    fn begin(&self, work: impl Future<Output = ()> + 'static) {
        let mut under_way = self.under_way.borrow_mut();
        while under_way.try_join_next().is_some() {}
        under_way.spawn_local(work);
    }
}

impl Kept {
    /// A device that is kept awake already was so by mainstay's own doing: how it was before that counts.
    fn note(&self, device: DeviceName, sighting: Sighting, before: Wakefulness) {
        let mut devices = self.devices.borrow_mut();
        let known = devices.get(&device).filter(|(known, _)| is_same(known.usb.as_ref(), sighting.usb.as_ref()));
        let before = known.map_or(before, |(_, first)| *first);
        devices.insert(device, (sighting, before));
    }

    /// What may sleep now that this device is let go; of those on one piece of hardware, the last one's end counts.
    fn forget(&self, device: &DeviceName) -> Option<Sighting> {
        let mut devices = self.devices.borrow_mut();
        let (sighting, before) = devices.remove(device)?;
        if before == Wakefulness::WasAwake {
            return None;
        }
        let on_same = |other: &&mut (Sighting, Wakefulness)| is_same(other.0.usb.as_ref(), sighting.usb.as_ref());
        match devices.values_mut().find(on_same) {
            Some((_, inherited)) => {
                *inherited = before;
                None
            }
            None => Some(sighting),
        }
    }
}

/// Whether both sit on one arrival of one piece of hardware.
fn is_same(one: Option<&UsbFacts>, other: Option<&UsbFacts>) -> bool {
    let place = |usb: &UsbFacts| (usb.path.clone(), usb.bus, usb.address);
    one.map(place) == other.map(place)
}
