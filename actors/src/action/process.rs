//! What is asked of the process executor, and what it answers: data only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::StopSignal;
use mainstay_config::names::ServiceName;

/// One incarnation of a service's process tree. Never used twice, also not across restarts of actors.
/// It stands in the environment of every process of the tree: `MAINSTAY_RUN=<service>.<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

/// Start a program.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SpawnOrder {
    /// For whom.
    pub service: ServiceName,
    /// The incarnation, chosen by the service.
    pub run: RunId,
    /// Program and arguments, filled in; never empty. A program without a slash is sought in `PATH`.
    pub argv: Vec<String>,
    /// Added to what every service is given.
    pub environment: BTreeMap<String, String>,
    /// Variables of mainstay's own environment that it is given as well, where there are such.
    pub environment_from: BTreeSet<String>,
    /// User to run as.
    pub user: Option<String>,
    /// Group to run as.
    pub group: Option<String>,
    /// Working directory.
    pub directory: Option<PathBuf>,
    /// Whether `NOTIFY_SOCKET` is set and listened to.
    pub notify: NotifySocket,
    /// Whether what it prints is searched for a text.
    pub log: LogSearch,
}

/// Whether a service gets a notification socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NotifySocket {
    /// `NOTIFY_SOCKET` is set to a socket of this service.
    Provide,
    /// It is removed from the environment.
    Omit,
}

/// Whether what a program prints from its start on is searched for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum LogSearch {
    /// It will be: where its log ends now is noted before the start.
    Wanted,
    /// It will not be.
    Omit,
}

/// Which processes a signal goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Scope {
    /// The main process.
    Main,
    /// Every process of the tree.
    Tree,
}

/// A signal to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SignalOrder {
    /// To which run.
    pub run: RunId,
    /// Which signal.
    pub signal: StopSignal,
    /// To which of its processes.
    pub scope: Scope,
}

/// `LoadsSlowly` in words.
pub const LOADS_SLOWLY: &str = "its program is still being loaded: the disk it is on is slow, or does not answer";

/// What the executor says of a run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ProcessEvent {
    /// It runs.
    Spawned {
        /// Process id of the main process.
        pid: u32,
    },
    /// The kernel has been loading its program for long: the disk it is on does not answer. It may come of it yet.
    LoadsSlowly,
    /// It could not be started.
    SpawnFailed(SpawnFailure),
    /// The main process ended.
    MainExited {
        /// How.
        exit: Exit,
        /// Processes of the same tree that are still there, oldest first (at most 16 are listed).
        remaining: Vec<u32>,
    },
    /// No process of the tree is left. Always the last event of a run that was spawned.
    TreeGone,
    /// A message on its notification socket, from a process of the tree.
    Notified(Notification),
}

/// A message on the notification socket (sd_notify(3)).
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Notification {
    /// `READY=1` was in it.
    pub ready: Option<Said>,
    /// `STOPPING=1` was in it.
    pub stopping: Option<Said>,
    /// `STATUS=…`, at most 256 characters.
    pub status: Option<String>,
    /// `EXTEND_TIMEOUT_USEC=…`: for so long from now on, what it is about (its start, or its stop) is not given up.
    pub extend: Option<Duration>,
    /// `ERRNO=…`: the error of which it is about to end, as errno(3) numbers them.
    pub errno: Option<i32>,
    /// `EXIT_STATUS=…`: the exit code of what it ran.
    pub exit_status: Option<u8>,
    /// `MAINPID=…`: another process of its tree is its main process from now on.
    pub main_pid: Option<u32>,
}

impl Notification {
    /// Adds what was said later.
    pub fn merge(&mut self, later: Self) {
        let earlier = std::mem::take(self);
        *self = Self {
            ready: later.ready.or(earlier.ready),
            stopping: later.stopping.or(earlier.stopping),
            status: later.status.or(earlier.status),
            extend: later.extend.or(earlier.extend),
            errno: later.errno.or(earlier.errno),
            exit_status: later.exit_status.or(earlier.exit_status),
            main_pid: later.main_pid.or(earlier.main_pid),
        };
    }

    /// What it says of itself, in words; `None` when it says nothing of that kind.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let error = self.errno.map(|number| format!("it reports: {}", std::io::Error::from_raw_os_error(number)));
        let exit = self.exit_status.map(|code| format!("it reports exit code {code}"));
        let said = [self.status.clone(), error, exit].into_iter().flatten();
        said.reduce(|all, more| if all.is_empty() { more } else { format!("{all}; {more}") })
    }
}

/// Marks something that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "bool", into = "bool")]
pub struct Said;

impl From<Said> for bool {
    fn from(Said: Said) -> Self {
        true
    }
}

impl TryFrom<bool> for Said {
    type Error = &'static str;
    fn try_from(said: bool) -> Result<Self, Self::Error> {
        if said { Ok(Self) } else { Err("what was not said is left out") }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It is not known: it was not our child.
    Unknown,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(number) => match signal_name(*number) {
                Some(name) => write!(f, "killed by SIG{name}"),
                None => write!(f, "killed by signal {number}"),
            },
            Self::Unknown => f.write_str("exit code unknown"),
        }
    }
}

/// Names of signals as on Linux (signal(7)), without `SIG`.
#[must_use]
pub fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        6 => "ABRT",
        7 => "BUS",
        8 => "FPE",
        9 => "KILL",
        10 => "USR1",
        11 => "SEGV",
        12 => "USR2",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        _ => return None,
    })
}

/// What stands after the name of a program that is missing.
fn cure_of_missing(program: &str) -> &'static str {
    if program.contains('/') {
        "; install it, or correct its path"
    } else {
        " in the service's PATH; install it, write its full path, or set PATH in `environment`"
    }
}

/// Why a program could not be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum SpawnFailure {
    /// No such program.
    #[error("there is no program `{program}`{}", cure_of_missing(program))]
    NotFound {
        /// As it was written.
        program: String,
    },
    /// The program is there but not executable, or not for this user.
    #[error("`{program}` cannot be executed: permission denied; `chmod +x` it, or check the user it runs as")]
    NotExecutable {
        /// As it was written.
        program: String,
    },
    /// The program is there and the kernel cannot run it: it was built for another machine, or is a script of which the first
    /// line names nothing that could run it.
    #[error("{0}")]
    NotRunnable(String),
    /// No such user or group, or not allowed to become it.
    #[error("{0}")]
    User(String),
    /// The working directory is missing or closed.
    #[error("the working directory {path} cannot be entered: {why}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        why: String,
    },
    /// Anything else: no memory, too many processes, a pipe that could not be made.
    #[error("{0}")]
    Other(String),
}
