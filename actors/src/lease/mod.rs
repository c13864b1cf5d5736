//! The lease registry: who may use what.

mod holding;
mod machine;
mod messages;
mod preparation;
mod queue;

pub use machine::{LeaseMachine, LeaseTimer};
pub use messages::{
    Blocker, Grant, GrantedDevice, HeldLease, LeaseMessage, LeaseRequest, LeaseSnapshot, Resource, Soon, Token, Waiter,
    Want,
};
