//! The end of a run, and what follows: rest, back-off, or failure.

use std::time::Duration;

use mainstay_config::model::RestartWhen;
use mainstay_config::names::DeviceName;

use super::machine::{Out, ServiceMachine, act, superseded, tell_leases};
use super::state::{Death, Phase, Rest, StopStage};
use crate::action::process::{Exit, ProcessEvent, RunId, SHORTEST_EXTENSION, SpawnFailure, Status};
use crate::cause::{Asked, End, Failed, Failure, Said, Why, Withdrawal};
use crate::message::lease::{LeaseMessage, Token};
use crate::message::service::ServiceTimer;
use crate::message::{Action, Effect, Moment, Outcome};

/// A service that ends this shortly before its device is known to be gone has ended because of that.
const DIED_OF_LOSS: Duration = Duration::from_secs(3);
/// A device that stayed this long after the last start makes its return a new beginning; a shorter stay may be a weak supply.
const LONG_STAY: Duration = Duration::from_secs(30);
/// One word of a service can gain it this much time. It may say so again.
const LONGEST_EXTENSION: Duration = Duration::from_secs(60 * 60);
/// All that it says while it stops gains it no more than this many times its grace, or than [`LONG_STOP`]: others wait for its end.
const GRACES_PER_STOP: u32 = 10;
/// So long any stop may take that asks for the time.
const LONG_STOP: Duration = Duration::from_secs(5 * 60);

/// How a run, or an attempt at one, came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// It was stopped, and is to run again when it may.
    Stopped,
    /// It ended by itself.
    Ended(End),
    /// It ended by itself before it was ready, which is a failure whatever the exit code says.
    Unready(End),
    /// It ended by itself, and the rest of its processes had to be stopped.
    Died(Failure),
    /// It failed in a way that another attempt may mend.
    Failed(Failure),
    /// It failed in a way that only a person can mend.
    Hopeless(Failure),
}

impl ServiceMachine {
    pub(super) fn process(&mut self, now: Moment, id: RunId, event: ProcessEvent, out: &mut Out) {
        if self.run().is_none_or(|run| run.id != id) {
            superseded(out);
            if matches!(event, ProcessEvent::Spawned { .. }) {
                out.push(act(Action::Sweep(id)));
            }
            return;
        }
        match event {
            ProcessEvent::Spawned { .. } if self.run().is_some_and(|run| run.pid.is_some()) => {
                out.push(Effect::Note(Outcome::Ignored));
            }
            ProcessEvent::MainExited { remaining, .. } if self.run().is_some_and(|run| run.exit.is_some()) => {
                // Another one is the first of those that are left.
                match remaining.first() {
                    Some(pid) => self.note_main(*pid),
                    None => out.push(Effect::Note(Outcome::Ignored)),
                }
            }
            ProcessEvent::Spawned { pid } => self.spawned(pid, out),
            ProcessEvent::LoadsSlowly => self.note_said(Said::LoadsSlowly),
            ProcessEvent::SpawnFailed(failure) => self.spawn_failed(now, failure, out),
            ProcessEvent::MainExited { exit, remaining } => self.main_exited(exit, &remaining, out),
            ProcessEvent::TreeGone => self.tree_gone(now, out),
            ProcessEvent::Notified(said) => {
                let told = self.spec.ready.probe == mainstay_config::model::Probe::Notify;
                if said.ready && told {
                    self.become_ready(out);
                }
                // What it says together with being ready is what it says of itself from now on.
                if let Some(pid) = said.main_pid {
                    self.note_main(pid);
                }
                if said.status != Status::default() {
                    self.note_status(said.status);
                }
                if let Some(more) = said.extend {
                    self.extend(now, more, out);
                }
            }
        }
    }

    pub(super) fn note_main(&mut self, pid: u32) {
        if let Some(run) = self.phase.run_mut() {
            run.pid = Some(pid);
        }
    }

    fn note_status(&mut self, status: Status) {
        if let Some(run) = self.phase.run_mut() {
            run.status = std::mem::take(&mut run.status).and_later(status);
            run.said = Said::Status(run.status.clone());
        }
    }

    fn note_said(&mut self, said: Said) {
        if let Phase::Starting(run) | Phase::Running(run) = &mut self.phase {
            run.said = said;
        }
    }

    fn spawn_failed(&mut self, now: Moment, failure: SpawnFailure, out: &mut Out) {
        let cause = match self.cause_of_stop() {
            Some(cause) => cause,
            None if failure.may_pass() => Cause::Failed(Failure::Spawn(failure)),
            None => Cause::Hopeless(Failure::Spawn(failure)),
        };
        self.ended(now, cause, out);
    }

    /// What a run that is on its way out ends of, however it ends: it may do so by itself while its dependents stop.
    fn cause_of_stop(&self) -> Option<Cause> {
        match &self.phase {
            Phase::Leaving { why, .. } | Phase::Stopping { why, .. } => Some(match why {
                Why::Failed(failure) => Cause::Failed(failure.clone()),
                Why::Died(failure) => Cause::Died(failure.clone()),
                Why::Asked(_) | Why::Lost { .. } => Cause::Stopped,
            }),
            Phase::Idle
            | Phase::Leasing { .. }
            | Phase::Renewing { .. }
            | Phase::Slotting
            | Phase::Starting(_)
            | Phase::Running(_) => None,
        }
    }

