//! When a service counts as ready.

use std::path::PathBuf;
use std::time::Duration;

use crate::template::Template;

/// When a service counts as ready.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ready {
    /// What is looked at.
    pub probe: Probe,
    /// Not ready by then: the start has failed.
    pub within: Duration,
}

/// What is looked at to see that a service is ready.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Probe {
    /// It lives.
    Process,
    /// It says `READY=1` on `NOTIFY_SOCKET` (sd_notify(3)).
    Notify,
    /// It accepts a TCP connection.
    Tcp {
        /// Address, without port.
        host: String,
        /// Port: a number or `{port.NAME}`.
        port: Template,
    },
    /// It answers an HTTP GET with 2xx or 3xx.
    Http {
        /// `http://host:port/path`, templates allowed.
        url: Template,
    },
    /// A command exits with 0.
    Exec {
        /// Program and arguments.
        command: Vec<Template>,
    },
    /// A file exists.
    File {
        /// Its path.
        path: Template,
    },
    /// A line of its output contains this text.
    Log {
        /// The text.
        contains: String,
    },
    /// gpsd answers on its port with `VERSION` and has an activated device.
    Gpsd {
        /// Port: a number or `{port.NAME}`.
        port: Template,
    },
    /// Kismet answers on its port.
    Kismet {
        /// Port: a number or `{port.NAME}`.
        port: Template,
        /// A file with `httpd_username=` and `httpd_password=` lines (Kismet's own `kismet_httpd.conf`); with it, ready
        /// means that a data source is running without error.
        credentials: Option<PathBuf>,
    },
}
