//! The log-keeper: started, and started again when it dies.

use std::os::fd::OwnedFd;

use mainstay_config::model::StopSignal;

use super::kernel::Kernel;
use super::{News, Rules};
use crate::action::process::Exit;
use crate::effect::process::keeper::life::GOOD_LIFE;
use crate::effect::process::keeper::report::KeeperTrouble;

impl<K: Kernel> Rules<K> {
    pub(super) fn keeper_ended(&mut self, exit: Exit) {
        self.kernel.keeper_is_gone();
        if let Some(wait) = self.keeper.died() {
            tracing::warn!(%exit, "the log-keeper ended and is started again; services go on");
            self.kernel.later(wait, News::StartKeeper);
        }
    }

    /// It is stopped, or hangs: every service that prints will stand still. Another takes its place when it is gone, and not before: two
    /// must not write into one file.
    pub(super) fn keeper_is_silent(&mut self, pid: u32) {
        if self.keeper.is(pid) {
            let trouble = KeeperTrouble::Silent { pid };
            tracing::error!("{trouble}");
            self.kernel.show_keeper(Some(trouble));
            self.kernel.signal(pid, StopSignal::Kill);
        }
    }

    fn keeper_not_started(&mut self, why: &dyn std::fmt::Display) {
        self.kernel.keeper_is_gone();
        if let Some(wait) = self.keeper.died() {
            let trouble = KeeperTrouble::NotStarted { why: why.to_string() };
            tracing::error!("{trouble}");
            self.kernel.show_keeper(Some(trouble));
            self.kernel.later(wait, News::StartKeeper);
        }
    }

    /// Starts a keeper, unless mainstay ends.
    pub(crate) fn start_keeper(&mut self) {
        if self.keeper.begin() {
            self.ask_for_keeper();
        }
    }

    pub(super) fn ask_for_keeper(&mut self) {
        if self.kernel.start_keeper().is_err() {
            self.keeper_not_started(&"too many programs wait to be started");
        }
    }

    pub(super) fn keeper_started(&mut self, outcome: std::io::Result<(u32, Option<OwnedFd>)>) {
        match outcome {
            Ok((pid, reports)) => {
                self.kernel.listen_to_keeper(reports);
                self.kernel.show_keeper(None);
                self.keeper.up(pid);
                self.kernel.later(GOOD_LIFE, News::KeeperLasts(pid));
                if let Some(exit) = self.take_early_end(pid) {
                    self.keeper_ended(exit);
                }
            }
            Err(error) => self.keeper_not_started(&error),
        }
        if self.keeper.is_closing() {
            self.kernel.close_outputs();
        }
        self.forget_early_ends();
    }

    /// Lets the keeper end when it has nothing left to do. One that is just coming is first given what there is.
    pub(crate) fn close_keeper(&mut self) {
        self.keeper.close();
        if !self.keeper.is_coming() {
            self.kernel.close_outputs();
        }
    }

    /// Whether the keeper will end by itself and has not yet.
    pub(crate) fn keeper_is_ending(&self) -> bool {
        self.runs.is_empty() && (self.keeper.pid().is_some() || self.keeper.is_coming())
    }
}
