//! A service after a panic of its actor, and what it says again after a panic of another's.

use mainstay_config::names::ServiceName;

use super::machine::{Out, ServiceMachine, act};
use super::state::{Goodbye, Phase, Rest, Slot, StopStage};
use crate::action::process::Scope;
use crate::cause::Standing;
use crate::message::lease::{LeaseMessage, Statement, StillUsed};
use crate::message::service::ServiceMessage;
use crate::message::supervision::ServicesMessage;
use crate::message::{Action, ActorId, Message};

impl ServiceMachine {
    /// Without what it is told again, or says again. When something befell it, and until when it waits, nobody but it knows.
    pub(super) fn reduced(&self) -> Self {
        Self {
            passed_on: None,
            goodbye: Goodbye::NotYet,
            revoked: None,
            needs: self.needs.counted_anew(),
            // What it said last may have been lost.
            announced: Standing::Unknown,
            ..self.clone()
        }
    }

    /// What was under way may have been lost. All of it may be done twice.
    pub(super) fn begin_again(&mut self) -> Out {
        let mut out = vec![self.remember_wanted()];
        match self.phase.clone() {
            Phase::Starting(run) if run.pid.is_none() => {
                // One that was ordered already is passed over.
                out.extend(self.order(run.id).and_then(Result::ok).map(|order| act(Action::Spawn(order))));
            }
            Phase::Starting(run) => self.watch(run.id, &mut out),
            Phase::Stopping { run, stage: StopStage::Grace, .. } => {
                out.push(self.stop_signal(&run, self.whom_first(&run)));
            }
            Phase::Stopping { run, stage: StopStage::LastGrace, .. } => out.push(self.stop_signal(&run, Scope::Tree)),
            Phase::Stopping { run, stage: StopStage::Killing | StopStage::Unkillable, .. } => {
                out.push(act(Action::Sweep(run.id)));
            }
            // That its last run is not looked at any more.
            Phase::Idle | Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting
                if self.last_start.is_some() =>
            {
                out.push(act(Action::Unwatch(self.runs.last())));
            }
            Phase::Idle | Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting => {}
            Phase::Running(_) | Phase::Leaving { .. } | Phase::Stopping { stage: StopStage::Unborn, .. } => {}
        }
        let name = self.spec.name.clone();
        out.push(act(self.prepared.map_or(Action::LetGo(name.clone()), |run| Action::Prepare(name, run))));
        out.extend(self.run().map(|run| act(Action::TellAgain(run.id))));
        out.push(self.publication());
        out
    }

    pub(super) fn say_again(&self, to: &ActorId) -> Vec<Message> {
        match to {
            ActorId::Leases => {
                // It is known by when it was asked for: it may have been answered by now.
                let since = if let Phase::Renewing { since } = self.phase { Some(since) } else { None };
                let renews = since.map(|since| LeaseMessage::Renew(self.lease_request(since)));
                let stands = LeaseMessage::Stands(self.stands());
                let left = (self.goodbye == Goodbye::Stuck).then(|| LeaseMessage::Abandoned(self.holder()));
                std::iter::once(stands).chain(renews).chain(left).map(Message::Leases).collect()
            }
            ActorId::Services => self.said_to_supervisor().into_iter().map(Message::Services).collect(),
            ActorId::Service(name) => {
                let said = [self.said_to_dependent(name), self.said_to_needed(name)];
                said.into_iter().flatten().map(|message| Message::Service(name.clone(), message)).collect()
            }
            ActorId::Root | ActorId::Hardware | ActorId::Device(_) => Vec::new(),
        }
    }

    pub(super) fn stands(&self) -> Statement {
        Statement {
            holder: self.holder(),
            held: self.grant.as_ref().map(|grant| grant.token),
            given_back: self.given_back,
            uses: if matches!(self.rest, Rest::Backoff { .. }) { StillUsed::InBackoff } else { StillUsed::Yes },
            wants: self.wish(),
        }
    }

    fn said_to_supervisor(&self) -> Vec<ServicesMessage> {
        let me = self.spec.name.clone();
        let slot = match self.slot {
            Slot::None => ServicesMessage::ReturnSlot(me),
            Slot::Asked => ServicesMessage::AskSlot(me),
            Slot::Held => ServicesMessage::HoldsSlot(me),
        };
        let goodbye = (self.goodbye != Goodbye::NotYet).then(|| self.said_goodbye(self.goodbye));
        std::iter::once(slot).chain(goodbye).collect()
    }

    fn said_to_dependent(&self, name: &ServiceName) -> Option<ServiceMessage> {
        let depends = self.dependents.required.contains(name) || self.dependents.others.contains(name);
        depends.then(|| ServiceMessage::Dependency(self.spec.name.clone(), self.standing()))
    }

    /// To one that is about to stop and waits for its dependents.
    fn said_to_needed(&self, name: &ServiceName) -> Option<ServiceMessage> {
        let &Standing::Leaving { episode, .. } = self.needs.standing(name)? else { return None };
        if self.owed.contains_key(name) {
            return None;
        }
        let me = self.spec.name.clone();
        Some(match self.run().filter(|_| self.is_unkillable()) {
            Some(run) => ServiceMessage::DependentStuck(me, episode, run.pid),
            None => ServiceMessage::DependentStopped(me, episode),
        })
    }
}
