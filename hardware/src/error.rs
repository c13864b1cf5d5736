//! One error for everything that hardware refuses to do: a kind for programs, a message for people.

use std::io;

/// What went wrong with a piece of hardware.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("{message}")]
pub struct Error {
    /// What sort of trouble.
    pub kind: ErrorKind,
    /// For people: what was tried, on what, and what the kernel said.
    pub message: String,
}

/// What sort of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It is not there (ENODEV, ENOENT).
    NotFound,
    /// Somebody else has it (EBUSY).
    Busy,
    /// Not allowed (EACCES, EPERM).
    PermissionDenied,
    /// It cannot do that (EOPNOTSUPP).
    NotSupported,
    /// Mainstay itself refuses, to protect somebody; the message says whom.
    Refused,
    /// It was not even tried, since too much else hangs: it may be as well as ever.
    NotTried,
    /// It did not answer in time.
    TimedOut,
    /// Anything else.
    Other,
}

impl Error {
    /// An error of a kind with a message.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// From an operating system error, with what was tried.
    #[must_use]
    pub fn io(tried: &str, error: &io::Error) -> Self {
        let kind = match error.raw_os_error() {
            Some(19 | 2 | 6) => ErrorKind::NotFound,
            Some(16) => ErrorKind::Busy,
            Some(13 | 1) => ErrorKind::PermissionDenied,
            Some(95) => ErrorKind::NotSupported,
            Some(110) => ErrorKind::TimedOut,
            _ => ErrorKind::Other,
        };
        Self { kind, message: format!("{tried}: {error}") }
    }
}
