//! The supervisor of services: restarts their actors, hands out start slots, and sees them closed down.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use mainstay_config::names::ServiceName;

use super::{Intensity, NoTimer, RootMessage, ServicesMessage, Verdict};
use crate::machine::{Action, ActorId, Beginning, Effect, Effects, Machine, Message, Moment, Outcome};
use crate::service::ServiceMessage;

/// The supervisor of services.
#[derive(Debug, Clone)]
pub struct ServicesMachine {
    services: Vec<ServiceName>,
    slots: NonZeroUsize,
    starting: BTreeSet<ServiceName>,
    asking: Queue,
    deaths: Intensity,
    closing: Option<BTreeSet<ServiceName>>,
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
                    self.asking.leave(&name);
                }
                self.hand_out()
            }
            ServicesMessage::HoldsSlot(name) => {
                self.asking.leave(&name);
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
            ServicesMessage::Closed(name) => match &mut self.closing {
                Some(closed) => {
                    closed.insert(name);
                    self.all_closed().into_iter().collect()
                }
                None => vec![Effect::Note(Outcome::Ignored)],
            },
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
            asking: Queue::default(),
            deaths: Intensity::default(),
            closing: (memo.closing == Closing::Yes).then(BTreeSet::new),
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
        self.asking.join(name);
        self.hand_out()
    }

    /// Closes down with this word to every service.
    fn close(&mut self, word: &ServiceMessage) -> Out {
        self.closing.get_or_insert_default();
        let mut out = self.to_all(word);
        out.extend(self.all_closed());
        out
    }

    fn hand_out(&mut self) -> Out {
        let mut out = Vec::new();
        while self.starting.len() < self.slots.get() {
            let Some(name) = self.asking.next() else { break };
            out.push(grant(name.clone()));
            self.starting.insert(name);
        }
        out
    }

    fn to_all(&self, message: &ServiceMessage) -> Out {
        let tell = |name: &ServiceName| Effect::Tell(Message::Service(name.clone(), message.clone()));
        self.services.iter().map(tell).collect()
    }

    fn all_closed(&self) -> Option<Effect<NoTimer>> {
        let closed = self.closing.as_ref()?;
        // Only services say that they have closed, and each is counted once.
        (closed.len() == self.services.len()).then_some(Effect::Tell(Message::Root(RootMessage::ServicesClosed)))
    }
}

/// Who waits for a slot, in the order in which they asked. Thousands may: none of them is sought among the others.
#[derive(Debug, Clone, Default)]
struct Queue {
    order: BTreeMap<u64, ServiceName>,
    places: BTreeMap<ServiceName, u64>,
    last: u64,
}

impl Queue {
    /// Who is in it already keeps his place.
    fn join(&mut self, name: ServiceName) {
        if let Entry::Vacant(place) = self.places.entry(name.clone()) {
            self.last += 1;
            place.insert(self.last);
            self.order.insert(self.last, name);
        }
    }

    fn leave(&mut self, name: &ServiceName) {
        if let Some(place) = self.places.remove(name) {
            self.order.remove(&place);
        }
    }

    fn next(&mut self) -> Option<ServiceName> {
        let (_, name) = self.order.pop_first()?;
        self.places.remove(&name);
        Some(name)
    }
}

fn grant(name: ServiceName) -> Effect<NoTimer> {
    Effect::Tell(Message::Service(name, ServiceMessage::SlotGranted))
}
