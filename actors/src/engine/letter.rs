//! What lies in an inbox.

use super::Timer;
use crate::message::{ActorId, Address, Message};
use crate::trace::{Cause, MessageId};

/// A message with its place in a trace. There is no other way to tell an actor something.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Letter {
    /// Its number.
    pub id: MessageId,
    /// Why it was sent.
    pub cause: Cause,
    /// By whom.
    pub from: Address,
    /// What it says, and to whom.
    pub message: Message,
}

impl Letter {
    /// What its consequences are caused by: itself.
    #[must_use]
    pub fn as_cause(&self) -> Cause {
        Cause { trace: self.cause.trace, message: Some(self.id) }
    }
}

/// Something in an inbox.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Mail {
    /// A letter.
    Letter(Letter),
    /// A timer rang: what it was set because of, and what it says. It becomes a letter when it is taken out; until then it can be
    /// cancelled.
    Rang(Timer, Cause, Message),
    /// This actor was restarted and may have lost what it was told: what still holds of that is said again.
    TellAgain(ActorId, Cause),
}
