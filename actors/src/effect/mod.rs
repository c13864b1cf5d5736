//! What actors do to the world. Effects are carried out outside the actors, so that a restarted actor orphans nothing.

pub(crate) mod call;
pub(crate) mod calls;
mod carrier;
pub(crate) mod check_commands;
mod drivers;
pub mod executor;
pub mod known;
pub mod ports;
pub mod probe;
mod proc;
pub mod process;
pub mod report;
pub mod socket_file;
mod status_pace;
pub(crate) mod telling;
pub(crate) mod wakefulness;

pub use carrier::{Carrier, SharedWatch};
pub use mainstay_hardware::watched;
