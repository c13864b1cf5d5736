//! The words in which causes are told: each made here, once, when somebody reads it.

mod service;

pub use service::{lost, missing, names, standing, waiting, without};

/// What was left out of a list.
fn more(words: &mut Vec<String>, count: usize) {
    if count > 0 {
        words.push(format!("{count} more"));
    }
}
