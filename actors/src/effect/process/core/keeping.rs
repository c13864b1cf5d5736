//! The log-keeper: handed what programs print, and started again when it dies.

use super::{Core, GIVE_AGAIN, GiveTimer, News};
use crate::effect::process::keeper::link::Given;
use crate::effect::process::order::Exit;
use crate::effect::process::spawn::{Job, Keeper};

impl Core {
    pub(super) fn keeper_ended(&mut self, exit: Exit) {
        if let Some(wait) = self.keeper.died() {
            tracing::warn!(%exit, "the log-keeper ended and is started again; services go on");
            self.later(wait, News::StartKeeper);
        }
    }

    fn keeper_not_started(&mut self, why: &dyn std::fmt::Display) {
        if let Some(wait) = self.keeper.died() {
            tracing::error!(%why, "the log-keeper could not be started; what services print waits in their pipes");
            self.later(wait, News::StartKeeper);
        }
    }

    pub(super) fn start_keeper(&mut self) {
        if self.spawner.queue(Job::Keeper).is_err() {
            self.keeper_not_started(&"too many programs wait to be started");
        }
    }

    pub(super) fn keeper_started(&mut self, outcome: std::io::Result<Keeper>) {
        match outcome {
            Ok(keeper) => {
                let pid = keeper.pid;
                let given = self.keeper.up(keeper);
                self.after_giving(given);
                if let Some(exit) = self.claim(pid) {
                    self.keeper_ended(exit);
                }
            }
            Err(error) => self.keeper_not_started(&error),
        }
        self.claim_nothing_more();
    }

    pub(super) fn give_again(&mut self) {
        self.give_timer = GiveTimer::Unset;
        let given = self.keeper.give();
        self.after_giving(given);
    }

    pub(super) fn after_giving(&mut self, given: Given) {
        if given == Given::NotYet && self.give_timer == GiveTimer::Unset {
            self.give_timer = GiveTimer::Set;
            self.later(GIVE_AGAIN, News::GiveAgain);
        }
    }

    /// Lets the keeper end when it has nothing left to do.
    pub(in crate::effect::process) fn close_keeper(&mut self) {
        self.keeper.close();
    }

    /// Whether the keeper will end by itself and has not yet.
    pub(in crate::effect::process) fn keeper_is_ending(&self) -> bool {
        self.runs.is_empty() && self.keeper.pid().is_some()
    }
}
