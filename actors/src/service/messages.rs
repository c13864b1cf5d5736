//! What a service is told and tells.

use std::fmt;

use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::sighting::Generation;

use super::ServiceTimer;
use crate::device::Offer;
use crate::effect::probe::order::ProbeEvent;
use crate::effect::process::order::{LOADS_SLOWLY, ProcessEvent, RunId};
use crate::lease::{Blocker, Grant, PortNumbers, Resource, Token};
use crate::machine::{Described, Moment, RequestId, Words};

/// What the operator asked of a service. It lasts until asked otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// Nothing: `autostart` decides.
    #[default]
    Auto,
    /// Run.
    Up,
    /// Do not run.
    Down,
}

impl Wanted {
    /// The word shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What to do about needs that are not met when the operator starts a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeedsPolicy {
    /// Wait for them; refuse when one is held or never starts by itself.
    Respect,
    /// Start them as well.
    StartThem,
    /// Start without the services it requires. Devices are still needed.
    Ignore,
}

/// Whether a restart counts failures anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempts {
    /// They go on.
    Keep,
    /// They begin anew.
    Reset,
}

/// Numbers the departures of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Episode(pub u32);

/// What a service is, seen by those that depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Not known yet.
    Unknown,
    /// It is running.
    Up,
    /// It is starting, or is being restarted with all that it holds: how, in words. It waits for nothing that others hold.
    Starting(String),
    /// It will start again by itself, some time: how, in words.
    Coming(String),
    /// It is about to stop and waits until its dependents have stopped.
    Leaving {
        /// Why.
        why: String,
        /// What comes after.
        next: Next,
        /// Which of its departures: an answer to an earlier one does not count.
        episode: Episode,
    },
    /// It does not run: why, in words.
    Down(String),
    /// The operator holds it, or it does not start by itself: why, in words.
    Held(String),
}

/// What a service that stops is to do then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It starts again at once, with all that it holds.
    Restart,
    /// It does not, or not at once.
    Rest,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not heard of yet"),
            Self::Up => f.write_str("running"),
            Self::Starting(how) | Self::Coming(how) | Self::Down(how) | Self::Held(how) => f.write_str(how),
            Self::Leaving { why, .. } => write!(f, "about to stop: {why}"),
        }
    }
}

/// Why a lease is withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// What was leased is gone.
    Loss,
    /// The service only waits to be started again, and somebody else waits for what it keeps.
    GivingWay,
}

/// What a service waits for that has all it needs while others are just starting.
pub const START_SLOT: &str = "a start slot (max_parallel_starts)";

/// What a service is told.
#[derive(Debug, Clone)]
pub enum ServiceMessage {
    /// Begin: everything is set up.
    Begin,
    /// A service it depends on has changed.
    Dependency(ServiceName, Standing),
    /// A service that depends on it has no process left (and will not start before being told that this one is up).
    DependentStopped(ServiceName, Episode),
    /// The leases it asked for.
    Granted(Grant),
    /// It must wait for its leases.
    Queued(Vec<Blocker>),
    /// It will not get its leases: why.
    Refused(String),
    /// What it kept under this token can be used again, with these ports; or it cannot: why.
    Renewed(Token, Result<PortNumbers, String>),
    /// A lease is withdrawn: stop, then release.
    Revoked {
        /// Which.
        token: Token,
        /// Whose matter it is.
        withdrawal: Withdrawal,
        /// Why: `hackrf is gone (USB 1-1 unplugged)`.
        reason: String,
    },
    /// It holds nothing and waits for nothing.
    NothingHeld,
    /// A device it uses is there.
    DeviceArrived(DeviceName, Generation),
    /// A device that it holds is known by other facts now, such as another name of its interface.
    Corrected(DeviceName, Offer),
    /// A device it uses is gone.
    DeviceLeft(DeviceName),
    /// Its start slot.
    SlotGranted,
    /// What the process executor says of a run.
    Process(RunId, ProcessEvent),
    /// What a readiness probe says of a run.
    Probe(RunId, ProbeEvent),
    /// The operator wants it up.
    Start(RequestId, NeedsPolicy),
    /// A service that is started with its needs needs it up.
    StartForDependent(ServiceName),
    /// The operator wants it down.
    Stop(RequestId),
    /// The operator wants it stopped and started again.
    Restart(RequestId, Attempts),
    /// The daemon is closing down.
    Close,
    /// The daemon is in a hurry: no more grace.
    Hurry,
    /// A timer.
    Timer(ServiceTimer),
}

