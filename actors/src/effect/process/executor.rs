//! The handle on the process executor, and the task behind it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mainstay_config::names::ServiceName;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::error::ProcessesError;
use super::hands::{Hands, RunEvent, Unheard};
use super::keeper::outputs::OutputsHandle;
use super::rules::{News, Rules};
use super::spawn::{Launcher, OpenFiles, Spawner, TooFew};
use super::thread::Thread;
use super::tree::Trees;
use super::tree::cgroup::Cgroups;
use super::{notify, reaper};
use crate::action::process::{ProcessEvent, RunId, SignalOrder, SpawnOrder};
use crate::effect::process::keeper::LogEnd;
use crate::effect::process::settings::ProcessSettings;
use crate::effect::watched::Watched;

/// How long the log-keeper may take to end when no program is left.
const KEEPER_PATIENCE: Duration = Duration::from_secs(5);

/// How long a command of a readiness check may outlive SIGKILL when mainstay ends: one hangs on a disk that does not answer.
const CHECKS_PATIENCE: Duration = Duration::from_secs(2);

/// One executor per process: it waits for every child.
static RUNNING: AtomicBool = AtomicBool::new(false);

/// Owns every child of mainstay: starts programs, follows their trees, signals them, and says what became of them.
///
/// Belongs to the thread it was started on, within a `LocalSet` or a local runtime with I/O and time. Dropping it ends its task but no
/// program; [`Processes::shutdown`] also ends its threads and lets go of the log-keeper.
#[derive(Debug)]
pub struct Processes {
    rules: Rc<RefCell<Rules<Hands>>>,
    tasks: [JoinHandle<()>; 2],
    threads: Vec<Thread>,
    cgroups: Option<Cgroups>,
    _only: Only,
}

/// Marks that there is an executor.
#[derive(Debug)]
struct Only;

impl Only {
    fn claim() -> Result<Self, ProcessesError> {
        if RUNNING.swap(true, Ordering::AcqRel) { Err(ProcessesError::AlreadyRunning) } else { Ok(Self) }
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        RUNNING.store(false, Ordering::Release);
    }
}

impl Processes {
    /// Becomes the parent of all that services leave behind, raises the limit on open files, starts the threads and the
    /// log-keeper. `events` is called from a task on this thread, one event at a time, in order for each run:
    /// `Spawned` … `MainExited`, `TreeGone`; or `SpawnFailed` alone. Threads and tasks that panic are told of by `watched`.
    ///
    /// # Errors
    /// When a directory cannot be written, a thread cannot be started, or there is an executor already.
    pub fn start(
        settings: ProcessSettings,
        watched: &Watched,
        events: impl Fn(ServiceName, RunId, ProcessEvent) + 'static,
    ) -> Result<Self, ProcessesError> {
        let only = Only::claim()?;
        make_directories(&settings)?;
        let few = |TooFew { limit, needed }| ProcessesError::TooFewOpenFiles { limit, needed };
        let open_files = OpenFiles::raise(settings.services).map_err(few)?;
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(|error| kernel("become the parent of orphaned processes", error.into()))?;
        let children = signal(SignalKind::child()).map_err(|error| kernel("hear of children that end", error))?;
        let cgroups = Cgroups::detect();
        tracing::debug!(with = if cgroups.is_some() { "cgroups" } else { "process groups" }, "processes are followed");

        let (news, heard) = unbounded_channel();
        let said = Rc::<Unheard>::default();
        let (trees, trees_thread) =
            Trees::start(watched, news.clone()).map_err(|error| kernel("start the thread `trees`", error))?;
        let pass = trees.passer();
        let is_silent = move |pid| pass(News::KeeperIsSilent(pid));
        let (outputs, outputs_thread) = OutputsHandle::start(trees.teller(), is_silent)
            .map_err(|error| kernel("start the thread `outputs`", error))?;
        let launcher = Launcher::new(&settings, open_files, cgroups.clone(), outputs.clone())
            .map_err(|error| kernel("open /dev/null for services", error))?;
        let (spawner, mut threads) = Spawner::start(launcher, watched, news.clone())
            .map_err(|error| kernel("start the threads `spawner`", error))?;
        threads.push(outputs_thread);
        threads.push(trees_thread);
        let sweep_interval = settings.sweep_interval;
        let hands = Hands {
            settings,
            spawner,
            trees,
            outputs,
            watched: watched.clone(),
            news,
            said: Rc::clone(&said),
            sockets: BTreeMap::new(),
            births: BTreeMap::new(),
            nests: BTreeMap::new(),
            birth_watch: None,
            gone: Rc::default(),
        };
        let rules = Rc::new(RefCell::new(Rules::new(hands, sweep_interval)));
        rules.borrow_mut().start_keeper();
        let tasks = [
            watched.task("drive", drive(Rc::clone(&rules), children, heard)),
            watched.task("deliver", deliver(said, events)),
        ];
        Ok(Self { rules, tasks, threads, cgroups, _only: only })
    }

    /// A run of this service will come, and this will be its number: what can be made for it is made.
    pub fn prepare(&self, service: ServiceName, run: RunId) {
        self.rules.borrow_mut().kernel_mut().prepare(service, run);
    }

    /// The run that was prepared does not come.
    pub fn let_go(&self, service: &ServiceName) {
        self.rules.borrow_mut().kernel_mut().let_go(service);
    }

    /// Starts a program. What comes of it is an event.
    pub fn spawn(&self, order: SpawnOrder) {
        self.rules.borrow_mut().spawn(order);
    }

