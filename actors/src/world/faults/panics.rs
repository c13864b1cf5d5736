//! Actors panic: before they look at a message, or when they have half handled it, and it is lost; while what they want done is
//! done, and one thing of it is lost; or after all of it is done. The same where they say something again, and where they begin
//! anew: so some panic again at once.

use super::super::World;
use crate::engine::Place;
use crate::message::lease::LeaseMessage;
use crate::message::{ActorId, Message};

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
    /// While the effect with this number is carried out, counted from 0.
    During(usize),
    /// When everything is done.
    After,
}

impl Doom {
    /// The actor at this place panics over its next message.
    #[cfg(test)]
    pub(in super::super) fn next(actor: Place) -> Self {
        Self { actor, over: Over::Anything, when: Strikes::Before, times: 1 }
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
            0..3 => Strikes::Before,
            3..6 => Strikes::Amid,
            6 | 7 => Strikes::After,
            _ => Strikes::During(self.random.below(4)),
        };
        let times = if self.random.happens(250) { 2 + self.random.below(2) } else { 1 };
        self.doomed = actor.map(|actor| Doom { actor, over, when, times });
    }
}
