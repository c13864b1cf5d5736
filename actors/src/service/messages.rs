//! What a service is told and tells.

use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::sighting::Generation;

use super::ServiceTimer;
use crate::cause::{Blocker, Episode, Listed, Missing, Reason, Refusal, Standing, Withdrawal};
use crate::device::Offer;
use crate::effect::probe::order::ProbeEvent;
use crate::effect::process::order::{LOADS_SLOWLY, ProcessEvent, RunId};
use crate::lease::Grant;
use crate::machine::{Described, Moment, ReportedRun, RequestId, Words};
use crate::view::words;

/// What the operator asked of a service. It lasts until asked otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NeedsPolicy {
    /// Wait for them; refuse when one is held or never starts by itself.
    Respect,
    /// Start them as well.
    StartThem,
    /// Start without the services it requires. Devices are still needed.
    Ignore,
}

/// Whether a restart counts failures anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Attempts {
    /// They go on.
    Keep,
    /// They begin anew.
    Reset,
}

/// What a service waits for that has all it needs while others are just starting.
pub const START_SLOT: &str = "a start slot (max_parallel_starts)";

/// What a service is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum ServiceMessage {
    /// Begin: everything is set up.
    Begin,
    /// A service it depends on has changed.
    Dependency(ServiceName, Standing),
    /// A service that depends on it has no process left (and will not start before being told that this one is up).
    DependentStopped(ServiceName, Episode),
    /// A service whose actor was restarted asks how this one stands.
    Inquire(ServiceName),
    /// The leases it asked for.
    Granted(Grant),
    /// It must wait for its leases.
    Queued(Vec<Blocker>),
    /// It will not get its leases.
    Refused(Refusal),
    /// A lease is withdrawn: stop, then release.
    Revoked(Withdrawal),
    /// What it holds, after it asked.
    Holding(Option<Grant>),
    /// The registry was restarted and must be told again.
    Restate,
    /// A device it uses is there.
    DeviceArrived(DeviceName, Generation),
    /// A device that it holds is known by other facts now, such as another name of its interface.
    Corrected(DeviceName, Offer),
    /// A device it uses is gone.
    DeviceLeft(DeviceName),
    /// Its start slot.
    SlotGranted,
    /// The supervisor of services was restarted and must be told again who holds a slot.
    RestateSlot,
    /// What the process executor says of a run.
    Process(RunId, ProcessEvent),
    /// What a readiness probe says of a run.
    Probe(RunId, ProbeEvent),
    /// What runs for it, after a restart of its actor.
    Reported(Option<ReportedRun>),
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
            Self::Inquire(_) => "Inquire",
            Self::Granted(_) => "Granted",
            Self::Queued(_) => "Queued",
            Self::Refused(_) => "Refused",
            Self::Revoked(_) => "Revoked",
            Self::Holding(_) => "Holding",
            Self::Restate => "Restate",
            Self::DeviceArrived(..) => "DeviceArrived",
            Self::Corrected(..) => "Corrected",
            Self::DeviceLeft(_) => "DeviceLeft",
            Self::SlotGranted => "SlotGranted",
            Self::RestateSlot => "RestateSlot",
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
            Self::Reported(_) => "Reported",
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
            Self::Inquire(name) => Words::Service(name.clone(), "asks how it stands"),
            Self::Granted(grant) => describe_grant(grant).into(),
            Self::Queued(blockers) if blockers.is_empty() => "nothing is waited for any more".into(),
            Self::Queued(blockers) => format!("wait for {}", words::blockers(blockers)).into(),
            Self::Refused(refusal) => refusal.to_string().into(),
            Self::Revoked(withdrawal) => withdrawal.to_string().into(),
            Self::Holding(Some(grant)) => Words::Number("it holds token", grant.token.0),
            Self::Holding(None) => "it holds nothing".into(),
            Self::Restate => "say again what is held and wanted".into(),
            Self::DeviceArrived(device, generation) => format!("{device} is there ({generation})").into(),
            Self::Corrected(device, offer) => match &offer.interface {
                Some(interface) => format!("{device} is called {interface} now").into(),
                None => Words::Device(device.clone(), "has changed"),
            },
            Self::DeviceLeft(device) => Words::Device(device.clone(), "has left"),
            Self::SlotGranted => "it may start now".into(),
            Self::RestateSlot => "say again whether it is starting".into(),
            Self::Process(_, event) => describe_process(event),
            Self::Probe(_, ProbeEvent::Ready(words)) => words.clone().into(),
            Self::Probe(_, ProbeEvent::NotYet(words)) => format!("not ready: {words}").into(),
            Self::Reported(Some(ReportedRun { pid: Some(pid), .. })) => format!("pid {pid} runs for it").into(),
            Self::Reported(Some(ReportedRun { pid: None, .. })) => "its program is being loaded".into(),
            Self::Reported(None) => "nothing runs for it".into(),
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
    let all: Vec<String> = devices.chain(ports).chain(grant.named.iter().cloned()).collect();
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
            [ready, stopping, status].into_iter().flatten().collect::<Vec<_>>().join(" ").into()
        }
    }
}

/// The status words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

/// What a service waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Waiting {
    /// Nothing.
    #[default]
    Nothing,
    /// Services that it needs.
    Needs(Listed<Missing>),
    /// Leases.
    Leases(Vec<Blocker>),
    /// A start slot.
    Slot,
    /// Services that must stop first.
    Stops(Listed<ServiceName>),
}

impl Waiting {
    /// Whether it waits for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Needs(missing) => missing.is_empty(),
            Self::Leases(blockers) => blockers.is_empty(),
            Self::Slot => false,
            Self::Stops(names) => names.is_empty(),
        }
    }

    /// Whether the same is waited for, whenever the wait began.
    #[must_use]
    pub fn is_for_the_same(&self, other: &Self) -> bool {
        let key = |missing: &Missing| (missing.need.clone(), missing.standing.clone());
        match (self, other) {
            (Self::Needs(a), Self::Needs(b)) => a.more == b.more && a.first.iter().map(key).eq(b.first.iter().map(key)),
            (a, b) => a == b,
        }
    }
}

/// What a service shows of itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServiceSnapshot {
    /// Its name.
    pub name: ServiceName,
    /// Where it is in its life.
    pub status: ServiceStatus,
    /// Its health.
    pub health: Health,
    /// What the operator wants.
    pub wanted: Wanted,
    /// Why.
    pub reason: Reason,
    /// Its main process.
    pub pid: Option<u32>,
    /// What it waits for.
    pub waiting_for: Waiting,
    /// When it will be tried again.
    pub retry_at: Option<Moment>,
}
