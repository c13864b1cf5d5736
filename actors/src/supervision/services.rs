//! The supervisor of services: restarts their actors, hands out start slots, and sees them closed down.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::time::Duration;

use mainstay_config::names::ServiceName;

use super::{Intensity, NoTimer, RootMessage, ServicesMessage, Verdict};
use crate::machine::{Action, ActorId, Beginning, Effect, Effects, Left, Machine, Message, Moment, Outcome};
use crate::service::ServiceMessage;

/// The supervisor of services.
#[derive(Debug, Clone)]
pub struct ServicesMachine {
    services: Vec<ServiceName>,
    slots: NonZeroUsize,
    starting: BTreeSet<ServiceName>,
    asking: VecDeque<ServiceName>,
    deaths: Intensity,
    closing: Option<BTreeSet<ServiceName>>,
    /// Of those that have closed, what is left all the same.
    left: BTreeMap<ServiceName, Left>,
}

type Out = Effects<NoTimer>;

impl Machine for ServicesMachine {
    type Message = ServicesMessage;
    type Timer = NoTimer;
    type Memo = ServicesMemo;

    fn id(&self) -> ActorId {
        ActorId::Services
    }

    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        match beginning {
            Beginning::First => self.to_all(&ServiceMessage::Begin),
            Beginning::Again => {
                let mut out = self.to_all(&ServiceMessage::RestateSlot);
                if self.closing.is_some() {
                    out.extend(self.to_all(&ServiceMessage::Close));
                }
                out
            }
        }
    }

    fn handle(&mut self, now: Moment, message: ServicesMessage) -> Out {
        match message {
            ServicesMessage::AskSlot(name) => self.asked_for_slot(name),
            ServicesMessage::ReturnSlot(name) => {
                // Who holds a slot does not ask for one.
                if !self.starting.remove(&name) {
                    self.asking.retain(|asking| *asking != name);
                }
                self.hand_out()
            }
            ServicesMessage::HoldsSlot(name) => {
                self.asking.retain(|asking| *asking != name);
                self.starting.insert(name);
                Vec::new()
            }
            ServicesMessage::Died(actor, _) => match self.deaths.died(now) {
                Verdict::Restart(pause) => self.restart(actor, pause),
                Verdict::Escalate => {
                    let escalated = RootMessage::Escalated(ActorId::Services, Intensity::words());
                    vec![Effect::Tell(Message::Root(escalated))]
                }
            },
            ServicesMessage::RestartAll => {
                self.deaths.forget();
                let restart = |name: &ServiceName| {
                    Effect::Act(Action::RestartActor(ActorId::Service(name.clone()), Duration::ZERO))
                };
                self.services.iter().map(restart).collect()
            }
            ServicesMessage::Close => self.close(&ServiceMessage::Close),
            ServicesMessage::Hurry => self.close(&ServiceMessage::Hurry),
            ServicesMessage::Closed(name) => {
                self.left.remove(&name);
                self.closed(name)
            }
            ServicesMessage::Stuck(left) => {
                let name = left.service.clone();
                self.left.insert(name.clone(), left);
                self.closed(name)
            }
        }
    }

    fn memo(&self) -> ServicesMemo {
        let closing = if self.closing.is_some() { Closing::Yes } else { Closing::No };
        ServicesMemo { closing, starting: self.starting.clone() }
    }

    fn timer(timer: NoTimer) -> ServicesMessage {
        match timer {}
    }
}

/// What the supervisor must remember over a panic of its actor.
#[derive(Debug, Clone, Default)]
pub struct ServicesMemo {
    closing: Closing,
    /// Who was given a slot: it is not given to another before its holder has said that it is free.
    starting: BTreeSet<ServiceName>,
}

/// Whether the daemon is closing down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Closing {
    #[default]
    No,
    Yes,
}

impl ServicesMachine {
    /// A supervisor of these services, in the order in which they should begin.
    #[must_use]
    pub fn new(services: Vec<ServiceName>, slots: NonZeroUsize, memo: ServicesMemo) -> Self {
        Self {
            services,
            slots,
            starting: memo.starting,
            asking: VecDeque::new(),
            deaths: Intensity::default(),
            closing: (memo.closing == Closing::Yes).then(BTreeSet::new),
            left: BTreeMap::new(),
        }
    }

    /// A child is restarted; that the daemon is closing down may have been what it panicked over.
    fn restart(&self, actor: ActorId, pause: Duration) -> Out {
        let mut out = Vec::new();
        if let (ActorId::Service(name), Some(_)) = (&actor, &self.closing) {
            out.push(Effect::Tell(Message::Service(name.clone(), ServiceMessage::Close)));
        }
        out.push(Effect::Act(Action::RestartActor(actor, pause)));
        out
    }

    fn asked_for_slot(&mut self, name: ServiceName) -> Out {
        if self.starting.contains(&name) {
            // It gave its slot back, or was given one, by a word that was lost with this one's predecessor.
            return vec![grant(name)];
        }
        if !self.asking.contains(&name) {
            self.asking.push_back(name);
        }
        self.hand_out()
    }

    /// Closes down with this word to every service.
    fn close(&mut self, word: &ServiceMessage) -> Out {
        self.closing.get_or_insert_default();
        let mut out = self.to_all(word);
        out.extend(self.all_closed());
        out
    }

    fn closed(&mut self, name: ServiceName) -> Out {
        match &mut self.closing {
            Some(closed) => {
                closed.insert(name);
                self.all_closed()
            }
            None => vec![Effect::Note(Outcome::Ignored)],
        }
    }

    fn hand_out(&mut self) -> Out {
        let mut out = Vec::new();
        while self.starting.len() < self.slots.get() {
            let Some(name) = self.asking.pop_front() else { break };
            out.push(grant(name.clone()));
            self.starting.insert(name);
        }
        out
    }

    fn to_all(&self, message: &ServiceMessage) -> Out {
        let tell = |name: &ServiceName| Effect::Tell(Message::Service(name.clone(), message.clone()));
        self.services.iter().map(tell).collect()
    }

    fn all_closed(&self) -> Out {
        // Only services say that they have closed, and each is counted once.
        if self.closing.as_ref().is_none_or(|closed| closed.len() != self.services.len()) {
            return Vec::new();
        }
        let left: Vec<Left> = self.left.values().cloned().collect();
        let left = (!left.is_empty()).then_some(RootMessage::LeftBehind(left));
        let to_root = |message| Effect::Tell(Message::Root(message));
        left.into_iter().chain([RootMessage::ServicesClosed]).map(to_root).collect()
    }
}

fn grant(name: ServiceName) -> Effect<NoTimer> {
    Effect::Tell(Message::Service(name, ServiceMessage::SlotGranted))
}
