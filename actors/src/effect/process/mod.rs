//! Programs: started, followed, stopped with everything they started.
//!
//! | file | subject |
//! |---|---|
//! | `executor` | [`Processes`]: the handle that actors hold, and the one task behind it |
//! | `rules` | the rules: what is done with each order and each piece of news; pure |
//! | `hands` | what they ask for, done: threads, sockets, signals, clocks |
//! | `runs` | the table of runs and the order of their events; pure |
//! | `reaper` | the only place that waits for children |
//! | `spawn` | the thread that starts programs |
//! | `tree` | the thread that finds and signals every process of a run |
//! | `notify` | notification sockets (sd_notify(3)) |
//! | `keeper` | the log-keeper: a process of its own that writes what services print |
//! | `begin` | a clean process, whatever mainstay was started from |
//! | `ignored` | signals that mainstay was started to ignore |
//! | `thread` | a thread that can be waited for with a bound |
//! | `sys` | the few calls that are not safe Rust |
//!
//! A process can have only one [`Processes`]: it waits for **every** child of the process it lives in. Nothing else in
//! mainstay may wait for a child (`std::process::Child::wait`, `tokio::process`); it would never hear of it.

mod begin;
pub mod error;
pub mod executor;
pub mod groups;
mod hands;
mod held;
mod ignored;
pub mod keeper;
mod notify;
mod reaper;
mod rules;
mod runs;
pub mod settings;
mod spawn;
mod sys;
mod thread;
mod tree;

pub use begin::{Inherited, begin_clean};
pub use error::ProcessesError;
pub use executor::Processes;
pub(crate) use hands::RunEvent;
pub use held::Held;
pub use ignored::is_ignored;
pub(crate) use rules::Rules;
pub(super) use spawn::environment::SERVICE;
pub(crate) use tree::{MainState, Root, is_of};

/// Whether a process was started by this one, or by one that was, and is still there.
#[must_use]
pub fn is_below_us(pid: u32) -> bool {
    tree::child_above(pid).is_some()
}

/// What the simulated world needs to drive the rules of the executor.
#[cfg(any(test, feature = "world"))]
pub(crate) mod driven {
    pub(crate) use super::keeper::report::KeeperTrouble;
    pub(crate) use super::notify::Message;
    pub(crate) use super::rules::kernel::{Kernel, Upbringing};
    pub(crate) use super::rules::resuming::Surveyed;
    pub(crate) use super::rules::{News, Rules};
    pub(crate) use super::spawn::{Busy, Child, Outcome};
    pub(crate) use super::sys::Ended;
    pub(crate) use super::tree::roll::Roll;
    pub(crate) use super::tree::{
        Act, Evidence, Looked, MainState, PipeId, Place, Populated, ProcessId, Round, Seen, Want, Whom,
    };
}
