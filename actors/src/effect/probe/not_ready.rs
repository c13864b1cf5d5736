//! Why a service is not ready, in words for a person, and how far a look has come.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::exec::CommandFailure;
use super::http::BadUrl;
use super::http_response::{BadResponse, Status};
use super::watching::Why;
use crate::action::ports::Listener;
use crate::action::process::Exit;

/// Why a look did not see a ready service. The words stand after "not ready: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotReady {
    #[error("nothing listens on {0} (connection refused)")]
    Refused(SocketAddr),
    #[error("{place} cannot be reached: {why}")]
    Unreachable { place: SocketAddr, why: String },
    #[error("the name `{host}` leads to no address: {why}; write an address, or look at the name server")]
    UnknownHost { host: String, why: String },
    #[error("{0}")]
    BadUrl(#[from] BadUrl),
    #[error(
        "{listener} listens on {place}, and is not of this service; stop that program, or give the service another port"
    )]
    Foreign { place: SocketAddr, listener: Listener },
    #[error("{url} answered {status}")]
    HttpStatus { url: String, status: Status },
    #[error("{url} {fault}")]
    HttpFault { url: String, fault: BadResponse },
    #[error("the connection to {place} broke: {why}")]
    Broken { place: SocketAddr, why: String },
    #[error("{0} closed the connection before it said who it is; gpsd would send VERSION at once")]
    GpsdHungUp(SocketAddr),
    #[error("{place} does not speak like gpsd; it sent `{line}`")]
    NotGpsd { place: SocketAddr, line: String },
    #[error("gpsd on {0} talks, but does not answer ?DEVICES")]
    GpsdNoDevices(SocketAddr),
    #[error("gpsd answers, but has no device; give it one on its command line, or with `gpsdctl add`")]
    GpsdEmpty,
    #[error(
        "gpsd answers, but no device is activated yet ({devices}); without `-n` gpsd opens a device only for a client"
    )]
    GpsdInactive { devices: String },
    #[error("something answers on {url}, but not as Kismet does")]
    NotKismet { url: String },
    #[error("Kismet refuses the credentials in {}; they must be those of the user that Kismet runs as", .0.display())]
    KismetRefuses(PathBuf),
    #[error("Kismet answers, but has no data source; give it one with `-c INTERFACE:type=linuxwifi`")]
    KismetNoSource,
    #[error("Kismet answers, but its data source {source_name} does not run{}", because(.why))]
    KismetSource { source_name: String, why: Option<String> },
    #[error("the credentials file {} {why}", .path.display())]
    Credentials { path: PathBuf, why: String },
    #[error("{} does not exist", .0.display())]
    NoFile(PathBuf),
    #[error("{} cannot be looked at: {why}", .path.display())]
    FileUnreadable { path: PathBuf, why: String },
    #[error("its output does not say `{0}` yet")]
    NotLogged(String),
    #[error("its output cannot be kept, and so not be searched: {0}")]
    NotKept(String),
    #[error("`{command}` ended with {exit}")]
    CommandSaysNo { command: String, exit: Exit },
    #[error("`{command}` {failure}")]
    CommandFailed { command: String, failure: CommandFailure },
    /// It may still come.
    #[error("{0}")]
    Waiting(Stage),
    #[error("{stage} (waited {})", humantime::format_duration(*.waited))]
    TooSlow { stage: Stage, waited: Duration },
    #[error("mainstay could not start a thread for the look: {0}")]
    NoThread(String),
}

impl Why for NotReady {
    fn is_no_contact(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unreachable { .. } | Self::UnknownHost { .. } | Self::Broken { .. })
    }
}

fn because(why: &Option<String>) -> String {
    why.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
}

/// What a look is waiting for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing yet; or a thread, when too many of them hang.
    #[default]
    Begun,
    Resolving(String),
    Connecting(SocketAddr),
    HttpAnswer(String),
    GpsdVersion(SocketAddr),
    GpsdDevices(SocketAddr),
    File(PathBuf),
    Command(String),
    Owner(SocketAddr),
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun => {
                f.write_str("too many looks at files and names hang already; is a disk or a name server gone?")
            }
            Self::Resolving(host) => write!(f, "the name server does not answer for `{host}`"),
            Self::Connecting(place) => write!(f, "{place} does not take the connection"),
            Self::HttpAnswer(url) => write!(f, "{url} took the connection, but does not answer"),
            Self::GpsdVersion(place) => write!(
                f,
                "{place} takes connections, but no gpsd speaks there; either gpsd is still opening its receiver, \
                 or systemd (gpsd.socket) holds the port for a gpsd that does not run"
            ),
            Self::GpsdDevices(place) => write!(f, "gpsd on {place} does not answer ?DEVICES"),
            Self::File(path) => write!(f, "looking at {} hangs; is its disk or share gone?", path.display()),
            Self::Owner(place) => write!(f, "looking who listens on {place} takes long"),
            Self::Command(command) => write!(f, "`{command}` has not ended"),
        }
    }
}

/// Where a look is, for the one who stops it when it takes too long, and who took its connection.
#[derive(Debug, Default)]
pub(super) struct Progress(RefCell<Stage>, Cell<Option<SocketAddr>>);

impl Progress {
    /// The look now waits for this.
    pub(super) fn to(&self, stage: Stage) {
        self.0.replace(stage);
    }

    /// Somebody took the connection there.
    pub(super) fn connected(&self, place: SocketAddr) {
        self.1.set(Some(place));
    }

    /// Where the last connection was taken.
    pub(super) fn place(&self) -> Option<SocketAddr> {
        self.1.get()
    }

    /// What it waited for last.
    pub(super) fn stage(&self) -> Stage {
        self.0.borrow().clone()
    }
}
