//! The lease registry: who may use what.

mod again;
mod devices;
mod files;
mod granting;
mod holding;
mod machine;
mod messages;
mod ports;
mod preparation;
mod queue;
mod radios;
mod renewing;
mod telling;
#[cfg(test)]
mod tests;

pub use crate::cause::{Blocker, Resource, Soon};
pub use machine::{LeaseMachine, LeaseTimer};
pub use messages::{
    Grant, GrantedDevice, HeldLease, LeaseMessage, LeaseRequest, LeaseSnapshot, PortNumbers, Standing, StillUsed,
    Token, Waiter, Want,
};
