//! The real executor: carries out every action with processes, probes and drivers, and delivers what comes of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mainstay_config::names::ServiceName;
use mainstay_hardware::bus::{Bus, Supply, Watch};

use super::awake::Awake;
use super::drivers::Drivers;
use super::errands::Errands;
use super::probe::Probes;
use super::process::{Processes, ProcessesError};
use super::report::RunReport;
use super::said::{Pace, Turn};
use super::watched::Watched;
use crate::action::probe::ProbeEvent;
use crate::action::process::{Notification, ProcessEvent, RunId};
use crate::effect::executor::{Deliver, Delivery, Executor};
use crate::effect::process::settings::ProcessSettings;
use crate::message::device::DeviceMessage;
use crate::message::lease::LeaseMessage;
use crate::message::service::ServiceMessage;
use crate::message::{Action, ActorId, Message, Outside};
use crate::trace::{Cause, ExternalCause, ExternalKind};

/// The hardware watch, once it has begun.
pub type SharedWatch = Arc<Mutex<Option<Box<dyn Watch>>>>;

/// How long devices that may sleep again are waited for at the end.
const AWAKE_PATIENCE: Duration = Duration::from_secs(5);

/// Carries out actions for real.
pub struct Carrier {
    processes: Rc<Processes>,
    probes: Probes,
    drivers: Drivers,
    awake: Awake,
    watch: SharedWatch,
    watched: Watched,
    news: Rc<News>,
}

impl Carrier {
    /// Starts the executors.
    ///
    /// # Errors
    /// When the process executor cannot be started: a directory cannot be written, say.
    pub fn start(
        settings: ProcessSettings,
        bus: Arc<dyn Bus>,
        watch: SharedWatch,
        watched: Watched,
        deliver: Deliver,
    ) -> Result<Self, ProcessesError> {
        let errands = Rc::new(Errands::default());
        let news = Rc::new(News { deliver, runs: RefCell::default(), errands: Rc::clone(&errands) });
        let log_dir = settings.log_dir.clone();
        let for_processes = Rc::clone(&news);
        let processes = Rc::new(Processes::start(settings, &watched, move |service, run, event| {
            for_processes.process(service, run, event);
        })?);
        errands.begin(&processes);
        let for_probes = Rc::clone(&news);
        let probes = Probes::new(log_dir, errands, move |run, event| for_probes.probe(run, event));
        let drivers = Drivers::new(bus);
        Ok(Self { processes, probes, awake: Awake::new(drivers.clone()), drivers, watch, watched, news })
    }

    /// Makes anew what was removed of the notification sockets.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn renew_sockets(&self) -> std::io::Result<()> {
        self.processes.renew_sockets()
    }

    /// Waits for what is being put back, ends threads and lets go of the log-keeper. Ends no service.
    pub async fn shutdown(self: Rc<Self>) {
        if tokio::time::timeout(AWAKE_PATIENCE, self.awake.done()).await.is_err() {
            tracing::warn!("a device that could sleep before is kept awake: its driver does not answer");
        }
        let processes = Rc::clone(&self.processes);
        drop(self);
        if let Some(processes) = Rc::into_inner(processes) {
            processes.shutdown().await;
        }
    }

    /// Begins a call to a driver; what comes of it is delivered as an answer.
    fn later<T: 'static>(
        &self,
        cause: Cause,
        call: impl Future<Output = T> + 'static,
        message: impl FnOnce(T) -> Message + 'static,
    ) {
        let news = Rc::clone(&self.news);
        self.watched.task("answer", async move {
            let outcome = call.await;
            (news.deliver)(Delivery::Answer(cause), Outside::Drivers, message(outcome));
        });
    }

    /// Says again what was said of a run.
    fn tell_again(&self, run: RunId, cause: Cause) {
        let news = Rc::clone(&self.news);
        self.watched.task("answer", async move {
            for (service, message) in news.again(run) {
                (news.deliver)(Delivery::Answer(cause), Outside::Processes, Message::Service(service, message));
            }
        });
    }

    fn rescan(&self) {
        if let Some(watch) = self.watch.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            watch.rescan();
        }
    }
}

impl Executor for Carrier {
    fn act(&self, from: &ActorId, action: Action, cause: Cause) {
        match action {
            Action::Spawn(order) => {
                self.news.expect(order.run, &order.service, cause);
                self.processes.spawn(order);
            }
            Action::Signal(order) => {
                self.news.ordered(order.run, cause);
                self.processes.signal(order);
            }
            Action::Sweep(run) => {
                self.news.ordered(run, cause);
                self.processes.sweep(run);
            }
            Action::TellAgain(run) => self.tell_again(run, cause),
            Action::Watch(order) => match self.processes.log_end(order.run) {
                Some(since) => self.probes.watch(order, since),
                // It has ended meanwhile: there is nothing to watch.
                None => tracing::debug!(run = order.run.0, "a run that is over is not watched"),
            },
            Action::Unwatch(run) => self.probes.cancel(run),
            Action::Rescan => self.rescan(),
            // The stage itself sees to this.
            Action::Exit(_) => {}
            call => self.call_driver(from, call, cause),
        }
    }
}

