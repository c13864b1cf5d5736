//! The lease registry: who may use what.

mod again;
#[cfg(test)]
pub(crate) mod chart;
mod devices;
mod files;
mod granting;
mod holding;
mod machine;
mod ports;
mod preparation;
mod prospect;
mod putting_back;
mod queue;
mod radios;
mod renewing;
mod showing;
mod sorted;
#[cfg(test)]
mod tests;

pub use machine::LeaseMachine;
