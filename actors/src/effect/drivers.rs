//! Calls to hardware and to the kernel that may block, each on a named thread, each bounded.
//!
//! A driver can hang for ever inside the kernel, and nothing can interrupt the caller. Then the thread is abandoned and
//! the caller is told `TimedOut`; while several hang, no further call is begun, and the caller is told `NotTried`. Only a few
//! calls of a sort run at a time, so that no more can be abandoned, however many devices sit on a hub that hangs.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use mainstay_config::model::{Takeover, WifiMode};
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::{Bus, WifiBaseline};
use mainstay_hardware::error::{Error, ErrorKind};
use tokio::sync::{Mutex, Semaphore};

use super::files::identities;
use super::ports::listeners;
use super::watched;
use crate::action::files::FileIdentity;
use crate::action::ports::{Listener, Places};

/// Calls that may hang at the same time before further ones are refused.
const HUNG_MAX: usize = 4;
/// Looks at devices and changes of radios that may run at the same time. Each takes milliseconds.
const LOOKS_MAX: usize = 4;
/// Probes that may run at the same time. One that tries the speeds of a serial port takes seconds, which no look shall wait for.
const PROBES_MAX: usize = 4;
/// Looks at ports that may run at the same time: every service with ports asks for one, and a thousand may begin at once.
const PORT_LOOKS_MAX: usize = 2;
/// Looks at files that may run at the same time, and that may hang before no further one is begun.
const FILE_LOOKS_MAX: usize = 2;
/// Bound on a call that only looks.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// Bound on a change of a radio: down, set type, up, each of which a driver may take seconds for.
const CHANGE_WITHIN: Duration = Duration::from_secs(15);
/// What a probe may take beyond its own bound before it counts as hung.
const PROBE_SPARE: Duration = Duration::from_secs(5);

/// A radio.
#[derive(Default)]
struct Radio {
    /// Operations on it never overlap.
    turn: Mutex<()>,
    /// A call that was abandoned may still change it, whenever it goes on: no other is begun meanwhile.
    hung: Hung,
}

/// Abandoned calls.
#[derive(Clone, Default)]
struct Hung(Rc<RefCell<Vec<Weak<OnItsWay>>>>);

/// Held by a call until it comes back.
struct OnItsWay;

impl Hung {
    fn abandon(&self, call: &Weak<OnItsWay>) {
        self.0.borrow_mut().push(Weak::clone(call));
    }

    /// How many have not come back.
    fn count(&self) -> usize {
        let mut calls = self.0.borrow_mut();
        calls.retain(|call| call.strong_count() > 0);
        calls.len()
    }
}

/// Runs calls to hardware. Belongs to the actor thread.
#[derive(Clone)]
pub(super) struct Drivers {
    bus: Arc<dyn Bus>,
    hung: Hung,
    radios: Rc<RefCell<BTreeMap<DeviceName, Rc<Radio>>>>,
    looks: Rc<Semaphore>,
    probes: Rc<Semaphore>,
    port_looks: Rc<Semaphore>,
    file_looks: Rc<Semaphore>,
    /// Looks at files that hang, on a dead disk or share. Hardware has nothing to do with that.
    hung_files: Hung,
}

impl Drivers {
    /// Calls to this hardware.
    #[must_use]
    pub(super) fn new(bus: Arc<dyn Bus>) -> Self {
        let [looks, probes, port_looks, file_looks] =
            [LOOKS_MAX, PROBES_MAX, PORT_LOOKS_MAX, FILE_LOOKS_MAX].map(|most| Rc::new(Semaphore::new(most)));
        let (hung, radios, hung_files) = (Hung::default(), Rc::default(), Hung::default());
        Self { bus, hung, radios, looks, probes, port_looks, file_looks, hung_files }
    }

