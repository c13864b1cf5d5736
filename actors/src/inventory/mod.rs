//! The supervisor of devices: keeps the inventory of what is attached and tells each configured device what concerns it.

mod machine;
mod messages;
#[cfg(test)]
mod tests;

pub use machine::{InventoryMachine, InventoryTimer};
pub use messages::{InventoryMessage, InventorySnapshot, OtherDevice, departure_words, event_words};
