//! The words in which causes are told: each made here, once, when somebody reads it.

mod device;
mod ending;
mod lease;
mod probe;
mod process;
mod reply;
mod service;
mod told;

use std::fmt;

use crate::cause::Listed;

pub use device::{departure, device_cure, sort, supply};
pub use lease::{blocker_cure, blockers};
pub use reply::{reply, reply_help};
pub use service::{missing, reason, service_cures, service_reason, waiting};

/// What was left out of a list.
fn more(words: &mut Vec<String>, count: usize) {
    if count > 0 {
        words.push(format!("{count} more"));
    }
}

/// All that is listed, each in words, and how many more there are.
fn each<T: fmt::Display>(listed: &Listed<T>) -> Vec<String> {
    let mut words: Vec<String> = listed.first.iter().map(ToString::to_string).collect();
    more(&mut words, listed.more);
    words
}

/// The same in one.
fn listed<T: fmt::Display>(listed: &Listed<T>, between: &str) -> String {
    each(listed).join(between)
}
