//! The process executor with real processes: `sh`, `sleep`, and this test program itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

mod cut;
mod ending;
mod loading;
mod notify;
mod output;
mod prepared;
mod starting;
mod trees;

/// Not a test: this program's part as the log-keeper (see `harness::keeper_program`).
#[test]
fn acts_as_the_log_keeper_when_started_as_one() {
    harness::perhaps_be_the_keeper();
}

/// Not a test: this program's part as a client of sd_notify(3) (see `harness::World::teller`).
#[test]
fn acts_as_a_notifying_service_when_started_as_one() {
    harness::perhaps_notify();
}
