//! The words in which causes are told: each made here, once, when somebody reads it.

mod device;
mod lease;
mod reply;
mod service;
mod told;

pub use device::{departure, device_cure, event_words, supply};
pub use lease::{blocker_cure, blockers};
pub use reply::{reply, reply_help};
pub use service::{missing, reason, service_cures, waiting};

/// What was left out of a list.
fn more(words: &mut Vec<String>, count: usize) {
    if count > 0 {
        words.push(format!("{count} more"));
    }
}
