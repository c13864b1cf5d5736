//! Calls to hardware and to the kernel that may block, each on a named thread, each bounded. Which may run, `calls` decides.
//!
//! A driver can hang for ever inside the kernel, and nothing can interrupt the caller. Then the thread is abandoned.

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
use mainstay_hardware::error::{Error, NoAnswer};
use tokio::sync::oneshot;

use super::calls::{CHANGE_WITHIN, CallId, Calls, End, LOOK_WITHIN, PROBE_SPARE, Sort, Verdict};
use super::files::identities;
use super::ports::listeners;
use super::watched;
use crate::action::files::FileIdentity;
use crate::action::ports::{Listener, Places};

/// Who listens on ports, or why that cannot be seen.
type Listeners = Result<BTreeMap<u16, Listener>, NoAnswer>;

/// Ports that somebody is to look at, and whom that is told.
type Asked = (Places, oneshot::Sender<Listeners>);

/// Runs calls to hardware. Belongs to the actor thread.
#[derive(Clone)]
pub(super) struct Drivers {
    bus: Arc<dyn Bus>,
    desk: Rc<Desk>,
    /// For whom somebody is to look at ports.
    asked: Rc<RefCell<Vec<Asked>>>,
}

/// Held by a call until it comes back.
struct OnItsWay;

/// Who has asked, and who may begin.
#[derive(Default)]
struct Desk {
    calls: RefCell<Calls>,
    waiting: RefCell<BTreeMap<CallId, oneshot::Sender<Result<(), NoAnswer>>>>,
    hung: RefCell<Vec<(CallId, Weak<OnItsWay>)>>,
}

impl Desk {
    /// Tells those who wait whether they may begin. First it is seen which hung calls have come back.
    fn tell(&self) {
        self.hung.borrow_mut().retain(|(id, call)| {
            let is_on_its_way = call.strong_count() > 0;
            if !is_on_its_way {
                self.calls.borrow_mut().came_back(*id);
            }
            is_on_its_way
        });
        let verdicts = self.calls.borrow_mut().verdicts();
        for verdict in verdicts {
            let (id, verdict) = match verdict {
                Verdict::Begin(id) => (id, Ok(())),
                Verdict::Refuse(id, why) => (id, Err(why)),
            };
            if let Some(waiting) = self.waiting.borrow_mut().remove(&id) {
                // Who has gone away meanwhile says so himself.
                let _ = waiting.send(verdict);
            }
        }
    }

    fn over(&self, id: CallId, end: End) {
        self.calls.borrow_mut().over(id, end);
        self.tell();
    }
}

/// A call that was asked for, until it has ended for whoever asked.
struct Turn {
    desk: Rc<Desk>,
    id: CallId,
    permitted: oneshot::Receiver<Result<(), NoAnswer>>,
    end: End,
}

impl Turn {
    /// Waits until it may begin: who hangs makes room when he is given up, so the wait has an end.
    async fn permitted(&mut self) -> Result<(), NoAnswer> {
        self.desk.tell();
        // The desk outlives it.
        (&mut self.permitted).await.unwrap_or(Ok(()))
    }

    /// Makes the call, on a thread of its own.
    async fn run<T: Send + 'static>(
        &mut self,
        bus: Arc<dyn Bus>,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let on_its_way = Arc::new(OnItsWay);
        let has_come_back = Arc::downgrade(&on_its_way);
        let call = move || {
            let _until_it_comes_back = on_its_way;
            work(&*bus)
        };
        let outcome = watched::call("driver-call", call).map_err(|error| NoAnswer::NoThread(error.into()))?;
        match tokio::time::timeout(within, outcome).await {
            Ok(outcome) => outcome.map_err(|_| NoAnswer::Panicked),
            Err(_) => {
                self.end = End::OutOfTime;
                self.desk.hung.borrow_mut().push((self.id, has_come_back));
                Err(NoAnswer::Late(within))
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.desk.over(self.id, self.end);
    }
}

impl Drivers {
    /// Calls to this hardware.
    #[must_use]
    pub(super) fn new(bus: Arc<dyn Bus>) -> Self {
        Self { bus, desk: Rc::default(), asked: Rc::default() }
    }

    /// Calls the bus on a thread of its own; `LOOK_WITHIN` bounds it.
    pub(super) fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        self.call((Sort::Look, None), LOOK_WITHIN, work)
    }

    /// Probes a device; `within` is the bound that the probe keeps by itself.
    pub(super) fn probe<T: Send + 'static>(
        &self,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        self.call((Sort::Probe, None), within.saturating_add(PROBE_SPARE), work)
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
        self.asked.borrow_mut().push((places, tell));
        let mut turn = self.turn(Sort::Ports, None);
        async move {
            turn.permitted().await?;
            if let Ok(told) = answer.try_recv() {
                return told;
            }
            let (places, waiting): (Vec<Places>, Vec<_>) = drivers.asked.take().into_iter().unzip();
            let seen = turn.run(drivers.bus, LOOK_WITHIN, move |_| listeners(&places)).await;
            match seen.and_then(|seen| seen.map_err(|error| NoAnswer::Refused(error.into()))) {
                // Who asked may have gone.
                Ok(seen) => waiting.into_iter().zip(seen).for_each(|(tell, seen)| drop(tell.send(Ok(seen)))),
                Err(why) => waiting.into_iter().for_each(|tell| drop(tell.send(Err(why.clone())))),
            }
            // Whoever has looked for it is gone without an answer.
            answer.try_recv().unwrap_or(Err(NoAnswer::Panicked))
        }
    }

    /// What files are.
    pub(super) fn files(
        &self,
        paths: BTreeSet<PathBuf>,
    ) -> impl Future<Output = Result<BTreeMap<PathBuf, FileIdentity>, NoAnswer>> + 'static {
        self.bounded((Sort::Files, None), LOOK_WITHIN, move |_| identities(paths))
    }

    fn call_radio<T: Send + 'static>(
        &self,
        device: &DeviceName,
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        self.call((Sort::Look, Some(device.clone())), within, work)
    }

    fn call<T: Send + 'static>(
        &self,
        whose: (Sort, Option<DeviceName>),
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + 'static {
        let call = self.bounded(whose, within, work);
        async move { call.await.map_err(Error::from)? }
    }

    fn bounded<T: Send + 'static>(
        &self,
        (sort, radio): (Sort, Option<DeviceName>),
        within: Duration,
        work: impl FnOnce(&dyn Bus) -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, NoAnswer>> + 'static {
        let (bus, mut turn) = (Arc::clone(&self.bus), self.turn(sort, radio));
        async move {
            turn.permitted().await?;
            turn.run(bus, within, work).await
        }
    }

    fn turn(&self, sort: Sort, radio: Option<DeviceName>) -> Turn {
        let desk = Rc::clone(&self.desk);
        let id = desk.calls.borrow_mut().ask(sort, radio);
        let (permit, permitted) = oneshot::channel();
        desk.waiting.borrow_mut().insert(id, permit);
        Turn { desk, id, permitted, end: End::Done }
    }
}
