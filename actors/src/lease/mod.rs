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
mod renewing;
#[cfg(test)]
mod tests;

pub use machine::{LeaseMachine, LeaseTimer};
pub use messages::{
    Blocker, Grant, GrantedDevice, HeldLease, LeaseMessage, LeaseRequest, LeaseSnapshot, NotPrepared, PortNumbers,
    Resource, Soon, Token, Waiter, Want,
};
