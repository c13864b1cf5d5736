//! The thread that finds and signals every process of a run.
//!
//! A look at all processes reads `/proc` once for all runs that wait for one, however many they are: what is wanted while the
//! thread is busy goes into its next round. It never runs on the actor thread, which a long `/proc` would hold up.

mod ancestry;
pub(super) mod cgroup;
mod marks;
mod mounted;
mod origin;
mod owners;
pub(super) mod roll;
mod signals;
mod strays;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use mainstay_config::model::StopSignal;
use tokio::sync::mpsc::UnboundedSender;

use self::marks::Marks;
use self::origin::FromProc;
use self::owners::Origin;
use self::signals::{Signalled, signal_one};
use self::strays::Strays;
pub(crate) use origin::is_of;
pub(super) use owners::Tag;
pub(crate) use owners::{Evidence, MainState, Owner, Root};
pub(super) use signals::{signal_process, signal_whoever_left, with_continue};

pub(crate) use crate::effect::proc::{PipeId, ProcessId};

use super::rules::News;
use super::thread::Thread;
use crate::action::process::RunId;
use crate::effect::proc::{Life, Process, here};
use crate::effect::watched::{self, Lost, Watched};

/// Up to one in so many runs is looked for by itself.
const FEW: usize = 8;
/// The thread's name.
const NAME: &str = "trees";

/// The child of ours that a process descends from, or is. It reads a few small files that nobody can hold up.
pub(super) fn child_above(pid: u32) -> Option<u32> {
    ancestry::child_above(pid, std::process::id(), |pid| here().process(pid))
}

/// The process that has this number now.
pub(super) fn process(pid: u32) -> Option<ProcessId> {
    Some(here().process(pid).filter(|process| process.life == Life::Runs)?.id)
}

/// Whether we are the parent of a process, and so the one who hears of its end.
pub(super) fn is_our_child(process: ProcessId) -> bool {
    here().process(process.pid).is_some_and(|now| now.id == process && now.parent == std::process::id())
}

/// How the tree of a run is followed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Place {
    /// By process group, parentage and mark.
    Group,
    /// By a cgroup of its own.
    Cgroup(PathBuf),
}

impl Place {
    /// Removes what was made for a run that has no process (any more).
    pub(super) fn remove(&self) {
        if let Self::Cgroup(path) = self {
            cgroup::remove(path);
        }
    }
}

/// What to do with the processes of a run, besides looking who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Act {
    /// Nothing.
    Look,
    /// Signal each of these.
    Signal(StopSignal, Whom),
    /// Kill each.
    Kill,
}

/// Whom a signal to a tree reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Whom {
    /// Everybody.
    All,
    /// Whoever has left this process group; the group is signalled by itself, all at once.
    OutsideOf(u32),
    /// Who is still in this process group.
    Within(u32),
}

impl Whom {
    fn includes(self, group: u32) -> bool {
        match self {
            Self::All => true,
            Self::OutsideOf(other) => group != other,
            Self::Within(own) => group == own,
        }
    }
}

/// What is wanted of one run.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    /// Which run.
    pub run: RunId,
    /// How it is followed.
    pub place: Place,
    /// What to do, in this order.
    pub acts: Vec<Act>,
    /// What it is known by, where its place does not tell.
    pub root: Root,
}

/// One round of work.
#[derive(Debug)]
pub(crate) struct Round {
    /// What is wanted.
    pub wants: Vec<Want>,
    /// The runs that have to be told apart: those without a cgroup when processes are looked at, all when somebody is unknown.
    pub roots: Vec<(Root, Place)>,
    /// Those of [`Looked::strays`] that are not over.
    pub strays: BTreeSet<RunId>,
    /// Children of ours of which it is to be found out to whom they belong.
    pub unknown: Vec<u32>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Looked {
    /// Of each run of which something was wanted.
    pub seen: Vec<Seen>,
    /// To whom the children belong that were not known; those that are missing belong to nobody who is known.
    pub owners: BTreeMap<u32, Owner>,
    /// Runs that have processes outside of their cgroups.
    pub strays: BTreeSet<RunId>,
}

/// Who was found in the tree of a run, before anything was done to them.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Which run.
    pub run: RunId,
    /// Its processes, oldest first. That none was found proves nothing.
    pub members: Vec<ProcessId>,
    /// What its cgroup says.
    pub cgroup: Populated,
    /// Those who were not signalled because they were in the group that is signalled by itself.
    pub left_to_group: Vec<ProcessId>,
}

