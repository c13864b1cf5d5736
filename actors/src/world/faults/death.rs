//! mainstay is killed between any two acts, and started again. Nothing adopts what it left (docs/decisions/0014).

use std::time::Duration;

use super::super::environment::{Consequences, Undertaker};
use super::super::{Due, Shown, Standing, World, checkers};
use crate::action::process::RunId;
use crate::engine::Engine;

/// How soon it is looked again whether systemd has killed everything.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Runs of one life of mainstay, as far apart as in production, where they begin with the seconds of the clock.
const RUNS: u32 = 31;

impl World {
    /// mainstay is gone, with its machines, its mail and its executor. What is around it goes on.
    pub(in super::super) fn kill_daemon(&mut self) {
        if self.standing == Standing::Down {
            return;
        }
        self.standing = Standing::Down;
        self.deaths += 1;
        self.agenda.retain(|due| !matches!(due, Due::Around(event, _) if event.dies_with_daemon()));
        self.engine = Engine::new(self.environment.station(), RunId((self.deaths << RUNS) + 1));
        self.ready.clear();
        self.asked.clear();
        (self.doomed, self.shown) = (None, Shown::default());
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
        self.standing = Standing::Up;
        self.checkers = checkers::all();
        self.begin();
    }
}
