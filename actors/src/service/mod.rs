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

pub use dependents::{Dependents, dependents};
pub use machine::{ServiceMachine, ServiceMemo, ServiceTimer};
pub use messages::{
    Attempts, Episode, Health, NeedsPolicy, ServiceMessage, ServiceSnapshot, ServiceStatus, Standing, Wanted,
};