/// Whether anybody is in the cgroup of a run; a process that is just ending may be there without being listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Populated {
    /// Nobody is, or there is none.
    No,
    /// At least one process.
    Yes,
}

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Trees {
    jobs: Sender<Job>,
}

/// What the thread is asked to do.
#[derive(Debug)]
enum Job {
    /// Look.
    Round(Round),
    /// Tell that another thread is gone, which cannot tell so itself.
    Tell(Lost),
    /// Pass on the news of such a one.
    Pass(News),
}

impl Trees {
    /// Starts the thread. It ends soon after the `Trees` was dropped.
    pub(super) fn start(watched: &Watched, news: UnboundedSender<News>) -> io::Result<(Self, Thread)> {
        let (jobs, queue) = channel();
        let teller = watched.clone();
        Ok((Self { jobs }, Thread::start(watched, NAME, move || work(&queue, &news, &teller))?))
    }

    /// The way for a thread with descriptors of its own, which can wake no task, to tell that it is gone.
    pub(super) fn teller(&self) -> impl FnOnce(Lost) + Send + 'static {
        let jobs = self.jobs.clone();
        // Nobody listens any more when mainstay ends.
        move |lost| drop(jobs.send(Job::Tell(lost)))
    }

    /// The way for such a thread to tell news.
    pub(super) fn passer(&self) -> impl Fn(News) + Send + 'static {
        let jobs = self.jobs.clone();
        // As above.
        move |news| drop(jobs.send(Job::Pass(news)))
    }

    /// Begins a round. One at a time: the next when the first has been answered, so the queue stays short.
    pub(super) fn begin(&self, round: Round) {
        // The thread ends only after this value is dropped.
        let _ = self.jobs.send(Job::Round(round));
    }
}

fn work(jobs: &Receiver<Job>, news: &UnboundedSender<News>, watched: &Watched) {
    let (mut known, mut strays) = (owners::KnownOwners::default(), Strays::default());
    let marks = RefCell::<Marks>::default();
    let origin = FromProc::new(here(), std::process::id(), |id| marks.borrow_mut().of(id));
    while let Ok(job) = jobs.recv() {
        watched::perhaps_panic(NAME);
        let Round { wants, roots, strays: not_over, unknown } = match job {
            Job::Round(round) => round,
            Job::Tell(lost) => {
                watched.tell(lost);
                continue;
            }
            Job::Pass(passed) => {
                // Nobody listens any more when mainstay ends.
                let _ = news.send(passed);
                continue;
            }
        };
        let insides: Vec<Inside> = wants.iter().map(Inside::look).collect();
        strays.keep(&not_over);
        strays.look(&wants, &insides);
        let in_group = roots.iter().filter(|(_, place)| *place == Place::Group).map(|(root, _)| root);
        let by_ancestry: Vec<Root> = in_group.chain(strays.roots()).cloned().collect();
        let wanted: BTreeSet<RunId> = wants.iter().map(|want| want.run).collect();
        let mut found = look_for(&wanted, &by_ancestry, &mut known, &origin, &marks);
        let owners = to_whom(&unknown, &roots, &known, &origin, &mut strays);
        let mut act =
            |(want, inside): (&Want, Inside)| do_one(want, inside, found.remove(&want.run).unwrap_or_default());
        let seen = wants.iter().zip(insides).map(&mut act).collect();
        let strays = strays.runs();
        if news.send(News::Trees(Looked { seen, owners, strays })).is_err() {
            return;
        }
    }
}

/// Finds the members of runs. Where the kernel lists children, only below their main processes and among those that were left to us is
/// looked: of a thousand services the others need no look.
fn look_for(
    wanted: &BTreeSet<RunId>,
    roots: &[Root],
    known: &mut owners::KnownOwners,
    origin: &impl Origin,
    marks: &RefCell<Marks>,
) -> BTreeMap<RunId, Vec<ProcessId>> {
    if !roots.iter().any(|root| wanted.contains(&root.run)) {
        return BTreeMap::new();
    }
    let us = std::process::id();
    // To look at all of them at once is quicker than at most of them one by one.
    let are_few = wanted.len() <= roots.len() / FEW;
    if are_few
        && !marks.borrow().are_many()
        && let Some(some) = where_they_can_be(wanted, roots, us)
    {
        return owners::members(&some, us, roots, Some(wanted), known, origin);
    }
    let all = here().processes();
    marks.borrow_mut().keep(all.iter().map(|process| process.id));
    owners::members(&all, us, roots, None, known, origin)
}

