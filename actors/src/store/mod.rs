//! What outlives mainstay, in two databases.
//!
//! | file | where | what | until |
//! |---|---|---|---|
//! | `state.db` | the run directory | how radios were before they were changed | the next boot |
//! | `mainstay.db` | the state directory | what the operator wants of services, which tokens were given out | for good |
//!
//! | here | subject |
//! |---|---|
//! | `writer` | the thread that writes, and what waits for it |
//! | `files` | both databases, opened and read when mainstay begins |
//! | `database` | one of them: its schema and its versions, set aside when it is damaged |
//! | `tables` | what is written where |
//! | `trouble` | why something is not written, for people |
//!
//! Whatever becomes of a database, no service is stopped for it: what cannot be written is kept in memory and tried again.

mod database;
mod files;
mod tables;
#[cfg(test)]
mod tests;
mod trouble;
mod writer;

pub use files::{Files, Places};
pub use trouble::{Trouble, Troubles};
pub use writer::Store;
