//! What `/proc` says of where a process comes from, and so whether it is of a run.

use super::owners::{Origin, Root, is_below};
use super::{ancestry, cgroup};
use crate::effect::proc::{PipeId, Proc, ProcessId};
use crate::effect::process::spawn::environment::RUN;

/// What `/proc` says; the mark by a way of its own, for it can be slow to read.
pub(super) struct FromProc<'a, M> {
    proc: Proc<'a>,
    /// The folder of our cgroups.
    folder: String,
    /// One that everybody inherits from us is nobody's tag.
    own_limit: Option<u64>,
    mark: M,
}

impl<'a, M: Fn(ProcessId) -> Option<String>> FromProc<'a, M> {
    pub(super) fn new(proc: Proc<'a>, us: u32, mark: M) -> Self {
        Self { proc, folder: cgroup::folder_name(us), own_limit: proc.realtime_limit(us), mark }
    }
}

impl<M: Fn(ProcessId) -> Option<String>> Origin for FromProc<'_, M> {
    fn cgroup(&self, pid: u32) -> Option<String> {
        self.proc.cgroup(pid, &self.folder)
    }

    fn realtime_limit(&self, pid: u32) -> Option<u64> {
        self.proc.realtime_limit(pid).filter(|limit| Some(*limit) != self.own_limit)
    }

    fn outputs(&self, pid: u32) -> Vec<PipeId> {
        self.proc.outputs(pid)
    }

    fn mark(&self, id: ProcessId) -> Option<String> {
        (self.mark)(id)
    }

    fn user(&self, pid: u32) -> Option<u32> {
        self.proc.user(pid)
    }
}

/// Whether a process is of a run of ours; `None`: it is below us, and nobody can tell whose it is. It reads the environment of
/// others, and may hang.
pub(crate) fn is_of(proc: Proc<'_>, pid: u32, run: &Root, us: u32) -> Option<bool> {
    if pid == us {
        // A service can have handed us what it listens on.
        return None;
    }
    let origin = FromProc::new(proc, us, |id: ProcessId| proc.environment(id.pid, RUN));
    match ancestry::line(pid, us, |pid| proc.process(pid)) {
        Some(line) => is_below(&line, run, &origin),
        // Anybody can write a mark into his environment, but not enter our cgroups.
        None => Some(origin.cgroup(pid).as_deref() == Some(&*run.mark)),
    }
}
