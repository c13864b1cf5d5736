//! The supervisor of services: hands out start slots, and sees them closed down.
//!
//! ```text
//!  a service:   at rest ──asked for slot──▶ asking ──hand out (a slot is free)──▶ starting
//!                 ▲ │                         │                                 ▲     │
//!                 │ └─ holds slot (after a panic of either) ────────────────────┘     │
//!                 └──────── return slot ──────┴──────────── return slot ──────────────┘
//!
//!  all of them: open ──close──▶ closing ──closed, or stuck, each of them──▶ the root is told
//! ```

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use mainstay_config::names::ServiceName;

use crate::machine::{Beginning, Machine};
use crate::message::service::ServiceMessage;
use crate::message::supervision::{Haste, NoTimer, RootMessage, ServicesMessage};
use crate::message::{ActorId, Effect, Effects, Left, Message, Moment, Outcome};

/// The supervisor of services.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ServicesMachine {
    services: Vec<ServiceName>,
    slots: NonZeroUsize,
    starting: BTreeSet<ServiceName>,
    asking: Queue,
    closing: Option<Closing>,
}

/// How far closing down has come.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Closing {
    haste: Haste,
    closed: BTreeSet<ServiceName>,
    /// Of those that have closed, what is left all the same.
    left: BTreeMap<ServiceName, Left>,
}

impl Closing {
    fn begun(haste: Haste) -> Self {
        Self { haste, closed: BTreeSet::new(), left: BTreeMap::new() }
    }
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

    fn begin(&mut self, now: Moment, beginning: Beginning) -> Out {
        match beginning {
            Beginning::First => self.to_all(&ServiceMessage::Begin),
            Beginning::Again => self.hand_out(now),
        }
    }

    fn handle(&mut self, now: Moment, message: ServicesMessage) -> Out {
        match message {
            ServicesMessage::AskSlot(name) => self.asked_for_slot(now, name),
            ServicesMessage::ReturnSlot(name) => {
                // Who holds a slot does not ask for one.
                if !self.starting.remove(&name) {
                    self.asking.leave(&name);
                }
                self.hand_out(now)
            }
            ServicesMessage::HoldsSlot(name) => {
                self.asking.leave(&name);
                self.starting.insert(name);
                Vec::new()
            }
            ServicesMessage::Close => self.close(Haste::InOrder),
            ServicesMessage::Hurry => self.close(Haste::Hurried),
            ServicesMessage::Closed(name) => self.closed(name, None),
            ServicesMessage::Stuck(left) => self.closed(left.service.clone(), Some(left)),
        }
    }

    /// Who was given a slot keeps it: it is not given to another before its holder has said that it is free.
    fn successor(&self) -> Self {
        let closing = self.closing.as_ref().map(|closing| Closing::begun(closing.haste));
        Self { starting: self.starting.clone(), closing, ..Self::new(self.services.clone(), self.slots) }
    }

    fn peers(&self) -> Vec<ActorId> {
        let services = self.services.iter().cloned().map(ActorId::Service);
        services.chain([ActorId::Root]).collect()
    }

    fn tell_again(&self, to: &ActorId) -> Vec<Message> {
        let ActorId::Service(name) = to else { return self.all_closed() };
        let begin = std::iter::once(ServiceMessage::Begin);
        let slot = self.starting.contains(name).then_some(ServiceMessage::SlotGranted(Duration::ZERO));
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
        Self { services, slots, starting: BTreeSet::new(), asking: Queue::default(), closing: None }
    }

    /// Whether the daemon closes down.
    #[cfg(test)]
    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// Whether a service has a start slot.
    #[cfg(test)]
    pub(super) fn has_slot(&self, name: &ServiceName) -> bool {
        self.starting.contains(name)
    }

    /// Whether a service waits for a start slot.
    #[cfg(test)]
    pub(super) fn is_asked_by(&self, name: &ServiceName) -> bool {
        self.asking.places.contains_key(name)
    }

    fn asked_for_slot(&mut self, now: Moment, name: ServiceName) -> Out {
        if self.starting.contains(&name) {
            // It gave its slot back, or was given one, by a word that was lost with this one's predecessor.
            return vec![grant(name, Duration::ZERO)];
        }
        self.asking.join(name, now);
        self.hand_out(now)
    }

    /// Closes down, unless that is under way.
    fn close(&mut self, haste: Haste) -> Out {
        let closing = self.closing.get_or_insert_with(|| Closing::begun(haste));
        if haste == Haste::Hurried {
            closing.haste = haste;
        }
        let mut out = self.to_all(&haste.to_service());
        out.extend(self.all_closed().into_iter().map(Effect::Tell));
        out
    }

    /// Nothing is left of a service, or this is, about which nothing can be done.
    fn closed(&mut self, name: ServiceName, left: Option<Left>) -> Out {
        let Some(closing) = &mut self.closing else { return vec![Effect::Note(Outcome::Ignored)] };
        match left {
            Some(left) => drop(closing.left.insert(name.clone(), left)),
            None => drop(closing.left.remove(&name)),
        }
        closing.closed.insert(name);
        self.all_closed().into_iter().map(Effect::Tell).collect()
    }

    fn hand_out(&mut self, now: Moment) -> Out {
        let mut out = Vec::new();
        while self.starting.len() < self.slots.get() {
            let Some((name, since)) = self.asking.next() else { break };
            out.push(grant(name.clone(), now.since(since)));
            self.starting.insert(name);
        }
        out
    }

    fn to_all(&self, message: &ServiceMessage) -> Out {
        let tell = |name: &ServiceName| Effect::Tell(Message::Service(name.clone(), message.clone()));
        self.services.iter().map(tell).collect()
    }

    fn all_closed(&self) -> Vec<Message> {
        // Only services say that they have closed, and each is counted once.
        let Some(closing) = self.closing.as_ref().filter(|closing| closing.closed.len() == self.services.len()) else {
            return Vec::new();
        };
        vec![Message::Root(RootMessage::ServicesClosed(closing.left.values().cloned().collect()))]
    }
}

/// Who waits for a slot, in the order in which they asked. Thousands may: none of them is sought among the others.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
struct Queue {
    /// With when they asked.
    order: BTreeMap<u64, (ServiceName, Moment)>,
    places: BTreeMap<ServiceName, u64>,
    last: u64,
}

impl Queue {
    /// Who is in it already keeps his place.
    fn join(&mut self, name: ServiceName, now: Moment) {
        if let Entry::Vacant(place) = self.places.entry(name.clone()) {
            self.last += 1;
            place.insert(self.last);
            self.order.insert(self.last, (name, now));
        }
    }

    fn leave(&mut self, name: &ServiceName) {
        if let Some(place) = self.places.remove(name) {
            self.order.remove(&place);
        }
    }

    fn next(&mut self) -> Option<(ServiceName, Moment)> {
        let (_, (name, since)) = self.order.pop_first()?;
        self.places.remove(&name);
        Some((name, since))
    }
}

fn grant(name: ServiceName, waited: Duration) -> Effect<NoTimer> {
    Effect::Tell(Message::Service(name, ServiceMessage::SlotGranted(waited)))
}
