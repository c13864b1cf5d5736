//! What the executor knows between two messages, without what it does it with: no thread, descriptor or clock. It can be cloned and written
//! down; with another kernel, other drivers and other clocks behind it, it goes on from there.

use std::collections::BTreeMap;

use super::calls::Calls;
use super::probe::watching::Watching;
use super::process::{Rules, RunEvent};
use super::telling::Telling;
use super::wakefulness::Kept;
use crate::action::process::RunId;

/// All of it.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Known {
    /// Of processes.
    pub(crate) processes: Rules<()>,
    /// What was said of them, and has not been told yet.
    pub(crate) said: Vec<RunEvent>,
    /// Of what is told of runs.
    pub(crate) telling: Telling,
    /// Of calls to drivers.
    pub(crate) calls: Calls,
    /// Of devices that are kept awake.
    pub(crate) kept: Kept,
    /// Of runs that are looked at until they are ready.
    pub(crate) watched: BTreeMap<RunId, Watching>,
}
