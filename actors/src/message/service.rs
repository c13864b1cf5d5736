//! What a service is told and tells.

use std::time::Duration;

use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::sighting::Generation;

use crate::action::probe::ProbeEvent;
use crate::action::process::{ProcessEvent, RunId};
use crate::cause::{Blocker, Episode, Listed, Missing, Reason, Refusal, Standing, Withdrawal};
use crate::message::device::Offer;
use crate::message::lease::{Grant, Renewed, Token};
use crate::message::{Left, Moment, RequestId};

mainstay_config::words! {
    /// What the operator asked of a service. It lasts until asked otherwise.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Wanted {
        /// Nothing: `autostart` decides.
        #[default]
        Auto = "auto",
        /// Run.
        Up = "up",
        /// Do not run.
        Down = "down",
    }
}

/// What to do about needs that are not met when the operator starts a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedsPolicy {
    /// Wait for them; refuse when one is held or never starts by itself.
    Respect,
    /// Start them as well.
    #[serde(rename = "start")]
    StartThem,
    /// Start without the services it requires. Devices are still needed.
    Ignore,
}

/// Whether a restart counts failures anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempts {
    /// They go on.
    Keep,
    /// They begin anew.
    Reset,
}

/// What a service is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum ServiceMessage {
    /// Begin: everything is set up.
    Begin,
    /// A service it depends on has changed.
    Dependency(ServiceName, Standing),
    /// A service that depends on it has no process left (and will not start before being told that this one is up).
    DependentStopped(ServiceName, Episode),
    /// A service that depends on it has a process that outlives SIGKILL, this one: it is not waited for any longer.
    DependentStuck(ServiceName, Episode, Option<u32>),
    /// The leases it asked for.
    Granted(Grant),
    /// It must wait for its leases.
    Queued(Vec<Blocker>),
    /// It will not get its leases.
    Refused(Refusal),
    /// Whether what it kept under this token can be used again.
    Renewed(Token, Renewed),
    /// A lease is withdrawn: stop, then release.
    Revoked(Token, Withdrawal),
    /// It holds nothing and waits for nothing.
    NothingHeld,
    /// A device it uses is there.
    DeviceArrived(DeviceName, Generation),
    /// A device that it holds is known by other facts now, such as another name of its interface.
    Corrected(DeviceName, Offer),
    /// A device it uses is gone.
    DeviceLeft(DeviceName),
    /// Its start slot, and how long it has waited for it.
    SlotGranted(Duration),
    /// What the process executor says of a run.
    Process(RunId, ProcessEvent),
    /// What a readiness probe says of a run.
    Probe(RunId, ProbeEvent),
    /// The operator wants it up.
    Start(RequestId, NeedsPolicy),
    /// A service that is started with its needs needs it up. The request is the operator's that began it.
    StartForDependent(ServiceName, RequestId),
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

mainstay_config::words! {
    /// The status words.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub enum ServiceStatus {
        /// It does not run and is not meant to.
        Stopped = "stopped",
        /// It is meant to run and waits for something.
        Waiting = "waiting",
        /// It runs and is not ready yet.
        Starting = "starting",
        /// It is ready.
        Running = "running",
        /// It is being stopped.
        Stopping = "stopping",
        /// It ended and will be started again.
        Backoff = "backoff",
        /// It ended too often, or cannot run.
        Failed = "failed",
        /// The operator holds it.
        Held = "held",
    }
}

mainstay_config::words! {
    /// Health, apart from the life cycle.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub enum Health {
        /// An optional dependency is missing.
        Degraded = "degraded",
        /// Nobody looks: live checks come with a later version.
        Unknown = "unknown",
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
    Leases(Listed<Blocker>),
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
    /// Dependents that outlived SIGKILL, and were not waited for when it stopped last.
    pub left: Listed<Left>,
    /// Its main process.
    pub pid: Option<u32>,
    /// What it waits for.
    pub waiting_for: Waiting,
    /// When it was started last, if ever.
    pub last_start: Option<Moment>,
    /// When it will be tried again.
    pub retry_at: Option<Moment>,
}

/// Timers of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum ServiceTimer {
    /// It must be ready by now.
    ReadyWithin,
    /// The wait before a restart.
    Backoff,
    /// It has run long enough for earlier failures to be forgotten.
    ResetAfter,
    /// The time between the stop signal and SIGKILL.
    Grace,
    /// Even SIGKILL has not ended it.
    Unkillable,
    /// A required service has been down too long.
    Lost(ServiceName),
    /// An optional service is no longer waited for.
    Optional(ServiceName),
}

impl ServiceTimer {
    /// Whether it belongs to one of the services that are needed, and not to where the service itself is.
    pub(crate) fn is_of_a_need(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Optional(_))
    }
}
