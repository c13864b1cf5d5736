//! The supervisor of services: hands out start slots, and sees them closed down.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroUsize;

use mainstay_config::names::ServiceName;

use super::root::Haste;
use super::{NoTimer, RootMessage, ServicesMessage};
use crate::machine::{ActorId, Beginning, Effect, Effects, Machine, Message, Moment, Outcome};
use crate::service::ServiceMessage;

/// The supervisor of services.
#[derive(Debug, Clone)]
pub struct ServicesMachine {
    services: Vec<ServiceName>,
    slots: NonZeroUsize,
    starting: BTreeSet<ServiceName>,
    asking: VecDeque<ServiceName>,
    closing: Option<Closing>,
}

/// How far closing down has come.
#[derive(Debug, Clone)]
struct Closing {
    haste: Haste,
    closed: BTreeSet<ServiceName>,
}

impl Haste {
    fn to_service(self) -> ServiceMessage {
        match self {
            Self::InOrder => ServiceMessage::Close,
            Self::Hurried => ServiceMessage::Hurry,
        }
    }
}

type Out = Effects<NoTimer>;

impl Machine for ServicesMachine {
    type Message = ServicesMessage;
    type Timer = NoTimer;

    fn id(&self) -> ActorId {
        ActorId::Services
    }

    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        match beginning {
            Beginning::First => self.to_all(&ServiceMessage::Begin),
            Beginning::Again => self.hand_out(),
        }
    }

    fn handle(&mut self, _now: Moment, message: ServicesMessage) -> Out {
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
            ServicesMessage::Close => self.close(Haste::InOrder),
            ServicesMessage::Hurry => self.close(Haste::Hurried),
            ServicesMessage::Closed(name) => match &mut self.closing {
                Some(closing) => {
                    closing.closed.insert(name);
                    self.all_closed().map(Effect::Tell).into_iter().collect()
                }
                None => vec![Effect::Note(Outcome::Ignored)],
            },
        }
    }

    /// Who was given a slot keeps it: it is not given to another before its holder has said that it is free.
    fn successor(&self) -> Self {
        let closing = self.closing.as_ref().map(|closing| Closing { haste: closing.haste, closed: BTreeSet::new() });
        Self { starting: self.starting.clone(), closing, ..Self::new(self.services.clone(), self.slots) }
    }

    fn peers(&self) -> Vec<ActorId> {
        let services = self.services.iter().cloned().map(ActorId::Service);
        services.chain([ActorId::Root]).collect()
    }

    fn tell_again(&self, to: &ActorId) -> Vec<Message> {
        let ActorId::Service(name) = to else { return self.all_closed().into_iter().collect() };
        let begin = std::iter::once(ServiceMessage::Begin);
        let slot = self.starting.contains(name).then_some(ServiceMessage::SlotGranted);
        let close = self.closing.as_ref().map(|closing| closing.haste.to_service());
        begin.chain(slot).chain(close).map(|message| Message::Service(name.clone(), message)).collect()
    }

    fn weight(&self) -> usize {
        self.services.len()
    }

    fn timer(timer: NoTimer) -> ServicesMessage {
        match timer {}
    }
}

impl ServicesMachine {
    /// A supervisor of these services, in the order in which they should begin.
    #[must_use]
    pub fn new(services: Vec<ServiceName>, slots: NonZeroUsize) -> Self {
        Self { services, slots, starting: BTreeSet::new(), asking: VecDeque::new(), closing: None }
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

    /// Closes down, unless that is under way.
    fn close(&mut self, haste: Haste) -> Out {
        let closing = self.closing.get_or_insert(Closing { haste, closed: BTreeSet::new() });
        if haste == Haste::Hurried {
            closing.haste = haste;
        }
        let mut out = self.to_all(&haste.to_service());
        out.extend(self.all_closed().map(Effect::Tell));
        out
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

    fn all_closed(&self) -> Option<Message> {
        let closing = self.closing.as_ref()?;
        // Only services say that they have closed, and each is counted once.
        (closing.closed.len() == self.services.len()).then_some(Message::Root(RootMessage::ServicesClosed))
    }
}

fn grant(name: ServiceName) -> Effect<NoTimer> {
    Effect::Tell(Message::Service(name, ServiceMessage::SlotGranted))
}
