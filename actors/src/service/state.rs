//! The words in which a service knows where it is: phases, rests, stages, timers.

use std::collections::BTreeSet;

use mainstay_config::names::ServiceName;

use crate::cause::{Blocker, Episode, Failed, Failure, Said, Why};
use crate::effect::process::order::{Exit, ProcessEvent, RunId};
use crate::machine::{Moment, ReportedRun};

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

/// Where a service is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Idle,
    Leasing { blockers: Vec<Blocker>, arrival: Moment },
    Slotting,
    Starting(Run),
    Running(Run),
    Leaving { run: Run, readiness: Readiness, why: Why, awaiting: BTreeSet<ServiceName>, episode: Episode },
    Stopping { run: Run, why: Why, stage: Stage },
}

/// Whether a run had become ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    NotYet,
}

/// One incarnation of the process tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) id: RunId,
    pub(super) pid: Option<u32>,
    /// What the last probe said, or what the service said of itself.
    pub(super) said: Said,
    /// How the first process ended, when others of the tree live on.
    pub(super) exit: Option<Exit>,
}

/// How far a stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The program is still being started: it is signalled as soon as it runs.
    Unborn,
    /// It was signalled.
    Grace,
    /// It is being killed.
    Killing,
    /// Killing has not helped so far.
    Unkillable,
}

/// A run, or an attempt at one, that came to an end unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Death {
    pub(super) at: Moment,
    /// How many restarts had been counted before it.
    pub(super) attempts_before: u32,
}

/// Why an idle service rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing keeps it from starting but its needs.
    Fresh,
    /// It failed and will be started again.
    Backoff { until: Moment, cause: Failure },
    /// It failed for good.
    Failed(Failed),
    /// It ended and is not to be started again.
    Ended(Exit),
}

/// The place in the queue for starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    None,
    Asked,
    Held,
}

/// Whether the daemon is closing down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closing {
    No,
    InOrder,
    Hurried,
}

/// Whether required services are ignored, by the operator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ignoring {
    No,
    Yes,
}

/// What is still to be heard after a restart of the actor.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Recovering {
    pub(super) run: Option<Option<ReportedRun>>,
    pub(super) grant: Heard,
    /// The run there was, with whether it had become ready.
    pub(super) last_run: Option<(RunId, Readiness)>,
    /// Why that run was being stopped.
    pub(super) leaving: Option<Why>,
    /// What that run said last.
    pub(super) said: Said,
    pub(super) arrival: Option<Moment>,
    /// When services that were down count as lost.
    pub(super) deadlines: Vec<(ServiceName, Moment)>,
    /// What the executor said of the run after it had reported it.
    pub(super) late: Vec<(RunId, ProcessEvent)>,
}

/// Whether a restarted actor that knows what runs and what it holds still lacks something that its predecessor knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resuming {
    No,
    /// How its needs stand, or what the leases that it asked for wait for.
    Yes,
}

/// Whether a question has been answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Heard {
    #[default]
    NotYet,
    Yes,
}
