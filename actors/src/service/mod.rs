//! A service: its life cycle, its dependencies, its restarts and its stop.

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
pub use machine::ServiceMachine;
pub use state::RunNumbers;
