//! The root supervisor: closes the daemon down in order.

use super::{NoTimer, RootMessage, ServicesMessage};
use crate::lease::LeaseMessage;
use crate::machine::{Action, ActorId, Beginning, Effect, Effects, Exit, Machine, Message, Moment, Outcome};

/// The root supervisor.
#[derive(Debug, Clone, Default)]
pub struct RootMachine {
    closing: Closing,
}

/// How far closing down has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Closing {
    #[default]
    No,
    Services,
    Leases,
}

type Out = Effects<NoTimer>;

impl Machine for RootMachine {
    type Message = RootMessage;
    type Timer = NoTimer;

    fn id(&self) -> ActorId {
        ActorId::Root
    }

    /// What it panicked over is lost: how far closing down has come is asked for by going on with it.
    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        match (beginning, self.closing) {
            (Beginning::First, _) | (_, Closing::No) => Vec::new(),
            (Beginning::Again, Closing::Services) => vec![Effect::Tell(Message::Services(ServicesMessage::Close))],
            (Beginning::Again, Closing::Leases) => vec![Effect::Tell(Message::Leases(LeaseMessage::Close))],
        }
    }

    fn handle(&mut self, _now: Moment, message: RootMessage) -> Out {
        match message {
            RootMessage::Close if self.closing == Closing::No => {
                self.closing = Closing::Services;
                vec![Effect::Tell(Message::Services(ServicesMessage::Close))]
            }
            RootMessage::Close => vec![Effect::Note(Outcome::Ignored)],
            RootMessage::Hurry => {
                if self.closing == Closing::No {
                    // The first word was lost.
                    self.closing = Closing::Services;
                }
                vec![Effect::Tell(Message::Services(ServicesMessage::Hurry))]
            }
            RootMessage::ServicesClosed => {
                self.closing = Closing::Leases;
                vec![Effect::Tell(Message::Leases(LeaseMessage::Close))]
            }
            RootMessage::LeasesClosed => vec![Effect::Act(Action::Exit(Exit::Stopped))],
        }
    }

    fn successor(&self, _incarnation: u32) -> Self {
        self.clone()
    }

    /// That the daemon is closing down may be what it panicked over.
    fn tell_again(&self, to: &ActorId) -> Vec<Message> {
        match (to, self.closing) {
            (ActorId::Services, Closing::Services) => vec![Message::Services(ServicesMessage::Close)],
            (ActorId::Leases, Closing::Leases) => vec![Message::Leases(LeaseMessage::Close)],
            _ => Vec::new(),
        }
    }

    fn timer(timer: NoTimer) -> RootMessage {
        match timer {}
    }
}
