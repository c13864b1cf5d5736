//! What a machine is: pure decisions. No clock, no input or output, no actix, no tokio.
//!
//! A machine is told something and answers with effects, which are data: tell another machine, set a timer, act on the world.
//! Two hosts run the same machines: actix actors in production (`runtime`), and the world on virtual time (`world`).

#[cfg(any(test, feature = "world"))]
pub(crate) mod closed;

use crate::message::{ActorId, Described, Effects, Message, Moment};

/// Whether a machine begins for the first time, or again after its actor was restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Beginning {
    /// The daemon has just started.
    First,
    /// The actor was restarted: what was under way may have been lost, and is done again.
    Again,
}

/// A pure state machine.
pub trait Machine: Clone + Unpin + 'static {
    /// What it is told.
    type Message: Described + Clone + 'static;
    /// Its timers.
    type Timer: Clone + Ord + std::fmt::Debug + 'static;

    /// Who it is.
    fn id(&self) -> ActorId;

    /// Called before the first message, and after each restart of its actor.
    fn begin(&mut self, now: Moment, beginning: Beginning) -> Effects<Self::Timer>;

    /// Handles one message.
    fn handle(&mut self, now: Moment, message: Self::Message) -> Effects<Self::Timer>;

    /// One without what it can be told again by its peers: for an actor that panics again at once.
    #[must_use]
    fn successor(&self) -> Self;

    /// Who tells it something, or is told something by it.
    fn peers(&self) -> Vec<ActorId>;

    /// What still holds of all that it has told one of its peers. One that was restarted may have lost it; another hears nothing new.
    fn tell_again(&self, to: &ActorId) -> Vec<Message>;

    /// About how many parts a clone of it copies.
    fn weight(&self) -> usize {
        1
    }

    /// The message that a timer becomes.
    fn timer(timer: Self::Timer) -> Self::Message;
}
