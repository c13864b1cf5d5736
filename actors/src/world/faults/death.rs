//! mainstay is killed between any two acts, and started again. Nothing adopts what it left (docs/decisions/0014).

use std::time::Duration;

use super::super::environment::{Consequences, Undertaker};
use super::super::{Asked, Daemon, Due, Shown, World, checkers};
use crate::action::process::RunId;
use crate::effect::watched::{Lost, Panicked};
use crate::engine::Engine;
use crate::message::supervision::RootMessage;
use crate::message::{DaemonExit, GaveUp, Message, Outside};

/// How soon it is looked again whether systemd has killed everything.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Runs of one life of mainstay, as far apart as in production, where they begin with the seconds of the clock.
const RUNS: u32 = 31;

/// For how long nobody hears at most that a thread is gone.
const UNHEARD: Duration = Duration::from_millis(50);

/// A thread without which mainstay gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Part {
    Trees,
    Spawner,
    Drive,
    HardwareEvents,
}

fn lost(part: &str) -> Lost {
    Lost { part: part.to_owned(), how: Panicked::Once("simulated panic".to_owned()) }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Trees => "trees",
            Self::Spawner => "spawner-1",
            Self::Drive => "drive",
            Self::HardwareEvents => "hardware-events",
        }
    }

    /// Whether nothing is heard from there any more when it is gone.
    pub(in super::super) fn is_silent(self, from: Outside) -> bool {
        match self {
            Self::Trees | Self::Spawner => from == Outside::Processes,
            Self::Drive => from != Outside::Kernel,
            Self::HardwareEvents => from == Outside::Kernel,
        }
    }
}

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

    /// What it does is not done any more; that it is gone is heard a little later.
    fn lose_a_thread(&mut self) {
        if self.lost.is_some() || self.daemon == Daemon::Down {
            return;
        }
        let Some(part) = self.random.choose(&[Part::Trees, Part::Spawner, Part::Drive, Part::HardwareEvents]) else {
            return;
        };
        self.lost = Some(*part);
        let message = Message::Root(RootMessage::PartLost(lost(part.name())));
        let at = self.now + self.random.between(Duration::ZERO, UNHEARD);
        self.agenda.put(at, Due::Late(Outside::Processes.into(), Box::new(message), None));
    }

    /// Something has panicked that is not begun anew.
    pub(in super::super) fn part_is_lost(&mut self, part: &str) {
        self.end(DaemonExit::GaveUp(GaveUp::PartLost(lost(part))));
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
        self.agenda.retain(|due| match due {
            Due::Around(event, _) => !event.dies_with_daemon(),
            Due::Late(..) => false,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::inventory::InventoryMessage;
    use crate::world::faults::Weather;
    use crate::world::stations::{Draft, assemble};
    use mainstay_hardware::sighting::{HardwareEvent, Source};

    #[test]
    fn of_a_thread_that_is_gone_nothing_is_heard_before_mainstay_gives_up_for_it() {
        for seed in 0..20 {
            let mut world = World::in_weather(&assemble(&[], vec![Draft::new("only")]), seed, Weather::still());
            world.run_for(Duration::from_secs(60)).unwrap_or_else(|failure| panic!("{failure}"));
            world.lose_a_thread();
            let lost = world.lost.unwrap();
            let news = || Message::Hardware(InventoryMessage::Event(HardwareEvent::Works(Source::RadioNews)));
            for from in [Outside::Kernel, Outside::Processes] {
                assert_eq!(world.say(from, news(), None).is_none(), lost.is_silent(from), "seed {seed}");
            }
            world.run_for(UNHEARD).unwrap_or_else(|failure| panic!("{failure}"));
            assert!(matches!(world.ended(), Some(DaemonExit::GaveUp(_))), "seed {seed}");
        }
    }
}