impl Carrier {
    fn call_driver(&self, from: &ActorId, action: Action, cause: Cause) {
        let to_leases = Message::Leases;
        match (action, from) {
            (Action::CheckAccess(operation, sighting), ActorId::Device(name)) => {
                let name = name.clone();
                let call = self.drivers.look(move |bus| bus.accessible(&sighting));
                self.later(cause, call, move |done| Message::Device(name, DeviceMessage::Accessible(operation, done)));
            }
            (Action::ProbeDevice(operation, sighting, kind, depth, within), ActorId::Device(name)) => {
                let name = name.clone();
                let call = self.drivers.probe(within, move |bus| bus.probe(&sighting, kind, depth, within));
                self.later(cause, call, move |done| Message::Device(name, DeviceMessage::Probed(operation, done)));
            }
            (Action::KeepAwake(sighting), ActorId::Device(name)) => self.awake.keep(name, sighting),
            (Action::LetSleep, ActorId::Device(name)) => self.awake.let_sleep(name),
            (Action::ReadSupply(operation), ActorId::Device(name)) => {
                let name = name.clone();
                let call = self.drivers.look(|bus| Ok(bus.supply()));
                self.later(cause, call, move |supply| {
                    let supply = supply.unwrap_or(Supply::Unknown);
                    Message::Device(name, DeviceMessage::Supply(operation, supply))
                });
            }
            (Action::ReadRadio { operation, device, ifindex }, _) => {
                let call = self.drivers.read_radio(&device, ifindex);
                self.later(cause, call, move |done| to_leases(LeaseMessage::RadioRead(operation, device, done)));
            }
            (Action::SetRadio { operation, device, ifindex, mode, takeover }, _) => {
                let call = self.drivers.set_radio(&device, ifindex, mode, takeover);
                self.later(cause, call, move |done| to_leases(LeaseMessage::RadioSet(operation, device, done)));
            }
            (Action::RestoreRadio { operation, device, before }, _) => {
                let call = self.drivers.restore_radio(&device, before);
                self.later(cause, call, move |done| to_leases(LeaseMessage::RadioRestored(operation, device, done)));
            }
            (Action::LookAtPorts(operation, ports), _) => {
                let call = self.drivers.listeners(ports);
                self.later(cause, call, move |seen| to_leases(LeaseMessage::PortsSeen(operation, seen)));
            }
            (Action::LookAtFiles(operation, paths), _) => {
                let call = self.drivers.files(paths);
                self.later(cause, call, move |seen| to_leases(LeaseMessage::FilesSeen(operation, seen)));
            }
            (action, from) => tracing::error!(%from, action = action.kind(), "an action that nobody carries out"),
        }
    }
}

/// What comes of processes and probes, and what it is caused by.
struct News {
    deliver: Deliver,
    runs: RefCell<BTreeMap<RunId, Known>>,
    errands: Rc<Errands>,
}

/// What is known of a run.
struct Known {
    service: ServiceName,
    pid: Option<u32>,
    cause: Cause,
    /// Whether it was told to end: then its end belongs to the trace of that.
    told_to_end: ToldToEnd,
    /// How often it is told what the service says of itself.
    pace: Pace,
    report: RunReport,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ToldToEnd {
    No,
    Yes,
}

impl News {
    fn expect(&self, run: RunId, service: &ServiceName, cause: Cause) {
        let service = service.clone();
        let (pace, report) = (Pace::default(), RunReport::default());
        let mut runs = self.runs.borrow_mut();
        // Of each service, the last run is known also when it is over.
        runs.retain(|known, of| *known == run || of.service != service || !of.report.is_over());
        runs.entry(run).or_insert(Known { service, pid: None, cause, told_to_end: ToldToEnd::No, pace, report });
    }

    fn ordered(&self, run: RunId, cause: Cause) {
        if let Some(known) = self.runs.borrow_mut().get_mut(&run) {
            known.cause = cause;
            known.told_to_end = ToldToEnd::Yes;
        }
    }

    fn process(self: &Rc<Self>, service: ServiceName, run: RunId, event: ProcessEvent) {
        if self.errands.is_one(run) {
            self.errands.heard(run, event);
            return;
        }
        let event = match event {
            ProcessEvent::Notified(said) => match self.heard(run, said) {
                Turn::Keep => return,
                Turn::Tell(said) => ProcessEvent::Notified(said),
                Turn::TellAndRest(said) => {
                    tokio::task::spawn_local(Rc::clone(self).tell_kept(service.clone(), run));
                    ProcessEvent::Notified(said)
                }
            },
            event => event,
        };
        self.tell(service, run, event);
    }

    fn heard(&self, run: RunId, said: Notification) -> Turn {
        match self.runs.borrow_mut().get_mut(&run) {
            Some(known) if !known.report.is_over() => known.pace.heard(said),
            _ => Turn::Keep,
        }
    }

