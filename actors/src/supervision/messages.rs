//! What supervisors are told.

use mainstay_config::names::ServiceName;

use crate::machine::ActorId;

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
