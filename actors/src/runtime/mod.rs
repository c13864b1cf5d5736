//! The host of the machines in production, and the only place that knows actix: each actor is an actix actor, whose inbox and
//! timers are the engine's.

mod board;
mod clock;
mod executor;
mod host;
mod stage;
mod system;
#[cfg(test)]
mod tests;
mod timekeeper;
mod watchdog;

pub use board::{Board, Entry};
pub use clock::Clock;
pub use executor::{Deliver, Delivery, Executor};
pub use system::{Answer, Parts, System};
pub use watchdog::{Frozen, Watchdog};
