//! What the executor's rules ask for, done for real.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::StopSignal;
use mainstay_config::names::ServiceName;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use super::keeper::outputs::OutputsHandle;
use super::keeper::report::{self, KeeperTrouble};
use super::notify::{self, Message, NotifySocket};
use super::reaper;
use super::rules::News;
use super::rules::kernel::{Kernel, Upbringing};
use super::spawn::{Birth, Busy, Job, Nest, Spawner};
use super::sys::Ended;
use super::tree::roll::Roll;
use super::tree::{self, ProcessId, Round, Trees, with_continue};
use crate::action::process::{self as order, Needed, ProcessEvent, RunId, SpawnFailure, SpawnOrder};
use crate::effect::process::settings::ProcessSettings;
use crate::effect::watched::Watched;

/// An event on its way to whoever listens.
pub(crate) type RunEvent = (ServiceName, RunId, ProcessEvent);

/// Those that nobody has heard yet.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    said: RefCell<VecDeque<RunEvent>>,
    more: Notify,
}

impl Unheard {
    fn say(&self, said: RunEvent) {
        self.said.borrow_mut().push_back(said);
        self.more.notify_one();
    }

    /// The next one, as soon as there is one.
    pub(super) async fn next(&self) -> RunEvent {
        loop {
            let next = self.said.borrow_mut().pop_front();
            match next {
                Some(said) => return said,
                None => self.more.notified().await,
            }
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<RunEvent> {
        self.said.borrow().iter().cloned().collect()
    }
}

/// The threads, sockets and clocks behind the executor's rules. They live on the actor thread.
#[derive(Debug)]
pub(super) struct Hands {
    /// Limits and places.
    pub settings: ProcessSettings,
    /// The threads that start programs.
    pub spawner: Spawner,
    /// The thread that looks at trees.
    pub trees: Trees,
    /// The thread that holds what programs print until the log-keeper has it.
    pub outputs: OutputsHandle,
    /// Who is told of tasks that panic.
    pub watched: Watched,
    /// The way to the executor's task.
    pub news: UnboundedSender<News>,
    /// The way to whoever listens.
    pub said: Rc<Unheard>,
    /// Of runs that may yet say something.
    pub sockets: BTreeMap<RunId, NotifySocket>,
    /// Of runs that are being started.
    pub births: BTreeMap<RunId, Arc<Birth>>,
    /// What was made for runs that will come, one of each service.
    pub nests: BTreeMap<ServiceName, Arc<Nest>>,
    /// Calls for a look at programs that are being started, as long as there are any.
    pub birth_watch: Option<JoinHandle<()>>,
    /// Told when a keeper is gone, or a run is over.
    pub gone: Rc<Notify>,
}

impl Hands {
    /// The run directory was removed: the sockets in it are made anew, for runs that may yet say something.
    pub(super) fn renew_sockets(&mut self) -> std::io::Result<()> {
        notify::make_folder(&self.settings.run_dir)?;
        for (run, socket) in &mut self.sockets {
            socket.renew(*run, (&self.watched, &self.news))?;
        }
        Ok(())
    }

    /// A run will come: what can be made for it is made.
    pub(super) fn prepare(&mut self, service: ServiceName, run: RunId) {
        if self.nests.get(&service).is_some_and(|nest| nest.is_for(run)) {
            return;
        }
        self.let_go(&service);
        // Where nothing can be made now, that is done when it comes.
        if let Ok(nest) = self.spawner.make_nest(service.clone(), run) {
            self.nests.insert(service, nest);
        }
    }

    /// The run that would come does not.
    pub(super) fn let_go(&mut self, service: &ServiceName) {
        if let Some(nest) = self.nests.remove(service) {
            // Where the threads have too much to do, it is removed from here.
            let _ = self.spawner.queue(Job::LetGo(nest));
        }
    }

    fn after(&self, wait: Duration, news: News) -> JoinHandle<()> {
        let to = self.news.clone();
        self.watched.task("timer", async move {
            tokio::time::sleep(wait).await;
            // Nobody listens any more when mainstay ends.
            let _ = to.send(news);
        })
    }

    fn bind(&self, order: &SpawnOrder) -> Result<Option<NotifySocket>, SpawnFailure> {
        if order.notify == order::NotifySocket::Omit {
            return Ok(None);
        }
        let told = (&self.watched, &self.news);
        let bound = NotifySocket::bind(&self.settings.run_dir, &order.service, order.run, told);
        let not_made = |error: io::Error| {
            let what = Needed::NotificationSocket;
            SpawnFailure::Refused { what, error: error.into() }
        };
        bound.map(Some).map_err(not_made)
    }
}

impl Kernel for Hands {
    fn start(&mut self, order: SpawnOrder) -> Result<(), SpawnFailure> {
        let (run, socket, birth) = (order.run, self.bind(&order)?, Arc::new(Birth::default()));
        let path = socket.as_ref().map(|socket| socket.path().to_owned());
        let nest = self.nests.remove(&order.service);
        self.spawner
            .queue(Job::Program(Box::new(order), path, Arc::clone(&birth), nest))
            .map_err(|Busy| SpawnFailure::Busy)?;
        self.births.insert(run, birth);
        self.sockets.extend(socket.map(|socket| (run, socket)));
        Ok(())
    }

    fn start_keeper(&mut self) -> Result<(), Busy> {
        self.spawner.queue(Job::Keeper)
    }

    fn upbringing(&self, run: RunId) -> Upbringing {
        match self.births.get(&run) {
            Some(birth) if !birth.has_begun() => Upbringing::Queued,
            Some(birth) if birth.occupies_a_thread() => Upbringing::Attended,
            _ => Upbringing::Settled,
        }
    }

    fn newborn(&self, run: RunId) -> Option<u32> {
        self.births.get(&run)?.pid().map(number_of)
    }

    fn is_newborn(&self, pid: u32) -> bool {
        self.births.values().filter_map(|birth| birth.pid()).any(|newborn| number_of(newborn) == pid)
    }

    fn replace(&mut self, run: RunId) {
        if let Some(birth) = self.births.get(&run) {
            self.spawner.replace(birth);
        }
    }

    fn is_born(&mut self, run: RunId) {
        self.births.remove(&run);
    }

    fn signal(&mut self, pid: u32, signal: StopSignal) {
        send(pid, kill_process, signal);
    }

    fn signal_group(&mut self, leader: u32, left_to_it: &[ProcessId], signal: StopSignal) {
        send(leader, kill_process_group, signal);
        tree::signal_whoever_left(leader, left_to_it, signal);
    }

    fn signal_process(&mut self, process: ProcessId, signal: StopSignal) {
        tree::signal_process(process, signal);
    }

    fn look(&mut self, round: Round) {
        self.trees.begin(round);
    }

    fn next_ended(&mut self) -> Option<Ended> {
        reaper::next()
    }

    fn call_the_roll(&mut self) -> Roll {
        self.spawner.call_the_roll()
    }

    fn child_above(&self, pid: u32) -> Option<u32> {
        tree::child_above(pid)
    }

    fn process(&self, pid: u32) -> Option<ProcessId> {
        tree::process(pid)
    }

    fn is_our_child(&self, process: ProcessId) -> bool {
        tree::is_our_child(process)
    }

    fn unheard(&mut self, run: RunId) -> Vec<Message> {
        self.sockets.get(&run).map(NotifySocket::drain).unwrap_or_default()
    }

    fn listen_to_keeper(&mut self, reports: Option<OwnedFd>) {
        if let Some(reports) = reports {
            let (reports, troubles) = (Rc::new(reports), self.settings.log_troubles.clone());
            self.watched.task_again("keeper-reports", move || report::listen(Rc::clone(&reports), troubles.clone()));
        }
    }

    fn show_keeper(&mut self, trouble: Option<KeeperTrouble>) {
        self.settings.log_troubles.show_keeper(trouble);
    }

    fn keeper_is_gone(&mut self) {
        self.gone.notify_one();
    }

    fn close_outputs(&mut self) {
        self.outputs.close();
    }

    fn is_over(&mut self, run: RunId) {
        self.sockets.remove(&run);
        self.births.remove(&run);
        self.outputs.over(run);
        self.gone.notify_one();
    }

    fn say(&mut self, service: &ServiceName, run: RunId, event: ProcessEvent) {
        self.said.say((service.clone(), run, event));
    }

    fn soon(&mut self, news: News) {
        // Nobody listens any more when mainstay ends.
        let _ = self.news.send(news);
    }

    fn later(&mut self, wait: Duration, news: News) {
        self.after(wait, news);
    }

    fn watch_births(&mut self, within: Option<Duration>) {
        if let Some(watch) = self.birth_watch.take() {
            // A daemon with nothing to do sleeps.
            watch.abort();
        }
        self.birth_watch = within.map(|wait| self.after(wait, News::LookAtBirths));
    }
}

fn number_of(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

fn send(pid: u32, how: fn(Pid, Signal) -> rustix::io::Result<()>, signal: StopSignal) {
    let Some(to) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    for signal in with_continue(signal) {
        if let Err(error) = how(to, signal) {
            tracing::warn!(pid, %error, "a process could not be signalled");
        }
    }
}
