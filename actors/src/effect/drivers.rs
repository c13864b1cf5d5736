//! Calls to hardware and to the kernel that may block, each on a named thread, each bounded. Which may run, `calls` decides; which devices
//! may sleep, `wakefulness`.
//!
//! A driver can hang for ever inside the kernel, and nothing can interrupt the caller. Then the thread is abandoned.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use mainstay_config::paths::FileIdentity;
use mainstay_hardware::bus::Bus;
use mainstay_hardware::error::{Error, NoAnswer};
use tokio::sync::{Notify, oneshot};

use super::call::{Answer, Asked, Call, ports_seen, to_device};
use super::calls::{CallId, Calls, End};
use super::executor::{Deliver, Delivery};
use super::ports::listeners;
use super::process::groups::Groups;
use super::wakefulness::{Kept, Wish};
use super::watched::{self, Watched};
use crate::action::ports::{Listener, Places};
use crate::message::device::DeviceMessage;
use crate::message::lease::LeaseMessage;
use crate::message::{Action, ActorId, Message, Outside};
use crate::store::Store;
use crate::trace::Cause;

/// Has calls made. Belongs to the actor thread.
pub(super) struct Drivers {
    bus: Arc<dyn Bus>,
    calls: RefCell<Calls>,
    /// Known here, and so known over a panic of the device's actor.
    kept: RefCell<Kept>,
    /// A call that keeps a device awake, or lets it sleep, has ended.
    rested: Notify,
    watched: Watched,
    store: Store,
    deliver: Deliver,
}

impl Drivers {
    /// Calls to this hardware.
    #[must_use]
    pub(super) fn new(bus: Arc<dyn Bus>, watched: Watched, store: Store, deliver: Deliver) -> Rc<Self> {
        let (calls, kept, rested) = (RefCell::default(), RefCell::default(), Notify::new());
        Rc::new(Self { bus, calls, kept, rested, watched, store, deliver })
    }

    /// Does what an actor wants of a driver; what comes of it is delivered as an answer.
    pub(super) fn act(self: &Rc<Self>, from: &ActorId, action: Action, cause: Cause) {
        if let Some(wish) = Wish::of(from, &action) {
            let next = self.kept.borrow_mut().want(wish, cause);
            return self.keep_or_let_sleep(next);
        }
        let kind = action.kind();
        match Call::of(from, action) {
            Some(call) => self.ask(Asked { call, cause }),
            None => tracing::error!(%from, action = kind, "an action that nobody carries out"),
        }
    }

    /// What is known of calls, and of devices that are kept awake.
    pub(super) fn known(&self) -> (Calls, Kept) {
        (self.calls.borrow().clone(), self.kept.borrow().clone())
    }

    /// Waits until no device is being let sleep, or kept awake; every call to a driver has a bound.
    pub(super) async fn done(&self) {
        while self.kept.borrow().under_way().is_some() {
            self.rested.notified().await;
        }
    }

    fn ask(self: &Rc<Self>, asked: Asked) {
        self.calls.borrow_mut().ask(asked);
        self.go_on();
    }

    fn go_on(self: &Rc<Self>) {
        let begun = self.calls.borrow_mut().begun();
        for (id, calls) in begun {
            self.watched.task("answer", Rc::clone(self).make(id, calls));
        }
        if self.calls.borrow().refuses() {
            self.watched.task("answer", Rc::clone(self).tell_refused());
        }
    }

    async fn tell_refused(self: Rc<Self>) {
        let next = || self.calls.borrow_mut().refused();
        while let Some((asked, why)) = next() {
            self.fail(asked, why);
        }
    }

    /// Makes calls, on one thread of their own.
    async fn make(self: Rc<Self>, id: CallId, calls: Vec<Call>) {
        let Some(within) = calls.iter().map(Call::within).max() else { return };
        let (bus, store) = (Arc::clone(&self.bus), self.store.clone());
        let settle = move |call: &Call| {
            if matches!(call, Call::SetRadio(..)) {
                store.settle();
            }
        };
        let make = move || {
            // How a radio was is written down before it is changed.
            calls.iter().for_each(settle);
            perform(&*bus, calls)
        };
        let mut answered = match watched::call("driver-call", make) {
            Ok(answered) => answered,
            Err(error) => return self.fail_all(id, End::Done, &NoAnswer::NoThread(error.into())),
        };
        match tokio::time::timeout(within, &mut answered).await {
            Ok(Ok(answers)) => {
                let asked = self.calls.borrow_mut().over(id, End::Done);
                asked.into_iter().zip(answers).for_each(|(asked, answer)| self.answer(asked.cause, answer));
                self.go_on();
            }
            Ok(Err(_)) => self.fail_all(id, End::Done, &NoAnswer::Panicked),
            Err(_) => {
                self.fail_all(id, End::OutOfTime, &NoAnswer::Late(within));
                self.await_return(id, answered).await;
            }
        }
    }

