//! A configured device: one life cycle for all kinds.

mod again;
#[cfg(test)]
pub(crate) mod chart;
mod claim;
mod flap;
mod machine;
mod orders;
mod probing;
mod rivals;
mod showing;
#[cfg(test)]
mod tests;

pub use machine::DeviceMachine;
