//! Each test runs in a process of its own: mainstay owns every child of its process, and two tests would take each other's.
//!
//! `alone` starts this very test program again for the one test that called it. The log-keeper, and a service that sends
//! notifications, are this program too: small scripts start it for the two "tests" in `main.rs` that play these parts.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use mainstay_actors::action::process::{Invocation, LogSearch, NotifySocket, ProcessEvent, RunId, SpawnOrder};
use mainstay_actors::effect::process::Processes;
use mainstay_actors::effect::process::keeper::{log_keeper_main, socket_from_stdin};
use mainstay_actors::effect::process::settings::ProcessSettings;
use mainstay_actors::effect::watched::{Lost, Watched};
use mainstay_config::names::ServiceName;

const ALONE: &str = "MAINSTAY_TEST_ALONE";
const KEEPER: &str = "MAINSTAY_TEST_KEEPER";
const SAY: &str = "MAINSTAY_TEST_SAY";
const JOIN: &str = "MAINSTAY_TEST_JOIN";
const SAID: &str = "MAINSTAY_TEST_SAID";
/// The file for which who notifies waits.
const HEARD: &str = "heard-what-was-said";
/// Nothing here takes as long on a machine that is busy; it only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(40);

/// Who may do less than root: mainstay without control groups, among others.
const NOBODY: u32 = 65534;

/// Runs the calling test in a process of its own: as who we are, and as an ordinary user too when that is root.
pub(crate) fn alone<F: AsyncFnOnce()>(test: F) {
    alone_by_its_name(std::any::type_name::<F>(), test);
}

/// The same with an executor, which is ended: no child is left.
pub(crate) fn in_a_world<F: AsyncFnOnce(&World)>(test: F) {
    alone_by_its_name(std::any::type_name::<F>(), async || {
        let world = World::new();
        test(&world).await;
        world.end().await;
    });
}

fn alone_by_its_name(path: &str, test: impl AsyncFnOnce()) {
    let name = path.trim_end_matches("::{{closure}}").split_once("::").unwrap().1;
    if std::env::var(ALONE).is_ok_and(|only| only == name) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let within = async { tokio::time::timeout(PATIENCE, test()).await.expect("the test hangs") };
        return tokio::task::LocalSet::new().block_on(&runtime, within);
    }
    run_alone(&std::env::current_exe().unwrap(), name, None);
    if rustix::process::geteuid().is_root() {
        let folder = tempfile::tempdir().unwrap();
        run_alone(&for_everybody(folder.path()), name, Some(NOBODY));
    }
}

fn run_alone(program: &Path, name: &str, user: Option<u32>) {
    let mut command = std::process::Command::new(program);
    command.args([name, "--exact", "--nocapture"]).env(ALONE, name);
    if let Some(user) = user {
        command.uid(user).gid(user).current_dir("/");
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "as {user:?}: {}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("1 passed"), "the test was not found by its name {name}");
}

/// This program where anybody can execute it: a folder above it may be closed to others.
fn for_everybody(folder: &Path) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let is_open = |path: &Path| std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o5 == 0o5);
    if this.ancestors().all(is_open) {
        return this;
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.join("tests");
    std::fs::copy(this, &copy).unwrap();
    copy
}

fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn this_program_as(test: &str) -> String {
    format!("exec '{}' --exact {test} --nocapture --test-threads=1", std::env::current_exe().unwrap().display())
}

/// A program that is the log-keeper. One that is there already stays: it may just be executed, and is busy then.
pub(crate) fn keeper_program(folder: &Path) -> PathBuf {
    let path = folder.join("keeper");
    if path.exists() {
        return path;
    }
    script(&path, &format!("{KEEPER}=1 {}", this_program_as("acts_as_the_log_keeper_when_started_as_one")));
    path
}

pub(crate) fn perhaps_be_the_keeper() {
    if std::env::var_os(KEEPER).is_some() {
        log_keeper_main(socket_from_stdin().unwrap()).unwrap();
    }
}