    /// Sends a signal. To a run that is being started it is sent when it has started; to one that is over, to nobody.
    pub fn signal(&self, order: SignalOrder) {
        self.rules.borrow_mut().signal(order);
    }

    /// Kills every process of a run, again and again until nobody is left; then `TreeGone` is said.
    pub fn sweep(&self, run: RunId) {
        self.rules.borrow_mut().sweep(run);
    }

    /// Where the log of a run ended before it printed anything. `None`: it is over, or does not run yet.
    #[must_use]
    pub fn log_end(&self, run: RunId) -> Option<LogEnd> {
        self.rules.borrow().log_end(run)
    }

    /// What is known, without what it is done with; and what was said, and nobody has heard yet.
    #[must_use]
    pub(crate) fn known(&self) -> (Rules<()>, Vec<RunEvent>) {
        let rules = self.rules.borrow();
        (rules.on(()), rules.kernel().said.all())
    }

    /// Makes anew what was removed of the notification sockets and their folder.
    ///
    /// # Errors
    /// When the folder or a socket cannot be made.
    pub fn renew_sockets(&self) -> std::io::Result<()> {
        self.rules.borrow_mut().kernel_mut().renew_sockets()
    }

    /// Ends the threads and lets go of the log-keeper, which goes on as long as there are programs. Ends no program.
    pub async fn shutdown(mut self) {
        self.end_checks().await;
        self.rules.borrow_mut().close_keeper();
        let keeper_ended = self.until(|rules| !rules.keeper_is_ending());
        // One that takes longer writes to a slow disk; it is left to init.
        if timeout(KEEPER_PATIENCE, keeper_ended).await.is_err() {
            let pid = self.rules.borrow().keeper_pid().unwrap_or_default();
            tracing::warn!(
                pid,
                "the log-keeper has not ended in {KEEPER_PATIENCE:?}, and is left behind; is it stopped, or its disk slow?"
            );
        }
        let threads = std::mem::take(&mut self.threads);
        let cgroups = self.cgroups.take();
        for task in &mut self.tasks {
            task.abort();
            let _ = task.await;
        }
        // The last handle on the rules, and with it on the queues to the threads.
        drop(self);
        Thread::end_all(threads).await;
        // Now nothing is left that was made for a run that has not come.
        if let Some(cgroups) = cgroups {
            cgroups.remove();
        }
        // A log-keeper that could not be executed is known of before its SIGCHLD is heard.
        while reaper::next().is_some() {}
    }

    /// Kills the commands of readiness checks: nobody waits for what they say any more.
    async fn end_checks(&self) {
        self.rules.borrow_mut().sweep_checks();
        if timeout(CHECKS_PATIENCE, self.until(|rules| !rules.has_checks())).await.is_err() {
            let pids = self.rules.borrow().pids_of_checks();
            tracing::warn!(?pids, "commands of readiness checks outlive SIGKILL, and are left");
        }
    }

    async fn until(&self, is_so: impl Fn(&Rules<Hands>) -> bool) {
        let gone = Rc::clone(&self.rules.borrow().kernel().gone);
        while !is_so(&self.rules.borrow()) {
            gone.notified().await;
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn drive(rules: Rc<RefCell<Rules<Hands>>>, mut children: Signal, mut heard: UnboundedReceiver<News>) {
    loop {
        tokio::select! {
            biased;
            _ = children.recv() => rules.borrow_mut().children_ended(),
            Some(news) = heard.recv() => rules.borrow_mut().hear(news),
        }
    }
}

async fn deliver(unheard: Rc<Unheard>, events: impl Fn(ServiceName, RunId, ProcessEvent)) {
    loop {
        let (service, run, event) = unheard.next().await;
        events(service, run, event);
    }
}

fn kernel(what: &'static str, why: std::io::Error) -> ProcessesError {
    ProcessesError::Kernel { what, why }
}

fn make_directories(settings: &ProcessSettings) -> Result<(), ProcessesError> {
    let log_dir = &settings.log_dir;
    match fs::create_dir_all(log_dir).and_then(|()| try_to_write(log_dir)) {
        Ok(()) => {}
        // That may pass, and is no reason for a station to stand still: the log-keeper counts what is lost.
        Err(why) if is_of_the_disk(&why) => tracing::error!(
            %why,
            "the log directory {} cannot be written: services run, and what they print is lost until there is room, or it can be written",
            log_dir.display()
        ),
        Err(why) => return Err(ProcessesError::LogDirectory { path: log_dir.clone(), why }),
    }
    notify::make_folder(&settings.run_dir)
        .map_err(|why| ProcessesError::RunDirectory { path: settings.run_dir.clone(), why })
}

/// Whether a disk is full, or can only be read: the kernel makes it so when it finds a fault.
fn is_of_the_disk(why: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(why.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
}

/// Finds out by doing: permissions, a read-only mount and a full disk have no common question to ask.
fn try_to_write(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".mainstay-{}", std::process::id()));
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&probe)?;
    fs::remove_file(probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_or_only_readable_keeps_no_service_from_starting_and_a_closed_folder_does() {
        let is = |number| is_of_the_disk(&std::io::Error::from_raw_os_error(number));
        assert!([libc::ENOSPC, libc::EDQUOT, libc::EROFS].into_iter().all(is));
        assert!(![libc::EACCES, libc::ENOTDIR, libc::ELOOP].into_iter().any(is));
    }
}
