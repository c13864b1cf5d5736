//! The real executor: carries out every action with processes, probes and drivers, and delivers what comes of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mainstay_hardware::bus::{Bus, Watch};

use super::check_commands::{CheckCommands, is_command};
use super::drivers::Drivers;
use super::probe::Probes;
use super::process::{Processes, ProcessesError};
use super::status_pace::Rest;
use super::telling::{Step, Telling, Told};
use super::watched::Watched;
use crate::action::probe::ProbeEvent;
use crate::action::process::{ProcessEvent, RunId};
use crate::effect::executor::{Deliver, Delivery, Executor};
use crate::effect::known::Known;
use crate::effect::process::settings::ProcessSettings;
use crate::message::{Action, ActorId, Message, Outside};
use crate::store::Store;
use crate::trace::Cause;

/// The hardware watch, once it has begun.
pub type SharedWatch = Arc<Mutex<Option<Box<dyn Watch>>>>;

/// How long devices that may sleep again are waited for at the end.
const AUTOSUSPEND_PATIENCE: Duration = Duration::from_secs(5);

/// Carries out actions for real.
pub struct Carrier {
    processes: Rc<Processes>,
    probes: Probes,
    drivers: Rc<Drivers>,
    watch: SharedWatch,
    watched: Watched,
    store: Store,
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
        store: Store,
        deliver: Deliver,
    ) -> Result<Self, ProcessesError> {
        let check_commands = Rc::new(CheckCommands::default());
        let telling = RefCell::default();
        let news =
            Rc::new(News { deliver, watched: watched.clone(), telling, check_commands: Rc::clone(&check_commands) });
        let log_dir = settings.log_dir.clone();
        let for_processes = Rc::clone(&news);
        let processes = Rc::new(Processes::start(settings, &watched, move |_, run, event| {
            for_processes.process(run, event);
        })?);
        check_commands.begin(&processes);
        let for_probes = Rc::clone(&news);
        let probes =
            Probes::new(log_dir, check_commands, watched.clone(), move |run, event| for_probes.probe(run, event));
        let drivers = Drivers::new(bus, watched.clone(), store.clone(), Rc::clone(&news.deliver));
        Ok(Self { processes, probes, drivers, watch, watched, store, news })
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
        if tokio::time::timeout(AUTOSUSPEND_PATIENCE, self.drivers.done()).await.is_err() {
            tracing::warn!("a device that could sleep before is kept awake: its driver does not answer");
        }
        let processes = Rc::clone(&self.processes);
        drop(self);
        if let Some(processes) = Rc::into_inner(processes) {
            processes.shutdown().await;
        }
    }

    /// Says again what was said of a run.
    fn tell_again(&self, run: RunId, cause: Cause) {
        let news = Rc::clone(&self.news);
        self.watched.task("answer", async move {
            let again = news.telling.borrow().again(run);
            for (service, message) in again {
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
            Action::Prepare(service, run) => self.processes.prepare(service, run),
            Action::LetGo(service) => self.processes.let_go(&service),
            Action::Spawn(order) => {
                self.news.telling.borrow_mut().expect(order.run, &order.service, cause);
                self.processes.spawn(order);
            }
            Action::Signal(order) => {
                self.news.telling.borrow_mut().ordered(order.run, cause);
                self.processes.signal(order);
            }
            Action::Sweep(run) => {
                self.news.telling.borrow_mut().ordered(run, cause);
                self.processes.sweep(run);
            }
            Action::TellAgain(run) => self.tell_again(run, cause),
            Action::Watch(order) => match self.processes.log_end(order.run) {
                Some(since) => self.probes.watch(order, since),
                // It has ended meanwhile: there is nothing to watch.
                None => tracing::debug!(run = order.run.0, "a run that is over is not watched"),
            },
            Action::Unwatch(run) => self.probes.cancel(run),
            Action::Remember(lasting) => self.store.remember(lasting),
            Action::Rescan => self.rescan(),
            // The stage itself sees to this.
            Action::Exit(_) => {}
            call => self.drivers.act(from, call, cause),
        }
    }

    fn known(&self) -> Known {
        let (calls, kept) = self.drivers.known();
        let telling = self.news.telling.borrow().clone();
        let (processes, said) = self.processes.known();
        Known { processes, said, telling, calls, kept, watched: self.probes.watched() }
    }
}

/// What comes of processes and probes, on its way to the actors.
struct News {
    deliver: Deliver,
    watched: Watched,
    telling: RefCell<Telling>,
    check_commands: Rc<CheckCommands>,
}

impl News {
    fn process(self: &Rc<Self>, run: RunId, event: ProcessEvent) {
        if is_command(run) {
            self.check_commands.heard(run, event);
            return;
        }
        let Step { told, rest } = self.telling.borrow_mut().process(run, event);
        if let Some(rest) = rest {
            self.watched.task("answer", Rc::clone(self).tell_kept(run, rest));
        }
        self.tell(Outside::Processes, told);
    }

    /// After each rest tells what a service said of itself meanwhile, until it has said nothing or its run is over.
    async fn tell_kept(self: Rc<Self>, run: RunId, mut rest: Rest) {
        loop {
            tokio::time::sleep(rest.lasts).await;
            let step = self.telling.borrow_mut().rested(run, rest.number);
            self.tell(Outside::Processes, step.told);
            let Some(next) = step.rest else { return };
            rest = next;
        }
    }

    fn tell(&self, from: Outside, told: impl IntoIterator<Item = Told>) {
        for Told { delivery, service, message, leads_on } in told {
            let cause = (self.deliver)(delivery, from, Message::Service(service, message));
            if let (Some(run), Some(cause)) = (leads_on, cause) {
                self.telling.borrow_mut().led_to(run, cause);
            }
        }
    }

    fn probe(&self, run: RunId, event: ProbeEvent) {
        let told = self.telling.borrow_mut().probe(run, event);
        self.tell(Outside::Probes, told);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use mainstay_config::names::ServiceName;

    use super::*;
    use crate::action::process::{Notification, Status};
    use crate::effect::status_pace::REST;
    use crate::message::Moment;
    use crate::message::service::ServiceMessage;
    use crate::trace::{ExternalCause, Keeping, Recorder};

    const RUN: RunId = RunId(1);

    fn status(words: usize) -> ProcessEvent {
        let status = Status::from(words.to_string().as_str());
        ProcessEvent::Notified(Notification { status, ..Notification::default() })
    }

    fn asks_for(more: Duration) -> ProcessEvent {
        ProcessEvent::Notified(Notification { extend: Some(more), ..Notification::default() })
    }

    /// What is told of a service that says something every 20 ms for a minute, and when.
    #[allow(clippy::disallowed_methods, reason = "the clock of the test, which is paused")]
    async fn told_of(words: impl Fn(usize) -> ProcessEvent) -> Vec<(tokio::time::Instant, Message)> {
        let told: Rc<RefCell<Vec<_>>> = Rc::default();
        let of_actors = Rc::clone(&told);
        let deliver: Deliver = Rc::new(move |_, _, message| {
            of_actors.borrow_mut().push((tokio::time::Instant::now(), message));
            None
        });
        let (telling, check_commands) = (RefCell::default(), Rc::default());
        let news = Rc::new(News { deliver, watched: Watched::new().0, telling, check_commands });
        let service = ServiceName::new("talker").unwrap();
        let cause = Recorder::new(Keeping::Off).begin(Moment::default(), ExternalCause::Started);
        news.telling.borrow_mut().expect(RUN, &service, cause);
        for number in 0..50 * 60 {
            news.process(RUN, words(number));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(2 * REST).await;
        told.take()
    }

    #[tokio::test(flavor = "local", start_paused = true)]
    async fn a_service_that_says_something_new_all_the_time_leaves_room_for_others_in_the_trace() {
        let told = told_of(status).await;
        assert!(told.len() < 20, "told {} times in a minute", told.len());
        let Some((_, Message::Service(_, ServiceMessage::Process(RUN, last)))) = told.last() else {
            panic!("{told:?}")
        };
        assert_eq!(*last, status(50 * 60 - 1), "the last word is told");
    }

    #[tokio::test(flavor = "local", start_paused = true)]
    async fn a_service_that_asks_for_more_time_all_the_time_is_heard_before_the_time_is_over_that_it_had() {
        for (more, most) in
            [(Duration::from_micros(1), 125), (Duration::from_secs(2), 65), (Duration::from_secs(60), 20)]
        {
            let told = told_of(|_| asks_for(more)).await;
            assert!(told.len() < most, "{more:?}: told {} times in a minute", told.len());
            for pair in told.windows(2) {
                let pause = pair[1].0 - pair[0].0;
                assert!(pause < more.max(Duration::from_secs(1)), "{more:?}: told again after {pause:?}");
            }
        }
    }
}