#[allow(clippy::disallowed_methods, reason = "a program of its own, with nothing else to do")]
pub(crate) fn perhaps_notify() {
    let filled = |text: String| {
        let other = std::env::var("DEAD").unwrap_or_default();
        text.replace("{pid}", &std::process::id().to_string()).replace("{env:DEAD}", &other)
    };
    if let Ok(text) = std::env::var(SAY).map(filled) {
        if let Some(group) =
            std::env::var(JOIN).ok().and_then(|group| rustix::process::Pid::from_raw(group.parse().unwrap()))
        {
            // Refused where it is in another session.
            let _ = rustix::process::setpgid(None, Some(group));
        }
        let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
        let path = PathBuf::from(std::env::var_os("NOTIFY_SOCKET").unwrap());
        socket.send_to(text.as_bytes(), &path).unwrap();
        if let Some(said) = std::env::var_os(SAID) {
            std::fs::write(said, "it was said").unwrap();
        }
        // It stays until it was looked at: who has gone cannot be told to have belonged to anybody.
        let heard = path.ancestors().nth(3).unwrap().join(HEARD);
        let until = std::time::Instant::now() + PATIENCE;
        while !heard.exists() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

type Events = Rc<RefCell<BTreeMap<RunId, VecDeque<ProcessEvent>>>>;

/// An executor with folders of its own.
pub(crate) struct World {
    pub(crate) processes: Processes,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) events: Events,
    heard: Rc<tokio::sync::Notify>,
    /// Its threads and tasks that have panicked.
    lost: RefCell<tokio::sync::mpsc::UnboundedReceiver<Lost>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut ProcessSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        change(&mut settings);
        let (events, heard) = (Events::default(), Rc::new(tokio::sync::Notify::new()));
        let (to, tell) = (Rc::clone(&events), Rc::clone(&heard));
        let (watched, lost) = Watched::new();
        let processes = Processes::start(settings, &watched, move |_, run, event| {
            to.borrow_mut().entry(run).or_default().push_back(event);
            tell.notify_one();
        });
        Self { processes: processes.unwrap(), folder, events, heard, lost: RefCell::new(lost) }
    }

    /// Starts a shell script as a service.
    pub(crate) fn shell(&self, run: u64, text: &str) -> RunId {
        self.spawn(order(run, &["sh", "-c", text]))
    }

    pub(crate) fn spawn(&self, order: SpawnOrder) -> RunId {
        let run = order.run;
        self.processes.spawn(order);
        run
    }

    /// The next event of a run.
    pub(crate) async fn next(&self, run: RunId) -> ProcessEvent {
        loop {
            if let Some(event) = self.events.borrow_mut().get_mut(&run).and_then(VecDeque::pop_front) {
                return event;
            }
            self.heard.notified().await;
        }
    }

    /// The process id of a run that starts.
    pub(crate) async fn started(&self, run: RunId) -> u32 {
        match self.next(run).await {
            ProcessEvent::Spawned { pid } => pid,
            other => panic!("not started: {other:?}"),
        }
    }

    /// All events of a run up to the last.
    pub(crate) async fn to_the_end(&self, run: RunId) -> Vec<ProcessEvent> {
        let mut all = Vec::new();
        loop {
            let event = self.next(run).await;
            let last = matches!(event, ProcessEvent::TreeGone | ProcessEvent::SpawnFailed(_));
            all.push(event);
            if last {
                return all;
            }
        }
    }

    /// The next thread or task that panics.
    pub(crate) async fn lost(&self) -> Option<Lost> {
        std::future::poll_fn(|context| self.lost.borrow_mut().poll_recv(context)).await
    }

    /// The path of a file in the folder of this world.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of this world, as soon as it holds something that is wanted.
    pub(crate) async fn file(&self, name: &str, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let text = String::from_utf8_lossy(&std::fs::read(self.path(name)).unwrap_or_default()).into_owned();
            if wanted(&text) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The process id that a script wrote into a file.
    pub(crate) async fn pid_in(&self, name: &str) -> u32 {
        self.file(name, |text| text.ends_with('\n')).await.trim().parse().unwrap()
    }

    /// The log of a service, as soon as it holds something that is wanted.
    pub(crate) async fn log(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.file("log/test.log", wanted).await
    }

    /// A script that says `text` on the notification socket, with its process id for `{pid}`, and ends after [`World::has_heard`].
    pub(crate) fn teller(&self, text: &str) -> PathBuf {
        let path = self.path("teller");
        let part = this_program_as("acts_as_a_notifying_service_when_started_as_one");
        script(&path, &format!("{SAID}='{}' {SAY}='{text}' {part}", self.path("said").display()));
        path
    }

    /// The same from a process that joins the process group of another one, if that is possible, and then writes `said`.
    pub(crate) fn forger(&self, text: &str, main: u32) -> PathBuf {
        let path = self.path("forger");
        let part = this_program_as("acts_as_a_notifying_service_when_started_as_one");
        let said = self.path("said");
        script(&path, &format!("{SAID}='{}' {JOIN}={main} {SAY}='{text}' {part}", said.display()));
        path
    }

    /// Lets whoever spoke on the notification socket end.
    pub(crate) fn has_heard(&self) {
        std::fs::write(self.path(HEARD), "").unwrap();
    }

    /// Ends it, and sees that no child is left.
    pub(crate) async fn end(self) {
        self.processes.shutdown().await;
        assert_eq!(children(), [0; 0]);
    }
}

pub(crate) fn settings(folder: &Path) -> ProcessSettings {
    ProcessSettings {
        run_dir: folder.join("run"),
        log_dir: folder.join("log"),
        logs: mainstay_config::model::Logs { max_size: 1 << 30, keep: 3 },
        log_troubles: Default::default(),
        services: 1,
        keeper_program: keeper_program(folder),
        sweep_interval: Duration::from_millis(20),
    }
}

pub(crate) fn order(run: u64, argv: &[&str]) -> SpawnOrder {
    SpawnOrder {
        service: ServiceName::new("test").unwrap(),
        run: RunId(run),
        program: Invocation { argv: argv.iter().map(|part| (*part).to_owned()).collect(), ..Invocation::default() },
        notify: NotifySocket::Omit,
        log: LogSearch::Omit,
    }
}

/// The state of a process as `/proc` has it; `None` when it is gone.
fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Whether a process is gone, or as good as.
pub(crate) fn is_gone(pid: u32) -> bool {
    state(pid).is_none_or(|state| state == 'Z')
}

/// Waits until a process is stopped.
pub(crate) async fn until_stopped(pid: u32) {
    while state(pid) != Some('T') {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// All children of this process, whichever thread started them, zombies included.
pub(crate) fn children() -> Vec<u32> {
    let us = std::process::id();
    let pids =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    pids.filter(|pid| parent(*pid) == Some(us)).collect()
}

/// The thread `outputs` of this process, as `/proc` has it.
pub(crate) fn outputs_thread() -> Option<PathBuf> {
    let mut tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    tasks.find(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "outputs\n"))
}

/// The log-keepers that are children of this process.
pub(crate) fn keepers() -> Vec<u32> {
    let command = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    children().into_iter().filter(|pid| command(pid).contains("keeper")).collect()
}
