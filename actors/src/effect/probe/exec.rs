//! Commands as probes. Who runs them is the process executor's matter: one reaper owns every child of mainstay, and a
//! `waitpid` here would race with it.

use std::time::Duration;

use futures::future::LocalBoxFuture;

use crate::action::probe::CheckCommand;
use crate::action::process::{Exit, SpawnFailure};

/// Runs a command to its end, for a probe.
pub trait RunCommand {
    /// Runs `command` with no input, for at most `timeout`;
    /// then it is killed with all it has started. Dropping the future kills it too: the run is cancelled, or the look
    /// took too long.
    fn run(&self, command: CheckCommand, timeout: Duration) -> LocalBoxFuture<'static, Result<Exit, CommandFailure>>;
}

/// Why a command of a probe has no exit code. The words stand after the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandFailure {
    /// It did not start.
    #[error("did not start: {0}")]
    NotStarted(#[from] SpawnFailure),
    /// It was killed because it took too long.
    #[error("had not ended after {} and was killed", humantime::format_duration(*.0))]
    TooSlow(Duration),
}
