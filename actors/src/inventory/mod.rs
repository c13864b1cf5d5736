//! The supervisor of devices: keeps the inventory of what is attached and tells each configured device what concerns it.

mod machine;
mod messages;

pub use machine::{InventoryMachine, InventoryTimer};
pub use messages::{InventoryMessage, InventorySnapshot, OtherDevice, departure_words, event_words};
