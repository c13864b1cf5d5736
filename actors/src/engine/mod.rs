//! What drives the machines, whoever hosts them: mail, timers, panics, restarts. It knows neither actix nor the world.
//!
//! ```text
//!            put                      next, handle                     next_effect
//!   letter ───────▶ inbox ──▶ one machine, in its cell ──▶ outbox ──▶ (the host carries it out)
//!                     ▲                  │ panics
//!   agenda ── due ────┘                  ▼
//!     ▲  timers          cell is down ── supervision ──▶ restart on the agenda, or the end
//!     └──────────────────────────────────────────────────┘
//! ```
//! A host asks for the next letter of a cell, lets it be handled, and carries out what comes of it, effect by effect. In between,
//! nothing is half-done: a clone of the [`Engine`] is a consistent cut of everything, mail in flight and timers included.

mod agenda;
mod any;
mod asked;
mod cell;
mod letter;
mod panics;
mod spare;
mod supervision;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use mainstay_config::model::Station;

use self::agenda::{Agenda, What};
pub use self::any::{AnyMachine, Timer};
use self::asked::Asked;
use self::cell::{Cell, Life, Once};
pub use self::letter::{Letter, Mail};
pub use self::panics::{Fallen, Fate};
use self::supervision::Supervision;
use crate::action::process::RunId;
use crate::device::DeviceMachine;
use crate::inventory::InventoryMachine;
use crate::lease::LeaseMachine;
use crate::machine::Beginning;
use crate::message::lasting::Remembered;
use crate::message::{ActorId, Effect, Message, Moment};
use crate::service::{RunNumbers, ServiceMachine, all_dependents};
use crate::supervision::{RootMachine, ServicesMachine};
use crate::trace::Cause;

/// Where an actor is in the engine. Stands for its id where that would be looked up again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Place(usize);

impl Place {
    /// Its number: actors are numbered from 0 in the order in which they begin.
    #[must_use]
    pub fn number(self) -> usize {
        self.0
    }
}

/// All machines of a station, with their mail and their timers.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Engine {
    cells: Vec<Cell>,
    #[serde(with = "crate::message::pairs")]
    index: BTreeMap<ActorId, Place>,
    agenda: Agenda,
    asked: Asked,
    supervision: Supervision,
}

/// Something that was due.
#[derive(Debug)]
pub enum Due {
    /// An actor has mail: a timer rang.
    Mail(Place),
    /// An actor has begun anew, because of this, and what it wants done is in its outbox. These have mail besides.
    Restarted(Place, Cause, Vec<Place>),
    /// Beginning anew, an actor panicked again.
    Fell(Cause, Fallen),
}

impl Engine {
    /// The machines of a station, which have not begun yet, and what an earlier mainstay has written down for them. Runs are
    /// numbered from `first_run`.
    #[must_use]
    pub fn new(station: &Station, first_run: RunId, remembered: &Remembered) -> Self {
        let mut engine = Self {
            cells: Vec::new(),
            index: BTreeMap::new(),
            agenda: Agenda::default(),
            asked: Asked::default(),
            supervision: Supervision::default(),
        };
        engine.add(AnyMachine::Root(RootMachine::default()));
        engine.add(AnyMachine::Leases(Box::new(LeaseMachine::new(station, remembered))));
        for device in station.devices.values() {
            engine.add(AnyMachine::Device(Box::new(DeviceMachine::new(device.clone()))));
        }
        engine.add(AnyMachine::Hardware(Box::new(InventoryMachine::new(station))));
        let mut dependents = all_dependents(station);
        let (mut next, step) = (first_run, station.services.len() as u64);
        for service in station.services.values().cloned() {
            let others = dependents.remove(&service.name).unwrap_or_default();
            let wanted = remembered.wanted.get(&service.name).copied().unwrap_or_default();
            let machine = ServiceMachine::new(service, others, RunNumbers { next, step }, wanted);
            engine.add(AnyMachine::Service(Box::new(machine)));
            next = RunId(next.0.wrapping_add(1));
        }
        let order = station.layers.iter().flatten().cloned().collect();
        engine.add(AnyMachine::Services(Box::new(ServicesMachine::new(order, station.runtime.max_parallel_starts))));
        // What was filled in order is half empty; made anew from all there is, it is full.
        engine.index = std::mem::take(&mut engine.index).into_iter().collect();
        engine
    }

    fn add(&mut self, machine: AnyMachine) {
        let place = Place(self.cells.len());
        self.index.insert(machine.id(), place);
        self.cells.push(Cell::new(machine));
    }

    /// Nobody expects mail for a while: what is kept beside a machine so that the next message costs less is let go of.
    pub fn rest(&mut self) {
        for cell in &mut self.cells {
            cell.spare = None;
            cell.outbox.shrink_to_fit();
        }
    }

