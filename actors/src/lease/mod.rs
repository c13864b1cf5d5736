//! The lease registry: who may use what.

// A state, an event or a fault that is forgotten must not compile.
#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

mod again;
#[cfg(test)]
pub(crate) mod chart;
mod devices;
mod files;
mod granting;
mod holding;
mod machine;
mod ports;
mod preparation;
mod prospect;
mod putting_back;
mod queue;
mod radios;
mod renewing;
mod showing;
mod sorted;
#[cfg(test)]
mod tests;

pub use machine::LeaseMachine;
