//! What the operator says.

use super::machine::{Out, ServiceMachine, later, superseded};
use super::showing::first_of;
use super::state::{Ignoring, Phase, Rest};
use crate::cause::{Asked, NotWanted, Why};
use crate::message::service::{Attempts, NeedsPolicy, ServiceMessage, ServiceTimer, Waiting, Wanted};
use crate::message::{
    Before, Effect, Message, NextStep, OperatorAnswer, Outcome, Reply, RequestId, Restart, Start, Stop,
};

impl ServiceMachine {
    pub(super) fn operator_start(&mut self, request: RequestId, policy: NeedsPolicy, out: &mut Out) {
        if let Some(answer) = self.cannot_run(request) {
            out.push(Effect::Note(Outcome::Refused));
            out.push(answer);
            return;
        }
        if policy == NeedsPolicy::Respect
            && let Some(answer) = self.held_need(request)
        {
            out.push(Effect::Note(Outcome::Refused));
            out.push(answer);
            return;
        }
        self.want_up();
        let is_up = matches!(self.phase, Phase::Running(_) | Phase::Starting(_));
        // To start what runs never stops it: it goes on without what is not there.
        let lacks = || is_up && self.ignoring == Ignoring::Yes && !self.needs.required_are_met();
        self.ignoring = if policy == NeedsPolicy::Ignore || lacks() { Ignoring::Yes } else { Ignoring::No };
        if policy == NeedsPolicy::StartThem {
            self.start_needs(request, out);
        }
        let name = &self.spec.name;
        let requires = self.spec.dependencies.keys().any(|need| self.requires(need));
        let goes_on_without = self.ignoring == Ignoring::Yes && requires;
        let start = match self.phase {
            Phase::Running(_) | Phase::Starting(_) if goes_on_without => Start::GoesOnWithout,
            Phase::Running(_) => Start::Running,
            Phase::Starting(_) => Start::Starting,
            Phase::Idle
            | Phase::Leasing { .. }
            | Phase::Renewing { .. }
            | Phase::Slotting
            | Phase::Leaving { .. }
            | Phase::Stopping { .. } => match policy {
                NeedsPolicy::StartThem => Start::WithNeeds,
                NeedsPolicy::Respect | NeedsPolicy::Ignore => Start::Wanted(self.next_step()),
            },
        };
        out.push(OperatorAnswer::done(request, Reply::Start(name.clone(), start)));
    }

    /// A service that is started together with its needs needs this one. Requests are numbered in the order in which they
    /// were made: what a later one has done is not done again for an earlier one.
    pub(super) fn start_for(&mut self, request: RequestId, out: &mut Out) {
        if self.passed_on >= Some(request) {
            superseded(out);
        } else if later(&self.spec).is_none() {
            let held = self.reason_not_wanted().is_some();
            if held || matches!(self.rest, Rest::Failed(_) | Rest::Ended(_)) {
                self.want_up();
            }
            self.start_needs(request, out);
        }
    }

    fn start_needs(&mut self, request: RequestId, out: &mut Out) {
        self.passed_on = Some(request);
        for name in self.spec.dependencies.keys().filter(|name| self.requires(name)) {
            let message = ServiceMessage::StartForDependent(self.spec.name.clone(), request);
            out.push(Effect::Tell(Message::Service(name.clone(), message)));
        }
    }

    fn want_up(&mut self) {
        if self.run().is_none() {
            self.last_stop = None;
        }
        self.wanted = Wanted::Up;
        self.refresh(Attempts::Reset);
    }

    /// Lets a service that rests start again.
    fn refresh(&mut self, attempts: Attempts) {
        if attempts == Attempts::Reset {
            self.attempts = 0;
        }
        if self.rest != Rest::Fresh && later(&self.spec).is_none() {
            self.rest = Rest::Fresh;
        }
    }