    /// Every actor, those that are told before those that tell.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<> {
        (0..self.cells.len()).map(Place)
    }

    /// Where an actor is.
    #[must_use]
    pub fn place(&self, actor: &ActorId) -> Option<Place> {
        self.index.get(actor).copied()
    }

    /// Who is there.
    #[must_use]
    pub fn actor(&self, place: Place) -> Option<ActorId> {
        self.cells.get(place.0).map(|cell| cell.machine.id())
    }

    /// Every machine.
    pub fn machines(&self) -> impl Iterator<Item = &AnyMachine> {
        self.cells.iter().map(|cell| &cell.machine)
    }

    /// The machine of an actor.
    #[must_use]
    pub fn machine(&self, place: Place) -> Option<&AnyMachine> {
        self.cells.get(place.0).map(|cell| &cell.machine)
    }

    /// Lets an actor begin for the first time; what it wants done is in its outbox.
    pub fn begin(&mut self, place: Place, now: Moment, cause: Cause) {
        if let Some(cell) = self.cells.get_mut(place.0) {
            let effects = cell.machine.begin(now, Beginning::First);
            cell.outbox.extend(effects.into_iter().map(|effect| (cause, effect)));
        }
    }

    /// Puts a letter into its receiver's inbox. Answers where that is; `None` when there is no such actor.
    pub fn put(&mut self, letter: Letter) -> Option<Place> {
        let place = self.place(&letter.message.receiver())?;
        self.cells.get_mut(place.0)?.inbox.push_back(Mail::Letter(letter));
        Some(place)
    }

    /// How much mail an actor has that can be handled now.
    #[must_use]
    pub fn waiting(&self, place: Place) -> usize {
        match self.cells.get(place.0) {
            Some(cell) if cell.life == Life::Alive => cell.inbox.len(),
            _ => 0,
        }
    }

    /// All letters that nobody has taken out of an inbox yet.
    #[cfg(any(test, feature = "world"))]
    pub fn mail(&self) -> impl Iterator<Item = &Letter> {
        let mail = self.cells.iter().flat_map(|cell| &cell.inbox);
        mail.filter_map(|mail| if let Mail::Letter(letter) = mail { Some(letter) } else { None })
    }

    /// Takes an actor's next mail out of its inbox, for [`Engine::handle`] or [`Engine::tell_again`].
    pub fn next(&mut self, place: Place) -> Option<Mail> {
        let cell = self.cells.get_mut(place.0).filter(|cell| cell.life == Life::Alive)?;
        let mail = cell.inbox.pop_front()?;
        cell.once = match &mail {
            // From now on it can be set anew.
            Mail::Rang(timer, cause, _) => {
                cell.take_timer(timer);
                Some(Once::Rang(timer.clone(), *cause))
            }
            Mail::TellAgain(..) => None,
            Mail::Letter(letter) => Once::of(letter),
        };
        Some(mail)
    }

    /// The next thing that an actor wants done, with what it is caused by. Timers are set here.
    pub fn next_effect(&mut self, place: Place, now: Moment) -> Option<(Cause, Effect<Timer>)> {
        let cell = self.cells.get_mut(place.0)?;
        loop {
            let Some(next) = cell.outbox.pop_front() else {
                // An actor at rest keeps no room: of a thousand services it would be a quarter of what they take.
                cell.outbox = VecDeque::new();
                return None;
            };
            match next {
                (cause, Effect::SetTimer(timer, after)) => {
                    cell.forget_timer(&timer, &mut self.agenda);
                    let entry = self.agenda.put(now + after, What::Rings(place, timer.clone(), cause));
                    cell.timers.insert(timer, entry);
                }
                (_, Effect::CancelTimer(timer)) => cell.forget_timer(&timer, &mut self.agenda),
                (cause, effect) => return Some((self.asked.cause(cause, &effect), effect)),
            }
        }
    }

    /// What [`Engine::next_effect`] will say that an actor wants done.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn wanted(&self, place: Place) -> impl Iterator<Item = &Effect<Timer>> {
        let is_said = |effect: &&Effect<Timer>| !matches!(effect, Effect::SetTimer(..) | Effect::CancelTimer(_));
        self.cells.get(place.0).into_iter().flat_map(|cell| &cell.outbox).map(|(_, effect)| effect).filter(is_said)
    }

    /// When something is due next.
    #[must_use]
    pub fn next_due(&self) -> Option<Moment> {
        self.agenda.next_at()
    }

    /// Lets the next thing happen that is due by now.
    pub fn due(&mut self, now: Moment) -> Option<Due> {
        match self.agenda.take(now)? {
            What::Rings(place, timer, cause) => {
                let cell = self.cells.get_mut(place.0)?;
                let message = cell.machine.rung(timer.clone());
                cell.inbox.push_back(Mail::Rang(timer, cause, message));
                Some(Due::Mail(place))
            }
            What::Restart(place, cause, how) => Some(self.restart(place, now, cause, how)),
        }
    }

    /// The timers that are set, as the messages that they become.
    #[must_use]
    pub fn timers(&self) -> Vec<Message> {
        self.cells.iter().flat_map(|cell| cell.timers.keys().map(|timer| cell.machine.rung(timer.clone()))).collect()
    }

    /// Whether an actor is down, waiting to be restarted.
    #[cfg(test)]
    fn is_down(&self, place: Place) -> bool {
        self.cells.get(place.0).is_some_and(|cell| cell.life == Life::Down)
    }
}
