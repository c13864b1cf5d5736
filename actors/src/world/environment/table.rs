//! The simulated process table: what is true of processes, whatever the executor knows of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mainstay_config::model::StopSignal;
use mainstay_config::model::{Sharing, Station};
use mainstay_config::names::ServiceName;

use super::astray::Mark;
use super::lies::Lie;
use super::{Consequences, Event, Happening};
use crate::action::process::{Exit, Notification, NotifySocket, RunId, SpawnFailure};
use crate::cause::Resource;
use crate::effect::process::driven::{Ended, Looked, Message, News, ProcessId, Round};
use crate::message::Moment;
use crate::world::Random;
use crate::world::faults::Weather;

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
/// The threads that start programs, as in production.
const SPAWNERS: usize = 2;

/// A process tree.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Whose.
    pub service: ServiceName,
    /// What it uses as long as it lives.
    pub uses: Vec<(Resource, Sharing)>,
    /// Whether it runs yet.
    pub life: Life,
    /// Its main process.
    pub pid: u32,
    /// Whether its main process has ended and others of it go on.
    pub orphaned: bool,
    /// How long it takes to become ready, if it does.
    pub(super) readies: Option<Duration>,
    pub(super) ready_at: Option<Moment>,
    pub(super) obeys: Option<Duration>,
    pub(super) outlives_kill: Option<Duration>,
    pub(super) backgrounds: bool,
    /// Whether the others end with the main process, where they are not told to.
    pub(super) others_follow: bool,
    pub(super) others: u32,
    /// Since when it runs.
    pub(super) born: Option<Moment>,
    /// Since when all of it is to be killed.
    pub swept: Option<Moment>,
    pub(super) notify: NotifySocket,
    pub(super) members: Vec<Member>,
}

/// Whether a process runs yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It is being started.
    Pending,
    /// It runs.
    Alive,
}

/// A process.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) id: ProcessId,
    pub(super) parent: Parent,
    /// Whether it has left the process group of the main process.
    pub(super) strays: bool,
    /// Whether it is outside of the control group of its run, where there is one.
    pub(super) is_outside: bool,
    pub(super) mark: Mark,
    /// Whether it was seen to belong to its run.
    pub(super) is_known: bool,
    pub(super) obeys: Option<Duration>,
    pub(super) is_being_killed: bool,
    pub(super) forks: u8,
}

/// Whose child a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    /// Of a thread of ours that starts programs.
    Spawner,
    /// Left to us.
    Us,
    /// Of the main process.
    Main,
    /// Nobody of ours: it was left behind by a mainstay that was killed.
    Init,
}

impl Parent {
    /// Whether it is we who wait for it.
    pub(super) fn is_us(self) -> bool {
        matches!(self, Self::Spawner | Self::Us)
    }
}

/// A program that is being started.
#[derive(Debug)]
pub(super) struct Birth {
    pub(super) pid: Option<u32>,
    pub(super) thread: Thread,
    pub(super) loads: Duration,
    pub(super) fails: Option<SpawnFailure>,
}

/// The thread that starts a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thread {
    /// None has taken it up.
    Awaited,
    AtIt,
    /// Another one has taken its place.
    Replaced,
    /// It has come back.
    Back,
}

#[derive(Debug)]
pub(super) enum Job {
    Program(RunId),
    Keeper,
}

/// What becomes of processes, and of the executor's threads.
#[derive(Debug)]
pub(in crate::world) enum Course {
    /// A thread makes the process of a program.
    Forks(RunId),
    /// The kernel has executed it.
    Executes(RunId),
    /// The executor hears of it.
    IsHeard(RunId),
    KeeperStarts,
    KeeperEnds(u32),
    /// It dies, or does not read any more what is printed.
    KeeperFails(u32),
    Ends(RunId, u32, Exit),
    /// It ends by itself, or by what it has lost.
    Crashes(RunId),
    /// One is replaced by its own child, so that a look at all processes may miss both.
    ForksAway(RunId, u32),
    /// Of an earlier mainstay.
    LeftoverEnds(RunId),
    /// One that shows nothing of where it comes from.
    NobodyEnds(u32),
    Speaks(RunId, Notification),
    /// Its notification socket is read.
    Hears(RunId),
    /// Children that have ended are waited for.
    Reaped,
    Looks(Box<Round>),
    Seen(Box<Looked>),
    News(Box<News>),
    /// With the number of the watch.
    LookAtBirths(u64),
}

