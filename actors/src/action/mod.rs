//! What machines have done outside, and what comes of it: data, the contract between machines and the executor.

pub mod not_ready;
pub mod ports;
pub mod probe;
pub mod process;
