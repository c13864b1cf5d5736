//! The log-keeper: started, and started again when it dies.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use tokio::sync::Notify;

use super::{Core, News};
use crate::action::process::Exit;
use crate::effect::process::keeper::report::listen;
use crate::effect::process::spawn::Job;

impl Core {
    pub(super) fn keeper_ended(&mut self, exit: Exit) {
        self.keeper_gone.notify_one();
        if let Some(wait) = self.keeper.died() {
            tracing::warn!(%exit, "the log-keeper ended and is started again; services go on");
            self.later(wait, News::StartKeeper);
        }
    }

    fn keeper_not_started(&mut self, why: &dyn std::fmt::Display) {
        self.keeper_gone.notify_one();
        if let Some(wait) = self.keeper.died() {
            tracing::error!(%why, "the log-keeper could not be started; what services print waits in their pipes");
            self.later(wait, News::StartKeeper);
        }
    }

    /// Starts a keeper, unless mainstay ends.
    pub(in crate::effect::process) fn start_keeper(&mut self) {
        if self.keeper.begin() && self.spawner.queue(Job::Keeper).is_err() {
            self.keeper_not_started(&"too many programs wait to be started");
        }
    }

    pub(super) fn keeper_started(&mut self, outcome: std::io::Result<(u32, OwnedFd)>) {
        match outcome {
            Ok((pid, reports)) => {
                let (reports, troubles) = (Rc::new(reports), self.settings.log_troubles.clone());
                self.watched.task_again("keeper-reports", move || listen(Rc::clone(&reports), troubles.clone()));
                self.keeper.up(pid);
                if let Some(exit) = self.claim(pid) {
                    self.keeper_ended(exit);
                }
            }
            Err(error) => self.keeper_not_started(&error),
        }
        if self.keeper.is_closing() {
            self.holder.close();
        }
        self.claim_nothing_more();
    }

    /// Lets the keeper end when it has nothing left to do. One that is just coming is first given what there is.
    pub(in crate::effect::process) fn close_keeper(&mut self) {
        self.keeper.close();
        if !self.keeper.is_coming() {
            self.holder.close();
        }
    }

    /// Tells when a keeper is gone.
    pub(in crate::effect::process) fn keeper_gone(&self) -> Rc<Notify> {
        Rc::clone(&self.keeper_gone)
    }

    /// Whether the keeper will end by itself and has not yet.
    pub(in crate::effect::process) fn keeper_is_ending(&self) -> bool {
        self.runs.is_empty() && (self.keeper.pid().is_some() || self.keeper.is_coming())
    }
}
