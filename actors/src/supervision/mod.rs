//! Supervisors: how many deaths one bears, the start slots of services, closing down in order. Who restarts whom: `engine`.

// A state, an event or a fault that is forgotten must not compile.
#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

#[cfg(test)]
pub(crate) mod chart;
mod intensity;
mod root;
mod services;
#[cfg(test)]
mod tests;

pub use intensity::{DEATHS_MAX, Intensity, PERIOD};
pub use root::RootMachine;
pub use services::ServicesMachine;
