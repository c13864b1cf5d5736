//! The host of the machines in production, and the only place that knows actix: each actor is an actix actor, whose inbox and
//! timers are the engine's.

mod cut;
mod host;
mod log;
mod stage;
mod system;
#[cfg(test)]
mod tests;
mod timekeeper;
mod watchdog;

pub use cut::Cut;
pub use system::{Answer, Parts, System};
pub use watchdog::{Frozen, Lookout, Watchdog};
