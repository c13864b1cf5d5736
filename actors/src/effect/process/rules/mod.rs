//! What is done with each order and each piece of news: the rules of the executor. They know no clock and do nothing themselves;
//! [`kernel`] says what they ask for. The process table of mainstay itself and the one of the world are both behind that.

mod births;
mod checks;
mod ends;
mod following;
mod keeping;
pub(crate) mod kernel;
mod looks;
mod orphans;
mod proof;
#[cfg(any(test, feature = "world"))]
pub(crate) mod resuming;
mod talk;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mainstay_config::model::StopSignal;
use mainstay_config::names::ServiceName;

use self::births::BirthWatch;
use self::kernel::Kernel;
use self::orphans::Orphans;
use self::proof::{Suspects, ToProve};
use super::keeper::life::KeeperLife;
use super::runs::{RoundNumber, Run, Sweep, Target};
use super::spawn::{Outcome, environment};
use super::sys::Ended;
use super::tree::{Act, Looked, Whom};
use crate::action::process::{ProcessEvent, RunId, Scope, SignalOrder, SpawnOrder};
use crate::effect::process::keeper::LogEnd;

/// Ends of children that nobody has claimed, kept while something is being started.
const EARLY_ENDS_MAX: usize = 4096;

/// What reaches the executor's task.
#[derive(Debug)]
pub(crate) enum News {
    /// The spawner has done a job.
    Spawner(Outcome),
    /// A round of looks at trees is done.
    Trees(Looked),
    /// Something was said on the notification socket of this run.
    Notified(RunId),
    /// Time to look again at a tree that is being killed.
    SweepAgain(RunId),
    /// Time to look again at a tree of which the last process is just ending.
    LookAgain(RunId),
    /// Time to begin a round of looks.
    RoundWanted,
    /// Time to start a keeper.
    StartKeeper,
    /// The keeper with this process id has run for a good while.
    KeeperLasts(u32),
    /// The keeper with this process id does not read what is printed.
    KeeperIsSilent(u32),
    /// Time to see whether a program hangs while it is loaded.
    LookAtBirths,
}

/// The state of the executor, and all its rules. With nothing as its kernel it is what is known, and can be written down.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(bound(serialize = "", deserialize = "K: Default"))]
pub(crate) struct Rules<K> {
    #[serde(skip)]
    kernel: K,
    /// Between two looks at a tree that is being killed, or whose last process is just ending.
    sweep_interval: Duration,
    runs: BTreeMap<RunId, Run>,
    /// The last run of each service that is over. Its actor may order it once more, when it panicked before it heard so.
    over: BTreeMap<ServiceName, RunId>,
    by_pid: BTreeMap<u32, RunId>,
    keeper: KeeperLife,
    starting: usize,
    birth_watch: BirthWatch,
    early_ends: VecDeque<Ended>,
    wants: BTreeMap<RunId, Vec<Act>>,
    round: RoundNumber,
    round_state: RoundState,
    /// Signals for process groups whose trees are being looked at first.
    to_groups: BTreeMap<RunId, Vec<StopSignal>>,
    /// Trees for whose next sweep a timer is set.
    to_be_swept: BTreeSet<RunId>,
    /// Runs that have processes outside of their cgroups.
    strays: BTreeSet<RunId>,
    /// Children that we did not start.
    orphans: Orphans,
    /// Runs that may be over.
    to_prove: ToProve,
    /// Who may be of a run that has lost its main process.
    suspects: Suspects,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum RoundState {
    #[default]
    Idle,
    /// One begins when everybody who is about to ask for something has asked.
    Called,
    UnderWay,
}

impl Clone for Rules<()> {
    fn clone(&self) -> Self {
        self.on(())
    }
}

impl<K> Rules<K> {
    /// Nothing runs yet.
    pub(crate) fn new(kernel: K, sweep_interval: Duration) -> Self {
        Rules::<()> { sweep_interval, ..Rules::default() }.on(kernel)
    }

    /// What is known, with another kernel behind it.
    pub(crate) fn on<L>(&self, kernel: L) -> Rules<L> {
        Rules {
            kernel,
            sweep_interval: self.sweep_interval,
            runs: self.runs.clone(),
            over: self.over.clone(),
            by_pid: self.by_pid.clone(),
            keeper: self.keeper.clone(),
            starting: self.starting,
            birth_watch: self.birth_watch,
            early_ends: self.early_ends.clone(),
            wants: self.wants.clone(),
            round: self.round,
            round_state: self.round_state,
            to_groups: self.to_groups.clone(),
            to_be_swept: self.to_be_swept.clone(),
            strays: self.strays.clone(),
            orphans: self.orphans.clone(),
            to_prove: self.to_prove.clone(),
            suspects: self.suspects.clone(),
        }
    }

