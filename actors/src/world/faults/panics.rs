//! Actors panic: before they look at a message, or when they have half handled it, and it is lost; while what they want done is
//! done, and one thing of it, whichever, is lost or half done; or after all of it is done. The same where they say something again, and where they begin
//! anew: so some panic again at once.

use super::super::World;
use crate::engine::{Place, Timer};
use crate::message::lease::LeaseMessage;
use crate::message::{ActorId, Effect, Message};

/// An actor that is about to panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Doom {
    actor: Place,
    over: Over,
    when: Strikes,
    /// How often, one after the other.
    times: usize,
}

/// What an actor panics over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Its next message.
    Anything,
    /// The next news of a radio: how it was, that it was changed, or put back.
    NewsOfRadio,
}

/// When a panic strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Strikes {
    /// Before the message is looked at.
    Before,
    /// When it has changed all that the message changes, and has done nothing of what it wants done.
    Amid,
    /// While one of its effects is carried out, whichever: all others are.
    During(Loss),
    /// When everything is done.
    After,
}

/// What becomes of an effect whose carrying out panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Loss {
    /// Nothing of it was done.
    Whole,
    /// The same, of something that the executor was to do.
    Act,
    /// The executor has done so many of the things that it does for it.
    Half(usize),
}

impl Doom {
    /// The actor at this place panics over its next message.
    #[cfg(test)]
    pub(in super::super) fn next(actor: Place) -> Self {
        Self { actor, over: Over::Anything, when: Strikes::Before, times: 1 }
    }

    /// The same, at another moment.
    #[cfg(test)]
    pub(in super::super) fn at(self, when: Strikes) -> Self {
        Self { when, ..self }
    }

    /// Whether this is the message that the actor panics over, and when.
    pub(in super::super) fn strikes(self, actor: Place, message: &Message) -> Option<Strikes> {
        let strikes = match self.over {
            Over::Anything => true,
            Over::NewsOfRadio => matches!(
                message,
                Message::Leases(
                    LeaseMessage::RadioRead(..) | LeaseMessage::RadioSet(..) | LeaseMessage::RadioRestored(..)
                )
            ),
        };
        (self.actor == actor && strikes).then_some(self.when)
    }

    /// Whether the actor panics where it is told nothing: it begins anew, or says something again.
    pub(in super::super) fn strikes_untold(self, actor: Place) -> Option<Strikes> {
        (self.actor == actor && self.over == Over::Anything).then_some(self.when)
    }

    /// What is left of it when it has struck once.
    pub(in super::super) fn struck(self) -> Option<Self> {
        (self.times > 1).then(|| Self { times: self.times - 1, over: Over::Anything, ..self })
    }
}

impl World {
    /// Which of the things that an actor wants done is lost, if one can be so.
    pub(in super::super) fn which_is_lost(&mut self, place: Place, loss: Loss) -> Option<usize> {
        let can_be = |effect: &Effect<Timer>| loss == Loss::Whole || matches!(effect, Effect::Act(_));
        let wanted = self.engine.wanted(place).enumerate();
        let which: Vec<usize> = wanted.filter(|(_, effect)| can_be(effect)).map(|(number, _)| number).collect();
        self.random.choose(&which).copied()
    }

    /// Lets some actor panic over its next message, or the registry over news of a radio.
    pub(super) fn doom_somebody(&mut self) {
        let places: Vec<Place> = self.engine.places().collect();
        if self.random.happens(200) {
            self.doom(self.engine.place(&ActorId::Leases), Over::NewsOfRadio);
        } else {
            let actor = self.random.choose(&places).copied();
            self.doom(actor, Over::Anything);
        }
    }

    /// Lets an actor panic over its next message.
    #[cfg(test)]
    pub(in super::super) fn doom_over_next(&mut self, actor: Place) {
        self.doom(Some(actor), Over::Anything);
    }

    /// Lets an actor panic over its next message, and once more when it begins anew: then it begins afresh.
    #[cfg(test)]
    pub(in super::super) fn doom_twice(&mut self, actor: Place) {
        self.doomed = Some(Doom { actor, over: Over::Anything, when: Strikes::Before, times: 2 });
    }

    fn doom(&mut self, actor: Option<Place>, over: Over) {
        let when = match self.random.below(10) {
            0 | 1 => Strikes::Before,
            2 | 3 => Strikes::Amid,
            4 => Strikes::After,
            5 => Strikes::During(Loss::Whole),
            // With its executor half changed mainstay gives up.
            _ if self.weather.death.is_some() && self.random.happens(100) => {
                Strikes::During(Loss::Half(self.random.below(4)))
            }
            _ => Strikes::During(Loss::Act),
        };
        let times = if self.random.happens(250) { 2 + self.random.below(2) } else { 1 };
        self.doomed = actor.map(|actor| Doom { actor, over, when, times });
    }
}
