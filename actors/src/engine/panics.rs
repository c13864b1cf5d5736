//! Handling a letter, and what follows when a machine panics over it.
//!
//! The message that it panicked over is not delivered again, but what nobody would say again comes again: a timer rings, and the root
//! is told once more what it was told from outside. Should it panic over that whenever it comes, that is soon too often, and the daemon
//! ends all the same. It goes on from what it was before that, with its mail and its timers; only when it panics at once again, it begins without what it can be told
//! again. What was lost is made good by one rule: it does again what was under way, tells all its peers again how it stands, and
//! is told again by them. Whatever is told or done twice changes nothing.
//!
//! While its effects are carried out, it has already decided: an effect whose carrying out panics is lost, all others are carried
//! out, and the same rule makes good what was lost. Only an executor that panics itself is half changed then, and nobody can tell it again
//! what it alone knows: mainstay gives up.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use super::agenda::{Again, What};
use super::cell::{Cell, Footing, Life, Once};
use super::spare::Spare;
use super::supervision::{Decision, supervisor};
use super::{AnyMachine, Due, Engine, Letter, Mail, Place, Timer};
use crate::machine::Beginning;
use crate::message::{ActorId, DaemonExit, Effect, Effects, GaveUp, Message, Moment, Outcome};
use crate::supervision::{DEATHS_MAX, PERIOD};
use crate::trace::Cause;
use mainstay_hardware::watched::words_of;

/// That an actor has panicked, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fallen {
    /// Who.
    pub actor: ActorId,
    /// Who decides what becomes of it; `None` above the root.
    pub supervisor: Option<ActorId>,
    /// What was said in panic.
    pub words: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of an actor that has panicked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Fate {
    /// These are restarted, after a pause.
    Restart(Vec<ActorId>),
    /// The daemon ends.
    GiveUp,
}

impl Fallen {
    /// How the daemon ends, when it does.
    #[must_use]
    pub fn exit(&self) -> Option<DaemonExit> {
        let panics = || GaveUp::Panics { borne: DEATHS_MAX, within: PERIOD, last: self.actor.clone() };
        (self.fate == Fate::GiveUp).then(|| DaemonExit::GaveUp(panics()))
    }
}

impl Engine {
    /// Lets an actor handle a letter that was taken from its inbox. What it wants done is then in its outbox.
    ///
    /// # Errors
    /// When it panics.
    pub fn handle(&mut self, place: Place, now: Moment, letter: Letter) -> Result<Outcome, Fallen> {
        self.handle_by(place, now, letter, AnyMachine::handle)
    }

    /// The same for one that panics when it has changed all that it changes, so that a simulation can let it.
    ///
    /// # Errors
    /// Always.
    pub fn handle_and_panic(&mut self, place: Place, now: Moment, letter: Letter) -> Result<Outcome, Fallen> {
        self.handle_by(place, now, letter, |machine, now, message| {
            machine.handle(now, message);
            // Nothing is printed: it is no real panic.
            resume_unwind(Box::new("simulated"))
        })
    }

    fn handle_by(
        &mut self,
        place: Place,
        now: Moment,
        letter: Letter,
        handle: impl FnOnce(&mut AnyMachine, Moment, Message) -> Effects<Timer>,
    ) -> Result<Outcome, Fallen> {
        let Some(cell) = self.cells.get_mut(place.0) else { return Ok(Outcome::Ignored) };
        let cause = letter.as_cause();
        self.asked.hear(&letter);
        Spare::before(&mut cell.spare, &cell.machine, now, &letter.message);
        let machine = &mut cell.machine;
        let effects = match catch_unwind(AssertUnwindSafe(|| handle(machine, now, letter.message))) {
            Ok(effects) => effects,
            Err(panic) => {
                if let Some(spare) = cell.spare.take() {
                    cell.machine = spare.make();
                }
                return Err(self.fall(place, now, cause, words_of(&*panic)));
            }
        };
        let mut outcome = Outcome::Handled;
        for effect in effects {
            match effect {
                Effect::Note(noted) => outcome = noted,
                effect => cell.outbox.push_back((cause, effect)),
            }
        }
        cell.footing = Footing::Steady;
        cell.once = None;
        if cell.inbox.is_empty() {
            Spare::rest(&mut cell.spare, &cell.machine);
            cell.inbox = VecDeque::new();
        }
        Ok(outcome)
    }

