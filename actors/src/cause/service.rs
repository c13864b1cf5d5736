//! Why a service does not run, stops, or has failed.

use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::Unsupported;
use mainstay_config::names::ServiceName;
use mainstay_config::template::Variable;

use super::{HowLost, Listed, Missing, Origin, Refusal, Root, Withdrawal};
use crate::action::not_ready::NotReady;
use crate::action::process::{Exit, SpawnFailure, Status};

/// Why a service is not meant to run, whatever its needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NotWanted {
    /// Mainstay is stopping.
    Closing,
    /// The operator has stopped it.
    Stopped,
    /// It starts only when told to.
    NoAutostart,
}

/// How a run ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct End {
    /// How its first process did.
    pub exit: Exit,
    /// What it said of itself last.
    pub said: Status,
}

/// How a service has failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Failure {
    /// It ended by itself.
    Ended(End),
    /// The same, before it was ready, whatever its exit code says.
    Unready(End),
    /// Its program could not be started.
    Spawn(SpawnFailure),
    /// It was refused what it leases.
    Refused(Refusal),
    /// Its command needs something that what it leases does not have.
    Unfillable(Variable),
    /// Its readiness probe does.
    ProbeUnfillable(Variable),
    /// It was not ready in time.
    NotReady {
        /// The time that it had.
        within: Duration,
        /// The time that it asked for last, beyond that.
        extended: Option<Duration>,
        /// What was said of it last.
        said: Said,
    },
}

/// Why a service is not started again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Failed {
    /// This version does not know what it is made of: which parts of its configuration.
    NotInThisVersion(Vec<Unsupported>),
    /// Only a person can mend it.
    Hopeless(Failure),
    /// It is configured so.
    NeverRestarted(Failure),
    /// It was tried often enough.
    GivenUp {
        /// How it failed last.
        failure: Failure,
        /// How often it was restarted.
        attempts: u32,
    },
}

/// What was said of a run last, by a probe or by the service itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Said {
    /// Nothing.
    #[default]
    Nothing,
    /// It is to say itself when it is ready, and has not.
    NotToldReady,
    /// The disk that its program is on does not answer.
    LoadsSlowly,
    /// What a probe saw instead of a ready service.
    NotYet(Arc<NotReady>),
    /// What it says of itself.
    Status(Status),
}

impl Said {
    /// Whether there is anything.
    #[must_use]
    pub fn is_something(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::NotToldReady | Self::LoadsSlowly | Self::NotYet(_) => true,
            Self::Status(status) => !status.is_empty(),
        }
    }
}

/// Why a service is told to stop that has not failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Asked {
    /// It is not meant to run any more.
    NotWanted(NotWanted),
    /// A lease was withdrawn.
    Withdrawn(Withdrawal),
    /// An optional service is back, and `on_return = "restart"`.
    Returned(ServiceName),
    /// The operator asked for a restart.
    Restart,
}

/// Why a service stops.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Why {
    /// It should not run now. It is no failure of its own.
    Asked(Asked),
    /// A service that it requires is lost. Neither is that.
    Lost {
        /// Which.
        need: ServiceName,
        /// In which way.
        how: HowLost,
        /// Where that began.
        origin: Origin,
    },
    /// It failed.
    Failed(Failure),
    /// Its first process ended by itself, which is a failure. The rest is stopped.
    Died(Failure),
}

impl Why {
    /// Where this began, for those that depend on `me`.
    #[must_use]
    pub fn origin(&self, me: &ServiceName) -> Origin {
        let what = match self {
            Self::Asked(asked) => Root::Asked(asked.clone()),
            Self::Failed(failure) | Self::Died(failure) => Root::Failed(failure.clone()),
            Self::Lost { origin, .. } => return origin.clone(),
        };
        Origin { who: me.clone(), what: Arc::new(what) }
    }
}

/// Why a service is as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Reason {
    /// There is nothing to say.
    #[default]
    Nothing,
    /// It runs, and this is what it says of itself.
    Says(Said),
    /// It runs without these.
    Without(Listed<Missing>),
    /// It is not ready yet.
    NotReady(Said),
    /// It stops when these have.
    Leaving {
        /// Why.
        why: Why,
        /// Who must stop first.
        first: Listed<ServiceName>,
    },
    /// It stops.
    Stopping {
        /// Why.
        why: Why,
        /// What it said of itself since it was told to.
        said: Status,
    },
    /// It should have stopped, and outlives SIGKILL.
    Unkillable {
        /// Why it stops.
        why: Why,
        /// Its process; `None` while its program is still loaded.
        pid: Option<u32>,
    },
    /// It was stopped, and waits to be started again.
    Stopped(Why),
    /// It has failed for good.
    Failed(Failed),
    /// It is not meant to run.
    NotWanted(NotWanted),
    /// It has ended, and is not to be started again.
    Ended(Exit),
    /// It failed, and will be started again.
    Backoff {
        /// How it failed.
        failure: Failure,
        /// Which restart comes next.
        attempt: u32,
        /// Of how many.
        of: u32,
    },
}
