//! The threads that start programs. Executing a program reads it from disk, and a disk can hang: the actor thread must not.

mod account;
mod birth;
pub(super) mod environment;
mod failure;
mod jobs;
mod launch;
mod limit;
mod nest;
mod search;

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mainstay_config::names::ServiceName;
use tokio::sync::mpsc::UnboundedSender;

use birth::Afterwards;
pub(super) use birth::Birth;
pub(crate) use jobs::Busy;
use jobs::Jobs;
pub(crate) use launch::Child;
pub(super) use launch::Launcher;
pub(super) use limit::{OpenFiles, TooFew};
pub(super) use nest::Nest;

use super::rules::News;
use super::thread::Thread;
use super::tree::roll::{self, Roll};
use crate::action::process::{RunId, SpawnFailure, SpawnOrder};
use crate::effect::watched::{self, Watched};

/// The threads. A start holds up its caller until the kernel has executed the program, so one thread would leave a second
/// processor idle; and one program on a slow disk would hold up every other. More than two gain nothing measurable.
const THREADS: [&str; 2] = ["spawner-1", "spawner-2"];
/// The name of those that take the place of threads that hang in the kernel.
const SPARE: &str = "spawner-spare";
/// How many threads may hang before further starts have to wait for them: as many as there may be services of one station on a disk that
/// does not answer, and their checks. Each costs its stack.
const HUNG_MAX: usize = 32;

/// What the threads are asked to do.
#[derive(Debug)]
pub(super) enum Job {
    /// Make the control group of a run that will come.
    Nest(Arc<Nest>),
    /// It will not come.
    LetGo(Arc<Nest>),
    /// Start a program of a service, with the path of its notification socket if it has one, and what was made for it.
    Program(Box<SpawnOrder>, Option<PathBuf>, Arc<Birth>, Option<Arc<Nest>>),
    /// Start the log-keeper.
    Keeper,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Of a program.
    Program(RunId, Result<Child, SpawnFailure>),
    /// Of the log-keeper: its process id, and what it reports into.
    Keeper(io::Result<(u32, Option<OwnedFd>)>),
}

/// The way to the threads.
#[derive(Debug)]
pub(super) struct Spawner {
    shared: Arc<Shared>,
    watched: Watched,
    news: UnboundedSender<News>,
}

impl Spawner {
    /// Starts the threads. They end soon after the `Spawner` was dropped.
    pub(super) fn start(
        launcher: Launcher,
        watched: &Watched,
        news: UnboundedSender<News>,
    ) -> io::Result<(Self, Vec<Thread>)> {
        let shared =
            Arc::new(Shared { launcher, jobs: Jobs::new(), hung: AtomicUsize::new(0), threads: Mutex::default() });
        let start = |name| {
            let (shared, news) = (Arc::clone(&shared), news.clone());
            Thread::start(watched, name, move || work(name, &shared, &news))
        };
        let threads = THREADS.into_iter().map(start).collect::<io::Result<_>>()?;
        Ok((Self { shared, watched: watched.clone(), news }, threads))
    }

    /// The thread that starts this hangs: another takes its place, so that other programs can be started.
    pub(super) fn replace(&self, birth: &Arc<Birth>) {
        if self.shared.hung.load(Ordering::Relaxed) >= HUNG_MAX {
            // It is tried again at the next look, and was said when the last place was taken.
            return;
        }
        let (shared, news, birth) = (Arc::clone(&self.shared), self.news.clone(), Arc::clone(birth));
        let take_place = move || {
            if shared.take_place(&birth).is_some() {
                work(SPARE, &shared, &news);
            }
        };
        if let Err(error) = Thread::start(&self.watched, SPARE, take_place) {
            tracing::error!(%error, "no thread takes the place of one that hangs");
        }
    }

    /// All children of this process. Only for the thread that waits for them.
    pub(super) fn call_the_roll(&self) -> Roll {
        roll::call(&mut self.shared.threads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the control group of a run made that will come.
    pub(super) fn make_nest(&self, service: ServiceName, run: RunId) -> Result<Arc<Nest>, Busy> {
        let nest = Arc::new(Nest::new(service, run));
        self.queue(Job::Nest(Arc::clone(&nest)))?;
        Ok(nest)
    }

    /// Queues a job; never blocks.
    pub(super) fn queue(&self, job: Job) -> Result<(), Busy> {
        self.shared.jobs.add(job)
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        self.shared.jobs.close();
    }
}

/// What the threads share.
#[derive(Debug)]
struct Shared {
    launcher: Launcher,
    jobs: Jobs,
    /// How many threads hang in the kernel, and were replaced.
    hung: AtomicUsize,
    /// The threads that have children.
    threads: Mutex<Vec<u32>>,
}

impl Shared {
    /// Counts one more thread as hung, unless it has come back meanwhile, or too many are.
    fn take_place(&self, birth: &Birth) -> Option<()> {
        let one_more = |hung: usize| hung.checked_add(1).filter(|hung| *hung <= HUNG_MAX);
        self.hung.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        let taken = birth.take_place();
        match taken {
            None => {
                self.hung.fetch_sub(1, Ordering::Relaxed);
            }
            Some(()) if self.hung.load(Ordering::Relaxed) == HUNG_MAX => {
                tracing::error!(
                    "{HUNG_MAX} programs hang while they are loaded; further ones may have to wait for them"
                );
            }
            Some(()) => {}
        }
        taken
    }
}

fn work(name: &str, shared: &Shared, news: &UnboundedSender<News>) {
    let thread = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
    shared.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    while let Some(job) = shared.jobs.next() {
        watched::perhaps_panic(name);
        let (outcome, afterwards) = match job {
            Job::Nest(nest) => {
                shared.launcher.make(&nest);
                continue;
            }
            Job::LetGo(nest) => {
                drop(nest);
                continue;
            }
            Job::Program(order, notify, birth, nest) => {
                birth.begin();
                let outcome = shared.launcher.launch(&order, notify.as_deref(), &birth, nest.as_deref());
                (Outcome::Program(order.run, outcome), birth.end())
            }
            Job::Keeper => (
                Outcome::Keeper(shared.launcher.launch_keeper().map(|(pid, reports)| (pid, Some(reports)))),
                Afterwards::GoOn,
            ),
        };
        if news.send(News::Spawner(outcome)).is_err() {
            return;
        }
        if afterwards == Afterwards::End {
            shared.hung.fetch_sub(1, Ordering::Relaxed);
            return;
        }
    }
}
