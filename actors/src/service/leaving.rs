//! Stopping in order: dependents first, then the signal, then SIGKILL to the whole tree.

use std::collections::BTreeSet;
use std::time::Duration;

use mainstay_config::model::{OnReturn, StopSignal, StopTo};
use mainstay_config::names::ServiceName;

use super::machine::{Out, ServiceMachine, act, superseded, tell_leases, tell_services};
use super::needs::Dependent;
use super::state::{Goodbye, Phase, Readiness, Run, StopStage};
use crate::action::process::{Scope, SignalOrder, Status};
use crate::cause::{Asked, Episode, Standing, Why};
use crate::message::lease::LeaseMessage;
use crate::message::service::{ServiceMessage, ServiceTimer};
use crate::message::supervision::{Haste, ServicesMessage};
use crate::message::{Action, Effect, Left, Message, Moment};

/// A process that outlives SIGKILL this long hangs in the kernel.
const UNKILLABLE_AFTER: Duration = Duration::from_secs(10);

/// The same when the daemon must end in a hurry.
const UNKILLABLE_IN_A_HURRY: Duration = Duration::from_secs(5);

/// What those have that hear the stop signal only when the grace is over: their main process, which heard it first, outlived it.
pub(crate) const LAST_GRACE: Duration = Duration::from_secs(2);

/// What has not even begun to run has nothing to put in order: it is killed when it does not begin soon.
const UNBORN_GRACE: Duration = Duration::from_secs(1);

impl ServiceMachine {
    /// Begins to stop a run: those that depend on it are told, and stop first.
    pub(super) fn leave(&mut self, why: Why, out: &mut Out) {
        let (run, readiness) = match &self.phase {
            Phase::Starting(run) => (run.clone(), Readiness::NotYet),
            Phase::Running(run) => (run.clone(), Readiness::Ready),
            Phase::Idle
            | Phase::Leasing { .. }
            | Phase::Renewing { .. }
            | Phase::Slotting
            | Phase::Leaving { .. }
            | Phase::Stopping { .. } => return,
        };
        let awaiting = self.stop_before_this();
        if awaiting.is_empty() {
            self.halt(run, why, out);
            return;
        }
        self.episode.0 = self.episode.0.wrapping_add(1);
        self.phase = Phase::Leaving { run, readiness, why, awaiting, episode: self.episode };
    }

    /// Those that must have stopped before this one stops.
    fn stop_before_this(&self) -> BTreeSet<ServiceName> {
        match self.closing {
            None => self.dependents.required.clone(),
            Some(_) => self.dependents.required.union(&self.dependents.others).cloned().collect(),
        }
    }

    pub(super) fn dependent_stopped(&mut self, name: &ServiceName, stopped_for: Episode, out: &mut Out) {
        let Phase::Leaving { awaiting, episode, .. } = &mut self.phase else { return superseded(out) };
        if *episode != stopped_for {
            return superseded(out);
        }
        awaiting.remove(name);
        self.halt_when_alone(out);
    }

    fn halt_when_alone(&mut self, out: &mut Out) {
        if let Phase::Leaving { run, why, awaiting, .. } = &self.phase
            && awaiting.is_empty()
        {
            let (run, why) = (run.clone(), why.clone());
            self.halt(run, why, out);
        }
    }

    /// One that has lost what it needs while everything closes down waits only for those that require it: the others were to stop
    /// first for the sake of order, and one of them may outlive SIGKILL.
    pub(super) fn wait_for_requirers_only(&mut self, out: &mut Out) {
        if let Phase::Leaving { awaiting, .. } = &mut self.phase {
            awaiting.retain(|name| self.dependents.required.contains(name));
            self.halt_when_alone(out);
        }
    }

    /// One that outlives SIGKILL must not keep all that it depends on running, without a device perhaps.
    pub(super) fn dependent_stuck(
        &mut self,
        name: &ServiceName,
        stopped_for: Episode,
        pid: Option<u32>,
        out: &mut Out,
    ) {
        if matches!(self.phase, Phase::Leaving { episode, .. } if episode == stopped_for) {
            self.left.insert(name.clone(), pid);
        }
        self.dependent_stopped(name, stopped_for, out);
    }

