//! Actors panic: the machine and the message it was handling are lost, the mailbox and the memo are kept.

use super::super::World;
use crate::lease::LeaseMessage;
use crate::machine::{ActorId, Message};

/// An actor that is about to panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Doom {
    actor: usize,
    over: Over,
}

/// What an actor panics over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Its next message.
    Anything,
    /// The next news of a radio: that it was changed, or put back, or how it was before.
    NewsOfRadio,
}

impl Doom {
    /// The actor at this place panics over its next message.
    pub(in super::super) fn next(actor: usize) -> Self {
        Self { actor, over: Over::Anything }
    }

    /// Whether this is the message that the actor panics over.
    pub(in super::super) fn strikes(self, actor: usize, message: &Message) -> bool {
        let strikes = match self.over {
            Over::Anything => true,
            Over::NewsOfRadio => matches!(
                message,
                Message::Leases(
                    LeaseMessage::RadioPrepared(..) | LeaseMessage::RadioRestored(..) | LeaseMessage::RadioReported(..)
                )
            ),
        };
        self.actor == actor && strikes
    }
}

impl World {
    /// Lets some actor panic over its next message, or the registry over news of a radio.
    pub(super) fn doom_somebody(&mut self) {
        if self.random.happens(200) {
            let registry = self.index.get(&ActorId::Leases);
            self.doomed = registry.map(|actor| Doom { actor: *actor, over: Over::NewsOfRadio });
            return;
        }
        let actor = self.random.below(self.actors.len());
        self.doomed = Some(Doom::next(actor));
    }
}
