//! Readiness probes.

pub mod order;
