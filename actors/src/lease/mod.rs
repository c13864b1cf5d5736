//! The lease registry: who may use what.

mod devices;
mod granting;
mod holding;
mod machine;
mod messages;
mod ports;
mod preparation;
mod queue;
mod radios;
mod telling;
#[cfg(test)]
mod tests;

pub use crate::cause::{Blocker, Resource, Soon};
pub use machine::{LeaseMachine, LeaseTimer};
pub use messages::{
    Grant, GrantedDevice, HeldLease, LeaseMessage, LeaseRequest, LeaseSnapshot, NotPrepared, Token, Waiter, Want,
};
