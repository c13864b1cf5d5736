//! Handling a letter, and what follows when a machine panics over it.
//!
//! The message that it panicked over is not delivered again. Its inbox stays. It is restarted with what it remembered before that
//! message, asks for what is true, and is told again what it must know.
//!
//! While its effects are carried out, it has already decided: an effect whose carrying out panics is lost, all others are carried
//! out, and the actor is restarted as if it had panicked over the next message.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::agenda::What;
use super::cell::Life;
use super::spare::Spare;
use super::supervision::{Decision, supervisor};
use super::{Due, Engine, Letter, Place};
use crate::machine::{ActorId, Beginning, Effect, Moment, Outcome};
use crate::trace::Cause;

/// That an actor has panicked, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// These are restarted, after a pause.
    Restart(Vec<ActorId>),
    /// The daemon ends: why.
    GiveUp(String),
}

impl Engine {
    /// Lets an actor handle a letter that was taken from its inbox. What it wants done is then in its outbox.
    ///
    /// # Errors
    /// When it panics.
    pub fn handle(&mut self, place: Place, now: Moment, letter: Letter) -> Result<Outcome, Fallen> {
        let Some(cell) = self.cells.get_mut(place.0) else { return Ok(Outcome::Ignored) };
        let cause = letter.as_cause();
        Spare::before(&mut cell.spare, &cell.machine, now, &letter.message);
        let machine = &mut cell.machine;
        let effects = match catch_unwind(AssertUnwindSafe(|| machine.handle(now, letter.message))) {
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
        if cell.inbox.is_empty() {
            Spare::rest(&mut cell.spare, &cell.machine);
        }
        Ok(outcome)
    }

    /// An actor is to be taken for one that panicked: over a letter that is lost, or while its effects were carried out.
    pub fn fall(&mut self, place: Place, now: Moment, cause: Cause, words: String) -> Fallen {
        let actor = self.actor(place).unwrap_or(ActorId::Root);
        let above = supervisor(&actor);
        if let Some(cell) = self.cells.get_mut(place.0) {
            cell.life = Life::Down;
        }
        let (whom, pause) = match self.supervision.died(now, &actor) {
            Decision::One(pause) => (vec![actor.clone()], pause),
            Decision::AllOf(above) => (self.children(&above), Duration::ZERO),
            Decision::GiveUp(why) => return Fallen { actor, supervisor: above, words, fate: Fate::GiveUp(why) },
        };
        for place in whom.iter().filter_map(|actor| self.index.get(actor)) {
            self.agenda.put(now + pause, What::Restart(*place, cause));
        }
        Fallen { actor, supervisor: above, words, fate: Fate::Restart(whom) }
    }

    fn children(&self, above: &ActorId) -> Vec<ActorId> {
        self.index.keys().filter(|actor| supervisor(actor).as_ref() == Some(above)).cloned().collect()
    }

    pub(super) fn restart(&mut self, place: Place, now: Moment, cause: Cause) -> Due {
        let Some(cell) = self.cells.get_mut(place.0) else { return Due::Mail(place) };
        cell.forget_timers(&mut self.agenda);
        cell.incarnation = cell.incarnation.saturating_add(1);
        cell.spare = None;
        cell.machine = cell.machine.successor(cell.incarnation);
        let machine = &mut cell.machine;
        match catch_unwind(AssertUnwindSafe(|| machine.begin(now, Beginning::Again))) {
            Ok(effects) => cell.outbox.extend(effects.into_iter().map(|effect| (cause, effect))),
            Err(panic) => return Due::Fell(cause, self.fall(place, now, cause, words_of(&*panic))),
        }
        cell.life = Life::Alive;
        Due::Restarted(place, self.tell_again(place, cause))
    }

    /// Whoever stands above a restarted actor tells it again what it may have missed. Answers whose outboxes have grown.
    fn tell_again(&mut self, place: Place, cause: Cause) -> Vec<Place> {
        let mut grown = vec![place];
        let Some(actor) = self.actor(place) else { return grown };
        let above = supervisor(&actor).and_then(|above| self.place(&above));
        if let Some((above, cell)) = above.and_then(|above| Some((above, self.cells.get_mut(above.0)?))) {
            let again = cell.machine.tell_again(&actor);
            cell.outbox.extend(again.into_iter().map(|message| (cause, Effect::Tell(message))));
            grown.push(above);
        }
        grown
    }
}

/// What was said in panic.
#[must_use]
pub fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    words.unwrap_or_else(|| "a panic without words".to_owned())
}
