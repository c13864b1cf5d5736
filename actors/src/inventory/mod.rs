//! The supervisor of devices: keeps the inventory of what is attached and tells each configured device what concerns it.

mod claiming;
mod machine;
mod messages;
#[cfg(test)]
mod tests;

pub use crate::view::words::event_words;
pub use machine::{InventoryMachine, InventoryTimer};
pub use messages::{InventoryMessage, InventorySnapshot, OtherDevice, OtherKind};
