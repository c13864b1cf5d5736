//! What a machine is: pure decisions. No clock, no input or output, no actix, no tokio.
//!
//! A machine is told something and answers with effects, which are data: tell another machine, set a timer, act on the world.
//! Two hosts run the same machines: actix actors in production (`runtime`), and the world on virtual time (`world`).

mod address;
mod effect;
mod message;
mod moment;
mod reply;
#[cfg(test)]
pub(crate) mod round_trip;
mod words;

pub use address::{ActorId, Address, NoSuchActor, Outside};
pub use effect::{Action, Effect, Effects, Exit, OperationId, Outcome, Publication, ReportedRun};
pub use message::{Described, Message, OperatorAnswer, RequestId};
pub use moment::Moment;
pub use reply::{Before, NextStep, Reply, Restart, Start, Stop};
pub use words::Words;

/// Whether a machine begins for the first time, or again after its actor was restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Beginning {
    /// The daemon has just started.
    First,
    /// The actor was restarted: what is true must be asked for anew.
    Again,
}

/// A pure state machine.
pub trait Machine: Unpin + 'static {
    /// What it is told.
    type Message: Described + Clone + 'static;
    /// Its timers.
    type Timer: Clone + Ord + std::fmt::Debug + 'static;

    /// What outlives a panic of its actor: kept by the host after each message, handed to the machine's successor.
    /// Only what cannot be asked for anew, such as what the operator wanted.
    type Memo: Clone + Default + Unpin + 'static;

    /// Who it is.
    fn id(&self) -> ActorId;

    /// Called once before the first message.
    fn begin(&mut self, now: Moment, beginning: Beginning) -> Effects<Self::Timer>;

    /// Handles one message.
    fn handle(&mut self, now: Moment, message: Self::Message) -> Effects<Self::Timer>;

    /// What its successor must remember.
    fn memo(&self) -> Self::Memo;

    /// The message that a timer becomes.
    fn timer(timer: Self::Timer) -> Self::Message;
}
