//! A trial: a storm, then quiet, then closing down; checked all the way.

use std::time::Duration;

use mainstay_config::model::Station;

use super::checkers::{Check, View};
use super::environment::{Consequences, DeviceCommand};
use super::faults::{Part, Sabotage, Weather};
use super::{Daemon, Due, Failure, Keep, Moment, World};
use crate::cause::{Blocker, DeviceFault, DeviceReason, Unusable};
use crate::effect::check_commands::is_command;
use crate::message::DaemonExit;
use crate::message::device::DeviceSnapshot;

/// Long enough for every back-off, quarantine and grace period to be over.
const QUIET: Duration = Duration::from_secs(3600);
/// Long enough for everything to be stopped in order, however stubborn.
const CLOSING: Duration = Duration::from_secs(1800);
/// Longer than from one look at a stranger's port to the next.
const LOOKING: Duration = Duration::from_secs(20);
/// How long the executor waits in the end for the log-keeper, which waits for whatever prints.
const KEEPER_PATIENCE: Duration = Duration::from_secs(5);
/// Long enough for all to start that has waited for a device.
const CHOSEN: Duration = Duration::from_secs(600);
const MOMENT: Duration = Duration::from_millis(100);

/// How many in a thousand are closed down in the midst of the storm, and how long it lasts then.
const CLOSED_IN_STORM: u16 = 300;
const STILL_STORMY: Duration = Duration::from_secs(10);
/// How many in a thousand are told to hurry, and how long they are given before.
const HURRIED: u16 = 300;
const LONGEST_PATIENCE: Duration = Duration::from_secs(12);

/// What to try.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What goes wrong.
    pub weather: Weather,
    /// For how long.
    pub storm: Duration,
    /// A planted bug.
    pub sabotage: Option<Sabotage>,
    /// A checker that does not look.
    pub without: Option<Check>,
    /// How much of what happens is kept.
    pub keep: Keep,
}

/// What came of a trial.
#[derive(Debug, Clone)]
pub struct TrialReport {
    /// How many messages were handled.
    pub messages: u64,
    /// How much virtual time went by.
    pub time: Duration,
    /// The journal, as far as it was kept.
    pub journal: String,
    /// What was tried.
    #[cfg(test)]
    pub(crate) reached: std::collections::BTreeSet<super::coverage::Mark>,
    /// What was lost in panics.
    #[cfg(test)]
    pub(crate) losses: super::coverage::Losses,
}

impl Trial {
    /// Nothing but a storm of so long.
    #[must_use]
    pub fn of(weather: Weather, storm: Duration) -> Self {
        Self { weather, storm, sabotage: None, without: None, keep: Keep::Last(120) }
    }

    /// Runs it.
    ///
    /// # Errors
    /// When a checker finds an invariant broken.
    pub fn run(&self, station: &Station, seed: u64) -> Result<TrialReport, Failure> {
        let world = World::in_weather(station, seed, self.weather.clone());
        let mut world = world.keeping(self.keep).sabotaged(self.sabotage).without(self.without);
        world.run_for(self.storm)?;
        if world.random.happens(CLOSED_IN_STORM) {
            // Everything goes on going wrong while it closes down.
            if !world.random.happens(HURRIED) {
                world.close();
                let patience = world.random.between(Duration::ZERO, STILL_STORMY);
                world.run_for(patience)?;
                if world.random.happens(HURRIED) {
                    // Said once more, it is the same wish.
                    world.close();
                }
            }
            if world.random.happens(HURRIED) {
                world.hurry();
            }
            world.run_for(STILL_STORMY)?;
            world.be_still();
            world.run_until_up()?;
            // Once is enough for whoever lives, however often the root panicked over it.
            if world.closed_in != Some(world.deaths) {
                world.close();
            }
        } else {
            world.be_still();
            world.run_for(QUIET)?;
            world.choose_pieces()?;
            world.run_until_looked()?;
            if world.ended.is_none() {
                world.when_quiet()?;
                world.close();
            }
        }
        if world.random.happens(HURRIED) {
            let patience = world.random.between(Duration::ZERO, LONGEST_PATIENCE);
            world.run_for(patience)?;
            world.hurry();
        }
        world.run_for(CLOSING)?;
        world.wind_down();
        if matches!(world.ended, Some(DaemonExit::GaveUp(_))) {
            world.given_up()?
        } else {
            world.at_the_end()?
        }
        let time = world.now.since(Moment::default());
        Ok(TrialReport {
            messages: world.journal.handled(),
            time,
            journal: world.journal.text(),
            #[cfg(test)]
            reached: world.reached,
            #[cfg(test)]
            losses: world.losses,
        })
    }
}

