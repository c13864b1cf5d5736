//! Actors panic: before they handle a message, which is lost; while what they want done is done, and one thing of it is lost; or after
//! all of it is done.

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
    /// Before the message is handled.
    Before,
    /// While the effect with this number is carried out, counted from 0.
    During(usize),
    /// When everything is done.
    After,
}

impl Doom {
    /// The actor at this place panics over its next message.
    #[cfg(test)]
    pub(in super::super) fn next(actor: Place) -> Self {
        Self { actor, over: Over::Anything, when: Strikes::Before }
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
}

impl World {
    /// Lets some actor panic over its next message, or the registry over news of a radio.
    pub(super) fn doom_somebody(&mut self) {
        let when = match self.random.below(10) {
            0..6 => Strikes::Before,
            6 | 7 => Strikes::After,
            _ => Strikes::During(self.random.below(4)),
        };
        if self.random.happens(200) {
            let registry = self.engine.place(&ActorId::Leases);
            self.doomed = registry.map(|actor| Doom { actor, over: Over::NewsOfRadio, when });
            return;
        }
        let places: Vec<Place> = self.engine.places().collect();
        self.doomed = self.random.choose(&places).map(|actor| Doom { actor: *actor, over: Over::Anything, when });
    }
}
