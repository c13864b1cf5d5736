//! mainstay is killed between any two acts, and started again. Nothing adopts what it left (docs/decisions/0014).

use std::time::Duration;

use super::super::environment::{Consequences, Undertaker};
use super::super::{Daemon, Due, Shown, World, checkers};
use crate::action::process::RunId;
use crate::effect::watched::{Lost, Panicked};
use crate::engine::Engine;
use crate::message::supervision::RootMessage;
use crate::message::{DaemonExit, Message, Outside};

/// How soon it is looked again whether systemd has killed everything.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Runs of one life of mainstay, as far apart as in production, where they begin with the seconds of the clock.
const RUNS: u32 = 31;

impl World {
    /// mainstay is killed, or a thread of it dies: then it gives up, and is started again as well.
    pub(super) fn kill_daemon_or_a_thread(&mut self) {
        match self.random.below(10) {
            // Most of what actors want done is done in the same moment, one after the other.
            0..4 => self.killed_after = Some(self.random.below(12)),
            // So is what the executor does about one piece of news.
            4..7 => self.environment.kill_executor_after(self.random.below(6)),
            _ => self.lose_a_thread(),
        }
    }

    fn lose_a_thread(&mut self) {
        let parts = ["trees", "spawner-1", "drive", "hardware-events"];
        let part = self.random.choose(&parts).copied().unwrap_or_default().to_owned();
        let lost = RootMessage::PartLost(Lost { part, how: Panicked::Once("simulated panic".to_owned()) });
        self.send(Outside::Processes.into(), Message::Root(lost), None);
    }

    /// Something was done that an actor wanted done. Whether mainstay was killed after it.
    pub(in super::super) fn is_killed_after_this(&mut self) -> bool {
        match &mut self.killed_after {
            None => false,
            Some(0) => {
                self.kill_daemon();
                true
            }
            Some(more) => {
                *more -= 1;
                false
            }
        }
    }

    /// mainstay ends, or is started again when it gave up and there is somebody who does that.
    pub(in super::super) fn end(&mut self, exit: DaemonExit) {
        if matches!(exit, DaemonExit::GaveUp(_)) && self.weather.death.is_some() {
            self.kill_daemon();
        } else if self.daemon == Daemon::Up {
            self.ended.get_or_insert(exit);
        }
    }

    /// mainstay is gone, with its machines, its mail and its executor. What is around it goes on.
    pub(in super::super) fn kill_daemon(&mut self) {
        if self.daemon == Daemon::Down {
            return;
        }
        self.daemon = Daemon::Down;
        self.deaths += 1;
        self.agenda.retain(|due| !matches!(due, Due::Around(event, _) if event.dies_with_daemon()));
        self.engine = Engine::new(self.environment.station(), RunId((self.deaths << RUNS) + 1));
        self.ready.clear();
        self.starving = None;
        self.asked.clear();
        (self.doomed, self.killed_after, self.shown) = (None, None, Shown::default());
        // What they have seen was of a life that is over.
        self.checkers.clear();
        let undertaker = if self.random.happens(500) { Undertaker::Systemd } else { Undertaker::Nobody };
        let mut so = Consequences::default();
        self.environment.lose_daemon(undertaker, &mut so);
        self.follow(so);
        let wait = self.random.between(LOOK_AGAIN, LOOK_AGAIN * 30);
        self.agenda.put(self.now + wait, Due::Begin);
    }

    /// The next one begins, when nothing is left that is being killed.
    pub(in super::super) fn begin_anew(&mut self) {
        if self.environment.trees().next().is_some() {
            self.agenda.put(self.now + LOOK_AGAIN, Due::Begin);
            return;
        }
        self.daemon = Daemon::Up;
        self.checkers = checkers::all(self.without);
        self.begin();
    }
}
