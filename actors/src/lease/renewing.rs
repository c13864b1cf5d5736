//! A holder that is restarted keeps all that it holds. Only its files and ports are looked at again. It did not have the files open
//! while it did not run, and a path may lead to another file now, somebody else's perhaps: then it gives back what it holds and asks
//! anew, as everybody does who lacks something. Nobody listened on its ports, and a stranger may do so now: of a range it is given another port, and nothing
//! else is touched; where others of ours have all of those, it waits as well.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::path::PathBuf;

use mainstay_config::model::PortNeed;
use mainstay_config::names::PortName;

use super::holding::{Renewal, Use};
use super::machine::{LeaseMachine, Out, tell};
use super::ports::{has_choice, in_use, is_fixed};
use super::prospect::Asking;
use crate::action::ports::Listener;
use crate::cause::{Holder, Refusal};
use crate::message::lease::{Grant, LeaseRequest, PortNumbers, Renewed, Want};
use crate::message::service::ServiceMessage;
use crate::message::{Effect, Moment, OperationId, Outcome};
use mainstay_hardware::error::NoAnswer;

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
                self.look_for_holder(&holder, request)
            }
            _ => vec![Effect::Note(Outcome::Ignored)],
        }
    }

    fn look_for_holder(&mut self, holder: &Holder, request: LeaseRequest) -> Out {
        let mut out = Vec::new();
        match self.look_at_files(&request, &mut out) {
            Some(looking) => self.is_renewed(holder, Renewal { request, looking, foreign: BTreeMap::new() }),
            None => out = self.look_at_ports_for_holder(holder, request, BTreeMap::new()),
        }
        out
    }

    /// What the paths of a holder that is restarted lead to.
    pub(super) fn files_seen_for_holder(
        &mut self,
        holder: &Holder,
        operation: OperationId,
        moved: Result<BTreeSet<PathBuf>, NoAnswer>,
    ) -> Out {
        let Some((grant, renewal)) = self.take_renewal(holder, operation) else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        // Where nobody can tell, nothing of it is known to be lost.
        if self.has_lost_a_file(holder, &renewal.request, &moved.unwrap_or_default()) {
            return tell(holder, ServiceMessage::Renewed(grant.token, Renewed::MustWait)).into_iter().collect();
        }
        self.look_at_ports_for_holder(holder, renewal.request, renewal.foreign)
    }

    fn is_renewed(&mut self, holder: &Holder, renewal: Renewal) {
        if let Some(holding) = self.holders.get_mut(holder) {
            holding.renewal = Some(Box::new(renewal));
        }
    }

    fn take_renewal(&mut self, holder: &Holder, operation: OperationId) -> Option<(Grant, Renewal)> {
        let holding = self.holders.get_mut(holder)?;
        let renewal = holding.renewal.take_if(|renewal| renewal.looking == operation)?;
        Some((holding.grant.clone(), *renewal))
    }

    fn look_at_ports_for_holder(
        &mut self,
        holder: &Holder,
        request: LeaseRequest,
        foreign: BTreeMap<u16, Listener>,
    ) -> Out {
        let Some(holding) = self.holders.get(holder) else { return Vec::new() };
        let (ports, mut out) = (holding.grant.ports.clone(), Vec::new());
        if ports.is_empty() {
            return self.is_as_it_was(holder, request.arrival);
        }
        let looking = self.look_at_ports(&request, &ports, &mut out);
        self.is_renewed(holder, Renewal { request, looking, foreign });
        out
    }

    /// Who listens on the ports of a holder that is restarted.
    pub(super) fn seen_for_holder(
        &mut self,
        holder: &Holder,
        operation: OperationId,
        seen: BTreeMap<u16, Listener>,
    ) -> Out {
        let Some((grant, mut renewal)) = self.take_renewal(holder, operation) else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        let answer = |renewed| tell(holder, ServiceMessage::Renewed(grant.token, renewed)).into_iter().collect();
        if seen.is_empty() {
            return self.is_as_it_was(holder, renewal.request.arrival);
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
        self.look_at_ports_for_holder(holder, renewal.request, renewal.foreign)
    }

    fn is_as_it_was(&mut self, holder: &Holder, arrival: Moment) -> Out {
        let Some(holding) = self.holders.get_mut(holder) else { return Vec::new() };
        holding.renewed = Some(arrival);
        let renewed = Renewed::With(holding.grant.ports.clone());
        tell(holder, ServiceMessage::Renewed(holding.grant.token, renewed)).into_iter().collect()
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
