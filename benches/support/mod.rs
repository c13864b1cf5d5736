//! What the benches share.
//!
//! Everything is measured side by side in one run, several times in turn: the machine's speed changes from minute to
//! minute, so only figures of one run are compared with each other.

// Each bench is a program of its own and uses a part of this.
#![allow(dead_code, clippy::expect_used, reason = "a bench that cannot go on says where, and ends")]

pub(crate) mod figures;
pub(crate) mod kernel;
pub(crate) mod programs;
pub(crate) mod station;
