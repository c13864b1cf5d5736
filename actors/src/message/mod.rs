//! What actors tell each other, and what machines answer: data that can be written down and read back.
//!
//! Each receiver has a file, with its timers and with what it shows of itself.

// A message that is forgotten must not compile.
#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

mod address;
pub mod device;
mod effect;
mod envelope;
pub mod inventory;
pub(crate) mod kind;
pub mod lasting;
pub mod lease;
pub mod lease_table;
mod moment;
pub(crate) mod pairs;
mod reply;
#[cfg(test)]
pub(crate) mod round_trip;
pub mod service;
pub mod supervision;
mod words;

pub use address::{ActorId, Address, NoSuchActor, Outside};
pub use effect::{Action, DaemonExit, Effect, Effects, GaveUp, Left, OperationId, Outcome, Publication, told};
pub use envelope::{Described, Message, OperatorAnswer, RequestId};
pub use moment::Moment;
pub use reply::{Before, NextStep, Reply, Restart, Start, Stop};
pub use words::Words;

/// Operators' requests that wait for the actors at most; one more is told "busy".
pub const COMMANDS_MAX: usize = 64;