fn where_they_can_be(wanted: &BTreeSet<RunId>, roots: &[Root], us: u32) -> Option<Vec<Process>> {
    let there = || roots.iter().filter(|root| root.main_state == MainState::There);
    let others: BTreeSet<u32> = there().filter(|root| !wanted.contains(&root.run)).map(|root| root.main).collect();
    let theirs = there().filter(|root| wanted.contains(&root.run)).map(|root| root.main);
    // Orphans are given to the main thread.
    let left_to_us = here().children("self", us)?.into_iter().filter(|pid| !others.contains(pid));
    here().descending(theirs.chain(left_to_us).collect())
}

/// One that belongs to a run with a cgroup and is not in it has strayed.
fn to_whom(
    unknown: &[u32],
    roots: &[(Root, Place)],
    known: &owners::KnownOwners,
    origin: &impl Origin,
    strays: &mut Strays,
) -> BTreeMap<u32, Owner> {
    if unknown.is_empty() {
        return BTreeMap::new();
    }
    let all: Vec<Root> = roots.iter().map(|(root, _)| root.clone()).collect();
    let owners = owners::assign(unknown, &all, known, origin, |pid| here().process(pid));
    for (pid, (run, _)) in &owners {
        let Some((root, Place::Cgroup(path))) = roots.iter().find(|(root, _)| root.run == *run) else { continue };
        if !cgroup::members(path).contains(pid) {
            strays.found(root);
        }
    }
    owners
}

/// Who is in the cgroup of a run.
enum Inside {
    /// Nobody, and it is removed; or the run has none.
    Nobody,
    /// These numbers. It may be none of them: who is just ending is not listed.
    Listed(Vec<u32>),
}

impl Inside {
    /// Most often a main process has just ended with all there was. The kernel removes a cgroup only when nobody is in it, so
    /// that is tried first: one call, and no file is read. Its main process was born in it or joined before it was heard of, so
    /// an empty cgroup stays empty.
    fn look(want: &Want) -> Self {
        let Place::Cgroup(path) = &want.place else { return Self::Nobody };
        if want.root.main_state == MainState::Reaped && cgroup::remove(path) == cgroup::Removed::Yes {
            return Self::Nobody;
        }
        Self::Listed(cgroup::members(path))
    }

    fn lists(&self, pid: u32) -> bool {
        matches!(self, Self::Listed(pids) if pids.contains(&pid))
    }
}

/// `known` were found by what they say of where they come from.
fn do_one(want: &Want, inside: Inside, known: Vec<ProcessId>) -> Seen {
    let run = want.run;
    let (Place::Cgroup(path), Inside::Listed(pids)) = (&want.place, &inside) else {
        let left_to_group = want.acts.iter().flat_map(|act| act_on_group(*act, &known)).collect();
        return Seen { run, members: known, cgroup: Populated::No, left_to_group };
    };
    let outside: Vec<_> = known.into_iter().filter(|process| !pids.contains(&process.pid)).collect();
    let mut left_to_group = Vec::new();
    for act in &want.acts {
        left_to_group.extend(act_on_cgroup(*act, path, pids, want.root.main));
        left_to_group.extend(act_on_group(*act, &outside));
    }
    if want.root.main_state == MainState::There && *pids == [want.root.main] && outside.is_empty() {
        // It is alone, and lives as long as nobody has waited for it.
        return Seen { run, members: Vec::new(), cgroup: Populated::Yes, left_to_group };
    }
    let populated = if cgroup::is_populated(path) { Populated::Yes } else { Populated::No };
    let mut members: Vec<_> = pids.iter().filter_map(|pid| Some(here().process(*pid)?.id)).collect();
    members.extend(outside);
    members.sort_unstable();
    Seen { run, members, cgroup: populated, left_to_group }
}

/// Who was left to the group.
fn act_on_group(act: Act, members: &[ProcessId]) -> Vec<ProcessId> {
    let (signal, whom) = match act {
        Act::Look => return Vec::new(),
        Act::Kill => (StopSignal::Kill, Whom::All),
        Act::Signal(signal, whom) => (signal, whom),
    };
    members.iter().copied().filter(|member| signal_one(*member, signal, whom) == Signalled::NotMeant).collect()
}

/// Who was left to the group.
fn act_on_cgroup(act: Act, path: &Path, pids: &[u32], main: u32) -> Vec<ProcessId> {
    match act {
        Act::Look => Vec::new(),
        Act::Kill => {
            cgroup::kill(path);
            Vec::new()
        }
        Act::Signal(signal, whom) => {
            // The main process leads the group that has been signalled by itself.
            let others = |pid: &u32| whom != Whom::OutsideOf(main) || *pid != main;
            cgroup::signal(path, pids.iter().copied().filter(others), signal, whom)
        }
    }
}