    fn main_exited(&mut self, exit: Exit, remaining: &[u32], out: &mut Out) {
        let Some(run) = self.phase.run_mut() else { return };
        run.exit = Some(exit);
        // Who outlives SIGKILL is named, and not who has ended.
        run.pid = remaining.first().copied().or(run.pid);
        let (run, end) = (run.clone(), End { exit, said: run.status.clone() });
        let failure = match self.phase {
            Phase::Starting(_) => Failure::Unready(end),
            Phase::Running(_) => Failure::Ended(end),
            Phase::Stopping { .. } => return self.main_has_stopped(remaining, out),
            Phase::Leaving { .. } => return,
            Phase::Idle | Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting => return,
        };
        // A program that ends well and leaves others behind has gone into the background: they are followed.
        if !remaining.is_empty() && exit != Exit::Code(0) {
            // They are stopped as ever: one may be about to write down what it has.
            self.halt(run, Why::Died(failure), out);
        }
    }

    fn tree_gone(&mut self, now: Moment, out: &mut Out) {
        let exit = self.run().and_then(|run| run.exit).unwrap_or(Exit::Unknown);
        let end = || End { exit, said: self.run().map(|run| run.status.clone()).unwrap_or_default() };
        let by_itself = if matches!(self.phase, Phase::Starting(_)) { Cause::Unready } else { Cause::Ended };
        let cause = self.cause_of_stop().unwrap_or_else(|| by_itself(end()));
        self.ended(now, cause, out);
    }

    /// A run is over and nothing of it is left.
    fn ended(&mut self, now: Moment, cause: Cause, out: &mut Out) {
        if let Phase::Leaving { why, .. } | Phase::Stopping { why, .. } = &self.phase {
            self.last_stop = Some(why.clone());
        }
        if let Some(run) = self.run() {
            out.push(act(Action::Unwatch(run.id)));
        }
        self.return_slot(out);
        self.phase = Phase::Idle;
        self.needs.stopped(out);
        self.settle_debts(out);
        self.rest_after(now, cause, out);
    }

    /// Decides how it rests after a run, or an attempt at one.
    pub(super) fn rest_after(&mut self, now: Moment, cause: Cause, out: &mut Out) {
        self.last_death = match &cause {
            Cause::Ended(_) | Cause::Unready(_) | Cause::Died(_) => {
                Some(Death { at: now, attempts_before: self.attempts })
            }
            // It was tried once more after a death that a loss may have been the cause of.
            Cause::Failed(_) => self.last_death,
            Cause::Stopped | Cause::Hopeless(_) => None,
        };
        self.rest = match cause {
            Cause::Stopped => Rest::Fresh,
            Cause::Hopeless(failure) => Rest::Failed(Failed::Hopeless(failure)),
            Cause::Unready(end) => self.failed(now, Failure::Unready(end), out),
            Cause::Ended(end) => {
                let well = end.exit == Exit::Code(0);
                match self.spec.restart.when {
                    RestartWhen::Never | RestartWhen::Failure if well => Rest::Ended(end.exit),
                    RestartWhen::Never => Rest::Failed(Failed::NeverRestarted(Failure::Ended(end))),
                    RestartWhen::Always | RestartWhen::Failure => self.try_again(now, Failure::Ended(end), out),
                }
            }
            Cause::Failed(failure) | Cause::Died(failure) => self.failed(now, failure, out),
        };
        if matches!(self.rest, Rest::Backoff { .. }) && self.grant.is_some() && self.revoked.is_none() {
            out.push(tell_leases(LeaseMessage::Idle(self.holder())));
        }
    }

    fn failed(&mut self, now: Moment, failure: Failure, out: &mut Out) -> Rest {
        match self.spec.restart.when {
            RestartWhen::Never => Rest::Failed(Failed::NeverRestarted(failure)),
            RestartWhen::Always | RestartWhen::Failure => self.try_again(now, failure, out),
        }
    }

    fn try_again(&mut self, now: Moment, failure: Failure, out: &mut Out) -> Rest {
        let attempts = self.spec.restart.attempts;
        if self.attempts >= attempts {
            return Rest::Failed(Failed::GivenUp { failure, attempts });
        }
        self.attempts = self.attempts.saturating_add(1);
        let delay = self.spec.restart.delay(self.attempts);
        if delay.is_zero() {
            self.last_stop = Some(Why::Failed(failure));
            return Rest::Fresh;
        }
        out.push(Effect::SetTimer(ServiceTimer::Backoff, delay));
        Rest::Backoff { until: now + delay, cause: failure }
    }