impl World {
    /// One that was killed is started again first: nobody hears what is said meanwhile.
    fn run_until_up(&mut self) -> Result<(), Failure> {
        for _ in 0..CLOSING.as_secs() {
            if self.daemon == Daemon::Up {
                break;
            }
            self.run_for(Duration::from_secs(1))?;
        }
        Ok(())
    }

    /// Of what several pieces have fitted, the operator says that the one is meant that is left.
    fn choose_pieces(&mut self) -> Result<(), Failure> {
        let is_undecided = |shown: &&DeviceSnapshot| {
            matches!(shown.reason, DeviceReason::Unusable(Unusable::Faulted(DeviceFault::Undecided(_))))
        };
        let undecided = self.shown.devices.values().filter(is_undecided);
        let undecided: Vec<_> = undecided.map(|shown| shown.name.clone()).collect();
        if undecided.is_empty() {
            return Ok(());
        }
        undecided.iter().for_each(|name| self.command_device(name, DeviceCommand::Admit));
        self.run_for(CHOSEN)
    }

    /// The executor ends: it kills the commands of checks, of which the actors know nothing, and waits until nothing has its output open any
    /// more. Services that are left have theirs open.
    fn wind_down(&mut self) {
        self.be_still();
        let until = self.now + KEEPER_PATIENCE;
        let has_given_up = matches!(self.ended, Some(DaemonExit::GaveUp(_)));
        if self.ended.is_some() && !self.lost.is_some_and(Part::holds_up_the_executor) {
            let mut so = Consequences::default();
            self.environment.shut_down(&mut so);
            self.follow(so);
        }
        let has_commands = |world: &Self| world.environment.trees().any(|(run, _)| is_command(*run));
        while (has_given_up || has_commands(self)) && self.agenda.next_at().is_some_and(|at| at <= until) {
            // Nobody stops any more what should not run.
            self.now = self.agenda.next_at().unwrap_or(until);
            self.environment.set_now(self.now);
            if let Some(due @ Due::Around(..)) = self.agenda.take() {
                self.perform(due);
            }
        }
    }

    /// As long as a stranger has a port, it is looked now and then whether he is still there. For a moment nothing else is in
    /// the way then, and all that is wanted with the port is kept. What is looked at for ever is not waited for.
    fn run_until_looked(&mut self) -> Result<(), Failure> {
        let until = self.now + LOOKING;
        while self.ended.is_none() && self.now < until && self.looks_for_strangers() {
            self.run_for(MOMENT)?;
        }
        Ok(())
    }

    fn looks_for_strangers(&self) -> bool {
        let passes = |blocker: &Blocker| matches!(blocker, Blocker::Preparing | Blocker::Restoring { .. });
        let queue = self.shown.leases.snapshot().queue;
        let mut waiting = queue.iter().map(|waiter| &waiter.blockers);
        !self.environment.foreign().is_empty() && waiting.any(|all| all.is_empty() || all.iter().any(passes))
    }

    /// Checks what must hold when nothing has happened for a while.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn when_quiet(&mut self) -> Result<(), Failure> {
        if self.daemon == Daemon::Down {
            // It is not started again before all that was killed has ended. Nobody says anything meanwhile.
            return Ok(());
        }
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| checker.when_quiet(&View::of(world)));
        }
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Checks what must hold after giving up.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn given_up(&mut self) -> Result<(), Failure> {
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| checker.given_up(&View::of(world)));
        }
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Checks what must hold after closing down.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn at_the_end(&mut self) -> Result<(), Failure> {
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| checker.at_the_end(&View::of(world)));
        }
        self.failed.take().map_or(Ok(()), Err)
    }
}
