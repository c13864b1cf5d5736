//! What the operator says.

use mainstay_config::names::ServiceName;

use super::machine::{Out, ServiceMachine, later};
use super::messages::{Attempts, NeedsPolicy, ServiceMessage, Waiting, Wanted};
use super::state::{Closing, Ignoring, Phase, Rest, ServiceTimer};
use crate::cause::{Asked, Missing, NotWanted, Why};
use crate::machine::{Effect, Message, Moment, OperatorAnswer, Outcome, RequestId};
use crate::view::words;

impl ServiceMachine {
    pub(super) fn operator_start(&mut self, now: Moment, request: RequestId, policy: NeedsPolicy, out: &mut Out) {
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
        self.want_up(out);
        self.ignoring = if policy == NeedsPolicy::Ignore { Ignoring::Yes } else { Ignoring::No };
        if policy == NeedsPolicy::StartThem {
            self.start_needs(out);
        }
        let name = &self.spec.name;
        let words = match self.phase {
            Phase::Running(_) => format!("{name} is running already"),
            Phase::Starting(_) => format!("{name} is starting already"),
            _ if policy == NeedsPolicy::StartThem => format!("{name} is wanted up, with what it needs"),
            _ => format!("{name} is wanted up: it {}", self.next_step(now)),
        };
        out.push(done(request, words));
    }

    /// A service that is started together with its needs needs this one.
    pub(super) fn start_for(&mut self, _name: &ServiceName, out: &mut Out) {
        if later(&self.spec).is_none() {
            let held = self.reason_not_wanted().is_some();
            if held || matches!(self.rest, Rest::Failed(_) | Rest::Ended(_)) {
                self.want_up(out);
            }
            self.start_needs(out);
        }
    }

    fn start_needs(&self, out: &mut Out) {
        for name in self.spec.dependencies.keys().filter(|name| self.requires(name)) {
            let message = ServiceMessage::StartForDependent(self.spec.name.clone());
            out.push(Effect::Tell(Message::Service(name.clone(), message)));
        }
    }

    fn want_up(&mut self, out: &mut Out) {
        if self.run().is_none() {
            self.last_stop = None;
        }
        self.wanted = Wanted::Up;
        self.refresh(Attempts::Reset, out);
    }

    /// Lets a service that rests start again.
    fn refresh(&mut self, attempts: Attempts, out: &mut Out) {
        if attempts == Attempts::Reset {
            self.attempts = 0;
        }
        if self.rest != Rest::Fresh && later(&self.spec).is_none() {
            self.rest = Rest::Fresh;
            out.push(Effect::CancelTimer(ServiceTimer::Backoff));
        }
    }

    pub(super) fn operator_stop(&mut self, request: RequestId, out: &mut Out) {
        let name = self.spec.name.clone();
        let recovering = self.recovering.is_some();
        let words = match (self.wanted, self.run()) {
            _ if recovering => format!("{name} is held until `mainstay start {name}`, and stopped if it runs"),
            (Wanted::Down, None) => format!("{name} is held already"),
            (_, None) => format!("{name} does not run, and is held until `mainstay start {name}`"),
            (_, Some(_)) if self.dependents.required.is_empty() => {
                format!("{name} is stopping, and is held until `mainstay start {name}`")
            }
            (_, Some(_)) => {
                format!("{name} is stopping, its dependents first, and is held until `mainstay start {name}`")
            }
        };
        self.wanted = Wanted::Down;
        if let Phase::Leaving { why, .. } | Phase::Stopping { why, .. } = &mut self.phase {
            // Whatever it was stopping for, it stays stopped for this.
            *why = Why::Asked(Asked::NotWanted(NotWanted::Stopped));
        }
        self.ignoring = Ignoring::No;
        self.bereaved = None;
        self.refresh(Attempts::Reset, out);
        out.push(done(request, words));
    }

