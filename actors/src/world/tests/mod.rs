//! Storms over stations, with every checker looking; and a planted bug for each checker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod clients;
mod coverage;
mod executor;
mod lives;
mod panics;
mod parts;
mod planted;
mod quarantine;
mod storms;
mod written;
