//! A part of mainstay that is gone.

use std::fmt;

/// A thread or a task that is gone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lost {
    /// Its name.
    pub part: String,
    /// How.
    pub how: Panicked,
}
