//! Ports that are about to be granted are looked at: a program that is not ours may listen on them.

use std::collections::BTreeMap;

use mainstay_config::model::PortNeed;

use super::machine::{LeaseMachine, Out, refuse};
use super::queue::Queued;
use crate::action::ports::Listener;
use crate::cause::{Holder, Refusal};
use crate::effect::NoAnswer;
use crate::message::lease::{LeaseRequest, PortNumbers, Want};
use crate::message::{Action, Effect, OperationId, Outcome};

impl LeaseMachine {
    /// Looks who listens on ports that a request is about to be given.
    pub(super) fn look_at_ports(&mut self, request: &LeaseRequest, ports: &PortNumbers, out: &mut Out) -> OperationId {
        let operation = self.operation.advance();
        out.push(Effect::Act(Action::LookAtPorts(operation, request.places(ports))));
        operation
    }

    /// What was seen of foreign programs and hung drivers is forgotten, so that it is tried anew.
    pub(super) fn look_again(&mut self, holder: &Holder) -> Out {
        let waiting = self.queue.iter_mut().find(|queued| queued.request.holder == *holder);
        let Some(queued) = waiting else { return vec![Effect::Note(Outcome::Superseded)] };
        queued.foreign.clear();
        queued.untried = None;
        Vec::new()
    }

    pub(super) fn ports_seen(
        &mut self,
        operation: OperationId,
        seen: Result<BTreeMap<u16, Listener>, NoAnswer>,
    ) -> Out {
        let asked = |queued: &&mut Queued| {
            queued.preparation.as_ref().is_some_and(|preparation| preparation.looking == Some(operation))
        };
        let Some(queued) = self.queue.iter_mut().find(asked) else {
            return self.seen_for_holder(operation, seen.unwrap_or_default());
        };
        let Some(preparation) = queued.preparation.as_mut() else { return Vec::new() };
        preparation.looking = None;
        // Where the look itself fails, the service's own bind decides.
        let foreign = seen.unwrap_or_default();
        if foreign.is_empty() {
            return Vec::new();
        }
        let holder = queued.request.holder.clone();
        let choosable = queued.request.wants.iter().any(|want| is_range_with_choice(want, &queued.foreign, &foreign));
        if let Some((port, listener)) = foreign.iter().find(|(port, _)| is_fixed(&queued.request, **port)) {
            let refusal = in_use(*port, listener, &holder);
            let mut out = self.withdraw(&holder);
            out.extend(refuse(&holder, refusal));
            return out;
        }
        queued.foreign.extend(foreign);
        queued.preparation = None;
        let mut out = Vec::new();
        if !choosable {
            out.extend(self.withdraw(&holder));
            out.extend(refuse(&holder, Refusal::RangeInUse));
        }
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

/// Whether a range has a port on which nobody was seen to listen.
fn is_range_with_choice(want: &Want, before: &BTreeMap<u16, Listener>, now: &BTreeMap<u16, Listener>) -> bool {
    let Want::Port { need: PortNeed::Range { prefer, first, last }, .. } = want else { return false };
    let free = |port: u16| !before.contains_key(&port) && !now.contains_key(&port);
    free(prefer.get()) || (first.get()..=last.get()).any(free)
}
