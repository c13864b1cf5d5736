//! What carries out effects on the world, outside the actors: a restarted actor orphans nothing.

use std::rc::Rc;

use super::known::Known;
use crate::message::{Action, ActorId, Message, Outside};
use crate::trace::{Cause, ExternalCause};

/// Its name, as a part of mainstay that can be lost.
pub(crate) const EXECUTOR: &str = "executor";

/// Carries out actions. It must not block, and must deliver answers later, never from inside [`Executor::act`].
pub trait Executor {
    /// Begins an action for an actor. Its answers go to that actor and continue the trace of `cause`.
    fn act(&self, from: &ActorId, action: Action, cause: Cause);

    /// What it knows now.
    fn known(&self) -> Known;
}

/// What an executor says, and why.
#[derive(Debug)]
pub enum Delivery {
    /// The answer to an action, or something an action led to.
    Answer(Cause),
    /// Something that happened by itself.
    External(ExternalCause),
}

/// How an executor delivers what it has to say. Answers what further news of the same thing is caused by; `None` when
/// the actors have ended.
pub type Deliver = Rc<dyn Fn(Delivery, Outside, Message) -> Option<Cause>>;
