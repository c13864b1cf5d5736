//! Building a world from a station.

use std::collections::BTreeMap;

use mainstay_config::model::Station;

use super::agenda::Agenda;
use super::checkers::{self, Check};
use super::environment::{Consequences, Environment, Saying};
use super::faults::{Fault, Sabotage, Sabotaged, Weather};
use super::{Daemon, Due, Journal, Keep, Random, Shown, World};
use crate::action::process::RunId;
use crate::engine::Engine;
use crate::message::Moment;
use crate::runtime::Cut;
use crate::trace::{Cause, TraceId};

/// How many messages a failing run shows.
const MESSAGES_SHOWN: usize = 120;
/// Messages of a world that goes on from a cut are numbered from here: no earlier one has such a number.
const AFTER_ALL_OTHERS: u64 = 1 << 48;

impl World {
    /// A world in which nothing goes wrong and nothing is plugged in, with every checker. It has begun: the scan is on its way.
    #[must_use]
    pub fn new(station: &Station, seed: u64) -> Self {
        Self::in_weather(station, seed, Weather::still())
    }

    /// A world in which things go wrong.
    #[must_use]
    pub fn in_weather(station: &Station, seed: u64, weather: Weather) -> Self {
        let mut random = Random::new(seed);
        let environment = Environment::new(station, weather.clone(), random.bits());
        let engine = Engine::new(station, RunId(1), environment.remembered());
        let mut world = Self { weather, ..Self::assemble((seed, random), Moment::default(), engine, environment) };
        world.begin();
        for fault in Fault::ALL {
            world.agenda.put(world.now, Due::Fault(fault));
        }
        world
    }

    /// What becomes of a mainstay of which this cut was taken, when all around it is as it believes and nothing goes wrong. No checker looks:
    /// none knows what was before.
    #[must_use]
    pub fn from_cut(station: &Station, cut: Cut, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let environment = Environment::around(station, &cut, random.bits());
        let said = cut.executor.said.into_iter().map(|(_, run, event)| Saying::Process(run, event)).collect();
        let mut world =
            Self { checkers: Vec::new(), ..Self::assemble((seed, random), cut.at, cut.engine, environment) };
        (world.messages, world.requests) = (AFTER_ALL_OTHERS, cut.last_request.0);
        world.engine.places().for_each(|place| world.make_ready(place));
        let mut so = Consequences { said, ..Consequences::default() };
        world.environment.resume(Cause { trace: TraceId(AFTER_ALL_OTHERS), message: None }, &mut so);
        world.follow(so);
        world
    }

    fn assemble((seed, random): (u64, Random), now: Moment, engine: Engine, environment: Environment) -> Self {
        Self {
            seed,
            now,
            random,
            engine,
            ready: Vec::new(),
            starving: None,
            agenda: Agenda::new(),
            environment,
            weather: Weather::still(),
            journal: Journal::new(Keep::Last(MESSAGES_SHOWN)),
            messages: 0,
            requests: 0,
            asked: BTreeMap::new(),
            daemon: Daemon::Up,
            deaths: 0,
            closed_in: None,
            doomed: None,
            killed_after: None,
            lost: None,
            shown: Shown::default(),
            checkers: checkers::all(None),
            without: None,
            sabotaged: None,
            #[cfg(test)]
            reached: std::collections::BTreeSet::new(),
            #[cfg(test)]
            losses: super::coverage::Losses::default(),
            #[cfg(test)]
            rung: BTreeMap::new(),
            #[cfg(test)]
            marked: None,
            ended: None,
            failed: None,
        }
    }

    /// The same, with so much of what happens kept for reading.
    #[must_use]
    pub fn keeping(mut self, keep: Keep) -> Self {
        self.journal = Journal::new(keep);
        self
    }

    /// The same, with a planted bug.
    #[must_use]
    pub fn sabotaged(mut self, sabotage: Option<Sabotage>) -> Self {
        if let Some(lie) = sabotage.and_then(Sabotage::lie) {
            self.environment.plant(lie);
        }
        self.sabotaged = sabotage.map(Sabotaged::new);
        self
    }

    /// The same; this checker does not look.
    #[must_use]
    pub fn without(mut self, check: Option<Check>) -> Self {
        self.without = check;
        self.checkers.retain(|checker| Some(checker.check()) != check);
        self
    }

    /// mainstay begins.
    pub(super) fn begin(&mut self) {
        for actor in self.engine.places() {
            self.begin_actor(actor);
        }
        let mut so = Consequences::default();
        self.environment.scan_later(mainstay_hardware::sighting::ScanReason::Start, None, &mut so);
        self.environment.start_keeper(&mut so);
        self.follow(so);
    }
}