    /// The log-keeper that runs.
    pub(crate) fn keeper_pid(&self) -> Option<u32> {
        self.keeper.pid()
    }

    /// What was behind them.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn into_kernel(self) -> K {
        self.kernel
    }

    /// What is behind the rules.
    pub(crate) fn kernel(&self) -> &K {
        &self.kernel
    }

    /// The same, to change.
    pub(crate) fn kernel_mut(&mut self) -> &mut K {
        &mut self.kernel
    }
}

impl<K: Kernel> Rules<K> {
    /// Starts a program.
    pub(crate) fn spawn(&mut self, order: SpawnOrder) {
        let (service, run) = (order.service.clone(), order.run);
        if self.runs.contains_key(&run) || self.over.get(&service) == Some(&run) {
            tracing::debug!(%service, run = run.0, "a run was ordered twice; the second order is passed over");
            return;
        }
        let mark = environment::mark(&service, run);
        if let Err(failure) = self.kernel.start(order) {
            self.kernel.say(&service, run, ProcessEvent::SpawnFailed(failure));
            return self.note_over(service, run);
        }
        self.runs.insert(run, Run::starting(service, run, mark));
        self.begin_starting();
    }

    fn note_over(&mut self, service: ServiceName, run: RunId) {
        let last = self.over.entry(service).or_insert(run);
        *last = run.max(*last);
    }

    /// Sends a signal; to a run that is over, to nobody.
    pub(crate) fn signal(&mut self, order: SignalOrder) {
        let Some(run) = self.runs.get_mut(&order.run) else { return };
        let signal = order.signal;
        match run.target(order) {
            Target::Nobody => {}
            Target::Main(pid) => self.kernel.signal(pid, signal),
            Target::Both { first, named } => {
                self.kernel.signal_process(named, signal);
                self.kernel.signal(first, signal);
            }
            Target::Tree(pid) => {
                if run.is_known_by_its_cgroup() && !self.strays.contains(&order.run) {
                    run.group_signal = Some(signal);
                    self.kernel.signal_group(pid, &[], signal);
                } else {
                    // First the look: once the main process is gone, whom it started may be known by nothing any more.
                    self.to_groups.entry(order.run).or_default().push(signal);
                }
                self.want(order.run, Act::Signal(signal, Whom::OutsideOf(pid)));
            }
            Target::Rest => self.want(order.run, Act::Signal(signal, Whom::All)),
        }
        self.begin_round_soon();
    }

    /// Kills a tree until nobody is left, also while the kernel still executes its program.
    pub(crate) fn sweep(&mut self, id: RunId) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.sweep = Sweep::UntilGone;
        if run.main().is_none() {
            return self.kill_newborn(id);
        }
        // A look may take long, and what outlives this is said to outlive SIGKILL.
        let order = SignalOrder { run: id, signal: StopSignal::Kill, scope: Scope::Tree };
        if run.is_known_by_its_cgroup()
            && !self.strays.contains(&id)
            && let Target::Tree(pid) = run.target(order)
        {
            self.kernel.signal_group(pid, &[], StopSignal::Kill);
        }
        self.want(id, Act::Kill);
        self.begin_round_soon();
    }

    /// Where the log of a run ended before it printed anything.
    pub(crate) fn log_end(&self, run: RunId) -> Option<LogEnd> {
        self.runs.get(&run)?.main().map(|main| main.log_end)
    }

    /// Deals with a piece of news.
    pub(crate) fn hear(&mut self, news: News) {
        match news {
            News::Spawner(Outcome::Program(run, outcome)) => self.program_started(run, outcome),
            News::Spawner(Outcome::Keeper(outcome)) => self.keeper_started(outcome),
            News::Trees(looked) => self.looked(looked),
            News::Notified(run) => self.received(run),
            News::SweepAgain(run) => {
                self.to_be_swept.remove(&run);
                self.want(run, Act::Kill);
            }
            News::LookAgain(run) => self.want(run, Act::Look),
            // The round begins below, as after all news.
            News::RoundWanted => {}
            News::StartKeeper => self.start_keeper(),
            News::KeeperLasts(pid) => self.keeper.lasts(pid),
            News::KeeperIsSilent(pid) => self.keeper_is_silent(pid),
            News::LookAtBirths => self.look_at_births(),
        }
        self.prove();
        self.begin_round();
    }
}
