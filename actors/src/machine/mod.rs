//! What a machine is: pure decisions. No clock, no input or output, no actix, no tokio.
//!
//! A machine is told something and answers with effects, which are data: tell another machine, set a timer, act on the world.
//! Two hosts run the same machines: actix actors in production (`runtime`), and the world on virtual time (`world`).

mod address;
mod effect;
mod message;
mod moment;
mod words;

pub use address::{ActorId, Address, NoSuchActor, Outside};
pub use effect::{Action, Effect, Effects, Exit, OperationId, Outcome, Publication, ReportedRun};
pub use message::{Described, Message, OperatorAnswer, RequestId};
pub use moment::Moment;
pub use words::Words;

/// Whether a machine begins for the first time, or again after its actor was restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// The daemon has just started.
    First,
    /// The actor was restarted: what is true must be asked for anew.
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

    /// Called once before the first message.
    fn begin(&mut self, now: Moment, beginning: Beginning) -> Effects<Self::Timer>;

    /// Handles one message.
    fn handle(&mut self, now: Moment, message: Self::Message) -> Effects<Self::Timer>;

    /// One that begins afresh after a panic, with what cannot be asked for anew, such as what the operator wanted.
    #[must_use]
    fn successor(&self, incarnation: u32) -> Self;

    /// What it has told an actor that must hear it again when it was restarted.
    fn tell_again(&self, _to: &ActorId) -> Vec<Message> {
        Vec::new()
    }

    /// About how many parts a clone of it copies.
    fn weight(&self) -> usize {
        1
    }

    /// The message that a timer becomes.
    fn timer(timer: Self::Timer) -> Self::Message;
}
