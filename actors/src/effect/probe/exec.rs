//! Commands as probes. Who runs them is the process executor's matter: one reaper owns every child of mainstay, and a
//! `waitpid` here would race with it.

use std::time::Duration;

use futures::future::LocalBoxFuture;
use mainstay_config::names::ServiceName;

use crate::action::not_ready::CommandFailure;
use crate::action::process::{Exit, Invocation};

/// Runs a command to its end, for a probe.
pub trait RunCommand {
    /// Runs a command that checks a service with no input, for at most `timeout`;
    /// then it is killed with all it has started. Dropping the future kills it too: the run is cancelled, or the look
    /// took too long.
    fn run(
        &self,
        checked: &ServiceName,
        command: Invocation,
        timeout: Duration,
    ) -> LocalBoxFuture<'static, Result<Exit, CommandFailure>>;
}