    /// Calls the bus on a thread of its own; `LOOK_WITHIN` bounds it.
    pub(super) fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        self.call(&self.looks, LOOK_WITHIN, work)
    }

    /// Probes a device; `within` is the bound that the probe keeps by itself.
    pub(super) fn probe<T: Send + 'static>(
        &self,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        self.call(&self.probes, within.saturating_add(PROBE_SPARE), work)
    }

    /// Reads how a radio is.
    pub(super) fn read_radio(
        &self,
        device: &DeviceName,
        ifindex: u32,
    ) -> impl Future<Output = Result<WifiBaseline, Error>> + 'static {
        self.call_radio(device, LOOK_WITHIN, move |bus| bus.wifi_baseline(ifindex))
    }

    /// Puts a radio into a mode.
    pub(super) fn set_radio(
        &self,
        device: &DeviceName,
        ifindex: u32,
        mode: WifiMode,
        takeover: Takeover,
    ) -> impl Future<Output = Result<(), Error>> + 'static {
        self.call_radio(device, CHANGE_WITHIN, move |bus| bus.wifi_set_mode(ifindex, mode, takeover))
    }

    /// Puts a radio back as it was.
    pub(super) fn restore_radio(
        &self,
        device: &DeviceName,
        before: WifiBaseline,
    ) -> impl Future<Output = Result<(), Error>> + 'static {
        self.call_radio(device, CHANGE_WITHIN, move |bus| bus.wifi_restore(&before))
    }

    /// Who listens on ports.
    pub(super) fn listeners(
        &self,
        places: Places,
    ) -> impl Future<Output = Result<BTreeMap<u16, Listener>, String>> + 'static {
        let look =
            move |_: &dyn Bus| listeners(&places).map_err(|error| Error::io("look who listens on ports", &error));
        let look = self.call(&self.port_looks, LOOK_WITHIN, look);
        async move { look.await.map_err(|error| error.to_string()) }
    }

    /// What files are.
    pub(super) fn files(
        &self,
        paths: BTreeSet<PathBuf>,
    ) -> impl Future<Output = Result<BTreeMap<PathBuf, FileIdentity>, String>> + 'static {
        let hung = self.hung_files.clone();
        let look = move |_: &dyn Bus| Ok(identities(paths));
        let look = self.call_counted(&self.file_looks, vec![hung.clone()], LOOK_WITHIN, look);
        async move {
            if hung.count() >= FILE_LOOKS_MAX {
                return Err("earlier looks at files hang; is a disk or share gone?".to_owned());
            }
            look.await.map_err(|error| error.to_string())
        }
    }

    fn radio(&self, device: &DeviceName) -> Rc<Radio> {
        Rc::clone(self.radios.borrow_mut().entry(device.clone()).or_default())
    }

    fn call_radio<T: Send + 'static>(
        &self,
        device: &DeviceName,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        let (drivers, radio) = (self.clone(), self.radio(device));
        async move {
            let _turn = radio.turn.lock().await;
            if radio.hung.count() > 0 {
                return Err(Error::new(ErrorKind::TimedOut, "an earlier call to its driver has not come back"));
            }
            let hung = vec![drivers.hung.clone(), radio.hung.clone()];
            drivers.call_counted(&drivers.looks, hung, within, work).await
        }
    }

    fn call<T: Send + 'static>(
        &self,
        turns: &Rc<Semaphore>,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        self.call_counted(turns, vec![self.hung.clone()], within, work)
    }

    /// The thread is started once the future is polled and few others of its sort run: who hangs makes room when he is abandoned, so the
    /// wait has an end as well. When it hangs itself, these count it.
    fn call_counted<T: Send + 'static>(
        &self,
        turns: &Rc<Semaphore>,
        counters: Vec<Hung>,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        let (bus, hung, turns) = (Arc::clone(&self.bus), self.hung.clone(), Rc::clone(turns));
        async move {
            // It is never closed.
            let _turn = turns.acquire().await;
            if hung.count() >= HUNG_MAX {
                let words = format!("not tried: {HUNG_MAX} other calls to drivers hang, and no further one is begun");
                return Err(Error::new(ErrorKind::NotTried, words));
            }
            let on_its_way = Arc::new(OnItsWay);
            let has_come_back = Arc::downgrade(&on_its_way);
            let call = move || {
                let _until_it_comes_back = on_its_way;
                work(&*bus)
            };
            let outcome = watched::call("driver-call", call)
                .map_err(|error| Error::io("start a thread for a driver call", &error))?;
            match tokio::time::timeout(within, outcome).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(Error::new(ErrorKind::Other, "the call to the driver panicked")),
                Err(_) => {
                    counters.iter().for_each(|hung| hung.abandon(&has_come_back));
                    let within = humantime::format_duration(within);
                    Err(Error::new(ErrorKind::TimedOut, format!("no answer from the driver within {within}")))
                }
            }
        }
    }
}
