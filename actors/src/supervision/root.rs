//! The root supervisor: closes the daemon down in order.
//!
//! ```text
//!          close                 services closed              leases closed (all but what is left)
//!   open ────────▶ services ──────────────────────▶ leases ──────────────────────────────────────▶ done (exit)
//!                   ▲    │ close (hurry)
//!                   └────┘
//! ```
//! A part that is lost ends the daemon from anywhere.

use crate::cause::Holder;
use crate::machine::{Beginning, Machine};
use crate::message::lease::LeaseMessage;
use crate::message::supervision::{Haste, NoTimer, RootMessage, ServicesMessage};
use crate::message::{Action, ActorId, DaemonExit, Effect, Effects, Left, Message, Moment, Outcome, Publication};

/// The root supervisor.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct RootMachine {
    pub(super) closing: Closing,
    haste: Haste,
    /// What outlives SIGKILL.
    left: Vec<Left>,
}

impl Haste {
    fn to_services(self) -> ServicesMessage {
        match self {
            Self::InOrder => ServicesMessage::Close,
            Self::Hurried => ServicesMessage::Hurry,
        }
    }
}

/// How far closing down has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Closing {
    #[default]
    No,
    Services,
    Leases,
    Done,
}

type Out = Effects<NoTimer>;

impl Machine for RootMachine {
    type Message = RootMessage;
    type Timer = NoTimer;

    fn id(&self) -> ActorId {
        ActorId::Root
    }

    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        // It may not have been heard.
        let shown = Effect::Publish(Publication::Closing(self.haste));
        match (beginning, self.closing) {
            (Beginning::First, _) | (_, Closing::No) => Vec::new(),
            (Beginning::Again, Closing::Services | Closing::Leases) => vec![shown],
            (Beginning::Again, Closing::Done) => vec![shown, self.end()],
        }
    }

    fn handle(&mut self, _now: Moment, message: RootMessage) -> Out {
        match message {
            RootMessage::Close if self.closing == Closing::No => self.close(),
            RootMessage::Close => vec![Effect::Note(Outcome::Ignored)],
            RootMessage::Hurry => {
                self.haste = Haste::Hurried;
                self.close()
            }
            RootMessage::ServicesClosed(left) => {
                self.left = left;
                if self.closing != Closing::Services {
                    return vec![Effect::Note(Outcome::Ignored)];
                }
                self.closing = Closing::Leases;
                vec![Effect::Tell(Message::Leases(LeaseMessage::Close))]
            }
            RootMessage::LeasesClosed(left) => {
                let is_named = |holder: &Holder| self.left.iter().any(|named| holder.is(&named.service));
                if !left.iter().all(is_named) {
                    // One of them has ended since: the registry says so again when that one has given back what it held.
                    return vec![Effect::Note(Outcome::Superseded)];
                }
                self.closing = Closing::Done;
                vec![self.end()]
            }
        }
    }

    fn successor(&self) -> Self {
        self.clone()
    }

    fn peers(&self) -> Vec<ActorId> {
        vec![ActorId::Services, ActorId::Leases]
    }

    fn tell_again(&self, to: &ActorId) -> Vec<Message> {
        match (to, self.closing) {
            (ActorId::Services, Closing::Services) => vec![Message::Services(self.haste.to_services())],
            (ActorId::Leases, Closing::Leases) => vec![Message::Leases(LeaseMessage::Close)],
            (_, Closing::No | Closing::Services | Closing::Leases | Closing::Done) => Vec::new(),
        }
    }

    fn timer(timer: NoTimer) -> RootMessage {
        match timer {}
    }
}

impl RootMachine {
    /// Whoever wants it to end sees that it was heard.
    fn close(&mut self) -> Out {
        if self.closing == Closing::No {
            self.closing = Closing::Services;
        }
        let services = Effect::Tell(Message::Services(self.haste.to_services()));
        vec![services, Effect::Publish(Publication::Closing(self.haste))]
    }

    fn end(&self) -> Effect<NoTimer> {
        let left = self.left.clone();
        Effect::Act(Action::Exit(if left.is_empty() { DaemonExit::Stopped } else { DaemonExit::Left(left) }))
    }
}
