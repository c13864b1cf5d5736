//! Why a service is not ready yet, as probes see it: data only.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_hardware::error::SystemError;

use crate::action::ports::Listener;
use crate::action::process::{Exit, SpawnFailure};

/// Most bytes of head, interim (1xx) responses included.
pub const HEAD_LIMIT: usize = 16 * 1024;
/// Most bytes of body.
pub const BODY_LIMIT: usize = 256 * 1024;

/// Why a look did not see a ready service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NotReady {
    /// Nothing listens there.
    Refused(SocketAddr),
    /// The connection was taken, and nothing listens there (any more).
    NoListener(SocketAddr),
    /// There is no way to it.
    Unreachable {
        /// To where.
        place: SocketAddr,
        /// What the system said.
        error: SystemError,
    },
    /// A name leads to no address.
    UnknownHost {
        /// Which.
        host: String,
        /// What the system said; nothing when the name is known and has no address.
        error: Option<SystemError>,
    },
    /// An address cannot be probed.
    BadUrl(BadUrl),
    /// Somebody answers who is not of this service.
    Foreign {
        /// Where.
        place: SocketAddr,
        /// Who.
        listener: Listener,
    },
    /// A web server says no.
    HttpStatus {
        /// At which address.
        url: String,
        /// What it answered.
        status: HttpStatus,
    },
    /// A web server does not speak as it should.
    HttpFault {
        /// At which address.
        url: String,
        /// What is wrong.
        fault: BadResponse,
    },
    /// A connection broke.
    Broken {
        /// To where.
        place: SocketAddr,
        /// What the system said.
        error: SystemError,
    },
    /// gpsd is not as it should be.
    Gpsd(GpsdFault),
    /// Kismet is not as it should be.
    Kismet(KismetFault),
    /// A file does not exist.
    NoFile(PathBuf),
    /// A file cannot be looked at.
    FileUnreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: SystemError,
    },
    /// This text is not in its output yet.
    NotLogged(String),
    /// The text may have been in its output, which cannot be written.
    NotKept {
        /// To which folder.
        folder: PathBuf,
        /// What the system said.
        error: SystemError,
    },
    /// A command says that it is not ready.
    CommandSaysNo {
        /// Which.
        command: String,
        /// How it ended.
        exit: Exit,
    },
    /// A command did not come to its end.
    CommandFailed {
        /// Which.
        command: String,
        /// Why.
        failure: CommandFailure,
    },
    /// The look goes on, and waits for this.
    Waiting(Awaited),
    /// The look took too long.
    TooSlow {
        /// What it waited for.
        stage: Awaited,
        /// How long.
        waited: Duration,
    },
    /// There was no thread for the look, or it ended without an answer.
    NoThread(Option<SystemError>),
}

impl NotReady {
    /// Whether nobody was there to answer, which a look that waits for an answer has overtaken.
    #[must_use]
    pub fn is_no_contact(&self) -> bool {
        matches!(
            self,
            Self::Refused(_)
                | Self::NoListener(_)
                | Self::Unreachable { .. }
                | Self::UnknownHost { .. }
                | Self::Broken { .. }
        )
    }
}

/// What is wrong with gpsd.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum GpsdFault {
    /// It closed the connection before it said who it is.
    HungUp(SocketAddr),
    /// Something else answers.
    NotGpsd {
        /// Where.
        place: SocketAddr,
        /// What it sent; `None` when that has no end.
        line: Option<String>,
    },
    /// It does not say which devices it has.
    Silent(SocketAddr),
    /// It has no device.
    NoDevice,
    /// It has none of these devices open.
    Inactive(Vec<String>),
}

/// What is wrong with Kismet.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum KismetFault {
    /// Something else answers at this address.
    NotKismet(String),
    /// It refuses the credentials in this file.
    Refuses(PathBuf),
    /// There are no credentials in a file.
    NoCredentials {
        /// In which.
        path: PathBuf,
        /// Why.
        why: NoCredentials,
    },
    /// It has no data source.
    NoSource,
    /// A data source does not run.
    Source {
        /// Which.
        source: String,
        /// What Kismet says of that.
        why: Option<String>,
    },
}

/// What a look is waiting for.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Awaited {
    /// Nothing yet; or a thread, when too many of them hang.
    #[default]
    Begun,
    /// The address of this name.
    Resolving(String),
    /// That somebody takes the connection.
    Connecting(SocketAddr),
    /// An answer from this address.
    HttpAnswer(String),
    /// That gpsd says who it is.
    GpsdVersion(SocketAddr),
    /// That gpsd names its devices.
    GpsdDevices(SocketAddr),
    /// The disk of this file.
    File(PathBuf),
    /// The end of this command.
    Command(String),
    /// The system, asked who listens there.
    Owner(SocketAddr),
}

/// Why there are no credentials in a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NoCredentials {
    /// It cannot be read.
    Unreadable(SystemError),
    /// This is not in it.
    Missing(Credential),
}

/// What a login needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Credential {
    /// The user's name.
    User,
    /// His password.
    Password,
}

impl Credential {
    /// Its name in Kismet's file.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::User => "httpd_username",
            Self::Password => "httpd_password",
        }
    }
}

/// An address that cannot be probed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BadUrl {
    /// Which.
    pub url: String,
    /// What is wrong with it.
    pub why: UrlFault,
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum UrlFault {
    /// It has a space or a control character in it.
    Space,
    /// It does not begin with `http://`.
    Scheme,
    /// It has a user name in it.
    User,
    /// Its port is not a number.
    Port,
    /// It has no host.
    NoHost,
}

/// What is wrong with a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum BadResponse {
    /// It is not HTTP.
    NotHttp,
    /// Its headers are longer than [`HEAD_LIMIT`].
    HeadTooLong,
    /// Its body is longer than [`BODY_LIMIT`].
    BodyTooLong,
    /// The length of its body makes no sense.
    BadLength,
    /// The connection was closed in the middle of it.
    CutShort,
}

/// A status code and its phrase: "503 Service Unavailable".
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HttpStatus {
    /// The code.
    pub code: u16,
    /// What the server calls it.
    pub phrase: String,
}

/// Why a command of a probe has no exit code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum CommandFailure {
    /// It did not start.
    NotStarted(SpawnFailure),
    /// It was killed because it took too long.
    TooSlow(Duration),
}
