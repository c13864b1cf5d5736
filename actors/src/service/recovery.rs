//! After a restart of the actor: the state is rebuilt from what is true, and the processes keep running meanwhile.

use std::time::Duration;

use super::ending::Cause;
use super::machine::{Kept, Out, ServiceMachine, act, later, tell_leases, tell_services};
use super::messages::ServiceMessage;
use super::state::{Heard, Phase, Readiness, Recovering, Rest, Resuming, Run, ServiceTimer, Slot};
use crate::cause::{Said, Why};
use crate::lease::{Grant, LeaseMessage};
use crate::machine::{Action, Effect, Message, Moment, Outcome, ReportedRun};
use crate::supervision::ServicesMessage;

impl ServiceMachine {
    pub(super) fn restore_memo(&mut self, kept: Kept) {
        let Kept {
            wanted,
            ignoring,
            rest,
            attempts,
            last_run,
            leaving,
            closing,
            episode,
            arrival,
            grant,
            last_start,
            last_death,
            last_stop,
            said,
            deadlines,
        } = kept;
        self.wanted = wanted;
        self.ignoring = ignoring;
        if later(&self.spec).is_none() {
            self.rest = rest;
        }
        self.attempts = attempts;
        self.closing = closing;
        self.episode = episode;
        self.grant = grant;
        (self.last_start, self.last_death, self.last_stop) = (last_start, last_death, last_stop);
        self.recovering = Some(Recovering { last_run, leaving, said, arrival, deadlines, ..Recovering::default() });
    }

    /// Asks for everything that can be asked for.
    pub(super) fn recover(&mut self, now: Moment) -> Out {
        let deadlines = std::mem::take(&mut self.recovering.get_or_insert_default().deadlines);
        let mut out = vec![
            act(Action::ReportRun(self.spec.name.clone())),
            tell_leases(LeaseMessage::Withdraw(self.holder())),
            tell_leases(LeaseMessage::Inquire(self.spec.name.clone())),
        ];
        for name in self.spec.dependencies.keys() {
            let inquiry = ServiceMessage::Inquire(self.spec.name.clone());
            out.push(Effect::Tell(Message::Service(name.clone(), inquiry)));
        }
        self.needs.count_on(now, deadlines, &mut out);
        if let Rest::Backoff { until, .. } = self.rest {
            out.push(Effect::SetTimer(ServiceTimer::Backoff, until.since(now)));
        }
        out
    }

    pub(super) fn heard_run(&mut self, now: Moment, run: Option<ReportedRun>, out: &mut Out) {
        match &mut self.recovering {
            Some(recovering) => recovering.run = Some(run),
            None => out.push(Effect::Note(Outcome::Superseded)),
        }
        self.recovered(now, out);
    }

    pub(super) fn heard_grant(&mut self, now: Moment, grant: Option<Grant>, out: &mut Out) {
        match &mut self.recovering {
            Some(recovering) => {
                recovering.grant = Heard::Yes;
                self.grant = grant;
            }
            None => out.push(Effect::Note(Outcome::Superseded)),
        }
        self.recovered(now, out);
    }

    /// Goes on from what was heard, once all of it was.
    fn recovered(&mut self, now: Moment, out: &mut Out) {
        let Some(Recovering { run: Some(_), grant: Heard::Yes, .. }) = self.recovering else { return };
        let Some(heard) = self.recovering.take() else { return };
        let me = self.spec.name.clone();
        let found = heard.run.flatten();
        self.first_asked = heard.arrival;
        self.resuming = Resuming::Yes;
        if let Some((last, _)) = heard.last_run.filter(|(last, _)| found.as_ref().is_none_or(|run| run.run != *last)) {
            // It ended while nobody was there to hear it.
            out.push(act(Action::Unwatch(last)));
        }
        match found {
            Some(found) => {
                let is_known = heard.last_run.is_some_and(|(last, _)| last == found.run);
                let said = if is_known { heard.said } else { Said::Nothing };
                let run = Run { id: found.run, pid: found.pid, said, exit: None };
                self.rest = Rest::Fresh;
                match heard.last_run {
                    Some((last, Readiness::Ready)) if last == run.id => self.run_on(run, out),
                    _ => self.start_on(now, run, out),
                }
                // Its dependents and its processes are told once more, in case that had not come to it.
                if let Some(why) = heard.leaving.filter(|_| is_known) {
                    self.leave(why, out);
                }
            }
            None => {
                out.push(tell_services(ServicesMessage::ReturnSlot(me)));
                self.needs.stopped(out);
                self.settle_debts(out);
                match heard.leaving {
                    Some(Why::Failed(failure)) => self.rest_after(now, Cause::Failed(failure), out),
                    Some(Why::Died(exit)) => self.rest_after(now, Cause::Died(exit), out),
                    Some(Why::Asked(_) | Why::Lost { .. }) | None => {}
                }
            }
        }
        for (run, event) in heard.late {
            self.process(now, run, event, out);
        }
    }

