//! What is asked of the readiness probes, and what they answer: data only.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::names::ServiceName;

use crate::effect::process::order::RunId;

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
        /// Program and arguments.
        command: Vec<String>,
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
            Self::Exec { command } => write!(f, "exec {}", command.join(" ")),
            Self::File { path } => write!(f, "file {}", path.display()),
            Self::Log { contains, .. } => write!(f, "log line with {contains:?}"),
            Self::Gpsd { port } => write!(f, "gpsd on port {port}"),
            Self::Kismet { port, .. } => write!(f, "Kismet on port {port}"),
        }
    }
}
