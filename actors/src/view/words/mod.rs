//! The words in which causes are told: each made here, once, when somebody reads it.

/// The words for each variant of an enum: a format, one with what it names in parentheses, or a block that writes them to `f` itself.
macro_rules! in_words {
    ($(#[$meta:meta])* $type:ty, $f:ident: $($pattern:pat $(if $guard:expr)? => $words:tt,)+) => {
        $(#[$meta])*
        impl std::fmt::Display for $type {
            fn fmt(&self, $f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($pattern $(if $guard)? => in_words!(@ $f $words),)+
                }
            }
        }
    };
    (@ $f:ident { $($block:tt)* }) => {{ $($block)* }};
    (@ $f:ident ($($format:tt)*)) => { write!($f, $($format)*) };
    (@ $f:ident $format:literal) => { write!($f, $format) };
}

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