    /// An actor is to be taken for one that panicked: over a letter that is lost, or while its effects were carried out.
    pub fn fall(&mut self, place: Place, now: Moment, cause: Cause, words: String) -> Fallen {
        let actor = self.actor(place).unwrap_or(ActorId::Root);
        let above = supervisor(&actor);
        let mut again = Again::AsItWas;
        if let Some(cell) = self.cells.get_mut(place.0) {
            cell.life = Life::Down;
            if cell.footing == Footing::JustRestarted {
                again = Again::Afresh;
            }
            match cell.once.take() {
                Some(Once::Rang(timer, cause)) => {
                    cell.timers.insert(timer.clone(), self.agenda.put(now, What::Rings(place, timer, cause)));
                }
                Some(Once::Told(letter)) => cell.inbox.push_front(Mail::Letter(*letter)),
                None => {}
            }
        }
        let (whom, pause) = match self.supervision.died(now, &actor) {
            Decision::One(pause) => (vec![actor.clone()], pause),
            Decision::AllOf(above) => {
                again = Again::Afresh;
                (self.children(&above), Duration::ZERO)
            }
            Decision::GiveUp => return Fallen { actor, supervisor: above, words, fate: Fate::GiveUp },
        };
        for place in whom.iter().filter_map(|actor| self.index.get(actor)) {
            self.agenda.put(now + pause, What::Restart(*place, cause, again));
        }
        Fallen { actor, supervisor: above, words, fate: Fate::Restart(whom) }
    }

    fn children(&self, above: &ActorId) -> Vec<ActorId> {
        self.index.keys().filter(|actor| supervisor(actor).as_ref() == Some(above)).cloned().collect()
    }

    /// Lets an actor say again what still holds of what it has told one that was restarted. It is then in its outbox.
    ///
    /// # Errors
    /// When it panics.
    pub fn tell_again(&mut self, place: Place, now: Moment, to: &ActorId, cause: Cause) -> Result<(), Fallen> {
        self.tell_again_by(place, now, cause, |machine| machine.tell_again(to))
    }

    pub(super) fn tell_again_by(
        &mut self,
        place: Place,
        now: Moment,
        cause: Cause,
        tell_again: impl FnOnce(&AnyMachine) -> Vec<Message>,
    ) -> Result<(), Fallen> {
        let Some(cell) = self.cells.get_mut(place.0) else { return Ok(()) };
        match catch_unwind(AssertUnwindSafe(|| tell_again(&cell.machine))) {
            Ok(again) => cell.tell(again, cause),
            Err(panic) => return Err(self.fall(place, now, cause, words_of(&*panic))),
        }
        Ok(())
    }

    /// A restarted actor does again what was under way, tells all its peers again how it stands, and they are asked to tell it.
    pub(super) fn restart(&mut self, place: Place, now: Moment, cause: Cause, again: Again) -> Due {
        self.restart_by(place, now, (cause, again), AnyMachine::tell_again)
    }

    pub(super) fn restart_by(
        &mut self,
        place: Place,
        now: Moment,
        (cause, again): (Cause, Again),
        tell_again: impl Fn(&AnyMachine, &ActorId) -> Vec<Message>,
    ) -> Due {
        let Some(cell) = self.cells.get_mut(place.0) else { return Due::Mail(place) };
        cell.footing = Footing::JustRestarted;
        cell.spare = None;
        let begun = catch_unwind(AssertUnwindSafe(|| {
            let machine = &mut cell.machine;
            if again == Again::Afresh {
                *machine = machine.successor();
            }
            let effects = machine.begin(now, Beginning::Again);
            let peers = machine.peers();
            let told: Vec<Message> = peers.iter().flat_map(|peer| tell_again(machine, peer)).collect();
            (machine.id(), effects, peers, told)
        }));
        let (actor, effects, peers, told) = match begun {
            Ok(begun) => begun,
            Err(panic) => return Due::Fell(cause, self.fall(place, now, cause, words_of(&*panic))),
        };
        cell.outbox.extend(effects.into_iter().map(|effect| (cause, effect)));
        cell.tell(told, cause);
        cell.life = Life::Alive;
        let places: Vec<Place> = peers.iter().filter_map(|peer| self.place(peer)).collect();
        for place in &places {
            if let Some(peer) = self.cells.get_mut(place.0) {
                peer.inbox.push_back(Mail::TellAgain(actor.clone(), cause));
            }
        }
        Due::Restarted(place, cause, places)
    }
}

impl Cell {
    fn tell(&mut self, messages: Vec<Message>, cause: Cause) {
        self.outbox.extend(messages.into_iter().map(|message| (cause, Effect::Tell(message))));
    }
}
