//! Ports that are about to be granted are looked at: a program that is not ours may listen on them.

use std::collections::BTreeMap;

use mainstay_config::model::PortNeed;
use mainstay_config::port_choice;

use super::machine::{LeaseMachine, Out, refuse};
use super::queue::Queued;
use crate::action::ports::Listener;
use crate::cause::{Holder, Refusal};
use crate::message::lease::{LeaseRequest, PortNumbers, Want};
use crate::message::{Action, Effect, OperationId, Outcome};
use mainstay_hardware::error::NoAnswer;

impl LeaseMachine {
    /// Looks who listens on ports that a request is about to be given.
    pub(super) fn look_at_ports(&mut self, request: &LeaseRequest, ports: &PortNumbers, out: &mut Out) -> OperationId {
        let operation = self.operation.advance();
        self.looks.insert(operation, request.holder.clone());
        out.push(Effect::Act(Action::LookAtPorts(operation, request.places(ports))));
        operation
    }

    /// What was seen of foreign programs and hung drivers is forgotten, so that it is tried anew.
    pub(super) fn look_again(&mut self, holder: &Holder) -> Out {
        if self.queue.get(holder).is_none() {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        self.queue.change(holder, |queued| {
            queued.foreign.clear();
            queued.untried = None;
        });
        Vec::new()
    }

    pub(super) fn ports_seen(
        &mut self,
        operation: OperationId,
        seen: Result<BTreeMap<u16, Listener>, NoAnswer>,
    ) -> Out {
        // Where the look itself fails, the service's own bind decides.
        let foreign = seen.unwrap_or_default();
        let Some(holder) = self.looks.remove(&operation) else { return vec![Effect::Note(Outcome::Superseded)] };
        let preparation = self.queue.get(&holder).and_then(|queued| queued.preparation.as_ref());
        if preparation.is_some_and(|preparation| preparation.looking == Some(operation)) {
            self.seen_for_waiter(&holder, foreign)
        } else {
            self.seen_for_holder(&holder, operation, foreign)
        }
    }

    fn seen_for_waiter(&mut self, holder: &Holder, foreign: BTreeMap<u16, Listener>) -> Out {
        if foreign.is_empty() {
            self.queue.change(holder, |queued| {
                queued.preparation.iter_mut().for_each(|preparation| preparation.looking = None);
            });
            return Vec::new();
        }
        let Some(Queued { request, foreign: known, .. }) = self.queue.get(holder) else { return Vec::new() };
        let fixed = foreign.iter().find(|(port, _)| is_fixed(request, **port));
        let foreign = known.iter().chain(&foreign).map(|(port, listener)| (*port, listener.clone())).collect();
        let refusal = match fixed {
            Some((port, listener)) => in_use(*port, listener, holder),
            None if has_choice(request, &foreign) => {
                self.queue.change(holder, |queued| {
                    queued.foreign = foreign;
                    queued.preparation = None;
                });
                return Vec::new();
            }
            None => Refusal::RangeInUse,
        };
        let mut out = self.withdraw(holder);
        out.extend(refuse(holder, refusal));
        out
    }
}

/// Why a port cannot be given that must be this one.
pub(super) fn in_use(port: u16, listener: &Listener, holder: &Holder) -> Refusal {
    Refusal::PortInUse { wanted_by: holder.clone(), port, listener: listener.clone() }
}

pub(super) fn is_fixed(request: &LeaseRequest, port: u16) -> bool {
    request
        .wants
        .iter()
        .any(|want| matches!(want, Want::Port { need: PortNeed::Fixed(fixed), .. } if fixed.get() == port))
}

/// Whether a range that is wanted has a port on which no stranger was seen to listen.
pub(super) fn has_choice(request: &LeaseRequest, foreign: &BTreeMap<u16, Listener>) -> bool {
    let is_free = |port| !foreign.contains_key(&port);
    request.wants.iter().filter_map(Want::range).any(|need| port_choice::numbers(need).any(is_free))
}
