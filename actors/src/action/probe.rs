//! What is asked of the readiness probes, and what they answer: data only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::names::ServiceName;

use crate::action::process::RunId;

/// A readiness probe with all variables filled in. `process` and `notify` need no probing and are not here.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ProbeTarget {
    /// Accepts a TCP connection.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// Answers an HTTP GET with 2xx or 3xx.
    Http {
        /// `http://host:port/path`.
        url: String,
    },
    /// A command exits with 0.
    Exec {
        /// What is run, and as whom.
        command: Box<CheckCommand>,
    },
    /// A file exists.
    File {
        /// Its path.
        path: PathBuf,
    },
    /// A line of the service's output since this start contains a text.
    Log {
        /// The log file the service writes to.
        service: ServiceName,
        /// The text.
        contains: String,
    },
    /// gpsd answers with `VERSION`, and `?DEVICES` lists an activated device.
    Gpsd {
        /// Port on 127.0.0.1.
        port: u16,
    },
    /// Kismet answers; with credentials, a data source runs without error.
    Kismet {
        /// Port on 127.0.0.1.
        port: u16,
        /// File with `httpd_username=` and `httpd_password=`.
        credentials: Option<PathBuf>,
    },
}

/// A command of a check, which runs as the service that is checked does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CheckCommand {
    /// Which service.
    pub service: ServiceName,
    /// Program and arguments; never empty. A program without a slash is sought in the service's `PATH`.
    pub argv: Vec<String>,
    /// The service's variables.
    pub environment: BTreeMap<String, String>,
    /// Those that it takes over from mainstay.
    pub environment_from: BTreeSet<String>,
    /// Its user.
    pub user: Option<String>,
    /// Its group.
    pub group: Option<String>,
    /// Its working directory.
    pub directory: Option<PathBuf>,
}

/// Watch a run until it is ready.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProbeOrder {
    /// Which run.
    pub run: RunId,
    /// What to look at.
    pub target: ProbeTarget,
    /// Time between two looks.
    pub interval: Duration,
    /// Bound on one look.
    pub timeout: Duration,
    /// Who must be the one that answers on a leased port.
    pub own: Own,
}

/// The run that is looked at, and the ports that it leases: on these, nobody else is believed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Own {
    /// Whose run it is.
    pub service: ServiceName,
    /// Its main process.
    pub pid: u32,
    /// The ports.
    pub ports: BTreeSet<u16>,
}

/// What a probe says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ProbeEvent {
    /// It is ready; the probe has ended. What was seen, in words.
    Ready(String),
    /// Not yet; said when the reason changes. Why, in words that stand after "not ready: ".
    NotYet(String),
}

impl std::fmt::Display for ProbeTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "tcp {host}:{port}"),
            Self::Http { url } => write!(f, "GET {url}"),
            Self::Exec { command } => write!(f, "exec {}", command.argv.join(" ")),
            Self::File { path } => write!(f, "file {}", path.display()),
            Self::Log { contains, .. } => write!(f, "log line with {contains:?}"),
            Self::Gpsd { port } => write!(f, "gpsd on port {port}"),
            Self::Kismet { port, .. } => write!(f, "Kismet on port {port}"),
        }
    }
}
