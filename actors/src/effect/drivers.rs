//! Calls to hardware and to the kernel that may block, each on a named thread, each bounded.
//!
//! A driver can hang for ever inside the kernel, and nothing can interrupt the caller. Then the thread is abandoned and
//! the caller is told `TimedOut`; while several hang, no further call is begun, and the caller is told `NotTried`. Only a few
//! calls of a sort run at a time, so that no more can be abandoned, however many devices sit on a hub that hangs.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mainstay_config::model::{Takeover, WifiMode};
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::{Bus, WifiBaseline};
use mainstay_hardware::error::{Error, ErrorKind};
use tokio::sync::{Mutex, Semaphore, oneshot};

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
/// Looks at ports that may run at the same time. A thousand services with ports may begin at once: one look is for all who ask by then.
const PORT_LOOKS_MAX: usize = 1;
/// Looks at files that may run at the same time, and that may hang before no further one is begun.
const FILE_LOOKS_MAX: usize = 2;
/// Stack of a thread for one call; sysfs, netlink and libusb need little.
const STACK: usize = 512 * 1024;
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

/// Abandoned calls that have not come back, counted.
type Hung = Rc<Cell<usize>>;

/// Who listens on ports, or why that cannot be seen.
type Listeners = Result<BTreeMap<u16, Listener>, String>;

/// Ports that somebody is to look at, and whom that is told.
type Asked = (Places, oneshot::Sender<Listeners>);

/// Runs calls to hardware. Belongs to the actor thread.
#[derive(Clone)]
pub(super) struct Drivers {
    bus: Arc<dyn Bus>,
    hung: Hung,
    radios: Rc<RefCell<BTreeMap<DeviceName, Rc<Radio>>>>,
    looks: Rc<Semaphore>,
    probes: Rc<Semaphore>,
    port_looks: Rc<Semaphore>,
    /// For whom somebody is to look at ports.
    asked: Rc<RefCell<Vec<Asked>>>,
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
        let (hung, radios, hung_files) = (Rc::default(), Rc::default(), Rc::default());
        let asked = Rc::default();
        Self { bus, hung, radios, looks, probes, port_looks, asked, file_looks, hung_files }
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

    /// Who listens on ports. The kernel needs milliseconds to list all sockets there are, so whoever has the turn looks for all
    /// who have asked by then.
    pub(super) fn listeners(&self, places: Places) -> impl Future<Output = Listeners> + 'static {
        let (drivers, (tell, mut answer)) = (self.clone(), oneshot::channel());
        async move {
            drivers.asked.borrow_mut().push((places, tell));
            // It is never closed.
            let _turn = drivers.port_looks.acquire().await;
            if let Ok(told) = answer.try_recv() {
                return told;
            }
            let (places, waiting): (Vec<Places>, Vec<_>) = drivers.asked.take().into_iter().unzip();
            let look =
                move |_: &dyn Bus| listeners(&places).map_err(|error| Error::io("look who listens on ports", &error));
            let hung = vec![Rc::clone(&drivers.hung)];
            match drivers.call_now(hung, LOOK_WITHIN, look).await {
                // Who asked may have gone.
                Ok(seen) => waiting.into_iter().zip(seen).for_each(|(tell, seen)| drop(tell.send(Ok(seen)))),
                Err(error) => waiting.into_iter().for_each(|tell| drop(tell.send(Err(error.to_string())))),
            }
            answer.try_recv().unwrap_or_else(|_| Err("nobody has looked who listens on ports".to_owned()))
        }
    }

    /// What files are.
    pub(super) fn files(
        &self,
        paths: BTreeSet<PathBuf>,
    ) -> impl Future<Output = Result<BTreeMap<PathBuf, FileIdentity>, String>> + 'static {
        let hung = Rc::clone(&self.hung_files);
        let look = move |_: &dyn Bus| Ok(identities(paths));
        let look = self.call_counted(&self.file_looks, vec![Rc::clone(&hung)], LOOK_WITHIN, look);
        async move {
            if hung.get() >= FILE_LOOKS_MAX {
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
            if radio.hung.get() > 0 {
                return Err(Error::new(ErrorKind::TimedOut, "an earlier call to its driver has not come back"));
            }
            let hung = vec![Rc::clone(&drivers.hung), Rc::clone(&radio.hung)];
            drivers.call_counted(&drivers.looks, hung, within, work).await
        }
    }

    fn call<T: Send + 'static>(
        &self,
        turns: &Rc<Semaphore>,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        self.call_counted(turns, vec![Rc::clone(&self.hung)], within, work)
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
        let (drivers, turns) = (self.clone(), Rc::clone(turns));
        async move {
            // It is never closed.
            let _turn = turns.acquire().await;
            drivers.call_now(counters, within, work).await
        }
    }

    /// The same, of whom it is the turn.
    fn call_now<T: Send + 'static>(
        &self,
        counters: Vec<Hung>,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        let (bus, hung) = (Arc::clone(&self.bus), Rc::clone(&self.hung));
        async move {
            if hung.get() >= HUNG_MAX {
                let words = format!("not tried: {HUNG_MAX} other calls to drivers hang, and no further one is begun");
                return Err(Error::new(ErrorKind::NotTried, words));
            }
            let (done, outcome) = oneshot::channel();
            let call = move || {
                watched::perhaps_panic("driver-call");
                // Nobody may be waiting any more.
                let _ = done.send(work(&*bus));
            };
            let thread = thread::Builder::new().name("driver-call".to_owned()).stack_size(STACK);
            if let Err(error) = thread.spawn(call) {
                return Err(Error::io("start a thread for a driver call", &error));
            }
            let mut outcome = outcome;
            match tokio::time::timeout(within, &mut outcome).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(Error::new(ErrorKind::Other, "the call to the driver panicked")),
                Err(_) => {
                    abandon(counters, outcome);
                    let within = humantime::format_duration(within);
                    Err(Error::new(ErrorKind::TimedOut, format!("no answer from the driver within {within}")))
                }
            }
        }
    }
}

/// Counts an abandoned call as hung until it comes back after all.
fn abandon<T: 'static>(counters: Vec<Hung>, outcome: oneshot::Receiver<T>) {
    counters.iter().for_each(|hung| hung.set(hung.get().saturating_add(1)));
    tokio::task::spawn_local(async move {
        // Whatever comes, comes too late.
        let _ = outcome.await;
        counters.iter().for_each(|hung| hung.set(hung.get().saturating_sub(1)));
    });
}
