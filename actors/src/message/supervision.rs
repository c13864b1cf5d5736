//! What supervisors are told.

use mainstay_config::names::ServiceName;

use crate::cause::Holder;
use crate::message::Left;

/// What the root supervisor is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum RootMessage {
    /// Stop everything in order, then end.
    Close,
    /// Stop everything without grace.
    Hurry,
    /// Every service has stopped, but for these: processes of theirs outlive SIGKILL, and are left when mainstay ends.
    ServicesClosed(Vec<Left>),
    /// Every lease is given back and every radio is as it was, but for what these hold, whose processes outlive SIGKILL.
    LeasesClosed(Vec<Holder>),
}

/// Whether closing down still gives grace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Haste {
    /// It does.
    #[default]
    InOrder,
    /// It does not.
    Hurried,
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
    /// The daemon is closing down.
    Close,
    /// The daemon is in a hurry.
    Hurry,
    /// A service has no process left and will not start again.
    Closed(ServiceName),
    /// A process of a service outlives SIGKILL: nothing more can be done.
    Stuck(Left),
}

/// A supervisor has no timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum NoTimer {}