    /// Whatever it brings, nobody waits for it any more.
    async fn await_return(self: Rc<Self>, id: CallId, late: oneshot::Receiver<Vec<Answer>>) {
        drop(late.await);
        self.calls.borrow_mut().came_back(id);
        self.go_on();
    }

    fn fail_all(self: &Rc<Self>, id: CallId, end: End, why: &NoAnswer) {
        let asked = self.calls.borrow_mut().over(id, end);
        asked.into_iter().for_each(|asked| self.fail(asked, why.clone()));
        self.go_on();
    }

    fn fail(self: &Rc<Self>, asked: Asked, why: NoAnswer) {
        warn_of_sleep(&asked.call, &why);
        self.answer(asked.cause, asked.call.fail(why));
    }

    fn answer(self: &Rc<Self>, cause: Cause, answer: Answer) {
        match answer {
            Answer::Tell(message) => drop((self.deliver)(Delivery::Answer(cause), Outside::Drivers, message)),
            Answer::Sleep(before) => {
                let next = self.kept.borrow_mut().done(before);
                self.keep_or_let_sleep(next);
                self.rested.notify_waiters();
            }
        }
    }

    fn keep_or_let_sleep(self: &Rc<Self>, next: Option<Asked>) {
        let Some(asked) = next else { return };
        let drivers = Rc::clone(self);
        self.watched.task("keep-awake", async move {
            tokio::time::sleep(asked.call.asked_after()).await;
            drivers.ask(asked);
        });
    }
}

/// What was seen at each of several places.
type Seen = Result<std::vec::IntoIter<BTreeMap<u16, Listener>>, NoAnswer>;

/// Makes calls, which may block.
fn perform(bus: &dyn Bus, calls: Vec<Call>) -> Vec<Answer> {
    let mut seen = look_at_ports(&calls);
    calls.into_iter().map(|call| perform_one(bus, call, &mut seen)).collect()
}

/// One look is for all of them.
fn look_at_ports(calls: &[Call]) -> Seen {
    let places =
        calls.iter().filter_map(|call| if let Call::Ports(_, places) = call { Some(places.clone()) } else { None });
    let places: Vec<Places> = places.collect();
    if places.is_empty() {
        return Ok(Vec::new().into_iter());
    }
    listeners(&places).map(Vec::into_iter).map_err(|error| NoAnswer::Refused(error.into()))
}

fn perform_one(bus: &dyn Bus, call: Call, seen: &mut Seen) -> Answer {
    let leases = Message::Leases;
    Answer::Tell(match call {
        Call::Access(operation, device, sighting) => {
            let named = |error: Error| error.naming(|gid| Some(Groups::of_system().ok()?.name(gid)?.to_owned()));
            to_device(device, DeviceMessage::Accessible(operation, bus.accessible(&sighting).map_err(named)))
        }
        Call::Probe(operation, device, sighting, kind, depth, within) => {
            to_device(device, DeviceMessage::Probed(operation, bus.probe(&sighting, kind, depth, within)))
        }
        Call::Supply(operation, device) => to_device(device, DeviceMessage::Supply(operation, bus.supply())),
        Call::ReadRadio(operation, device, ifindex) => {
            leases(LeaseMessage::RadioRead(operation, device, bus.wifi_baseline(ifindex)))
        }
        Call::SetRadio(operation, device, ifindex, mode, takeover) => {
            leases(LeaseMessage::RadioSet(operation, device, bus.wifi_set_mode(ifindex, mode, takeover)))
        }
        Call::Restore(operation, device, before) => {
            leases(LeaseMessage::RadioRestored(operation, device, bus.wifi_restore(&before)))
        }
        Call::Ports(operation, _) => {
            let here = seen.as_mut().map(|seen| seen.next().unwrap_or_default()).map_err(|why| why.clone());
            ports_seen(operation, here)
        }
        Call::Files(operation, paths) => {
            let look = |path: PathBuf| (path.clone(), FileIdentity::of(&path));
            leases(LeaseMessage::FilesSeen(operation, Ok(paths.into_iter().map(look).collect())))
        }
        ref call @ Call::KeepAwake(_, ref sighting) => {
            let before = bus.keep_awake(sighting);
            return Answer::Sleep(before.inspect_err(|error| warn_of_sleep(call, error)).ok());
        }
        ref call @ Call::LetSleep(_, ref sighting) => {
            if let Err(error) = bus.let_sleep(sighting) {
                warn_of_sleep(call, &error);
            }
            return Answer::Sleep(None);
        }
    })
}

/// Nobody is told when a device cannot be kept awake, or let sleep: it works all the same.
fn warn_of_sleep(call: &Call, error: &dyn Display) {
    match call {
        Call::KeepAwake(device, _) => tracing::warn!("{device} may be suspended while it is in use: {error}"),
        Call::LetSleep(device, _) => {
            tracing::warn!("{device} is not suspended any more, which it could be before it was used: {error}");
        }
        _ => {}
    }
}
