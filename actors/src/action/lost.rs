//! A part of mainstay that is gone.

use std::fmt;

/// A thread or a task that is gone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lost {
    /// Its name.
    pub part: String,
    /// What it panicked with.
    pub why: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its part `{}` panicked: {}", self.part, self.why)
    }
}
