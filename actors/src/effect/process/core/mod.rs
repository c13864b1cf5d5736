//! What is done with each order and each piece of news.

mod births;
mod ends;
mod following;
mod keeping;
mod looks;
mod orphans;
mod proof;
mod talk;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::StopSignal;
use mainstay_config::names::ServiceName;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use self::orphans::Orphans;
use self::proof::ToProve;
use super::keeper::holder::Holder;
use super::keeper::life::KeeperLife;
use super::notify;
use super::runs::{RoundNumber, Run, Target};
use super::spawn::{Birth, Job, Outcome, Spawner, environment};
use super::sys::Ended;
use super::tree::{self, Act, Looked, Trees, Whom, with_continue};
use crate::action::process::{ProcessEvent, RunId, SignalOrder, SpawnFailure, SpawnOrder};
use crate::effect::probe::LogEnd;
use crate::effect::process::settings::ProcessSettings;

/// Ends of children that nobody has claimed, kept while something is being started.
const MAX_UNCLAIMED: usize = 4096;

/// What reaches the executor's task.
#[derive(Debug)]
pub(super) enum News {
    /// The spawner has done a job.
    Spawner(Outcome),
    /// A round of looks at trees is done.
    Trees(Looked),
    /// Something was said on a notification socket.
    Notified {
        /// On whose.
        run: RunId,
        /// By whom, and what.
        message: notify::Message,
    },
    /// Time to look again at a tree that is being killed.
    SweepAgain(RunId),
    /// Time to look again at a tree of which the last process is just ending.
    LookAgain(RunId),
    /// Time to begin a round of looks.
    RoundWanted,
    /// Time to start a keeper.
    StartKeeper,
    /// Time to see whether a program hangs while it is loaded.
    LookAtBirths,
}

/// An event on its way to whoever listens.
pub(super) type Said = (ServiceName, RunId, ProcessEvent);