    pub(super) fn operator_restart(&mut self, now: Moment, request: RequestId, attempts: Attempts, out: &mut Out) {
        if let Some(answer) = self.cannot_restart(request) {
            out.push(Effect::Note(Outcome::Refused));
            out.push(answer);
            return;
        }
        let was = self.what_it_was(attempts);
        if self.reason_not_wanted().is_some() {
            self.wanted = Wanted::Up;
        }
        self.refresh(attempts, out);
        let name = self.spec.name.clone();
        let words = match &self.phase {
            Phase::Starting(_) | Phase::Running(_) => {
                self.leave(Why::Asked(Asked::Restart), out);
                let first = if self.dependents.required.is_empty() { "" } else { ", its dependents first" };
                format!("{name} is restarting{first}")
            }
            _ => format!("{name} {was}, and it {}", self.next_step(now)),
        };
        out.push(done(request, words));
    }

    /// Why it cannot be restarted. One that does not run is refused what `start` would refuse.
    fn cannot_restart(&self, request: RequestId) -> Option<Effect<ServiceTimer>> {
        if self.recovering.is_some() {
            let words = format!("{} cannot be restarted just now: its actor is being restarted itself", self.spec.name);
            return Some(refused(request, words, Some("ask again in a moment".to_owned())));
        }
        let held = || self.held_need(request).filter(|_| self.run().is_none() && self.ignoring == Ignoring::No);
        self.cannot_run(request).or_else(held)
    }

    /// What a restart finds, when it is not simply running, and what becomes of that.
    fn what_it_was(&self, attempts: Attempts) -> &'static str {
        let stops = self.run().is_some();
        match (self.wanted, &self.rest) {
            (Wanted::Down, _) if stops => "was held and is still stopping; it is wanted again",
            (Wanted::Down, _) => "was held; it is wanted again",
            _ if stops => "is stopping already",
            _ if self.reason_not_wanted().is_some() => "was not meant to run; it is wanted now",
            (_, Rest::Failed(_)) if attempts == Attempts::Reset => "had failed; its attempts count anew",
            (_, Rest::Failed(_)) => "had failed; it is tried once more",
            (_, Rest::Ended(_)) => "had ended",
            (_, Rest::Backoff { .. }) => "waits no longer before it is started again",
            (_, Rest::Fresh) => "does not run yet: there is nothing to stop",
        }
    }

    /// What comes next for one that is wanted and neither starts nor runs.
    fn next_step(&self, now: Moment) -> String {
        match &self.phase {
            Phase::Leaving { .. } | Phase::Stopping { .. } => {
                "starts when it has stopped and has all it needs".to_owned()
            }
            _ if self.ignoring == Ignoring::No && !self.needs.are_met() => {
                let missing = Waiting::Needs(self.needs.missing());
                format!("waits for {}", words::waiting(&missing, now, |_| None).join("; "))
            }
            Phase::Leasing { blockers, .. } if !blockers.is_empty() => {
                format!("waits for {}", words::blockers(blockers))
            }
            _ if self.wants_nothing() || self.grant.is_some() => "starts".to_owned(),
            _ => "starts as soon as it has what it leases".to_owned(),
        }
    }

    fn cannot_run(&self, request: RequestId) -> Option<Effect<ServiceTimer>> {
        if self.closing != Closing::No {
            let words = format!("mainstay is stopping: {} is not started any more", self.spec.name);
            return Some(refused(request, words, Some("wait until it has ended, and run it again".to_owned())));
        }
        let reason = later(&self.spec)?;
        let words = format!("{} cannot run: {reason}", self.spec.name);
        let help = Some("take that out of its configuration, or wait for a version that knows it".to_owned());
        Some(refused(request, words, help))
    }

    fn held_need(&self, request: RequestId) -> Option<Effect<ServiceTimer>> {
        let Missing { need, standing, .. } = self.needs.held()?;
        let name = &self.spec.name;
        let words = format!("{name} requires {need}, which is not meant to run: {}", standing);
        let help = format!(
            "`mainstay start {name} --with-needs` starts what it needs as well; `--ignore-needs` starts {name} without {need}"
        );
        Some(refused(request, words, Some(help)))
    }
}

fn done(request: RequestId, words: String) -> Effect<ServiceTimer> {
    Effect::Answer(OperatorAnswer { request, outcome: Outcome::Handled, words, help: None })
}

fn refused(request: RequestId, words: String, help: Option<String>) -> Effect<ServiceTimer> {
    Effect::Answer(OperatorAnswer { request, outcome: Outcome::Refused, words, help })
}