impl Described for ServiceMessage {
    fn kind(&self) -> &'static str {
        match self {
            Self::Begin => "Begin",
            Self::Dependency(..) => "Dependency",
            Self::DependentStopped(..) => "DependentStopped",
            Self::Granted(_) => "Granted",
            Self::Queued(_) => "Queued",
            Self::Refused(_) => "Refused",
            Self::Renewed(..) => "Renewed",
            Self::Revoked { .. } => "Revoked",
            Self::NothingHeld => "NothingHeld",
            Self::DeviceArrived(..) => "DeviceArrived",
            Self::Corrected(..) => "Corrected",
            Self::DeviceLeft(_) => "DeviceLeft",
            Self::SlotGranted => "SlotGranted",
            Self::Process(_, event) => match event {
                ProcessEvent::Spawned { .. } => "Spawned",
                ProcessEvent::LoadsSlowly => "LoadsSlowly",
                ProcessEvent::SpawnFailed(_) => "SpawnFailed",
                ProcessEvent::MainExited { .. } => "MainExited",
                ProcessEvent::TreeGone => "TreeGone",
                ProcessEvent::Notified(_) => "Notified",
            },
            Self::Probe(_, ProbeEvent::Ready(_)) => "ProbeReady",
            Self::Probe(_, ProbeEvent::NotYet(_)) => "ProbeNotYet",
            Self::Start(..) => "Start",
            Self::StartForDependent(_) => "StartForDependent",
            Self::Stop(_) => "Stop",
            Self::Restart(..) => "Restart",
            Self::Close => "Close",
            Self::Hurry => "Hurry",
            Self::Timer(_) => "Timer",
        }
    }

    fn detail(&self) -> Words {
        match self {
            Self::Begin => "begin".into(),
            Self::Dependency(name, standing) => format!("{name} is {standing}").into(),
            Self::DependentStopped(name, _) => Words::Service(name.clone(), "need not be waited for"),
            Self::Granted(grant) => describe_grant(grant).into(),
            Self::Queued(blockers) if blockers.is_empty() => "nothing is waited for any more".into(),
            Self::Queued(blockers) => {
                let all: Vec<String> = blockers.iter().map(ToString::to_string).collect();
                format!("wait for {}", all.join("; ")).into()
            }
            Self::Refused(reason) | Self::Renewed(_, Err(reason)) => reason.clone().into(),
            Self::Renewed(token, Ok(_)) => Words::Number("it can use again what it holds with token", token.0),
            Self::Revoked { reason, .. } => reason.clone().into(),
            Self::NothingHeld => "it holds nothing".into(),
            Self::DeviceArrived(device, generation) => format!("{device} is there ({generation})").into(),
            Self::Corrected(device, offer) => match &offer.interface {
                Some(interface) => format!("{device} is called {interface} now").into(),
                None => Words::Device(device.clone(), "has changed"),
            },
            Self::DeviceLeft(device) => Words::Device(device.clone(), "has left"),
            Self::SlotGranted => "it may start now".into(),
            Self::Process(_, event) => describe_process(event),
            Self::Probe(_, ProbeEvent::Ready(words)) => words.clone().into(),
            Self::Probe(_, ProbeEvent::NotYet(words)) => format!("not ready: {words}").into(),
            Self::Start(_, NeedsPolicy::Respect) => "start it".into(),
            Self::Start(_, NeedsPolicy::StartThem) => "start it with what it needs".into(),
            Self::Start(_, NeedsPolicy::Ignore) => "start it without what it needs".into(),
            Self::StartForDependent(name) => format!("start it for {name}").into(),
            Self::Stop(_) => "stop it".into(),
            Self::Restart(_, Attempts::Keep) => "restart it".into(),
            Self::Restart(_, Attempts::Reset) => "restart it and forget its failures".into(),
            Self::Close => "mainstay is stopping".into(),
            Self::Hurry => "no more grace".into(),
            Self::Timer(timer) => timer.words().into(),
        }
    }
}

fn describe_grant(grant: &Grant) -> String {
    let devices = grant.devices.keys().map(ToString::to_string);
    let ports = grant.ports.values().map(|port| format!("port {port}"));
    let all: Vec<String> = devices.chain(ports).chain(grant.named.iter().map(Resource::spoken)).collect();
    format!("it holds {} with token {}", all.join(", "), grant.token.0)
}

fn describe_process(event: &ProcessEvent) -> Words {
    match event {
        ProcessEvent::Spawned { pid } => Words::Number("it runs as pid", u64::from(*pid)),
        ProcessEvent::LoadsSlowly => LOADS_SLOWLY.into(),
        ProcessEvent::SpawnFailed(failure) => failure.to_string().into(),
        ProcessEvent::MainExited { exit, remaining } if remaining.is_empty() => format!("it ended: {exit}").into(),
        ProcessEvent::MainExited { exit, remaining } => {
            format!("its main process ended ({exit}), {} of its processes are left", remaining.len()).into()
        }
        ProcessEvent::TreeGone => "no process of it is left".into(),
        ProcessEvent::Notified(said) => {
            let ready = said.ready.map(|_| "READY=1".to_owned());
            let stopping = said.stopping.map(|_| "STOPPING=1".to_owned());
            let status = said.status.as_ref().map(|status| format!("STATUS={status}"));
            let extend = said.extend.map(|more| format!("EXTEND_TIMEOUT_USEC={}", more.as_micros()));
            let errno = said.errno.map(|number| format!("ERRNO={number}"));
            let exit = said.exit_status.map(|code| format!("EXIT_STATUS={code}"));
            let main = said.main_pid.map(|pid| format!("MAINPID={pid}"));
            [ready, stopping, extend, errno, exit, main, status]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
                .into()
        }
    }
}

/// The status words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceStatus {
    /// It does not run and is not meant to.
    Stopped,
    /// It is meant to run and waits for something.
    Waiting,
    /// It runs and is not ready yet.
    Starting,
    /// It is ready.
    Running,
    /// It is being stopped.
    Stopping,
    /// It ended and will be started again.
    Backoff,
    /// It ended too often, or cannot run.
    Failed,
    /// The operator holds it.
    Held,
}

impl ServiceStatus {
    /// The word shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Backoff => "backoff",
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }
}

/// Health, apart from the life cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// An optional dependency is missing.
    Degraded,
    /// Nobody looks: live checks come with a later version.
    Unknown,
}

impl Health {
    /// The word shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
        }
    }
}

/// What a service shows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSnapshot {
    /// Its name.
    pub name: ServiceName,
    /// Where it is in its life.
    pub status: ServiceStatus,
    /// Its health.
    pub health: Health,
    /// What the operator wants.
    pub wanted: Wanted,
    /// Why, in words.
    pub reason: String,
    /// Its main process.
    pub pid: Option<u32>,
    /// What it waits for.
    pub waiting_for: Vec<String>,
    /// What would unblock it, each a sentence.
    pub unblock: Vec<String>,
    /// When it will be tried again.
    pub retry_at: Option<Moment>,
}
