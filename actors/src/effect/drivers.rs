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
use mainstay_hardware::error::{Error, ErrorKind, SystemError};
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
/// Looks at ports that may run at the same time: every service with ports asks for one, and a thousand may begin at once.
const PORT_LOOKS_MAX: usize = 2;
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

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NoAnswer {
    /// So many other calls hang that it was not begun.
    OthersHang(usize),
    /// An earlier call to the same driver has not come back.
    EarlierHangs,
    /// No thread could be started for it.
    NoThread(SystemError),
    /// It panicked.
    Panicked,
    /// It did not come back within this time.
    Late(Duration),
    /// The system refused it.
    Refused(SystemError),
}

impl From<NoAnswer> for Error {
    fn from(why: NoAnswer) -> Self {
        let kind = match why {
            NoAnswer::OthersHang(_) => ErrorKind::NotTried,
            NoAnswer::EarlierHangs | NoAnswer::Late(_) => ErrorKind::TimedOut,
            NoAnswer::NoThread(_) | NoAnswer::Panicked | NoAnswer::Refused(_) => ErrorKind::Other,
        };
        Self::new(kind, why.to_string())
    }
}

/// Abandoned calls that have not come back, counted.
type Hung = Rc<Cell<usize>>;

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
        let (hung, radios, hung_files) = (Rc::default(), Rc::default(), Rc::default());
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
    ) -> impl Future<Output = Result<BTreeMap<u16, Listener>, NoAnswer>> + 'static {
        let own = vec![Rc::clone(&self.hung)];
        let look = self.call_counted(&self.port_looks, own, LOOK_WITHIN, move |_| listeners(&places));
        async move { look.await?.map_err(|error| NoAnswer::Refused(error.into())) }
    }

    /// What files are.
    pub(super) fn files(
        &self,
        paths: BTreeSet<PathBuf>,
    ) -> impl Future<Output = Result<BTreeMap<PathBuf, FileIdentity>, NoAnswer>> + 'static {
        let hung = Rc::clone(&self.hung_files);
        let own = vec![Rc::clone(&hung)];
        let look = self.call_counted(&self.file_looks, own, LOOK_WITHIN, move |_| identities(paths));
        async move {
            match hung.get() {
                hung if hung >= FILE_LOOKS_MAX => Err(NoAnswer::OthersHang(hung)),
                _ => look.await,
            }
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
                return Err(NoAnswer::EarlierHangs.into());
            }
            let hung = vec![Rc::clone(&drivers.hung), Rc::clone(&radio.hung)];
            drivers.call_counted(&drivers.looks, hung, within, work).await.map_err(Error::from)?
        }
    }

    fn call<T: Send + 'static>(
        &self,
        turns: &Rc<Semaphore>,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        let call = self.call_counted(turns, vec![Rc::clone(&self.hung)], within, work);
        async move { call.await.map_err(Error::from)? }
    }

    /// The thread is started once the future is polled and few others of its sort run: who hangs makes room when he is abandoned, so the
    /// wait has an end as well. When it hangs itself, these count it.
    fn call_counted<T: Send + 'static>(
        &self,
        turns: &Rc<Semaphore>,
        counters: Vec<Hung>,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, NoAnswer>> + 'static {
        let (bus, hung, turns) = (Arc::clone(&self.bus), Rc::clone(&self.hung), Rc::clone(turns));
        async move {
            // It is never closed.
            let _turn = turns.acquire().await;
            if hung.get() >= HUNG_MAX {
                return Err(NoAnswer::OthersHang(hung.get()));
            }
            let (done, outcome) = oneshot::channel();
            let call = move || {
                watched::perhaps_panic("driver-call");
                // Nobody may be waiting any more.
                let _ = done.send(work(&*bus));
            };
            let thread = thread::Builder::new().name("driver-call".to_owned()).stack_size(STACK);
            if let Err(error) = thread.spawn(call) {
                return Err(NoAnswer::NoThread(error.into()));
            }
            let mut outcome = outcome;
            match tokio::time::timeout(within, &mut outcome).await {
                Ok(result) => result.map_err(|_| NoAnswer::Panicked),
                Err(_) => {
                    abandon(counters, outcome);
                    Err(NoAnswer::Late(within))
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
