//! Programs that are being started: one whose disk does not answer is told of, makes room for others, and can be killed.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Core, News, send};
use crate::action::process::{ProcessEvent, RunId};
use crate::effect::process::runs::{Loading, Run};

/// Between two looks. A program that is still being loaded at the second look has been for at least this long.
const PATIENCE: Duration = Duration::from_secs(1);

impl Core {
    pub(super) fn begin_starting(&mut self) {
        self.starting += 1;
        self.watch_births();
    }

    pub(super) fn end_starting(&mut self) {
        self.starting = self.starting.saturating_sub(1);
        if self.starting == 0
            && let Some(watch) = self.birth_watch.take()
        {
            // A daemon with nothing to do sleeps.
            watch.abort();
        }
    }

    fn watch_births(&mut self) {
        if self.birth_watch.is_none() && self.starting > 0 {
            self.birth_watch = Some(self.later(PATIENCE, News::LookAtBirths));
        }
    }

    pub(super) fn look_at_births(&mut self) {
        self.birth_watch = None;
        let mut late = Vec::new();
        for (id, run) in &mut self.runs {
            if run.look_at_loading() == Some(Loading::Hangs) {
                late.push((*id, run.service().clone()));
            }
        }
        for (id, service) in late {
            tracing::warn!(%service, "its program is still being loaded");
            self.say(&service, id, ProcessEvent::LoadsSlowly);
        }
        // Also those that found no thread to take the place of theirs before.
        let hanging = self.runs.values().filter(|run| run.hangs_in_loading()).filter_map(Run::birth);
        hanging.filter(|birth| birth.occupies_a_thread()).for_each(|birth| self.spawner.replace(birth));
        self.watch_births();
    }

    /// Kills a process that is not heard of yet. One that hangs in the kernel dies there, before it runs any of its program.
    pub(super) fn kill_newborn(&self, id: RunId) {
        let birth = self.runs.get(&id).and_then(|run| run.birth());
        let Some(pid) = birth.and_then(|birth| birth.pid()) else { return };
        let number = number_of_pid(pid);
        // One that has been reaped may be somebody else by now.
        if !self.unclaimed.iter().any(|ended| ended.pid == number) {
            send(number, kill_process, Signal::KILL);
        }
    }

    /// Whether this child may be a program, or a log-keeper, of which it is not heard yet that it has started.
    pub(super) fn may_be_newborn(&self, pid: u32) -> bool {
        self.keeper.is_coming() || self.is_being_born(pid)
    }
}

pub(super) fn number_of_pid(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}
