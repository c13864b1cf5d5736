//! The supervisor of devices: keeps the inventory of what is attached and tells each configured device what concerns it.

// A state, an event or a fault that is forgotten must not compile.
#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

#[cfg(test)]
pub(crate) mod chart;
mod machine;
mod matching;
#[cfg(test)]
mod tests;

pub use machine::InventoryMachine;
