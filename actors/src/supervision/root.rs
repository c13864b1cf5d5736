//! The root supervisor: restarts supervisors and the registry, and closes the daemon down in order. It is restarted itself when it
//! panics, by the host, which has no supervisor to ask.

use std::time::Duration;

use super::{Intensity, NoTimer, RootMessage, ServicesMessage, Verdict};
use crate::inventory::InventoryMessage;
use crate::lease::LeaseMessage;
use crate::machine::{Action, ActorId, Beginning, Effect, Effects, Exit, Left, Machine, Message, Moment, Outcome};

/// The root supervisor.
#[derive(Debug, Clone, Default)]
pub struct RootMachine {
    deaths: Intensity,
    closing: Closing,
    /// What outlives SIGKILL.
    left: Vec<Left>,
}

/// What it must remember over a panic of its actor: all it knows.
#[derive(Debug, Clone, Default)]
pub struct RootMemo(RootMachine);

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
    type Memo = RootMemo;

    fn id(&self) -> ActorId {
        ActorId::Root
    }

    /// What it panicked over is lost: that a supervisor gives up, or how far closing down has come.
    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        match (beginning, self.closing) {
            (Beginning::First, _) => Vec::new(),
            (Beginning::Again, Closing::No) => {
                [ActorId::Hardware, ActorId::Services].iter().flat_map(restart_children).collect()
            }
            (Beginning::Again, Closing::Services) => vec![Effect::Tell(Message::Services(ServicesMessage::Close))],
            (Beginning::Again, Closing::Leases) => vec![Effect::Tell(Message::Leases(LeaseMessage::Close))],
        }
    }

    fn handle(&mut self, now: Moment, message: RootMessage) -> Out {
        match message {
            RootMessage::Died(actor, _) => match self.deaths.died(now) {
                Verdict::Restart(pause) => self.restart(actor, pause),
                Verdict::Escalate => give_up(&actor),
            },
            RootMessage::Escalated(supervisor, _) => match self.deaths.died(now) {
                Verdict::Restart(_) => restart_children(&supervisor),
                Verdict::Escalate => give_up(&supervisor),
            },
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
            RootMessage::LeftBehind(left) => {
                self.left = left;
                Vec::new()
            }
            RootMessage::LeasesClosed => {
                let left = std::mem::take(&mut self.left);
                vec![Effect::Act(Action::Exit(if left.is_empty() { Exit::Stopped } else { Exit::Left(left) }))]
            }
        }
    }

    fn memo(&self) -> RootMemo {
        RootMemo(self.clone())
    }

    fn timer(timer: NoTimer) -> RootMessage {
        match timer {}
    }
}

impl RootMachine {
    /// One with what its predecessor remembered.
    #[must_use]
    pub fn remembering(RootMemo(before): RootMemo) -> Self {
        before
    }

    /// A child is restarted; that the daemon is closing down may have been what it panicked over.
    fn restart(&self, actor: ActorId, pause: Duration) -> Out {
        let close = match (&actor, self.closing) {
            (ActorId::Services, Closing::Services) => Some(Message::Services(ServicesMessage::Close)),
            (ActorId::Leases, Closing::Leases) => Some(Message::Leases(LeaseMessage::Close)),
            _ => None,
        };
        let restart = Effect::Act(Action::RestartActor(actor, pause));
        close.map(Effect::Tell).into_iter().chain([restart]).collect()
    }
}

fn give_up(actor: &ActorId) -> Out {
    let words = format!("{}, the last of them in {actor}", Intensity::words());
    vec![Effect::Act(Action::Exit(Exit::GaveUp(words)))]
}

fn restart_children(supervisor: &ActorId) -> Out {
    match supervisor {
        ActorId::Hardware => vec![Effect::Tell(Message::Hardware(InventoryMessage::RestartAll))],
        ActorId::Services => vec![Effect::Tell(Message::Services(ServicesMessage::RestartAll))],
        other => vec![Effect::Act(Action::RestartActor(other.clone(), Duration::ZERO))],
    }
}
