//! How a service stands, and where a cascade began.

use std::sync::Arc;
use std::time::Duration;

use mainstay_config::names::ServiceName;

use super::{Asked, Blocker, Failed, Failure, Listed, NotWanted};
use crate::action::process::Exit;

/// Numbers the departures of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Episode(pub u32);

/// What a service is, seen by those that depend on it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Standing {
    /// Not known yet.
    Unknown,
    /// It is running.
    Up,
    /// It is starting, or is being restarted with all that it holds. It waits for nothing that others hold.
    Starting(Matter),
    /// It will start again by itself, some time.
    Coming(Matter),
    /// It is about to stop and waits until its dependents have stopped.
    Leaving {
        /// Why.
        why: Origin,
        /// What comes after.
        next: Next,
        /// Which of its departures: an answer to an earlier one does not count.
        episode: Episode,
    },
    /// It does not run.
    Down(Matter),
    /// The operator holds it, or it does not start by itself; or it waits for one of which that is so.
    Held(Matter),
}

/// What a service that stops is to do then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Next {
    /// It starts again at once, with all that it holds.
    Restart,
    /// It does not, or not at once.
    Rest,
}

impl Standing {
    /// Until somebody says otherwise, everybody waits for what he needs: those who begin together need not tell each other that.
    pub const ASSUMED: Self = Self::Coming(Matter::Needs);

    /// What it is at, when it is not up and not about to stop.
    #[must_use]
    pub fn matter(&self) -> Option<&Matter> {
        match self {
            Self::Starting(matter) | Self::Coming(matter) | Self::Down(matter) | Self::Held(matter) => Some(matter),
            Self::Unknown | Self::Up | Self::Leaving { .. } => None,
        }
    }
}

/// What a service is at that is not up. It names no other service's matter: who waits is followed to the root when it is
/// shown, so that news far away changes nothing here and is not told on and on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Matter {
    /// It is starting.
    Starting,
    /// It waits for services that it needs.
    Needs,
    /// It is stopping.
    Stopping(Origin),
    /// It has asked for what it leases, and nothing was said yet.
    Leasing,
    /// It waits for what it leases.
    Blocked(Arc<Listed<Blocker>>),
    /// It has failed, and what is left of it is stopped.
    Failing(Arc<Failure>),
    /// It has failed, and will be started again.
    Restarting(Arc<Failure>),
    /// It has failed for good.
    Failed(Arc<Failed>),
    /// It is not meant to run.
    NotWanted(NotWanted),
    /// It has ended, and is not to be started again.
    Ended(Exit),
}

/// Where a cascade began: at which service, and with what.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// Who.
    pub who: ServiceName,
    /// What happened there.
    pub what: Arc<Root>,
}

/// What a cascade began with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Root {
    /// The service was told to stop.
    Asked(Asked),
    /// It failed.
    Failed(Failure),
    /// It is not up: what it is at. Never that it is stopping, of which the origin is known.
    At(Matter),
    /// Nothing was heard of it.
    Unknown,
}

impl Origin {
    /// Where what befalls those that need `name` began, when it stands so.
    #[must_use]
    pub fn of(name: &ServiceName, standing: &Standing) -> Self {
        let what = match standing {
            Standing::Leaving { why, .. } => return why.clone(),
            Standing::Starting(matter) | Standing::Coming(matter) | Standing::Down(matter) | Standing::Held(matter) => {
                match matter {
                    Matter::Stopping(origin) => return origin.clone(),
                    matter => Root::At(matter.clone()),
                }
            }
            Standing::Unknown | Standing::Up => Root::Unknown,
        };
        Self { who: name.clone(), what: Arc::new(what) }
    }
}

/// In which way a service that is required is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum HowLost {
    /// It is about to stop.
    Stops,
    /// It has been down for too long.
    Down,
}

/// Whether a service that is needed can be done without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Requirement {
    /// It cannot.
    Required,
    /// It can, or is only waited for.
    Optional,
}

/// A service that is needed and not there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Missing {
    /// Which.
    pub need: ServiceName,
    /// Whether it can be done without.
    pub requirement: Requirement,
    /// How it stands.
    pub standing: Standing,
    /// Since when it is waited for, after boot, and after how long that counts as long.
    pub patience: Option<(Duration, Duration)>,
}
