//! The envelope that every message travels in. Only this module can seal one, and actors accept nothing else:
//! sending without it does not compile.

use crate::machine::Described;
use crate::trace::{Cause, MessageId};

/// A message with its place in a trace.
pub(super) struct Traced<M> {
    id: MessageId,
    cause: Cause,
    message: M,
}

impl<M: Described + 'static> Traced<M> {
    /// Seals a message that the recorder has given an id.
    pub(super) fn seal(id: MessageId, cause: Cause, message: M) -> Self {
        Self { id, cause, message }
    }

    /// Its id.
    pub(super) fn id(&self) -> MessageId {
        self.id
    }

    /// What its consequences are caused by: itself.
    pub(super) fn as_cause(&self) -> Cause {
        Cause { trace: self.cause.trace, message: Some(self.id) }
    }

    /// Takes the message out.
    pub(super) fn open(self) -> M {
        self.message
    }
}

impl<M: Described + 'static> actix::Message for Traced<M> {
    type Result = ();
}

/// Makes an actor panic; debug builds only.
#[cfg(any(debug_assertions, test))]
pub(super) struct Poison;

#[cfg(any(debug_assertions, test))]
impl actix::Message for Poison {
    type Result = ();
}