    /// A run that had been ready goes on.
    fn run_on(&mut self, run: Run, out: &mut Out) {
        out.push(tell_services(ServicesMessage::ReturnSlot(self.spec.name.clone())));
        self.ready_run = Some(run.id);
        self.phase = Phase::Running(run);
        self.reset_later(out);
    }

    /// A run that had not become ready yet goes on, for as long as it still may.
    fn start_on(&mut self, now: Moment, run: Run, out: &mut Out) {
        let runs = run.pid.map(|_| run.id);
        self.slot = Slot::Held;
        self.phase = Phase::Starting(run);
        out.push(tell_services(ServicesMessage::HoldsSlot(self.spec.name.clone())));
        let since = self.last_start.map_or(Duration::ZERO, |start| now.since(start));
        let left = self.spec.ready.within.saturating_sub(since);
        out.push(Effect::SetTimer(ServiceTimer::ReadyWithin, left));
        if let Some(id) = runs {
            self.watch(id, out);
        }
    }

    /// Whether there is anything new to show. After a restart it asks again for the leases that it had asked for, and hears one by one
    /// how its needs stand: what was shown before stays until it knows as much again, and the chain of causes with it.
    pub(super) fn knows_as_much_again(&mut self) -> bool {
        let asks = matches!(&self.phase, Phase::Leasing { blockers, .. } if blockers.is_empty());
        if self.recovering.is_none() && !asks && !self.needs.are_unheard() {
            self.resuming = Resuming::No;
        }
        self.recovering.is_none() && self.resuming == Resuming::No
    }

    /// Whether its dependents are not told yet how it stands. Those of a service that runs may have to stop before it.
    pub(super) fn is_silent(&self) -> bool {
        self.recovering.is_some() || (self.resuming == Resuming::Yes && self.run().is_none())
    }

    /// Why its run is being stopped.
    pub(super) fn leaving(&self) -> Option<Why> {
        match &self.phase {
            Phase::Leaving { why, .. } | Phase::Stopping { why, .. } => Some(why.clone()),
            _ => self.recovering.as_ref().and_then(|recovering| recovering.leaving.clone()),
        }
    }

    /// What its run said last.
    pub(super) fn said(&self) -> Said {
        let before = || self.recovering.as_ref().map(|recovering| recovering.said.clone());
        self.run().map(|run| run.said.clone()).or_else(before).unwrap_or_default()
    }

    /// The registry was restarted: it is told again what is held and what is wanted, with the original arrival.
    pub(super) fn restate(&mut self, out: &mut Out) {
        let service = self.spec.name.clone();
        let grant = self.grant.clone();
        out.push(tell_leases(LeaseMessage::Restated { service: service.clone(), grant }));
        if let Some(Recovering { grant: Heard::NotYet, .. }) = self.recovering {
            // The question what it holds may have been lost with the registry's predecessor.
            out.push(tell_leases(LeaseMessage::Inquire(service)));
        } else if self.grant.is_some() && matches!(self.rest, Rest::Backoff { .. }) {
            out.push(tell_leases(LeaseMessage::Idle(service.into())));
        }
        if let Phase::Leasing { arrival, .. } = self.phase {
            out.push(tell_leases(LeaseMessage::Request(self.lease_request(arrival))));
        }
    }

    pub(super) fn restate_slot(&mut self, out: &mut Out) {
        let me = self.spec.name.clone();
        match self.slot {
            // It says so as soon as it knows itself.
            Slot::None if self.recovering.is_some() => {}
            Slot::None => out.push(tell_services(ServicesMessage::ReturnSlot(me))),
            Slot::Asked => out.push(tell_services(ServicesMessage::AskSlot(me))),
            Slot::Held => out.push(tell_services(ServicesMessage::HoldsSlot(me))),
        }
        if self.said_closed {
            out.push(tell_services(ServicesMessage::Closed(self.spec.name.clone())));
        }
    }
}