    /// A lease is withdrawn, most often because the device is gone.
    pub(super) fn lease_revoked(&mut self, now: Moment, token: Token, withdrawal: Withdrawal, out: &mut Out) {
        if self.grant.as_ref().is_none_or(|grant| grant.token != token) || self.revoked.is_some() {
            return superseded(out);
        }
        if withdrawal.is_loss() {
            self.forgive_death(now);
            self.forgive_dying(&withdrawal);
            self.bereaved = self.asked;
        }
        self.last_stop = Some(Why::Asked(Asked::Withdrawn(withdrawal.clone())));
        if withdrawal.is_loss() {
            self.wait_for_requirers_only(out);
        }
        self.revoked = Some(withdrawal);
    }

    /// A death just before its device was known to be gone is the device's fault, not its own. It may even look like an end that is
    /// none of its failures: what reads from a terminal whose device is pulled reads the end of its input.
    fn forgive_death(&mut self, now: Moment) {
        let Some(Death { attempts_before, .. }) = self.last_death.filter(|death| now.since(death.at) <= DIED_OF_LOSS)
        else {
            return;
        };
        self.last_death = None;
        // The operator, or a return, may have had them counted anew since.
        self.attempts = self.attempts.min(attempts_before);
        if self.rest != Rest::Fresh && super::machine::later(&self.spec).is_none() {
            self.rest = Rest::Fresh;
        }
    }

    /// The same for one whose first process has ended, while the rest of its tree is still being killed.
    fn forgive_dying(&mut self, withdrawal: &Withdrawal) {
        if let Phase::Stopping { why: why @ Why::Died(_), .. } = &mut self.phase {
            *why = Why::Asked(Asked::Withdrawn(withdrawal.clone()));
        }
    }

    pub(super) fn device_left(&mut self, now: Moment, device: &DeviceName) {
        self.forgive_death(now);
        let long = self.last_start.is_some_and(|start| now.since(start) >= LONG_STAY);
        // Said again, it has not left later.
        self.stayed.entry(device.clone()).or_insert(long);
    }

    pub(super) fn device_arrived(&mut self, device: &DeviceName) {
        let long = self.stayed.remove(device) == Some(true);
        let tired = matches!(self.rest, Rest::Backoff { .. } | Rest::Failed(_));
        if long && tired && super::machine::later(&self.spec).is_none() {
            self.attempts = 0;
            self.rest = Rest::Fresh;
        }
    }

    pub(super) fn timer_over(&mut self, timer: ServiceTimer, out: &mut Out) {
        match timer {
            ServiceTimer::ReadyWithin => self.not_ready_in_time(out),
            ServiceTimer::Backoff => match self.rest {
                Rest::Backoff { .. } => self.rest = Rest::Fresh,
                Rest::Fresh | Rest::Failed(_) | Rest::Ended(_) => superseded(out),
            },
            ServiceTimer::ResetAfter => self.attempts = 0,
            ServiceTimer::Grace => self.grace_over(out),
            ServiceTimer::Unkillable => self.unkillable(out),
            ServiceTimer::Lost(name) => {
                if self.needs.count_as_lost(&name) {
                    self.wait_for_requirers_only(out);
                } else {
                    superseded(out);
                }
            }
            ServiceTimer::Optional(name) => {
                if !self.needs.waited(&name) {
                    superseded(out);
                }
            }
        }
    }

    fn not_ready_in_time(&mut self, out: &mut Out) {
        let Phase::Starting(run) = &self.phase else { return superseded(out) };
        let failure =
            Failure::NotReady { within: self.spec.ready.within, extended: self.extended, said: run.said.clone() };
        out.push(act(Action::Unwatch(run.id)));
        self.leave(Why::Failed(failure), out);
    }

    /// It asks for more time (`EXTEND_TIMEOUT_USEC=`, sd_notify(3)): for so long from now on it is not given up, nor before the time
    /// that it has by its configuration. A stop has a bound all the same: what it depends on waits for it.
    fn extend(&mut self, now: Moment, more: Duration, out: &mut Out) {
        let more = more.clamp(SHORTEST_EXTENSION, LONGEST_EXTENSION);
        let (timer, within, since, most) = match self.phase {
            Phase::Starting(_) => (ServiceTimer::ReadyWithin, self.spec.ready.within, self.last_start, Duration::MAX),
            Phase::Stopping { stage: StopStage::Grace, .. } => {
                let grace = self.spec.stop.grace;
                (ServiceTimer::Grace, grace, self.signalled, grace.saturating_mul(GRACES_PER_STOP).max(LONG_STOP))
            }
            Phase::Stopping { .. } | Phase::Leaving { .. } | Phase::Running(_) | Phase::Idle => return,
            Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting => return,
        };
        self.extended = Some(more);
        let left_of = |time| since.map_or(Duration::ZERO, |since| (since + time).since(now));
        out.push(Effect::SetTimer(timer, left_of(within).max(more.min(left_of(most)))));
    }

    pub(super) fn is_in_grace(&self) -> bool {
        matches!(self.phase, Phase::Stopping { stage: StopStage::Grace, .. })
    }

    /// Whether its processes outlive SIGKILL.
    pub(super) fn is_unkillable(&self) -> bool {
        matches!(self.phase, Phase::Stopping { stage: StopStage::Unkillable, .. })
    }
}