/// All processes.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) now: Moment,
    pub(super) station: Station,
    pub(super) weather: Weather,
    pub(super) random: Random,
    pub(super) trees: BTreeMap<RunId, Tree>,
    /// What an earlier mainstay left running that nobody looks after.
    pub(super) leftovers: BTreeMap<RunId, Tree>,
    pub(super) births: BTreeMap<RunId, Birth>,
    pub(super) jobs: VecDeque<Job>,
    /// Threads that wait for a job.
    pub(super) idle: usize,
    /// Threads that hang, and were replaced.
    pub(super) hung: usize,
    pub(super) keeper: Option<u32>,
    /// Whether there is the thread that holds what is printed.
    pub(super) has_outputs: bool,
    /// Children of ours that have ended and were not waited for.
    pub(super) ended: VecDeque<(Ended, Parent)>,
    /// Children of ours that show nothing of where they come from.
    pub(super) nobodys: BTreeSet<u32>,
    /// Whether the thread that looks, and kills, is at it.
    pub(super) is_looking: bool,
    /// Runs that are known to have processes outside of their control groups.
    pub(super) strayed: BTreeSet<RunId>,
    /// What was said on notification sockets and not heard.
    pub(super) unheard: BTreeMap<RunId, Vec<Message>>,
    /// Sockets to which nobody listens until then: the task has panicked.
    pub(super) unlistened: BTreeMap<RunId, Moment>,
    /// Whether there are control groups.
    pub(super) has_cgroups: bool,
    /// The number that was given last.
    pub(super) pids: u32,
    /// The number of the present watch on births.
    pub(super) watch: u64,
    /// mainstay is killed when it has done so many more of the things that its executor does.
    pub(super) killed_after: Option<usize>,
    /// Whether it was: what it would have done next is not done.
    pub(super) was_killed: bool,
    /// What it does panics when it has done so many more of them.
    pub(super) panics_after: Option<usize>,
    /// A planted bug.
    pub(super) lie: Option<Lie>,
    /// What follows from what is done now.
    pub(super) so: Consequences,
}

impl Table {
    pub(super) fn new(station: Station, weather: Weather, mut random: Random) -> Self {
        Self {
            now: Moment::default(),
            station,
            weather,
            has_cgroups: random.happens(500),
            random,
            trees: BTreeMap::new(),
            leftovers: BTreeMap::new(),
            births: BTreeMap::new(),
            jobs: VecDeque::new(),
            idle: SPAWNERS,
            hung: 0,
            keeper: None,
            has_outputs: true,
            ended: VecDeque::new(),
            nobodys: BTreeSet::new(),
            is_looking: false,
            strayed: BTreeSet::new(),
            unheard: BTreeMap::new(),
            unlistened: BTreeMap::new(),
            pids: 1000,
            watch: 0,
            killed_after: None,
            was_killed: false,
            panics_after: None,
            lie: None,
            so: Consequences::default(),
        }
    }

    pub(super) fn be_still(&mut self) {
        self.weather = Weather::still();
        self.killed_after = None;
        for tree in self.trees.values_mut() {
            tree.obeys.get_or_insert(SECOND);
            tree.outlives_kill = None;
            for member in &mut tree.members {
                member.obeys.get_or_insert(SECOND);
            }
        }
    }

    /// This happens after some time between these two.
    pub(super) fn within(&mut self, from: Duration, to: Duration, course: Course) {
        let at = self.now + self.random.between(from, to);
        self.so.later.push((at, Event::Course(course), None));
    }

    /// No number stands for two processes.
    pub(super) fn begin_numbers_after(&mut self, earlier: &Self) {
        self.pids = earlier.pids;
    }

    pub(super) fn next_pid(&mut self) -> ProcessId {
        self.pids += 1;
        ProcessId { started: u64::from(self.pids), pid: self.pids }
    }

    pub(super) fn keeper_ends(&mut self, pid: u32) {
        if self.keeper == Some(pid) {
            self.keeper = None;
            self.has_ended(Ended { pid, exit: Exit::Signal(9) }, Parent::Spawner);
        }
    }

    // ---- ending

    pub(super) fn has_ended(&mut self, ended: Ended, parent: Parent) {
        self.ended.push_back((ended, parent));
        self.within(Duration::ZERO, MILLISECOND * 3, Course::Reaped);
    }

