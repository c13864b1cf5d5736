//! Why the daemon could not be asked, and what to do about it.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use mainstay_actors::effect::process::groups::Groups;

use crate::error::{END_THEM, Told};
use crate::exit::ExitStatus;

/// Write permission of the group, for a socket the permission to connect (unix(7)).
const GROUP_MAY: u32 = 0o020;

/// What was found at a place where no daemon answers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Looked {
    /// No socket.
    #[error("not there")]
    Missing,
    /// A socket that nobody listens on.
    #[error("the daemon that owned it is gone")]
    Gone,
    /// A file or a directory.
    #[error("it is not a socket")]
    NoSocket,
    /// This user may not connect.
    #[error("permission denied")]
    Denied,
    /// The directory may be a trap.
    #[error("not trusted: {0}")]
    NotTrusted(String),
    /// Its queue of callers is full and does not move.
    #[error("the daemon does not respond")]
    Stuck,
    /// Anything else.
    #[error("{0}")]
    Other(io::Error),
}

impl From<io::Error> for Looked {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            io::ErrorKind::ConnectionRefused => Self::Gone,
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Stuck,
            _ => Self::Other(error),
        }
    }
}

/// Why the daemon could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Nobody listens anywhere.
    #[error("no mainstay daemon answers")]
    NoDaemon {
        /// Where it was looked for, and what was found.
        looked: Vec<(PathBuf, Looked)>,
        /// Why the configuration could not be asked where else.
        unread: Option<String>,
    },
    /// There is a socket, for others.
    #[error("you may not use {socket}", socket = socket.display())]
    Denied {
        /// The socket.
        socket: PathBuf,
        /// The group whose members may.
        group: Option<String>,
    },
    /// It took the question and does not answer.
    #[error("the mainstay daemon does not answer")]
    Silent,
    /// It closed in the middle.
    #[error("the mainstay daemon closed the connection without an answer")]
    Closed,
    /// The answer is beyond all bounds.
    #[error("the answer of the mainstay daemon is longer than 16 MiB")]
    TooLong,
    /// Another version, or no mainstay at all.
    #[error("the answer of the mainstay daemon cannot be understood: {0}")]
    NotUnderstood(serde_json::Error),
    /// The connection broke.
    #[error("the connection to the mainstay daemon broke: {0}")]
    Broken(io::Error),
}

impl ClientError {
    /// The same, with why the configuration could not be asked for a place.
    pub(super) fn with_unread(self, why: Option<&str>) -> Self {
        match self {
            Self::NoDaemon { looked, .. } => Self::NoDaemon { looked, unread: why.map(str::to_owned) },
            other => other,
        }
    }

    /// Permission was denied at this socket; finds out who may.
    pub(super) fn denied(socket: PathBuf) -> Self {
        let meta = std::fs::metadata(&socket).ok();
        let gid = meta.filter(|meta| meta.permissions().mode() & GROUP_MAY != 0).map(|meta| meta.gid());
        let groups = Groups::of_system().unwrap_or_default();
        let group = gid.and_then(|gid| groups.name(gid)).map(str::to_owned);
        Self::Denied { socket, group }
    }
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Silent,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Broken(error),
        }
    }
}

impl From<ClientError> for Told {
    fn from(error: ClientError) -> Self {
        let said = error.to_string();
        match error {
            ClientError::NoDaemon { looked, unread } => no_daemon(said, &looked, unread.as_deref()),
            ClientError::Denied { group: Some(group), .. } => Told::new(
                ExitStatus::Refused,
                format!("{said}: it is for root, its owner and members of the group `{group}`"),
            )
            .help(format!("join the group with `sudo usermod -aG {group} $USER` and log in again, or use sudo")),
            ClientError::Denied { group: None, .. } => {
                Told::new(ExitStatus::Refused, format!("{said}: it is for root and its owner"))
                    .help("use sudo, or run as the user that the daemon runs as")
            }
            ClientError::Silent => Told::new(ExitStatus::NoDaemon, said).help(
                "it may be stopped (SIGCONT lets it go on) or held up by the kernel: `ps -C mainstay -o pid,stat,wchan,args` \
                 shows which; its services run on meanwhile",
            ),
            ClientError::Closed | ClientError::Broken(_) => {
                Told::new(ExitStatus::NoDaemon, said).help("see what the daemon itself says, then try again")
            }
            ClientError::TooLong => {
                Told::new(ExitStatus::Failed, said).help("ask for less, such as one trace by its number")
            }
            ClientError::NotUnderstood(_) => Told::new(ExitStatus::Failed, said)
                .help("use the version of mainstay that the daemon was started from: restart it after an upgrade"),
        }
    }
}

fn no_daemon(said: String, looked: &[(PathBuf, Looked)], unread: Option<&str>) -> Told {
    let mut message = format!("{said}; looked at");
    for (socket, found) in looked {
        message.push_str(&format!("\n{}: {found}", socket.display()));
    }
    if let Some(why) = unread {
        message.push_str(&format!("\nand not in the `run_dir` of the configuration, which is not known: {why}"));
    }
    let start = "start one with `mainstay run --config mainstay.toml`, or try `mainstay run --demo`;\n\
         if it listens elsewhere, name its socket with --socket or MAINSTAY_SOCKET";
    // One that ends in order takes its socket along.
    let was_killed = looked.iter().any(|(_, found)| matches!(found, Looked::Gone));
    let help = if was_killed {
        format!("a daemon that was killed leaves its services running. {END_THEM}\nThen {start}")
    } else {
        start.to_owned()
    };
    Told::new(ExitStatus::NoDaemon, message).help(help)
}