    /// After each rest tells what a service said of itself meanwhile, until it has said nothing or its run is over.
    async fn tell_kept(self: Rc<Self>, service: ServiceName, run: RunId) {
        loop {
            let rest = self.runs.borrow_mut().get_mut(&run).map(|known| known.pace.rest());
            let Some(rest) = rest else { return };
            tokio::time::sleep(rest).await;
            let kept = self.runs.borrow_mut().get_mut(&run).and_then(|known| known.pace.rested());
            let Some(said) = kept else { return };
            self.tell(service.clone(), run, ProcessEvent::Notified(said));
        }
    }

    fn tell(&self, service: ServiceName, run: RunId, event: ProcessEvent) {
        let Some((cause, pid, told_to_end)) = self.note(run, &event) else { return };
        let by_itself = matches!(event, ProcessEvent::MainExited { .. } | ProcessEvent::Notified(_));
        let delivery = if by_itself && told_to_end == ToldToEnd::No {
            let pid = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
            let message = ServiceMessage::Process(run, event.clone());
            let words = format!("{service}{pid}: {}", crate::message::Described::detail(&message));
            Delivery::External(ExternalCause::new(ExternalKind::Process, words))
        } else {
            Delivery::Answer(cause)
        };
        let ended = matches!(event, ProcessEvent::MainExited { .. });
        let message = ServiceMessage::Process(run, event);
        if let Some(known) = self.runs.borrow_mut().get_mut(&run) {
            known.report.note(&message);
        }
        let consequence = (self.deliver)(delivery, Outside::Processes, Message::Service(service.clone(), message));
        let mut runs = self.runs.borrow_mut();
        if let (true, Some(cause), Some(known)) = (ended, consequence, runs.get_mut(&run)) {
            // That nothing is left of it follows from its end.
            known.cause = cause;
        }
    }

    /// What is said again of a run, and to whom.
    fn again(&self, run: RunId) -> Vec<(ServiceName, ServiceMessage)> {
        let runs = self.runs.borrow();
        let Some(known) = runs.get(&run) else { return Vec::new() };
        known.report.again(run).into_iter().map(|message| (known.service.clone(), message)).collect()
    }

    fn note(&self, run: RunId, event: &ProcessEvent) -> Option<(Cause, Option<u32>, ToldToEnd)> {
        let mut runs = self.runs.borrow_mut();
        let known = runs.get_mut(&run)?;
        match event {
            ProcessEvent::Spawned { pid } => known.pid = Some(*pid),
            ProcessEvent::MainExited { remaining, .. } => known.pid = remaining.first().copied().or(known.pid),
            ProcessEvent::Notified(said) => known.pid = said.main_pid.or(known.pid),
            ProcessEvent::LoadsSlowly | ProcessEvent::SpawnFailed(_) | ProcessEvent::TreeGone => {}
        }
        Some((known.cause, known.pid, known.told_to_end))
    }

    fn probe(&self, run: RunId, event: ProbeEvent) {
        let message = ServiceMessage::Probe(run, event);
        let mut runs = self.runs.borrow_mut();
        let Some(known) = runs.get_mut(&run).filter(|known| !known.report.is_over()) else { return };
        known.report.note(&message);
        let (service, cause) = (known.service.clone(), known.cause);
        drop(runs);
        (self.deliver)(Delivery::Answer(cause), Outside::Probes, Message::Service(service, message));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::action::process::Status;
    use crate::effect::said::REST;
    use crate::message::Moment;
    use crate::trace::{Keeping, Recorder};

    const RUN: RunId = RunId(1);

    fn status(words: usize) -> ProcessEvent {
        let status = Status::from(words.to_string().as_str());
        ProcessEvent::Notified(Notification { status, ..Notification::default() })
    }

    #[tokio::test(flavor = "local", start_paused = true)]
    async fn a_service_that_says_something_new_all_the_time_leaves_room_for_others_in_the_trace() {
        let told: Rc<RefCell<Vec<Message>>> = Rc::default();
        let of_actors = Rc::clone(&told);
        let deliver: Deliver = Rc::new(move |_, _, message| {
            of_actors.borrow_mut().push(message);
            None
        });
        let news = Rc::new(News { deliver, runs: RefCell::default(), errands: Rc::default() });
        let service = ServiceName::new("talker").unwrap();
        let cause =
            Recorder::new(Keeping::Off).begin(Moment::default(), ExternalCause::new(ExternalKind::Operator, ""));
        news.expect(RUN, &service, cause);
        for number in 0..50 * 60 {
            news.process(service.clone(), RUN, status(number));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(2 * REST).await;
        let told = told.borrow();
        assert!(told.len() < 20, "told {} times in a minute", told.len());
        let Some(Message::Service(_, ServiceMessage::Process(RUN, last))) = told.last() else { panic!("{told:?}") };
        assert_eq!(*last, status(50 * 60 - 1), "the last word is told");
    }
}
