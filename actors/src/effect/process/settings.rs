//! What the process executor is told when it starts.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::Logs;

use super::keeper::LogTroubles;

/// Limits and places for the process executor.
#[derive(Debug, Clone)]
pub struct ProcessSettings {
    /// Where notification sockets and the log-keeper's socket go; exists already.
    pub run_dir: PathBuf,
    /// Where log files go: `<log_dir>/<service>.log`, `.log.1`, …
    pub log_dir: PathBuf,
    /// How they are kept.
    pub logs: Logs,
    /// Where it is noted whose output cannot be written.
    pub log_troubles: LogTroubles,
    /// How many services there are.
    pub services: usize,
    /// The program that is run as `<program> log-keeper`; mainstay itself.
    pub keeper_program: PathBuf,
    /// How long to wait between looks at a tree that is being killed.
    pub sweep_interval: Duration,
}
