//! One error for everything that hardware refuses to do: a kind for programs, a message for people; and what the operating
//! system says when it does not do something.

use std::{fmt, io};

/// An error as errno(3) numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Errno(pub i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

/// What the operating system said of something that it did not do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SystemError {
    /// Its number.
    Number(Errno),
    /// Its words, where it has no number for it: those of a name server's client, say.
    Words(Box<str>),
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(errno) => errno.fmt(f),
            Self::Words(words) => f.write_str(words),
        }
    }
}

impl From<&io::Error> for SystemError {
    fn from(error: &io::Error) -> Self {
        let words = || Self::Words(error.to_string().into());
        error.raw_os_error().map_or_else(words, |number| Self::Number(Errno(number)))
    }
}

impl From<io::Error> for SystemError {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<rustix::io::Errno> for SystemError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Number(Errno(error.raw_os_error()))
    }
}

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
