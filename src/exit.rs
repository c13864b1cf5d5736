//! What the program's exit codes mean. `mainstay --help` prints this table.

use std::process::ExitCode;

/// How a run of the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    GaveUp,
}

impl ExitStatus {
    /// Every one of them, by number.
    pub(crate) const ALL: [Self; 7] =
        [Self::Ok, Self::Failed, Self::Usage, Self::NoDaemon, Self::UnknownName, Self::Refused, Self::GaveUp];

    /// The number the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoDaemon => 3,
            Self::UnknownName => 4,
            Self::Refused => 5,
            Self::GaveUp => 70,
        }
    }

    /// What it means, for `--help`.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done, or the answer was printed",
            Self::Failed => "it failed, or is not so (`check` found problems)",
            Self::Usage => "the command line is wrong",
            Self::NoDaemon => "no daemon answers",
            Self::UnknownName => "no service or device has that name",
            Self::Refused => "the daemon refuses, or you may not",
            Self::GaveUp => "`run` gave up: its actors failed too often",
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}
