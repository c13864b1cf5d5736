//! Building a world from a station.

use std::collections::BTreeMap;

use mainstay_config::model::Station;

use super::agenda::Agenda;
use super::checkers::{self, Check};
use super::environment::{Consequences, Environment};
use super::faults::{Fault, Sabotage, Sabotaged, Weather};
use super::{Due, Journal, Keep, Random, Shown, Standing, World};
use crate::action::process::RunId;
use crate::engine::Engine;
use crate::message::Moment;

/// How many messages a failing run shows.
const MESSAGES_SHOWN: usize = 120;

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
        let mut world = Self {
            seed,
            now: Moment::default(),
            random,
            engine: Engine::new(station, RunId(1)),
            ready: Vec::new(),
            agenda: Agenda::new(),
            environment,
            weather,
            journal: Journal::new(Keep::Last(MESSAGES_SHOWN)),
            messages: 0,
            requests: 0,
            asked: BTreeMap::new(),
            standing: Standing::Up,
            deaths: 0,
            closed_in: None,
            doomed: None,
            shown: Shown::default(),
            checkers: checkers::all(None),
            without: None,
            sabotaged: None,
            #[cfg(test)]
            reached: std::collections::BTreeSet::new(),
            ended: None,
            failed: None,
        };
        world.begin();
        for fault in Fault::ALL {
            world.agenda.put(world.now, Due::Fault(fault));
        }
        world
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
