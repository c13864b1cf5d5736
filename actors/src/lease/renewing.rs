//! A holder that is restarted keeps all that it holds. Only its ports are looked at again: nobody listened on them while it did
//! not run, and a stranger may do so now. Of a range it is then given another port, and nothing else is touched.

use std::collections::BTreeMap;

use mainstay_config::model::PortNeed;
use mainstay_config::names::PortName;

use super::holding::{Renewal, Use};
use super::machine::{LeaseMachine, Out, tell};
use super::ports::{in_use, is_fixed};
use super::queue::{Queued, reserve};
use crate::action::ports::Listener;
use crate::cause::{Holder, Refusal};
use crate::message::lease::{LeaseRequest, PortNumbers, Want};
use crate::message::service::ServiceMessage;
use crate::message::{Effect, OperationId, Outcome};

impl LeaseMachine {
    pub(super) fn renew(&mut self, request: LeaseRequest) -> Out {
        let holder = request.holder.clone();
        match self.holders.get_mut(&holder) {
            // One that is draining has been told, and will give back what it holds.
            Some(holding) if holding.is_undisturbed() => {
                holding.r#use = Use::Active;
                self.look_for_holder(&holder, request, BTreeMap::new())
            }
            _ => vec![Effect::Note(Outcome::Ignored)],
        }
    }

    fn look_for_holder(&mut self, holder: &Holder, request: LeaseRequest, foreign: BTreeMap<u16, Listener>) -> Out {
        let Some(holding) = self.holders.get(holder) else { return Vec::new() };
        let (ports, mut out) = (holding.grant.ports.clone(), Vec::new());
        let looking = self.look_at_ports(&request, &ports, &mut out);
        if let Some(holding) = self.holders.get_mut(holder) {
            holding.renewal = Some(Renewal { request, looking, foreign });
        }
        out
    }

    /// Who listens on the ports of a holder that is restarted.
    pub(super) fn seen_for_holder(&mut self, operation: OperationId, seen: BTreeMap<u16, Listener>) -> Out {
        let mut holders = self.holders.iter_mut();
        let found = holders.find_map(|(name, holding)| {
            let renewal = holding.renewal.take_if(|renewal| renewal.looking == operation)?;
            Some((name.clone(), holding.grant.clone(), renewal))
        });
        let Some((holder, grant, mut renewal)) = found else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        let answer = |ports| tell(&holder, ServiceMessage::Renewed(grant.token, ports)).into_iter().collect();
        if seen.is_empty() {
            return answer(Ok(grant.ports));
        }
        if let Some((port, listener)) = seen.iter().find(|(port, _)| is_fixed(&renewal.request, **port)) {
            return answer(Err(in_use(*port, listener, &holder)));
        }
        renewal.foreign.extend(seen);
        let Some(ports) = self.choose_others(&renewal) else { return answer(Err(Refusal::RangeInUse)) };
        if let Some(holding) = self.holders.get_mut(&holder) {
            holding.grant.ports = ports;
        }
        self.look_for_holder(&holder, renewal.request, renewal.foreign)
    }

    /// Other ports that nobody has, or comes first for.
    fn choose_others(&self, renewal: &Renewal) -> Option<PortNumbers> {
        let mut reserved = BTreeMap::new();
        self.queue.iter().for_each(|queued| reserve(queued, &mut reserved));
        let asked = Queued { foreign: renewal.foreign.clone(), ..Queued::new(renewal.request.clone()) };
        let port = |want| match want {
            &Want::Port { ref name, need, .. } => Some((name, need)),
            _ => None,
        };
        let ports: Vec<(&PortName, PortNeed)> = asked.request.wants.iter().filter_map(port).collect();
        let (ports, missing) = self.situation(&reserved).choose_ports(&ports, &asked);
        missing.is_empty().then_some(ports)
    }
}
