//! A service: its life cycle, its dependencies, its restarts and its stop.

// A state, an event or a fault that is forgotten must not compile.
#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

mod again;
#[cfg(test)]
pub(crate) mod chart;
mod dependents;
mod ending;
mod keeping;
mod leaving;
mod machine;
mod needs;
mod operator;
mod showing;
mod starting;
mod state;
#[cfg(test)]
mod tests;

pub use dependents::{Dependents, all_dependents, dependents};
#[cfg(any(test, feature = "world"))]
pub(crate) use leaving::LAST_GRACE;
pub use machine::ServiceMachine;
pub use state::RunNumbers;
