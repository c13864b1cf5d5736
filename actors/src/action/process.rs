//! What is asked of the process executor, and what it answers: data only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::StopSignal;
use mainstay_config::names::ServiceName;

use mainstay_hardware::error::{Errno, SystemError};

/// One incarnation of a service's process tree. Never used twice, also not across restarts of actors.
/// It stands in the environment of every process of the tree: `MAINSTAY_RUN=<service>.<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

/// A program with its arguments and all that it is given, filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Invocation {
    /// Program and arguments; never empty. A program without a slash is sought in `PATH`.
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
}

/// Start a program.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SpawnOrder {
    /// For whom.
    pub service: ServiceName,
    /// The incarnation, chosen by the service.
    pub run: RunId,
    /// Which program.
    pub program: Invocation,
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

/// Whatever time a service asks for (`EXTEND_TIMEOUT_USEC=`), it has so much: so it need not be told more often.
pub const SHORTEST_EXTENSION: Duration = Duration::from_secs(1);

/// A message on the notification socket (sd_notify(3)).
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Notification {
    /// `READY=1` was in it.
    pub ready: bool,
    /// `STOPPING=1` was in it.
    pub stopping: bool,
    /// What it says of itself.
    pub status: Status,
    /// `EXTEND_TIMEOUT_USEC=…`: for so long from now on, what it is about (its start, or its stop) is not given up.
    pub extend: Option<Duration>,
    /// `MAINPID=…`: another process of its tree is its main process from now on.
    pub main_pid: Option<u32>,
}

impl Notification {
    /// Adds what was said later.
    pub fn merge(&mut self, later: Self) {
        let earlier = std::mem::take(self);
        *self = Self {
            ready: later.ready || earlier.ready,
            stopping: later.stopping || earlier.stopping,
            status: earlier.status.and_later(later.status),
            extend: later.extend.or(earlier.extend),
            main_pid: later.main_pid.or(earlier.main_pid),
        };
    }
}

/// What a program says of itself on its notification socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Status {
    /// `STATUS=…`, at most 256 characters.
    pub words: Option<Arc<str>>,
    /// `ERRNO=…`: the error of which it is about to end.
    pub errno: Option<Errno>,
    /// `EXIT_STATUS=…`: the exit code of what it ran.
    pub exit: Option<u8>,
}

impl From<&str> for Status {
    fn from(words: &str) -> Self {
        Self { words: Some(words.into()), ..Self::default() }
    }
}

impl Status {
    /// The same with what was said later: of each thing, the newest.
    #[must_use]
    pub fn and_later(self, later: Self) -> Self {
        Self { words: later.words.or(self.words), errno: later.errno.or(self.errno), exit: later.exit.or(self.exit) }
    }

    /// Whether there is nothing to show of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.as_deref().is_none_or(str::is_empty) && self.errno.is_none() && self.exit.is_none()
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

/// Why a program could not be started.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SpawnFailure {
    /// No program was named.
    NoProgram,
    /// No such program, as it was written.
    NotFound(String),
    /// The program is there but not executable, or not for this user.
    NotExecutable(String),
    /// The program is there and the kernel cannot run it.
    NotRunnable {
        /// As it was written.
        program: String,
        /// What it lacks.
        why: NotRunnable,
    },
    /// It cannot run as whom it should.
    NotAs(NotAs),
    /// The working directory is missing or closed.
    Directory {
        /// Which.
        path: PathBuf,
        /// Who should have entered it, where that is not mainstay's own user.
        user: Option<String>,
        /// What the kernel said.
        error: SystemError,
    },
    /// The system refused something: no memory, too many processes. That may pass.
    Refused {
        /// What was asked for.
        what: Needed,
        /// What the kernel said.
        error: SystemError,
    },
    /// Thousands of programs wait to be started already. That passes.
    Busy,
    /// Mainstay is ending.
    Ending,
}

impl SpawnFailure {
    /// Whether another attempt may go better with nothing changed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Busy | Self::Ending => true,
            Self::NoProgram
            | Self::NotFound(_)
            | Self::NotExecutable(_)
            | Self::NotRunnable { .. }
            | Self::NotAs(_)
            | Self::Directory { .. } => false,
        }
    }
}

/// Why the kernel cannot run a program that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NotRunnable {
    /// What should run it is not there: the interpreter of its first line, or the loader of another machine.
    NoInterpreter,
    /// It is a directory.
    Directory,
    /// It was built for another machine, or is a script without a first line that names its interpreter.
    Format,
}

/// Why a program cannot run as another user or group.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NotAs {
    /// There is none of this name.
    Unknown(AccountKind, String),
    /// The file that lists them cannot be read.
    Unreadable(AccountKind, SystemError),
    /// Only root may change to another.
    NotRoot(AccountKind, String),
    /// Mainstay is root, and yet may not: the program that it was to start.
    NotCapable(String),
}

/// What a program can be told to run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum AccountKind {
    /// A user.
    User,
    /// A group.
    Group,
}

impl AccountKind {
    /// Where these are listed.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::User => "/etc/passwd",
            Self::Group => "/etc/group",
        }
    }
}

/// What a start needs of the system.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Needed {
    /// A process of this program.
    Process(String),
    /// A pipe for its output.
    OutputPipe,
    /// A socket for what it says.
    NotificationSocket,
}
