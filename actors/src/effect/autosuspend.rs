//! Keeps devices from being suspended while they are leased. Which, and which of them may sleep again, `wakefulness` decides.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::Wakefulness;
use mainstay_hardware::sighting::Sighting;
use tokio::task::JoinHandle;

use super::drivers::Drivers;
use super::wakefulness::{Call, Kept, Wish};
use super::watched::Watched;

/// Whoever is given a device is started first: that is not held up by the thread that keeps it awake. What nobody uses yet may sleep that
/// long.
const START_FIRST: Duration = Duration::from_millis(100);

/// Keeps devices awake. Belongs to the actor thread.
pub(super) struct Autosuspend {
    drivers: Drivers,
    /// Known to the executor, and so known over a panic of the device's actor.
    kept: Rc<RefCell<Kept>>,
    watched: Watched,
    under_way: RefCell<Vec<JoinHandle<()>>>,
}

impl Autosuspend {
    pub(super) fn new(drivers: Drivers, watched: Watched) -> Self {
        Self { drivers, kept: Rc::default(), watched, under_way: RefCell::default() }
    }

    /// Keeps a device from being suspended.
    pub(super) fn keep(&self, device: &DeviceName, sighting: Sighting) {
        self.want(Wish::Keep(device.clone(), Box::new(sighting)));
    }

    /// Lets a device be suspended that could be before, unless another one in the same socket is in use.
    pub(super) fn let_sleep(&self, device: &DeviceName) {
        self.want(Wish::LetSleep(device.clone()));
    }

    /// Waits for what is under way; every call to a driver has a bound.
    pub(super) async fn done(&self) {
        for work in self.under_way.take() {
            // One that panicked is told of.
            let _ = work.await;
        }
    }

    fn want(&self, wish: Wish) {
        let Some(first) = self.kept.borrow_mut().want(wish) else { return };
        let (drivers, kept) = (self.drivers.clone(), Rc::clone(&self.kept));
        let mut under_way = self.under_way.borrow_mut();
        under_way.retain(|work| !work.is_finished());
        under_way.push(self.watched.task("awake", async move {
            let mut next = Some(first);
            while let Some(call) = next {
                let before = perform(call, &drivers).await;
                next = kept.borrow_mut().done(before);
            }
        }));
    }
}

/// Calls the driver. How the device was before, when that was asked and is known.
async fn perform(call: Call, drivers: &Drivers) -> Option<Wakefulness> {
    match call {
        Call::Keep(device, sighting) => {
            tokio::time::sleep(START_FIRST).await;
            let before = drivers.look(move |bus| bus.keep_awake(&sighting)).await;
            before.inspect_err(|error| tracing::warn!("{device} may be suspended while it is in use: {error}")).ok()
        }
        Call::LetSleep(device, sighting) => {
            if let Err(error) = drivers.look(move |bus| bus.let_sleep(&sighting)).await {
                tracing::warn!("{device} is not suspended any more, which it could be before it was used: {error}");
            }
            None
        }
    }
}
