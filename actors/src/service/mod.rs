//! A service: its life cycle, its dependencies, its restarts and its stop.

mod dependents;
mod ending;
mod leaving;
mod machine;
mod messages;
mod needs;
mod operator;
mod recovery;
mod showing;
mod starting;
mod state;
#[cfg(test)]
mod tests;

pub use dependents::{Dependents, all_dependents, dependents};
pub use machine::{ServiceMachine, ServiceMemo};
pub use messages::{Attempts, Health, NeedsPolicy, ServiceMessage, ServiceSnapshot, ServiceStatus, Waiting, Wanted};
pub use state::ServiceTimer;
