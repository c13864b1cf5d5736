//! mainstay is killed between any two acts, and started again. Nothing adopts what it left (docs/decisions/0014).

use std::time::Duration;

use super::super::environment::{Consequences, Happening, Undertaker};
use super::super::{Asked, Daemon, Due, Shown, World, checkers};
use crate::action::process::RunId;
use crate::engine::Engine;
use crate::message::DaemonExit;

/// How soon it is looked again whether systemd has killed everything.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Runs of one life of mainstay, as far apart as in production, where they begin with the seconds of the clock.
const RUNS: u32 = 31;
/// How many in a thousand of those that give up nobody starts again.
const NOT_AGAIN: u16 = 100;

impl World {
    /// mainstay is killed, or a thread of it dies: then it gives up, and is started again as well.
    pub(super) fn kill_daemon_or_a_thread(&mut self) {
        match self.random.below(10) {
            // Most of what actors want done is done in the same moment, one after the other.
            0..4 => self.killed_after = Some(self.random.below(12)),
            // So is what the executor does about one piece of news.
            4..7 => self.environment.kill_executor_after(self.random.below(6)),
            _ => self.lose_some_part(),
        }
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
        if self.daemon == Daemon::Down || self.ended.is_some() {
            return;
        }
        if let DaemonExit::GaveUp(why) = &exit {
            self.note(&Happening::GivesUp(why.clone()));
            if self.weather.death.is_some() && !self.random.happens(NOT_AGAIN) {
                return self.kill_daemon();
            }
        }
        self.ended = Some(exit);
    }

    /// mainstay is gone, with its machines, its mail and its executor. What is around it goes on.
    pub(in super::super) fn kill_daemon(&mut self) {
        if self.daemon == Daemon::Down {
            return;
        }
        self.daemon = Daemon::Down;
        self.deaths += 1;
        self.agenda.retain(|due| match due {
            Due::Around(event, _) => !event.dies_with_daemon(),
            Due::Late(..) | Due::Loss(_) => false,
            Due::Fault(_) | Due::Begin => true,
        });
        self.engine =
            Engine::new(self.environment.station(), RunId((self.deaths << RUNS) + 1), self.environment.remembered());
        self.ready.clear();
        self.starving = None;
        let asked = std::mem::take(&mut self.asked).into_values();
        let unanswered = asked.filter_map(|asked| if let Asked::Service(name, _) = asked { Some(name) } else { None });
        let unanswered = unanswered.collect();
        (self.doomed, self.killed_after, self.lost, self.shown) = (None, None, None, Shown::default());
        // What most of them have seen was of a life that is over.
        self.checkers.retain_mut(|checker| checker.outlives_mainstay(&unanswered, &self.environment));
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
        let mut next = checkers::all(self.without);
        next.retain(|checker| self.checkers.iter().all(|known| known.check() != checker.check()));
        self.checkers.extend(next);
        self.begin();
    }
}
