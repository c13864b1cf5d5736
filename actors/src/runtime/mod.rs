//! The only place that knows actix: the generic host, the supervisor, the traced envelope, the clock.

mod board;
mod clock;
mod envelope;
mod executor;
mod host;
mod stage;
mod supervised;
mod system;
#[cfg(test)]
mod tests;

pub use board::{Board, Entry};
pub use clock::Clock;
pub use executor::{Deliver, Delivery, Executor};
pub use system::{Answer, Parts, System};
