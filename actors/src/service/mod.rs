//! A service: its life cycle, its dependencies, its restarts and its stop.

mod ending;
mod leaving;
mod machine;
mod messages;
mod needs;
mod operator;
mod recovery;
mod showing;
mod starting;

pub use machine::{Dependents, ServiceMachine, ServiceMemo, ServiceTimer};
pub use messages::{
    Attempts, Episode, Health, NeedsPolicy, ServiceMessage, ServiceSnapshot, ServiceStatus, Standing, Wanted,
};
