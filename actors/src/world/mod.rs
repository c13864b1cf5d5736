//! The second host of the machines: one thread, virtual time, and a seeded random order.
//!
//! ```text
//!            ┌─ mailboxes, one for each actor, first in first out; which is served next is chance
//!  machines ─┤
//!    ▲       └─ effects ──▶ messages · timers · acts ──▶ environment (processes, hardware, ports, people)
//!    └─────────────────────────────────────────────────────────┘ answers, late and in odd order
//! ```
//! Virtual time goes on when every mailbox is empty, and under load a little earlier. [`faults`] makes things go wrong; [`checkers`] look at what is
//! true in the environment, not at what machines believe. The same seed gives the same run, message for message.

mod agenda;
pub mod checkers;
#[cfg(test)]
pub(crate) mod coverage;
mod delivery;
mod due;
pub mod environment;
mod failure;
pub mod faults;
mod journal;
mod random;
mod starting;
pub mod stations;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_config::names::{DeviceName, ServiceName};

use self::agenda::Agenda;
use self::checkers::{Check, Checker};
use self::environment::{Command, DeviceCommand, Environment, Event};
pub use self::failure::Failure;
use self::faults::{Doom, Fault, Sabotaged, Weather};
pub use self::journal::{Journal, Keep};
pub use self::random::Random;
pub use self::trial::{Trial, TrialReport};
use crate::engine::{Engine, Place};
use crate::message::device::DeviceSnapshot;
use crate::message::inventory::InventorySnapshot;
use crate::message::lease_table::LeaseTable;
use crate::message::service::ServiceSnapshot;
use crate::message::{Address, DaemonExit, Message, Moment, RequestId};
use crate::runtime::Cut;
use crate::trace::Cause;

/// How much of what is due soon may come before mail that waits.
const BEHIND: Duration = Duration::from_millis(50);

/// Something that is due at some moment.
enum Due {
    /// Something around the machines.
    Around(Box<Event>, Option<Cause>),
    /// A message that a planted bug has held up.
    Late(Address, Box<Message>, Option<Cause>),
    /// It is heard that a part of mainstay is gone.
    Loss(faults::Part),
    /// The next thing that goes wrong, or that people do.
    Fault(Fault),
    /// mainstay is started again.
    Begin,
}

/// Whether mainstay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Daemon {
    Up,
    /// It was killed, and is about to be started again.
    Down,
}

/// What was shown last.
#[derive(Debug, Default)]
pub struct Shown {
    /// By each service.
    pub services: BTreeMap<ServiceName, ServiceSnapshot>,
    /// By each device.
    pub devices: BTreeMap<DeviceName, DeviceSnapshot>,
    /// By the registry.
    pub leases: LeaseTable,
    /// By the inventory.
    pub inventory: InventorySnapshot,
}

/// A request of the operator that has not been answered.
#[derive(Debug, Clone)]
enum Asked {
    Service(ServiceName, Command),
    Device(DeviceName, DeviceCommand),
}

/// A station on virtual time.
pub struct World {
    seed: u64,
    now: Moment,
    random: Random,
    engine: Engine,
    /// Actors that have something to handle.
    ready: Vec<Place>,
    /// Of those, one that is passed over, and until when.
    starving: Option<(Place, Moment)>,
    agenda: Agenda<Due>,
    environment: Environment,
    weather: Weather,
    journal: Journal,
    messages: u64,
    requests: u64,
    asked: BTreeMap<RequestId, Asked>,
    daemon: Daemon,
    /// How often mainstay was killed.
    deaths: u64,
    /// Of its lives the one that was told to close down last.
    closed_in: Option<u64>,
    /// Who panics next, and over what.
    doomed: Option<Doom>,
    /// mainstay is killed when it has done so many more of the things that its actors want done.
    killed_after: Option<usize>,
    /// A part of it that is gone.
    lost: Option<faults::Part>,
    shown: Shown,
    checkers: Vec<Box<dyn Checker>>,
    /// The one that does not look.
    without: Option<Check>,
    sabotaged: Option<Sabotaged>,
    /// What has been tried.
    #[cfg(test)]
    reached: std::collections::BTreeSet<coverage::Mark>,
    /// What was lost in panics.
    #[cfg(test)]
    losses: coverage::Losses,
    /// Up to which message everything had been sent when a timer of an actor rang.
    #[cfg(test)]
    rung: BTreeMap<Place, u64>,
    /// What is just being handled.
    #[cfg(test)]
    marked: Option<coverage::Mark>,
    ended: Option<DaemonExit>,
    failed: Option<Failure>,
}

