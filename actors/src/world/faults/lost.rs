//! Threads and tasks of mainstay die that are not begun anew: who owns them hears of it, and mainstay gives up
//! (docs/decisions/0027). Until that is heard, what they do is not done.

use std::time::Duration;

use super::super::environment::Happening;
use super::super::{Daemon, Due, World};
use crate::effect::executor::EXECUTOR;
use crate::effect::watched::{Lost, Panicked};
use crate::message::Outside;

/// For how long nobody hears at most that one is gone.
const UNHEARD: Duration = Duration::from_millis(50);
/// The same when it is told by another one, which is at a look.
const UNHEARD_AT_A_LOOK: Duration = Duration::from_secs(2);

/// A part without which mainstay gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Part {
    /// It looks at processes.
    Trees,
    /// It starts programs.
    Spawner,
    /// It follows the executor's rules.
    Drive,
    /// It passes on what they say.
    Deliver,
    /// It holds what is printed, and can tell of its end only by `Trees`.
    Outputs,
    /// It hears operators.
    Control,
    /// It rings.
    Timekeeper,
    /// It hears of hardware, and has ended early too often.
    HardwareEvents,
    /// It panicked over what an actor wants done.
    Executor,
}

impl Part {
    /// Those that can die at any time.
    const ALL: [Self; 8] = [
        Self::Trees,
        Self::Spawner,
        Self::Drive,
        Self::Deliver,
        Self::Outputs,
        Self::Control,
        Self::Timekeeper,
        Self::HardwareEvents,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Trees => "trees",
            Self::Spawner => "spawner-1",
            Self::Drive => "drive",
            Self::Deliver => "deliver",
            Self::Outputs => "outputs",
            Self::Control => "control",
            Self::Timekeeper => "timekeeper",
            Self::HardwareEvents => "hardware-events",
            Self::Executor => EXECUTOR,
        }
    }

    /// Whether nothing is heard from there any more when it is gone.
    pub(in super::super) fn is_silent(self, from: Outside) -> bool {
        match self {
            Self::Trees | Self::Spawner | Self::Deliver => from == Outside::Processes,
            Self::Drive | Self::Executor => from != Outside::Kernel,
            Self::HardwareEvents => from == Outside::Kernel,
            Self::Control => from == Outside::Operator,
            // Nothing is started, and nothing rings.
            Self::Outputs | Self::Timekeeper => false,
        }
    }

    /// Whether the executor can do nothing more without it.
    pub(in super::super) fn holds_up_the_executor(self) -> bool {
        matches!(self, Self::Trees | Self::Spawner | Self::Drive | Self::Executor)
    }

    fn lost(self) -> Lost {
        Lost { part: self.name().to_owned(), how: Panicked::Once("simulated panic".to_owned()) }
    }
}

impl World {
    pub(super) fn lose_some_part(&mut self) {
        if let Some(part) = self.random.choose(&Part::ALL).copied() {
            self.lose_part(part);
        }
    }

    /// What it does is not done any more; that it is gone is heard a little later.
    pub(in super::super) fn lose_part(&mut self, part: Part) {
        if self.lost.is_some() || self.daemon == Daemon::Down {
            return;
        }
        self.lost = Some(part);
        self.note(&Happening::Lost(part.name()));
        if part == Part::Outputs {
            self.lose_outputs();
        }
        let is_told_late = part == Part::Outputs && self.environment.is_looking();
        let longest = if is_told_late { UNHEARD_AT_A_LOOK } else { UNHEARD };
        let at = self.now + self.random.between(Duration::ZERO, longest);
        self.agenda.put(at, Due::Loss(part));
    }

    fn lose_outputs(&mut self) {
        let mut so = super::super::environment::Consequences::default();
        self.environment.lose_outputs(&mut so);
        self.follow(so);
    }

    /// mainstay ends for that.
    pub(in super::super) fn loss_is_heard(&mut self, part: Part) {
        let sabotaged = self.sabotaged.as_ref();
        if let Some(lost) = sabotaged.map_or(Some(part.lost()), |sabotaged| sabotaged.loss(part.lost())) {
            self.end(lost.into());
        }
    }

    /// The executor has panicked over what an actor wants done.
    pub(in super::super) fn executor_is_lost(&mut self) {
        self.lost = Some(Part::Executor);
        self.note(&Happening::Lost(EXECUTOR));
        self.loss_is_heard(Part::Executor);
    }

    /// Whether timers ring.
    pub(in super::super) fn keeps_time(&self) -> bool {
        self.lost != Some(Part::Timekeeper)
    }

    /// Whether operators are heard.
    pub(in super::super) fn hears_operators(&self) -> bool {
        self.lost != Some(Part::Control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::message::inventory::InventoryMessage;
    use crate::message::service::ServiceStatus;
    use crate::world::environment::Command;
    use crate::world::faults::Weather;
    use crate::world::stations::{Draft, assemble};
    use mainstay_hardware::sighting::{HardwareEvent, Source};

    /// In which a service runs.
    fn at_work(seed: u64) -> World {
        let mut world = World::in_weather(&assemble(&[], vec![Draft::new("only")]), seed, Weather::still());
        run_for(&mut world, Duration::from_secs(60));
        world
    }

    fn run_for(world: &mut World, time: Duration) {
        world.run_for(time).unwrap_or_else(|failure| panic!("{failure}"));
    }

    #[test]
    fn of_a_part_that_is_gone_nothing_is_heard_before_mainstay_gives_up_for_it() {
        for part in Part::ALL {
            let mut world = at_work(1);
            world.lose_part(part);
            let news = || Message::Hardware(InventoryMessage::Event(HardwareEvent::Works(Source::RadioNews)));
            for from in [Outside::Kernel, Outside::Processes] {
                assert_eq!(world.say(from, news(), None).is_none(), part.is_silent(from), "{part:?}");
            }
            run_for(&mut world, UNHEARD);
            assert_eq!(world.ended(), Some(&part.lost().into()));
        }
    }

    #[test]
    fn without_its_server_no_operator_is_heard() {
        let mut world = at_work(1);
        world.lost = Some(Part::Control);
        world.command(&"only".parse().unwrap(), Command::Stop);
        assert_eq!(world.unanswered(), 0);
    }

    #[test]
    fn without_its_timekeeper_nothing_rings() {
        let weather = Weather { never_ready: 1000, ..Weather::still() };
        let mut world = World::in_weather(&assemble(&[], vec![Draft::new("only")]), 1, weather);
        run_for(&mut world, Duration::from_secs(10));
        world.lost = Some(Part::Timekeeper);
        run_for(&mut world, Duration::from_secs(600));
        let status = world.shown().services.values().next().map(|shown| shown.status);
        assert_eq!(status, Some(ServiceStatus::Starting));
    }

    #[test]
    fn without_whoever_holds_what_is_printed_nothing_is_started() {
        let mut world = at_work(1);
        let mut so = crate::world::environment::Consequences::default();
        world.environment.lose_outputs(&mut so);
        world.follow(so);
        world.command(&"only".parse().unwrap(), Command::Restart);
        run_for(&mut world, Duration::from_secs(600));
        assert_eq!(world.environment().trees().count(), 0);
    }
}
