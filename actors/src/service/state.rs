//! The words in which a service knows where it is: phases, rests, stages, timers.

use std::collections::BTreeSet;

use mainstay_config::names::ServiceName;

use crate::action::process::{Exit, RunId, Status};
use crate::cause::{Blocker, Episode, Failed, Failure, Said, Why};
use crate::message::Moment;

/// The numbers of a service's runs: of those that nobody else has, every so-manieth is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunNumbers {
    /// The next.
    pub next: RunId,
    /// How many services there are to share them.
    pub step: u64,
}

impl RunNumbers {
    /// The one before the next.
    pub(super) fn last(self) -> RunId {
        RunId(self.next.0.wrapping_sub(self.step))
    }

    /// The next; then the one after it is.
    pub(super) fn advance(&mut self) -> RunId {
        let next = self.next;
        self.next = RunId(next.0.wrapping_add(self.step));
        next
    }
}

/// Where a service is.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) enum Phase {
    Idle,
    Leasing {
        blockers: Vec<Blocker>,
        arrival: Moment,
    },
    /// It has kept what it holds, and hears whether strangers have taken its ports meanwhile.
    Renewing {
        since: Moment,
    },
    Slotting,
    Starting(Run),
    Running(Run),
    Leaving {
        run: Run,
        readiness: Readiness,
        why: Why,
        awaiting: BTreeSet<ServiceName>,
        episode: Episode,
    },
    Stopping {
        run: Run,
        why: Why,
        stage: StopStage,
    },
}

impl Phase {
    /// The run there is, whatever happens to it.
    pub(super) fn run(&self) -> Option<&Run> {
        match self {
            Self::Starting(run) | Self::Running(run) | Self::Leaving { run, .. } | Self::Stopping { run, .. } => {
                Some(run)
            }
            Self::Idle | Self::Leasing { .. } | Self::Renewing { .. } | Self::Slotting => None,
        }
    }

    pub(super) fn run_mut(&mut self) -> Option<&mut Run> {
        match self {
            Self::Starting(run) | Self::Running(run) | Self::Leaving { run, .. } | Self::Stopping { run, .. } => {
                Some(run)
            }
            Self::Idle | Self::Leasing { .. } | Self::Renewing { .. } | Self::Slotting => None,
        }
    }
}

/// Whether a run had become ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Readiness {
    Ready,
    NotYet,
}

/// One incarnation of the process tree.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Run {
    pub(super) id: RunId,
    pub(super) pid: Option<u32>,
    /// What the last probe said, or what the service said of itself.
    pub(super) said: Said,
    /// What the service said of itself, of each thing the newest; since it was told to stop, if it was.
    pub(super) status: Status,
    /// How the first process ended, when others of the tree live on.
    pub(super) exit: Option<Exit>,
}

/// How far a stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum StopStage {
    /// The program is still being started: it is signalled as soon as it runs.
    Unborn,
    /// It was signalled, or its main process was.
    Grace,
    /// Its main process has outlived the grace: every process was signalled.
    LastGrace,
    /// It is being killed.
    Killing,
    /// Killing has not helped so far.
    Unkillable,
}

/// A run, or an attempt at one, that came to an end unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Death {
    pub(super) at: Moment,
    /// How many restarts had been counted before it.
    pub(super) attempts_before: u32,
}

/// Why an idle service rests.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Slot {
    None,
    Asked,
    Held,
}

/// What was said of it last while the daemon closes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Goodbye {
    NotYet,
    /// It outlives SIGKILL.
    Stuck,
    /// Nothing is left of it.
    Closed,
}

/// Whether required services are ignored, by the operator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Ignoring {
    No,
    Yes,
}
