//! A configured device: one life cycle for all kinds.

mod again;
#[cfg(test)]
pub(crate) mod chart;
mod fitting;
mod flap;
mod machine;
mod probing;
mod requests;
mod rivals;
mod showing;
#[cfg(test)]
mod tests;

pub use machine::DeviceMachine;
