//! The supervisor of devices: keeps the inventory of what is attached and tells each configured device what concerns it.

#[cfg(test)]
pub(crate) mod chart;
mod machine;
mod matching;
#[cfg(test)]
mod tests;

pub use machine::InventoryMachine;
