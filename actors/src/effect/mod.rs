//! What actors do to the world. Effects are carried out outside the actors, so that a restarted actor orphans nothing.

mod awake;
mod carrier;
mod drivers;
mod errands;
pub mod executor;
pub mod files;
pub mod ports;
pub mod probe;
pub mod process;
pub mod report;
mod said;
pub mod socket_file;
pub mod watched;

pub use carrier::{Carrier, SharedWatch};
pub use drivers::NoAnswer;
