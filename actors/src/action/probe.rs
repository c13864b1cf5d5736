//! What is asked of the readiness probes, and what they answer: data only.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::names::ServiceName;

use crate::action::not_ready::{HttpStatus, NotReady};
use crate::action::process::{Invocation, RunId};
use mainstay_hardware::error::SystemError;

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
        /// Which service is checked.
        service: ServiceName,
        /// What is run, as the service runs itself.
        command: Box<Invocation>,
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
    /// It is ready; the probe has ended.
    Ready(Sight),
    /// Not yet; said when the reason changes.
    NotYet(NotReady),
}

/// By what a look saw that a service is ready.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Sight {
    /// It takes connections there.
    TakesConnections(SocketAddr),
    /// Its web server answers.
    HttpAnswer {
        /// At which address.
        url: String,
        /// What.
        status: HttpStatus,
    },
    /// This command ended well.
    CommandSaysYes(String),
    /// A file exists.
    FileExists(PathBuf),
    /// This text is in its output.
    Logged(String),
    /// gpsd has a device open.
    Gpsd {
        /// The version of gpsd.
        release: String,
        /// The device.
        device: String,
    },
    /// Kismet answers, and runs as this user.
    Kismet(String),
    /// This data source of Kismet runs.
    KismetSource(String),
    /// The same, and nobody knows whether it was this service that answered: what the system said when it was asked.
    OfUnknownOwner(Box<Self>, Option<SystemError>),
}
