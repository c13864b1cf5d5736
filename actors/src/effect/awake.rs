//! Keeps devices from being suspended while they are leased. Which, and which of them may sleep again, `wakefulness` decides.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;

use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::Wakefulness;
use mainstay_hardware::sighting::Sighting;
use tokio::task::JoinSet;

use super::drivers::Drivers;
use super::wakefulness::{Call, Kept, Wish};

/// Keeps devices awake. Belongs to the actor thread.
pub(super) struct Awake {
    drivers: Drivers,
    /// Known to the executor, and so known over a panic of the device's actor.
    kept: Rc<RefCell<Kept>>,
    under_way: RefCell<JoinSet<()>>,
}

impl Awake {
    pub(super) fn new(drivers: Drivers) -> Self {
        Self { drivers, kept: Rc::default(), under_way: RefCell::default() }
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
        let mut under_way = self.under_way.take();
        while under_way.join_next().await.is_some() {}
    }

    fn want(&self, wish: Wish) {
        let Some(first) = self.kept.borrow_mut().want(wish) else { return };
        let (drivers, kept) = (self.drivers.clone(), Rc::clone(&self.kept));
        let mut under_way = self.under_way.borrow_mut();
        while under_way.try_join_next().is_some() {}
        under_way.spawn_local(async move {
            let mut next = Some(first);
            while let Some(call) = next {
                let before = perform(call, &drivers).await;
                next = kept.borrow_mut().done(before);
            }
        });
    }
}

/// Calls the driver. How the device was before, when that was asked and is known.
async fn perform(call: Call, drivers: &Drivers) -> Option<Wakefulness> {
    match call {
        Call::Keep(device, sighting) => match drivers.look(move |bus| bus.keep_awake(&sighting)).await {
            Ok(before) => Some(before),
            Err(error) => {
                tracing::warn!("{device} may be suspended while it is in use: {error}");
                None
            }
        },
        Call::LetSleep(device, sighting) => {
            if let Err(error) = drivers.look(move |bus| bus.let_sleep(&sighting)).await {
                tracing::warn!("{device} is not suspended any more, which it could be before it was used: {error}");
            }
            None
        }
    }
}
