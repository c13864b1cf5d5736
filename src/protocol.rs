//! What the command line and the daemon say to each other over the Unix socket: one JSON object per line.
//! One request per connection; the answer is one line, or many for `Trace { follow }`, each an [`Answer`].

use mainstay_actors::message::service::{Attempts, NeedsPolicy};
use mainstay_actors::view::{DevicesView, LeasesView, StatusView, TraceView, WhyView};
use serde::{Deserialize, Serialize};

/// What the command line asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Services, devices and leases.
    Status,
    /// Devices, configured and other.
    Devices,
    /// Leases and who waits.
    Leases,
    /// Why a service or device is as it is.
    Why {
        /// Which.
        name: String,
    },
    /// Traces.
    Trace(TraceRequest),
    /// Where the log files of a service are.
    Logs {
        /// Which service.
        service: String,
    },
    /// Wanted: up.
    Start {
        /// Which services.
        services: Vec<String>,
        /// What to do about needs that are not met.
        needs: NeedsPolicy,
    },
    /// Wanted: down. Dependents stop first.
    Stop {
        /// Which services.
        services: Vec<String>,
    },
    /// Stop and start again.
    Restart {
        /// Which services.
        services: Vec<String>,
        /// Whether a failed service counts its attempts anew.
        attempts: Attempts,
    },
    /// Take a device out of use.
    Eject {
        /// Which.
        device: String,
    },
    /// Take an ejected, faulted or quarantined device back.
    Admit {
        /// Which.
        device: String,
    },
    /// Plug in a simulated device (demo only).
    Plug {
        /// Which.
        device: String,
        /// Another USB port than last time, such as `1-2`.
        port: Option<String>,
    },
    /// Pull out a simulated device (demo only).
    Unplug {
        /// Which.
        device: String,
    },
    /// Make an actor, a thread or a task panic (debug builds only): docs/contributing.md lists them.
    Panic {
        /// Its address.
        actor: String,
    },
    /// Let an actor never return from what it handles (debug builds only).
    Freeze {
        /// Its address.
        actor: String,
    },
}

/// Which traces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TraceRequest {
    /// This one; else the latest that matches.
    pub(crate) id: Option<u64>,
    /// Only traces that touch this device.
    pub(crate) device: Option<String>,
    /// Only traces that touch this service.
    pub(crate) service: Option<String>,
    /// Keep sending traces as they happen: each is sent when it has been quiet for a moment.
    #[serde(default)]
    pub(crate) follow: bool,
}

/// What the daemon answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// To `Status`.
    Status(StatusView),
    /// To `Devices`.
    Devices(DevicesView),
    /// To `Leases`.
    Leases(LeasesView),
    /// To `Why`.
    Why(WhyView),
    /// To `Trace`.
    Trace(TraceView),
    /// To `Logs`: the current file; older ones are beside it as `.1`, `.2`, ….
    Logs {
        /// `<log_dir>/<service>.log`.
        path: std::path::PathBuf,
        /// Of a service that has never been started: how it stands, in a sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        never_started: Option<String>,
        /// Why what it prints, or printed last, is lost, if so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lost: Option<String>,
    },
    /// It was done, or begun; a sentence for each thing.
    Done {
        /// What was done.
        said: Vec<String>,
        /// The trace to follow.
        trace: Option<u64>,
    },
    /// It was not done.
    Error(ErrorAnswer),
}

impl Answer {
    /// It was not done.
    pub(crate) fn error<'a>(code: ErrorCode, message: impl Into<String>, help: impl Into<Option<&'a str>>) -> Self {
        Self::Error(ErrorAnswer::new(code, message, help))
    }
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorAnswer {
    /// For programs.
    pub(crate) code: ErrorCode,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) help: Option<String>,
}

impl ErrorAnswer {
    pub(crate) fn new<'a>(code: ErrorCode, message: impl Into<String>, help: impl Into<Option<&'a str>>) -> Self {
        Self { code, message: message.into(), help: help.into().map(str::to_owned) }
    }
}

/// Why it was not done, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorCode {
    /// No service or device has that name.
    UnknownName,
    /// Only the demo has devices that can be plugged by command.
    NotInDemo,
    /// It would break a rule, such as starting over a held dependency.
    Refused,
    /// This user may not operate the daemon.
    Forbidden,
    /// Too much at once; the same may succeed later.
    Busy,
    /// There is nothing of the kind, such as no trace yet.
    Nothing,
    /// The request could not be understood.
    BadRequest,
}