/// The state of the executor. Lives on the actor thread.
#[derive(Debug)]
pub(super) struct Core {
    settings: ProcessSettings,
    runs: BTreeMap<RunId, Run>,
    by_pid: HashMap<u32, RunId>,
    sockets: HashMap<RunId, notify::NotifySocket>,
    keeper: KeeperLife,
    /// Told when a keeper is gone.
    keeper_gone: Rc<Notify>,
    holder: Holder,
    spawner: Spawner,
    starting: usize,
    /// Calls for a look at programs that are being started, as long as there are any.
    birth_watch: Option<JoinHandle<()>>,
    unclaimed: VecDeque<Ended>,
    trees: Trees,
    wants: BTreeMap<RunId, Vec<Act>>,
    round: RoundNumber,
    round_state: RoundState,
    /// Signals for process groups whose trees are being looked at first.
    to_groups: HashMap<RunId, Vec<Signal>>,
    /// Trees for whose next sweep a timer is set.
    to_be_swept: HashSet<RunId>,
    /// Runs that have processes outside of their cgroups.
    strays: BTreeSet<RunId>,
    /// Children that we did not start.
    orphans: Orphans,
    /// Runs that may be over.
    to_prove: ToProve,
    news: UnboundedSender<News>,
    said: UnboundedSender<Said>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoundState {
    Idle,
    /// One begins when everybody who is about to ask for something has asked.
    Called,
    UnderWay,
}

/// What the executor works with.
#[derive(Debug)]
pub(super) struct Parts {
    /// Limits and places.
    pub settings: ProcessSettings,
    /// The threads that start programs.
    pub spawner: Spawner,
    /// The thread that looks at trees.
    pub trees: Trees,
    /// The thread that holds what programs print until the log-keeper has it.
    pub holder: Holder,
    /// The way to the executor's task.
    pub news: UnboundedSender<News>,
    /// The way to whoever listens.
    pub said: UnboundedSender<Said>,
}

impl Core {
    /// Nothing runs yet.
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            keeper: KeeperLife::new(),
            keeper_gone: Rc::default(),
            holder: parts.holder,
            settings: parts.settings,
            runs: BTreeMap::new(),
            by_pid: HashMap::new(),
            sockets: HashMap::new(),
            spawner: parts.spawner,
            starting: 0,
            birth_watch: None,
            unclaimed: VecDeque::new(),
            trees: parts.trees,
            wants: BTreeMap::new(),
            round: RoundNumber::default(),
            round_state: RoundState::Idle,
            to_groups: HashMap::new(),
            to_be_swept: HashSet::new(),
            strays: BTreeSet::new(),
            orphans: Orphans::default(),
            to_prove: ToProve::default(),
            news: parts.news,
            said: parts.said,
        }
    }

    /// Starts a program.
    pub(super) fn spawn(&mut self, order: SpawnOrder) {
        let (service, run) = (order.service.clone(), order.run);
        if self.runs.contains_key(&run) {
            tracing::error!(%service, run = run.0, "a run was ordered twice; the second order is passed over");
            return;
        }
        let socket = match self.notify_socket(&order) {
            Ok(path) => path,
            Err(failure) => return self.say(&service, run, ProcessEvent::SpawnFailed(failure)),
        };
        let birth = Arc::new(Birth::default());
        self.runs.insert(run, Run::starting(service, run, environment::mark(&order), Arc::clone(&birth)));
        self.begin_starting();
        if self.spawner.queue(Job::Program(Box::new(order), socket, birth)).is_err() {
            self.program_started(run, Err(SpawnFailure::Busy));
        }
    }

    /// Sends a signal; to a run that is over, to nobody.
    pub(super) fn signal(&mut self, order: SignalOrder) {
        let Some(run) = self.runs.get_mut(&order.run) else { return };
        let signal = number_of(order.signal);
        match run.target(order) {
            Target::Nobody => {}
            Target::Main(pid) => send(pid, kill_process, signal),
            Target::Declared(process) => tree::signal_process(process, signal),
            Target::Tree(pid) => {
                // First the look: once the main process is gone, whom it started may be known by nothing any more.
                self.want(order.run, Act::Signal(signal, Whom::OutsideOf(pid)));
                self.to_groups.entry(order.run).or_default().push(signal);
            }
            Target::Rest => self.want(order.run, Act::Signal(signal, Whom::All)),
        }
        self.begin_round_soon();
    }

    /// Kills a tree until nobody is left, also while the kernel still executes its program.
    pub(super) fn sweep(&mut self, id: RunId) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.begin_sweep();
        if run.main().is_none() {
            return self.kill_newborn(id);
        }
        self.want(id, Act::Kill);
        self.begin_round_soon();
    }

    /// Where the log of a run ended before it printed anything.
    pub(super) fn log_end(&self, run: RunId) -> Option<LogEnd> {
        self.runs.get(&run)?.main().map(|main| main.log_end)
    }

    /// Deals with a piece of news.
    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Spawner(Outcome::Program(run, outcome)) => self.program_started(run, outcome),
            News::Spawner(Outcome::Keeper(outcome)) => self.keeper_started(outcome),
            News::Trees(looked) => self.looked(looked),
            News::Notified { run, message } => self.notified(run, message),
            News::SweepAgain(run) => {
                self.to_be_swept.remove(&run);
                self.want(run, Act::Kill);
            }
            News::LookAgain(run) => self.want(run, Act::Look),
            // The round begins below, as after all news.
            News::RoundWanted => {}
            News::StartKeeper => self.start_keeper(),
            News::LookAtBirths => self.look_at_births(),
        }
        self.prove();
        self.begin_round();
    }

    fn later(&self, wait: Duration, news: News) -> JoinHandle<()> {
        let to = self.news.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(wait).await;
            // Nobody listens any more when mainstay ends.
            let _ = to.send(news);
        })
    }

    fn say(&self, service: &ServiceName, run: RunId, event: ProcessEvent) {
        // Nobody listens any more when mainstay ends.
        let _ = self.said.send((service.clone(), run, event));
    }
}

fn pid_of(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn send(pid: u32, how: fn(Pid, Signal) -> rustix::io::Result<()>, signal: Signal) {
    let Some(to) = pid_of(pid) else { return };
    for signal in with_continue(signal) {
        if let Err(error) = how(to, signal) {
            tracing::warn!(pid, %error, "a process could not be signalled");
        }
    }
}

fn number_of(signal: StopSignal) -> Signal {
    match signal {
        StopSignal::Term => Signal::TERM,
        StopSignal::Int => Signal::INT,
        StopSignal::Hup => Signal::HUP,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Usr1 => Signal::USR1,
        StopSignal::Usr2 => Signal::USR2,
        StopSignal::Kill => Signal::KILL,
    }
}