    /// A process ends. What it leaves behind is ours.
    pub(super) fn ends(&mut self, run: RunId, pid: u32, exit: Exit) {
        let Some(tree) = self.trees.get_mut(&run) else { return };
        let Some(place) = tree.members.iter().position(|member| member.id.pid == pid) else { return };
        let member = tree.members.remove(place);
        let was_pending = tree.life == Life::Pending;
        let others: Vec<u32> = tree.members.iter().map(|member| member.id.pid).collect();
        if pid == tree.pid {
            tree.orphaned = !others.is_empty();
            // Whoever has the main process has those as well that it leaves behind.
            let heir = if member.parent == Parent::Init { Parent::Init } else { Parent::Us };
            tree.members.iter_mut().for_each(|left| left.parent = heir);
        }
        let follows = tree.others_follow && pid == tree.pid;
        if others.is_empty() {
            self.trees.remove(&run);
            self.so.happened.push(Happening::Gone(run));
        }
        if member.parent.is_us() {
            self.has_ended(Ended { pid, exit }, member.parent);
        }
        if was_pending {
            self.thread_comes_back(run);
        }
        self.disown(run);
        for other in others.into_iter().filter(|_| follows) {
            self.within(MILLISECOND, MILLISECOND * 10, Course::Ends(run, other, Exit::Code(0)));
        }
    }

    pub(super) fn crashes(&mut self, run: RunId) {
        if self.weather.crash.is_none() {
            return;
        }
        let Some(tree) = self.trees.get(&run).filter(|tree| tree.life == Life::Alive) else { return };
        let Some(pid) = tree.members.first().map(|member| member.id.pid) else { return };
        let exits = [Exit::Code(0), Exit::Code(1), Exit::Signal(11), Exit::Signal(9)];
        let exit = self.random.choose(&exits).copied().unwrap_or(Exit::Unknown);
        self.ends(run, pid, exit);
    }

    /// Its child goes on in its place. Who was told to end has not told its child.
    pub(super) fn forks_away(&mut self, run: RunId, pid: u32) {
        let id = self.next_pid();
        let Some(tree) = self.trees.get_mut(&run) else { return };
        let Some(old) = tree.members.iter().find(|member| member.id.pid == pid).cloned() else { return };
        let forks = old.forks.saturating_sub(1);
        // Its parent ends at once: it is ours, or is left to us by the main process, which does not reap.
        let parent = if old.parent == Parent::Init { Parent::Init } else { Parent::Us };
        tree.members.push(Member { id, parent, is_being_killed: false, is_known: false, forks, ..old });
        self.ends(run, pid, Exit::Code(0));
        if forks > 0 {
            self.within(MILLISECOND, MILLISECOND * 30, Course::ForksAway(run, id.pid));
        }
    }

    /// A signal reaches a process.
    pub(super) fn hit(&mut self, pid: u32, signal: StopSignal) {
        if self.nobodys.contains(&pid) {
            self.so.happened.push(Happening::StrangerSignalled(pid));
        }
        let found = self.trees.iter_mut().find_map(|(run, tree)| {
            let hangs = tree.outlives_kill;
            let member = tree.members.iter_mut().find(|member| member.id.pid == pid)?;
            Some((*run, hangs, member))
        });
        let Some((run, hangs, member)) = found else { return };
        if signal != StopSignal::Kill {
            if let Some(wait) = member.obeys {
                self.within(wait, wait, Course::Ends(run, pid, Exit::Signal(15)));
            }
        } else if !std::mem::replace(&mut member.is_being_killed, true) {
            let wait = hangs.unwrap_or_default();
            if !wait.is_zero() {
                self.so.happened.push(Happening::Unkillable(run, wait));
            }
            self.within(wait, wait + MILLISECOND * 5, Course::Ends(run, pid, Exit::Signal(9)));
        }
    }

    pub(super) fn is_to_be_killed(&mut self, run: RunId) {
        if let Some(tree) = self.trees.get_mut(&run) {
            tree.swept.get_or_insert(self.now);
        }
    }

    /// Whether a tree is there although all that can be done has been done for its end: a process of it was killed and hangs, or will
    /// be killed by the thread that is at a look, or when there is one, or when it is heard that it runs.
    pub(super) fn cannot_be_ended(&self, tree: &Tree) -> bool {
        tree.swept.is_some() && (tree.hangs() || self.is_looking || tree.born.is_none())
    }

    /// Since when a tree is to be killed that runs.
    pub(super) fn is_to_be_killed_since(tree: &Tree) -> Option<Moment> {
        Some(tree.swept?.max(tree.born?))
    }

    /// For how long it would outlive SIGKILL.
    pub(super) fn outlives_kill(&self, run: RunId) -> Option<Duration> {
        self.trees.get(&run)?.outlives_kill
    }

    /// The tree that a process is of.
    pub(super) fn owner(&self, pid: u32) -> Option<(RunId, &Member)> {
        let member = |tree: &'_ Tree| tree.members.iter().position(|member| member.id.pid == pid);
        self.trees.iter().find_map(|(run, tree)| Some((*run, tree.members.get(member(tree)?)?)))
    }
}
