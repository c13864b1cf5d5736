//! The thread that starts programs. Executing a program reads it from disk, and a disk can hang: the actor thread must not.

mod account;
pub(super) mod environment;
mod failure;
mod launch;
mod limit;
mod search;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use tokio::sync::mpsc::UnboundedSender;

pub(super) use launch::Child;
use launch::Launcher;
pub(super) use launch::launch_keeper;

use super::core::News;
use super::order::{RunId, SpawnFailure, SpawnOrder};
use super::reaper::Gate;
use super::thread::Thread;
use super::tree::cgroup::Cgroups;

/// Spawns that may wait at the same time. A configuration has far fewer services.
const QUEUE: usize = 4096;

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    /// Start a program of a service, with the path of its notification socket if it has one.
    Program(Box<SpawnOrder>, Option<PathBuf>),
    /// Start the log-keeper.
    Keeper,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Of a program.
    Program(RunId, Result<Child, SpawnFailure>),
    /// Of the log-keeper.
    Keeper(io::Result<Keeper>),
}

/// A log-keeper that runs.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Its process id.
    pub pid: u32,
    /// Our end of the socket over which it is given pipes.
    pub socket: OwnedFd,
}

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Spawner {
    jobs: SyncSender<Job>,
}

/// The queue to the thread was full, or the thread is gone.
#[derive(Debug)]
pub(super) struct Busy;

impl Spawner {
    /// Starts the thread. It ends soon after the `Spawner` was dropped.
    pub(super) fn start(
        keeper_program: PathBuf,
        cgroups: Option<Cgroups>,
        gate: Gate,
        news: UnboundedSender<News>,
    ) -> io::Result<(Self, Thread)> {
        let (jobs, queue) = sync_channel(QUEUE);
        let launcher = Launcher::new(cgroups, gate);
        let thread = Thread::start("spawner", move || work(&launcher, &keeper_program, &queue, &news))?;
        Ok((Self { jobs }, thread))
    }

    /// Queues a job; never blocks.
    pub(super) fn queue(&self, job: Job) -> Result<(), Busy> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Busy,
        })
    }
}

fn work(launcher: &Launcher, keeper_program: &Path, jobs: &Receiver<Job>, news: &UnboundedSender<News>) {
    while let Ok(job) = jobs.recv() {
        let outcome = match job {
            Job::Program(order, notify) => Outcome::Program(order.run, launcher.launch(&order, notify.as_deref())),
            Job::Keeper => Outcome::Keeper(launch_keeper(keeper_program)),
        };
        if news.send(News::Spawner(outcome)).is_err() {
            return;
        }
    }
}
