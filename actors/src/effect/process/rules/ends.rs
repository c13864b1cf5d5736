//! Programs that have started and children that have ended.

use super::kernel::Kernel;
use super::orphans::Orphan;
use super::{EARLY_ENDS_MAX, Rules};
use crate::action::process::{Exit, ProcessEvent, RunId, SpawnFailure};
use crate::effect::process::runs::{Main, Sweep};
use crate::effect::process::spawn::Child;
use crate::effect::process::sys::Ended;

impl<K: Kernel> Rules<K> {
    /// Children have ended.
    pub(crate) fn children_ended(&mut self) {
        self.reap();
        self.prove();
        self.begin_round();
    }

    /// Waits for all children that have ended.
    pub(super) fn reap(&mut self) {
        while let Some(ended) = self.kernel.next_ended() {
            self.child_ended(ended);
        }
    }

    fn child_ended(&mut self, ended: Ended) {
        let Ended { pid, exit } = ended;
        self.runs.values_mut().for_each(|run| run.has_ended(pid));
        let orphan = self.orphans.ended(pid);
        match orphan {
            Some(Orphan::Of((id, _))) => self.suspect_anew(pid, Some(id)),
            Some(Orphan::OfNobody) => {}
            None => self.suspect_anew(pid, self.by_pid.get(&pid).copied()),
        }
        if let Some(id) = self.by_pid.get(&pid).copied() {
            self.main_ended(id, pid, exit);
        } else if self.keeper.is(pid) {
            self.keeper_ended(exit);
        } else if let Some(Orphan::Of((id, _))) = orphan {
            self.perhaps_over(id);
        } else {
            if self.may_be_newborn(pid) {
                // Perhaps a program that ended before it was heard that it had started.
                self.early_ends.push_back(ended);
                if self.early_ends.len() > EARLY_ENDS_MAX {
                    self.early_ends.pop_front();
                }
            }
            // Perhaps the last process of a tree whose main process is gone.
            let waiting: Vec<_> = self.runs.iter().filter(|(_, run)| run.has_lost_main()).map(|(id, _)| *id).collect();
            waiting.into_iter().for_each(|id| self.perhaps_over(id));
        }
    }

    pub(super) fn program_started(&mut self, id: RunId, outcome: Result<Child, SpawnFailure>) {
        self.end_starting();
        // It may have left somebody to us before it was known.
        self.orphans.ask_strangers_again();
        let newborn = self.kernel.newborn(id);
        self.kernel.is_born(id);
        let Some(run) = self.runs.get_mut(&id) else { return };
        let service = run.service().clone();
        match outcome {
            Err(failure) => {
                // It has been waited for, and nobody else will ask for its end.
                if let Some(pid) = newborn {
                    self.take_early_end(pid);
                }
                self.kernel.say(&service, id, ProcessEvent::SpawnFailed(failure));
                self.forget(id);
            }
            Ok(Child { pid, uid, place, output, log_end }) => {
                let early = run.spawned(Main { pid, leader: pid, uid, place, output, log_end });
                let sweep = run.sweep;
                self.by_pid.insert(pid, id);
                self.kernel.say(&service, id, ProcessEvent::Spawned { pid });
                // It may have spoken, and have ended, before it was heard that it has started.
                self.check_again(id);
                if let Some(exit) = self.take_early_end(pid) {
                    self.main_ended(id, pid, exit);
                }
                early.into_iter().for_each(|order| self.signal(order));
                if sweep == Sweep::UntilGone {
                    self.sweep(id);
                }
            }
        }
        self.forget_early_ends();
    }

    pub(super) fn take_early_end(&mut self, pid: u32) -> Option<Exit> {
        let place = self.early_ends.iter().position(|ended| ended.pid == pid)?;
        self.early_ends.remove(place).map(|ended| ended.exit)
    }

    pub(super) fn forget_early_ends(&mut self) {
        if self.starting == 0 && !self.keeper.is_coming() {
            self.early_ends.clear();
        }
    }
}
