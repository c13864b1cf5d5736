//! What comes of a call to a driver or to the kernel that may hang: data only.

use std::time::Duration;

use mainstay_hardware::error::{Error, ErrorKind, SystemError};

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NoAnswer {
    /// So many other calls hang that it was not begun.
    OthersHang(usize),
    /// Earlier looks at files hang, and it is another one.
    FilesHang,
    /// An earlier call to the same driver has not come back.
    EarlierHangs,
    /// No thread could be started for it.
    NoThread(SystemError),
    /// It panicked.
    Panicked,
    /// It did not come back within this time.
    Late(Duration),
    /// The system refused it.
    Refused(SystemError),
}

impl From<NoAnswer> for Error {
    fn from(why: NoAnswer) -> Self {
        let kind = match why {
            NoAnswer::OthersHang(_) | NoAnswer::FilesHang => ErrorKind::NotTried,
            NoAnswer::EarlierHangs | NoAnswer::Late(_) => ErrorKind::TimedOut,
            NoAnswer::NoThread(_) | NoAnswer::Panicked | NoAnswer::Refused(_) => ErrorKind::Other,
        };
        Self::new(kind, why.to_string())
    }
}