impl World {
    /// Lets the world go on for so long.
    ///
    /// # Errors
    /// When a checker finds an invariant broken.
    pub fn run_for(&mut self, time: Duration) -> Result<(), Failure> {
        let until = self.now + time;
        while self.ended.is_none() && self.step(until) {
            if let Some(failure) = self.failed.take() {
                return Err(failure);
            }
        }
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Everything that mainstay is now.
    #[must_use]
    pub fn cut(&self) -> Cut {
        let (engine, last_request) = (self.engine.clone(), RequestId(self.requests));
        Cut { at: self.now, engine, last_request, executor: self.environment.known() }
    }

    /// The same around it; mainstay goes on from a cut.
    #[must_use]
    pub fn going_on_from(self, cut: Cut) -> Self {
        Self { engine: cut.engine, environment: self.environment.knowing(cut.executor), ..self }
    }

    /// Does the next thing that is due up to some moment; false when there is nothing left, and it is that moment.
    fn step(&mut self, until: Moment) -> bool {
        let lag = self.all_lag_until();
        if !self.ready.is_empty() && lag.is_none() && !self.falls_behind(until) {
            if let Some(place) = self.whose_turn() {
                let actor = self.ready.swap_remove(place);
                self.deliver(actor);
            }
            return true;
        }
        let (around, engine) = (self.agenda.next_at(), self.next_ring());
        match [around, engine, lag].into_iter().flatten().min() {
            Some(at) if at <= until => {
                self.advance(at);
                if engine == Some(at) {
                    self.let_due_happen();
                } else if around == Some(at)
                    && let Some(due) = self.agenda.take()
                {
                    self.perform(due);
                }
                true
            }
            _ => {
                self.advance(until);
                false
            }
        }
    }

    /// Under load time goes on although there is mail: what is due soon comes first.
    fn falls_behind(&mut self, until: Moment) -> bool {
        let next = [self.agenda.next_at(), self.next_ring()].into_iter().flatten().min();
        next.is_some_and(|next| next <= until.min(self.now + BEHIND)) && self.random.happens(self.weather.overload)
    }

    /// When the next timer rings. That may be over since a while when nobody keeps the time any more.
    fn next_ring(&self) -> Option<Moment> {
        self.engine.next_due().filter(|_| self.keeps_time())
    }

    fn advance(&mut self, to: Moment) {
        if to > self.now {
            self.now = to;
            self.environment.set_now(to);
            for checker in 0..self.checkers.len() {
                self.ask(checker, |checker, world| checker.time_passed(&world.environment));
            }
        }
    }

    /// From now on nothing goes wrong by itself any more, and people are silent.
    pub fn be_still(&mut self) {
        self.weather = Weather::still();
        (self.doomed, self.killed_after) = (None, None);
        self.environment.be_still();
        let mut so = environment::Consequences::default();
        self.environment.clear_up_names(&mut so);
        self.follow(so);
    }

    /// What is true around the machines.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// What was shown last.
    #[must_use]
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// The record of messages.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// How the daemon ended, when it has.
    #[must_use]
    pub fn ended(&self) -> Option<&DaemonExit> {
        self.ended.as_ref()
    }

    /// How many requests of the operator have no answer.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.asked.len()
    }

    /// Of those, how many nobody has taken out of an inbox.
    #[must_use]
    pub fn unread(&self) -> usize {
        let waiting = self.engine.mail().filter_map(|letter| delivery::request_of(&letter.message));
        waiting.filter(|request| self.asked.contains_key(request)).count()
    }

    /// The timers that are set, as the messages that they become.
    #[must_use]
    pub fn timers(&self) -> Vec<Message> {
        self.engine.timers()
    }
}
