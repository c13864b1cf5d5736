//! A configured device: one life cycle for all kinds.

// A state, an event or a fault that is forgotten must not compile.
#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

mod again;
#[cfg(test)]
pub(crate) mod chart;
mod fitting;
mod flap;
mod machine;
mod probing;
mod requests;
mod rivals;
mod showing;
#[cfg(test)]
mod tests;

pub use machine::DeviceMachine;