    pub(super) fn operator_stop(&mut self, request: RequestId, out: &mut Out) {
        let name = self.spec.name.clone();
        let stop = match (self.run(), self.wanted) {
            (None, Wanted::Down) => Stop::Held,
            (None, Wanted::Auto | Wanted::Up) => Stop::AtRest,
            (Some(_), _) if self.dependents.required.is_empty() => Stop::Stopping,
            (Some(_), _) => Stop::DependentsFirst,
        };
        self.wanted = Wanted::Down;
        if let Phase::Leaving { why, .. } | Phase::Stopping { why, .. } = &mut self.phase {
            // Whatever it was stopping for, it stays stopped for this.
            *why = Why::Asked(Asked::NotWanted(NotWanted::Stopped));
        }
        self.ignoring = Ignoring::No;
        self.bereaved = None;
        self.refresh(Attempts::Reset);
        out.push(OperatorAnswer::done(request, Reply::Stop(name, stop)));
    }

    pub(super) fn operator_restart(&mut self, request: RequestId, attempts: Attempts, out: &mut Out) {
        if let Some(answer) = self.cannot_restart(request) {
            out.push(Effect::Note(Outcome::Refused));
            out.push(answer);
            return;
        }
        let was = self.what_it_was(attempts);
        if self.reason_not_wanted().is_some() {
            self.wanted = Wanted::Up;
        }
        self.refresh(attempts);
        let name = self.spec.name.clone();
        let restart = match &self.phase {
            Phase::Starting(_) | Phase::Running(_) => {
                self.leave(Why::Asked(Asked::Restart), out);
                if self.dependents.required.is_empty() { Restart::Restarting } else { Restart::DependentsFirst }
            }
            Phase::Idle
            | Phase::Leasing { .. }
            | Phase::Renewing { .. }
            | Phase::Slotting
            | Phase::Leaving { .. }
            | Phase::Stopping { .. } => Restart::From(was, self.next_step()),
        };
        out.push(OperatorAnswer::done(request, Reply::Restart(name, restart)));
    }

    /// Why it cannot be restarted. One that does not run is refused what `start` would refuse.
    fn cannot_restart(&self, request: RequestId) -> Option<Effect<ServiceTimer>> {
        let held = || self.held_need(request).filter(|_| self.run().is_none() && self.ignoring == Ignoring::No);
        self.cannot_run(request).or_else(held)
    }

    /// What a restart finds, when it is not simply running, and what becomes of that.
    fn what_it_was(&self, attempts: Attempts) -> Before {
        let stops = self.run().is_some();
        if self.wanted == Wanted::Down {
            return if stops { Before::HeldAndStopping } else { Before::Held };
        }
        if stops {
            return Before::Stopping;
        }
        if self.reason_not_wanted().is_some() {
            return Before::NotWanted;
        }
        match (&self.rest, attempts) {
            (Rest::Failed(_), Attempts::Reset) => Before::FailedAnew,
            (Rest::Failed(_), Attempts::Keep) => Before::FailedOnceMore,
            (Rest::Ended(_), _) => Before::Ended,
            (Rest::Backoff { .. }, _) => Before::Backoff,
            (Rest::Fresh, _) => Before::Waiting,
        }
    }

    /// What comes next for one that is wanted and neither starts nor runs.
    fn next_step(&self) -> NextStep {
        let blockers = match &self.phase {
            Phase::Leaving { .. } | Phase::Stopping { .. } => return NextStep::WhenStopped,
            Phase::Leasing { blockers, .. } => blockers.as_slice(),
            Phase::Idle | Phase::Renewing { .. } | Phase::Slotting | Phase::Starting(_) | Phase::Running(_) => &[],
        };
        if self.ignoring == Ignoring::No && !self.needs.are_met() {
            NextStep::Waits(Waiting::Needs(self.needs.missing()))
        } else if !blockers.is_empty() {
            NextStep::Waits(Waiting::Leases(first_of(blockers)))
        } else if self.wants_nothing() || self.grant.is_some() {
            NextStep::Starts
        } else {
            NextStep::WhenLeased
        }
    }

    fn cannot_run(&self, request: RequestId) -> Option<Effect<ServiceTimer>> {
        let name = self.spec.name.clone();
        if self.closing.is_some() {
            return Some(OperatorAnswer::refused(request, Reply::Closing(name)));
        }
        later(&self.spec).map(|failed| OperatorAnswer::refused(request, Reply::CannotRun(name, failed)))
    }

    fn held_need(&self, request: RequestId) -> Option<Effect<ServiceTimer>> {
        self.needs
            .held()
            .map(|missing| OperatorAnswer::refused(request, Reply::HeldNeed(self.spec.name.clone(), missing)))
    }
}
