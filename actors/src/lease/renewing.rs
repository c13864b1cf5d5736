//! A holder that is restarted keeps all that it holds. Only its ports are looked at again: nobody listened on them while it did
//! not run, and a stranger may do so now. Of a range it is then given another port, and nothing else is touched; where others of
//! ours have all of those, it gives back what it holds and waits, as everybody does who lacks something.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use mainstay_config::model::PortNeed;
use mainstay_config::names::PortName;

use super::holding::{Renewal, Use};
use super::machine::{LeaseMachine, Out, tell};
use super::ports::{has_choice, in_use, is_fixed};
use super::prospect::Asking;
use crate::action::ports::Listener;
use crate::cause::{Holder, Refusal};
use crate::message::lease::{LeaseRequest, PortNumbers, Renewed, Want};
use crate::message::service::ServiceMessage;
use crate::message::{Effect, OperationId, Outcome};

impl LeaseMachine {
    pub(super) fn renew(&mut self, request: LeaseRequest) -> Out {
        let holder = request.holder.clone();
        match self.holders.get_mut(&holder) {
            // One that is draining has been told, and will give back what it holds.
            Some(holding) if holding.is_undisturbed() => {
                holding.r#use = Use::Active;
                let is_said_again = holding.renewed == Some(request.arrival);
                let (token, ports) = (holding.grant.token, holding.grant.ports.clone());
                self.has_changed(&holder);
                if is_said_again {
                    // It may run by now: who listens on its ports is no stranger then.
                    return tell(&holder, ServiceMessage::Renewed(token, Renewed::With(ports))).into_iter().collect();
                }
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
            holding.renewal = Some(Box::new(Renewal { request, looking, foreign }));
        }
        out
    }

    /// Who listens on the ports of a holder that is restarted.
    pub(super) fn seen_for_holder(
        &mut self,
        holder: &Holder,
        operation: OperationId,
        seen: BTreeMap<u16, Listener>,
    ) -> Out {
        let found = self.holders.get_mut(holder).and_then(|holding| {
            let renewal = holding.renewal.take_if(|renewal| renewal.looking == operation)?;
            Some((holding.grant.clone(), renewal))
        });
        let Some((grant, mut renewal)) = found else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        let answer = |renewed| tell(holder, ServiceMessage::Renewed(grant.token, renewed)).into_iter().collect();
        if seen.is_empty() {
            if let Some(holding) = self.holders.get_mut(holder) {
                holding.renewed = Some(renewal.request.arrival);
            }
            return answer(Renewed::With(grant.ports));
        }
        if let Some((port, listener)) = seen.iter().find(|(port, _)| is_fixed(&renewal.request, **port)) {
            return answer(Renewed::Refused(in_use(*port, listener, holder)));
        }
        renewal.foreign.extend(seen);
        if !has_choice(&renewal.request, &renewal.foreign) {
            return answer(Renewed::Refused(Refusal::RangeInUse));
        }
        let Some(ports) = self.choose_others(&renewal, &grant.ports) else { return answer(Renewed::MustWait) };
        // Those who wait for what it had, and for what it has now.
        self.has_changed(holder);
        self.holders.give_ports(holder, ports);
        self.has_changed(holder);
        self.look_for_holder(holder, renewal.request, renewal.foreign)
    }

    /// Other ports that nobody has, or comes first for, in the place of those on which strangers listen.
    fn choose_others(&self, renewal: &Renewal, has: &PortNumbers) -> Option<PortNumbers> {
        let is_kept = |name| has.get(name).filter(|port| !renewal.foreign.contains_key(port));
        let port = |want| match want {
            &Want::Port { ref name, need, .. } => Some((name, is_kept(name).map_or(need, |port| keeping(need, *port)))),
            Want::Device { .. } | Want::Other(_) => None,
        };
        let mut ports: Vec<(&PortName, PortNeed)> = renewal.request.wants.iter().filter_map(port).collect();
        ports.sort_by_key(|(name, _)| is_kept(name).is_none());
        let asking = Asking { holder: &renewal.request.holder, rank: None, foreign: &renewal.foreign };
        let (ports, missing) = self.situation().choose_ports(&ports, asking);
        missing.is_empty().then_some(ports)
    }
}

/// What is preferred is the port that it has.
fn keeping(need: PortNeed, port: u16) -> PortNeed {
    match (need, NonZeroU16::new(port)) {
        (PortNeed::Range { first, last, .. }, Some(prefer)) => PortNeed::Range { prefer, first, last },
        (PortNeed::Range { .. } | PortNeed::Fixed(_), _) => need,
    }
}