    /// A service this one depends on has changed.
    pub(super) fn dependency(&mut self, now: Moment, name: ServiceName, standing: Standing, out: &mut Out) {
        let may_run = self.run().is_some();
        // One that has been signalled loses nothing any more.
        let is_signalled = matches!(self.phase, Phase::Stopping { .. });
        let dependent = if may_run && !is_signalled { Dependent::Runs } else { Dependent::Rests };
        if let Standing::Leaving { episode, .. } = standing {
            let stops_for_it = self.requires(&name) || self.closing.is_some();
            let ignores_it = self.ignoring == super::state::Ignoring::Yes && self.closing.is_none();
            if self.is_unkillable() {
                out.push(self.stuck_for(name.clone(), episode));
            } else if may_run && stops_for_it && !ignores_it {
                self.owed.insert(name.clone(), episode);
            } else {
                out.push(stopped_for(self.spec.name.clone(), name.clone(), episode));
            }
        }
        let on_return = self.needs.heard(now, &name, standing, dependent, out);
        if self.needs.is_gone(&name) {
            self.wait_for_requirers_only(out);
        }
        // What is still starting began without it just as well.
        if on_return == OnReturn::Restart && matches!(self.phase, Phase::Starting(_) | Phase::Running(_)) {
            self.leave(Why::Asked(Asked::Returned(name)), out);
        }
    }

    /// Signals the program itself.
    pub(super) fn halt(&mut self, mut run: Run, why: Why, out: &mut Out) {
        // What it says from now on is about its stop.
        run.status = Status::default();
        self.return_slot(out);
        self.needs.count_nothing(out);
        let stage = if self.closing == Some(Haste::Hurried) || self.spec.stop.signal == StopSignal::Kill {
            self.kill(&run, out)
        } else if run.pid.is_none() {
            out.push(Effect::SetTimer(ServiceTimer::Grace, self.spec.stop.grace.min(UNBORN_GRACE)));
            StopStage::Unborn
        } else {
            out.push(self.stop_signal(&run, self.whom_first(&run)));
            out.push(Effect::SetTimer(ServiceTimer::Grace, self.spec.stop.grace));
            StopStage::Grace
        };
        self.phase = Phase::Stopping { run, why, stage };
    }

    /// To whom it goes first: a program that ends its helpers itself may do so.
    pub(super) fn whom_first(&self, run: &Run) -> Scope {
        if self.spec.stop.to == StopTo::Main && run.exit.is_none() { Scope::Main } else { Scope::Tree }
    }

    pub(super) fn stop_signal(&self, run: &Run, scope: Scope) -> Effect<ServiceTimer> {
        act(Action::Signal(SignalOrder { run: run.id, signal: self.spec.stop.signal, scope }))
    }

    /// The main process of a run that is being stopped has ended: those that it left behind have what is left of the grace.
    pub(super) fn main_has_stopped(&self, remaining: &[u32], out: &mut Out) {
        if let Phase::Stopping { run, stage: StopStage::Grace, .. } = &self.phase
            && self.spec.stop.to == StopTo::Main
            && !remaining.is_empty()
        {
            out.push(self.stop_signal(run, Scope::Tree));
        }
    }

    pub(super) fn kill(&self, run: &Run, out: &mut Out) -> StopStage {
        out.push(Effect::SetTimer(ServiceTimer::Unkillable, self.unkillable_after()));
        out.push(act(Action::Sweep(run.id)));
        StopStage::Killing
    }

    fn unkillable_after(&self) -> Duration {
        match self.closing {
            None | Some(Haste::InOrder) => UNKILLABLE_AFTER,
            Some(Haste::Hurried) => UNKILLABLE_IN_A_HURRY,
        }
    }

