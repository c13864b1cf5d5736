//! After a restart of the actor: the state is rebuilt from what is true, and the processes keep running meanwhile.

use super::machine::{Kept, Out, ServiceMachine, act, later, tell_leases, tell_services};
use super::messages::ServiceMessage;
use super::state::{Phase, Recovering, Rest, Run, ServiceTimer, Slot};
use crate::lease::{Grant, LeaseMessage};
use crate::machine::{Action, Effect, Message, Moment, Outcome, ReportedRun};
use crate::supervision::ServicesMessage;

impl ServiceMachine {
    pub(super) fn restore_memo(&mut self, kept: Kept) {
        let Kept { wanted, ignoring, rest, attempts, ready_run, closing, episode, arrival } = kept;
        self.wanted = wanted;
        self.ignoring = ignoring;
        if later(&self.spec).is_none() {
            self.rest = rest;
        }
        self.attempts = attempts;
        self.closing = closing;
        self.episode = episode;
        self.recovering = Some(Recovering { run: None, grant: None, ready_run, arrival });
    }

    /// Asks for everything that can be asked for.
    pub(super) fn recover(&mut self, now: Moment) -> Out {
        self.recovering.get_or_insert_default();
        let mut out = vec![
            act(Action::ReportRun(self.spec.name.clone())),
            tell_leases(LeaseMessage::Withdraw(self.spec.name.clone())),
            tell_leases(LeaseMessage::Inquire(self.spec.name.clone())),
        ];
        for name in self.spec.dependencies.keys() {
            let inquiry = ServiceMessage::Inquire(self.spec.name.clone());
            out.push(Effect::Tell(Message::Service(name.clone(), inquiry)));
        }
        if let Rest::Backoff { until, .. } = self.rest {
            out.push(Effect::SetTimer(ServiceTimer::Backoff, until.since(now)));
        }
        out
    }

    pub(super) fn heard_run(&mut self, run: Option<ReportedRun>, out: &mut Out) {
        match &mut self.recovering {
            Some(recovering) => recovering.run = Some(run),
            None => out.push(Effect::Note(Outcome::Superseded)),
        }
        self.recovered(out);
    }

    pub(super) fn heard_grant(&mut self, grant: Option<Grant>, out: &mut Out) {
        match &mut self.recovering {
            Some(recovering) => recovering.grant = Some(grant),
            None => out.push(Effect::Note(Outcome::Superseded)),
        }
        self.recovered(out);
    }

    /// Goes on from what was heard, once all of it was.
    fn recovered(&mut self, out: &mut Out) {
        let Some(Recovering { run: Some(_), grant: Some(_), .. }) = self.recovering else { return };
        let Some(heard) = self.recovering.take() else { return };
        self.grant = heard.grant.flatten();
        let me = self.spec.name.clone();
        match heard.run.flatten() {
            Some(found) => {
                let run = Run { id: found.run, pid: Some(found.pid), said: String::new(), exit: None };
                self.rest = Rest::Fresh;
                if heard.ready_run == Some(run.id) {
                    out.push(tell_services(ServicesMessage::ReturnSlot(me)));
                    self.phase = Phase::Running(run);
                } else {
                    let id = run.id;
                    self.slot = Slot::Held;
                    self.phase = Phase::Starting(run);
                    out.push(tell_services(ServicesMessage::HoldsSlot(me)));
                    out.push(Effect::SetTimer(ServiceTimer::ReadyWithin, self.spec.ready.within));
                    self.watch(id, out);
                }
            }
            None => {
                out.push(tell_services(ServicesMessage::ReturnSlot(me)));
                self.settle_debts(out);
            }
        }
    }

    /// The registry was restarted: it is told again what is held and what is wanted, with the original arrival.
    pub(super) fn restate(&mut self, out: &mut Out) {
        let service = self.spec.name.clone();
        let grant = self.grant.clone();
        if self.recovering.is_some() {
            // It cannot say before it has heard itself; the registry does not know either, so nothing is held.
            self.recovering_without_registry();
        }
        out.push(tell_leases(LeaseMessage::Restated { service, grant }));
        if let Phase::Leasing { arrival, .. } = self.phase {
            out.push(tell_leases(LeaseMessage::Request(self.lease_request(arrival))));
        }
    }

    fn recovering_without_registry(&mut self) {
        if let Some(recovering) = &mut self.recovering {
            recovering.grant = None;
        }
    }

    pub(super) fn restate_slot(&mut self, out: &mut Out) {
        let me = self.spec.name.clone();
        match self.slot {
            Slot::None => {}
            Slot::Asked => out.push(tell_services(ServicesMessage::AskSlot(me))),
            Slot::Held => out.push(tell_services(ServicesMessage::HoldsSlot(me))),
        }
        if self.said_closed {
            out.push(tell_services(ServicesMessage::Closed(self.spec.name.clone())));
        }
    }
}
