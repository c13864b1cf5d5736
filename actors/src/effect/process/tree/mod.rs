//! The thread that finds and signals every process of a run.
//!
//! A look at all processes reads `/proc` once for all runs that wait for one, however many they are: what is wanted while the
//! thread is busy goes into its next round. It never runs on the actor thread, which a long `/proc` would hold up.

pub(super) mod cgroup;
mod mounted;
mod owners;
mod strays;
mod table;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::mpsc::UnboundedSender;

use self::strays::Strays;
pub(super) use owners::{MainState, Root};
pub(super) use table::{PipeId, ProcessId, adopted, has_ended};

use super::core::News;
use super::order::RunId;
use super::spawn::environment;
use super::thread::Thread;

/// How the tree of a run is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing.
    Look,
    /// Signal each of these.
    Signal(Signal, Whom),
    /// Kill each.
    Kill,
}

/// Whom a signal to a tree reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
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
pub(super) struct Want {
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
pub(super) struct Round {
    /// What is wanted.
    pub wants: Vec<Want>,
    /// Every run without a cgroup.
    pub roots: Vec<Root>,
}

/// Who was found in the tree of a run, before anything was done to them.
#[derive(Debug)]
pub(super) struct Seen {
    /// Which run.
    pub run: RunId,
    /// Its processes, oldest first.
    pub members: Vec<ProcessId>,
    /// Whether there is anybody; a process that is just ending may be there without being listed.
    pub left: Left,
}

/// Whether anybody is left in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Nobody.
    Nobody,
    /// At least one process.
    Somebody,
}

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Trees {
    rounds: Sender<Round>,
}

impl Trees {
    /// Starts the thread. It ends soon after the `Trees` was dropped.
    pub(super) fn start(news: UnboundedSender<News>) -> io::Result<(Self, Thread)> {
        let (rounds, queue) = channel();
        Ok((Self { rounds }, Thread::start("trees", move || work(&queue, &news))?))
    }

    /// Begins a round. One at a time: the next when the first has been answered, so the queue stays short.
    pub(super) fn begin(&self, round: Round) {
        // The thread ends only after this value is dropped.
        let _ = self.rounds.send(round);
    }
}

fn work(rounds: &Receiver<Round>, news: &UnboundedSender<News>) {
    let us = std::process::id();
    let (mut memory, mut strays) = (owners::Memory::default(), Strays::default());
    while let Ok(mut round) = rounds.recv() {
        strays.look(&round.wants, &FromProc);
        round.roots.extend(strays.roots().cloned());
        let mut found = if round.roots.is_empty() {
            BTreeMap::new()
        } else {
            owners::members(&table::read_all(), us, &round.roots, &mut memory, &FromProc)
        };
        let mut look = |want| do_one(want, found.remove(&want.run).unwrap_or_default());
        let seen: Vec<Seen> = round.wants.iter().map(&mut look).collect();
        seen.iter().filter(|seen| seen.left == Left::Nobody).for_each(|seen| strays.over(seen.run));
        if news.send(News::Trees(seen)).is_err() {
            return;
        }
    }
}

/// What `/proc` says.
struct FromProc;

impl owners::Origin for FromProc {
    fn mark(&self, pid: u32) -> Option<String> {
        table::environment_of(pid, environment::RUN)
    }

    fn outputs(&self, pid: u32) -> Vec<PipeId> {
        table::outputs_of(pid)
    }
}

/// `known` were found by what they say of where they come from.
fn do_one(want: &Want, known: Vec<ProcessId>) -> Seen {
    let run = want.run;
    match &want.place {
        Place::Group => {
            want.acts.iter().for_each(|act| act_on_group(*act, &known));
            let left = if known.is_empty() { Left::Nobody } else { Left::Somebody };
            Seen { run, members: known, left }
        }
        Place::Cgroup(path) => {
            let mut members = members_of_cgroup(path);
            let outside: Vec<_> = known.into_iter().filter(|process| !members.contains(process)).collect();
            let is_populated = cgroup::is_populated(path);
            for act in &want.acts {
                if is_populated {
                    act_on_cgroup(*act, path);
                }
                act_on_group(*act, &outside);
            }
            if !is_populated && outside.is_empty() {
                // Its main process was born in it or joined before it was heard of, so an empty cgroup stays empty.
                cgroup::remove(path);
                return Seen { run, members: Vec::new(), left: Left::Nobody };
            }
            members.extend(outside);
            members.sort_unstable();
            Seen { run, members, left: Left::Somebody }
        }
    }
}

fn act_on_group(act: Act, members: &[ProcessId]) {
    match act {
        Act::Look => {}
        Act::Kill => members.iter().for_each(|member| signal_one(*member, Signal::KILL, Whom::All)),
        Act::Signal(signal, whom) => members.iter().for_each(|member| signal_one(*member, signal, whom)),
    }
}

fn act_on_cgroup(act: Act, path: &Path) {
    match act {
        Act::Look => {}
        Act::Kill => cgroup::kill(path),
        Act::Signal(signal, _) => cgroup::signal(path, signal),
    }
}

fn members_of_cgroup(path: &Path) -> Vec<ProcessId> {
    let alive = |pid| Some(table::read(pid)?.id);
    let mut members: Vec<_> = cgroup::members(path).into_iter().filter_map(alive).collect();
    members.sort_unstable();
    members
}

/// Signals a process only if its number still stands for the same process.
fn signal_one(member: ProcessId, signal: Signal, whom: Whom) {
    let Some(pid) = i32::try_from(member.pid).ok().and_then(Pid::from_raw) else { return };
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    // Looked at after opening: the descriptor is of this process or of an earlier one, never of a later.
    let Some(now) = table::read(member.pid).filter(|now| now.id == member) else { return };
    if !whom.includes(now.group) {
        return;
    }
    if let Err(error) = pidfd_send_signal(process, signal)
        && error != rustix::io::Errno::SRCH
    {
        tracing::warn!(pid = member.pid, %error, "a process could not be signalled");
    }
}