    pub(super) fn grace_over(&mut self, out: &mut Out) {
        if let Phase::Stopping { run, stage: StopStage::Grace, .. } = &self.phase
            && self.whom_first(run) == Scope::Main
        {
            out.push(self.stop_signal(run, Scope::Tree));
            out.push(Effect::SetTimer(ServiceTimer::Grace, self.spec.stop.grace.min(LAST_GRACE)));
            self.set_stage(StopStage::LastGrace);
        } else {
            self.no_more_grace(out);
        }
    }

    fn no_more_grace(&mut self, out: &mut Out) {
        let Phase::Stopping { run, stage: StopStage::Unborn | StopStage::Grace | StopStage::LastGrace, .. } =
            &self.phase
        else {
            return superseded(out);
        };
        let killing = self.kill(run, out);
        self.set_stage(killing);
    }

    fn set_stage(&mut self, next: StopStage) {
        if let Phase::Stopping { stage, .. } = &mut self.phase {
            *stage = next;
        }
    }

    pub(super) fn unkillable(&mut self, out: &mut Out) {
        let Phase::Stopping { stage: stage @ StopStage::Killing, .. } = &mut self.phase else { return superseded(out) };
        *stage = StopStage::Unkillable;
        for (name, episode) in std::mem::take(&mut self.owed) {
            out.push(self.stuck_for(name, episode));
        }
    }

    fn stuck_for(&self, name: ServiceName, episode: Episode) -> Effect<ServiceTimer> {
        let pid = self.run().and_then(|run| run.pid);
        let stuck = ServiceMessage::DependentStuck(self.spec.name.clone(), episode, pid);
        Effect::Tell(Message::Service(name, stuck))
    }

    /// While the daemon closes down: once nothing is left of it, or nothing can be done about what is.
    pub(super) fn say_goodbye(&mut self, out: &mut Out) {
        let goodbye = match self.phase {
            Phase::Idle => Goodbye::Closed,
            Phase::Stopping { stage: StopStage::Unkillable, .. } => Goodbye::Stuck,
            Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting => return,
            Phase::Starting(_) | Phase::Running(_) | Phase::Leaving { .. } | Phase::Stopping { .. } => return,
        };
        if self.closing.is_none() || self.goodbye == goodbye {
            return;
        }
        if goodbye == Goodbye::Stuck {
            // Whatever it still waited for, it will not start again.
            self.needs.await_nobody(out);
            out.push(tell_leases(LeaseMessage::Abandoned(self.holder())));
        }
        out.push(tell_services(self.said_goodbye(goodbye)));
        self.goodbye = goodbye;
    }

    pub(super) fn said_goodbye(&self, goodbye: Goodbye) -> ServicesMessage {
        match goodbye {
            Goodbye::Stuck => {
                let pid = self.run().and_then(|run| run.pid);
                ServicesMessage::Stuck(Left { service: self.spec.name.clone(), pid })
            }
            Goodbye::NotYet | Goodbye::Closed => ServicesMessage::Closed(self.spec.name.clone()),
        }
    }

    pub(super) fn hurry(&mut self, out: &mut Out) {
        self.closing = Some(Haste::Hurried);
        let Phase::Stopping { stage, .. } = &self.phase else { return };
        match stage {
            StopStage::Unborn | StopStage::Grace | StopStage::LastGrace => self.no_more_grace(out),
            StopStage::Killing => out.push(Effect::SetTimer(ServiceTimer::Unkillable, UNKILLABLE_IN_A_HURRY)),
            StopStage::Unkillable => {}
        }
    }

    /// Tells those that waited for it that it has stopped.
    pub(super) fn settle_debts(&mut self, out: &mut Out) {
        for (name, episode) in std::mem::take(&mut self.owed) {
            out.push(stopped_for(self.spec.name.clone(), name, episode));
        }
    }
}

fn stopped_for(me: ServiceName, name: ServiceName, episode: Episode) -> Effect<ServiceTimer> {
    Effect::Tell(Message::Service(name, ServiceMessage::DependentStopped(me, episode)))
}
