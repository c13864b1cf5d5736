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
mod resource;
#[cfg(test)]
mod tests;

pub use machine::{LeaseMachine, LeaseTimer};
pub use messages::{
    Blocker, Grant, GrantedDevice, HeldLease, LeaseMessage, LeaseRequest, LeaseSnapshot, PortNumbers, Soon, Standing,
    StillUsed, Token, Waiter, Want,
};
pub use resource::Resource;
