//! What actors do to the world. Effects are carried out outside the actors, so that a restarted actor orphans nothing.

mod awake;
pub(crate) mod calls;
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
pub(crate) mod telling;
pub(crate) mod wakefulness;

pub use carrier::{Carrier, SharedWatch};
pub use mainstay_hardware::watched;
