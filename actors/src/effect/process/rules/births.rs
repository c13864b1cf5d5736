//! Programs that are being started: one whose disk does not answer is told of, makes room for others, and can be killed.

use std::time::Duration;

use mainstay_config::model::StopSignal;

use super::Rules;
use super::kernel::{Kernel, Upbringing};
use crate::action::process::{ProcessEvent, RunId};
use crate::effect::process::runs::Loading;

/// Between two looks. A program that is still being loaded at the second look has been for at least this long.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether a look at programs that are being started is called for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum BirthWatch {
    #[default]
    Off,
    Set,
}

impl<K: Kernel> Rules<K> {
    pub(super) fn begin_starting(&mut self) {
        self.starting += 1;
        self.watch_births();
    }

    pub(super) fn end_starting(&mut self) {
        self.starting = self.starting.saturating_sub(1);
        if self.starting == 0 && self.birth_watch == BirthWatch::Set {
            self.birth_watch = BirthWatch::Off;
            self.kernel.watch_births(None);
        }
    }

    pub(super) fn watch_births(&mut self) {
        if self.birth_watch == BirthWatch::Off && self.starting > 0 {
            self.birth_watch = BirthWatch::Set;
            self.kernel.watch_births(Some(PATIENCE));
        }
    }

    pub(super) fn look_at_births(&mut self) {
        self.birth_watch = BirthWatch::Off;
        let (mut late, mut hanging) = (Vec::new(), Vec::new());
        for (id, run) in &mut self.runs {
            if run.look_at_loading(|| self.kernel.upbringing(*id)) == Some(Loading::Hangs) {
                late.push((*id, run.service().clone()));
            }
            if run.hangs_in_loading() {
                hanging.push(*id);
            }
        }
        for (id, service) in late {
            tracing::warn!(%service, "its program is still being loaded");
            self.kernel.say(&service, id, ProcessEvent::LoadsSlowly);
        }
        // Also those that found no thread to take the place of theirs before.
        hanging.retain(|id| self.kernel.upbringing(*id) == Upbringing::Attended);
        hanging.into_iter().for_each(|id| self.kernel.replace(id));
        self.watch_births();
    }

    /// Kills a process that is not heard of yet. One that hangs in the kernel dies there, before it runs any of its program.
    pub(super) fn kill_newborn(&mut self, id: RunId) {
        let Some(pid) = self.kernel.newborn(id) else { return };
        // One that has been reaped may be somebody else by now.
        if !self.early_ends.iter().any(|ended| ended.pid == pid) {
            self.kernel.signal(pid, StopSignal::Kill);
        }
    }

    /// Whether this child may be a program, or a log-keeper, of which it is not heard yet that it has started.
    pub(super) fn may_be_newborn(&self, pid: u32) -> bool {
        self.keeper.is_coming() || self.kernel.is_newborn(pid)
    }
}
