//! What the program's exit codes mean. `mainstay --help` prints this table.

use std::process::ExitCode;

/// How a run of the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitStatus {
    /// It was done, or the answer was printed.
    Ok,
    /// It was not done, or what was asked for is not so.
    Failed,
    /// The command line itself is wrong. The number is clap's.
    Usage,
    /// No daemon answers.
    NoDaemon,
    /// No service or device has that name.
    UnknownName,
    /// The daemon refuses, or this user may not.
    Refused,
    /// The daemon ended because its root supervisor gave up (`EX_SOFTWARE` of sysexits.h).
    GaveUp = 70,
}

impl ExitStatus {
    /// Every one of them, by number, and what it means.
    pub(crate) const ALL: [(Self, &str); 7] = [
        (Self::Ok, "done, or the answer was printed"),
        (Self::Failed, "it failed, or is not so (`check` found problems)"),
        (Self::Usage, "the command line is wrong"),
        (Self::NoDaemon, "no daemon answers"),
        (Self::UnknownName, "no service or device has that name"),
        (Self::Refused, "the daemon refuses, or you may not"),
        (Self::GaveUp, "`run` gave up: its actors failed too often"),
    ];

    /// The number the shell sees.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}
