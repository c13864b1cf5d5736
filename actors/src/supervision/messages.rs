//! What supervisors are told.

use mainstay_config::names::ServiceName;

use crate::machine::{ActorId, Described, Words};

/// What the root supervisor is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum RootMessage {
    /// A supervisor or the lease registry has panicked.
    Died(ActorId, String),
    /// The children of a supervisor die more often than it bears.
    Escalated(ActorId, String),
    /// Stop everything in order, then end.
    Close,
    /// Stop everything without grace.
    Hurry,
    /// Every service has stopped.
    ServicesClosed,
    /// Every lease is given back and every radio is as it was.
    LeasesClosed,
}

impl Described for RootMessage {
    fn kind(&self) -> &'static str {
        match self {
            Self::Died(..) => "Died",
            Self::Escalated(..) => "Escalated",
            Self::Close => "Close",
            Self::Hurry => "Hurry",
            Self::ServicesClosed => "ServicesClosed",
            Self::LeasesClosed => "LeasesClosed",
        }
    }

    fn detail(&self) -> Words {
        match self {
            Self::Died(actor, panic) => format!("{actor} panicked: {panic}").into(),
            Self::Escalated(actor, why) => format!("{actor} gives up: {why}").into(),
            Self::Close => "stop everything in order".into(),
            Self::Hurry => "stop everything at once".into(),
            Self::ServicesClosed => "every service has stopped".into(),
            Self::LeasesClosed => "every lease is given back".into(),
        }
    }
}

/// What the supervisor of services is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum ServicesMessage {
    /// A service asks for a start slot.
    AskSlot(ServiceName),
    /// A service is ready, or has given up: its slot is free.
    ReturnSlot(ServiceName),
    /// After a restart of the supervisor: it holds a slot.
    HoldsSlot(ServiceName),
    /// A service actor has panicked.
    Died(ActorId, String),
    /// The root says to restart every service actor.
    RestartAll,
    /// The daemon is closing down.
    Close,
    /// The daemon is in a hurry.
    Hurry,
    /// A service has no process left and will not start again.
    Closed(ServiceName),
}

impl Described for ServicesMessage {
    fn kind(&self) -> &'static str {
        match self {
            Self::AskSlot(_) => "AskSlot",
            Self::ReturnSlot(_) => "ReturnSlot",
            Self::HoldsSlot(_) => "HoldsSlot",
            Self::Died(..) => "Died",
            Self::RestartAll => "RestartAll",
            Self::Close => "Close",
            Self::Hurry => "Hurry",
            Self::Closed(_) => "Closed",
        }
    }

    fn detail(&self) -> Words {
        match self {
            Self::AskSlot(name) => Words::Service(name.clone(), "wants to start"),
            Self::ReturnSlot(name) => Words::Service(name.clone(), "is no longer starting"),
            Self::HoldsSlot(name) => Words::Service(name.clone(), "is starting"),
            Self::Died(actor, panic) => format!("{actor} panicked: {panic}").into(),
            Self::RestartAll => "restart every service actor".into(),
            Self::Close => "stop every service in order".into(),
            Self::Hurry => "stop every service at once".into(),
            Self::Closed(name) => Words::Service(name.clone(), "is stopped for good"),
        }
    }
}
