//! The whole program from outside: the built binary, real processes, real sockets. It needs neither root nor any other
//! program than a shell.
#![cfg_attr(not(debug_assertions), allow(dead_code, reason = "used by the tests of panics only"))]
#![allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod configuration;
mod daemon_log;
mod demo;
mod graphs;
mod harness;
mod inherited;
mod lasting;
mod logs;
mod mistakes;
// The hidden commands that these use are in debug builds only.
#[cfg(debug_assertions)]
mod owners;
#[cfg(debug_assertions)]
mod panics;
mod readiness;
mod restarts;
mod run_directory;
mod signals;
mod socket;
mod starting;
mod stopping;
mod strangers;
mod trust;
