//! The life of a service.
//!
//! ```text
//!            needs met, request          granted           slot          ready
//!   idle ───────────────────▶ leasing ──────────▶ slotting ─────▶ starting ─────▶ running
//!    ▲ ▲ │ renew (restarted)     │                ▲  │               │  │           │
//!    │ │ └─────▶ renewing ───────│────────────────┘  │               │  │           │
//!    │ │            │            │ withdraw          │               │  │           │
//!    │ └─────────────────────────┴───────────────────┘               │  └── leave ──┤
//!    │                                                               │              ▼
//!    │                                        died by itself         │           leaving (dependents first)
//!    │  ended ◀── stopping (grace, then the whole tree is killed) ◀──┴── halt ──────┘
//!    └───────────────
//!   While idle it rests: fresh (starts when it may), backoff, failed, or ended.
//! ```
//! Level-triggered: after every message [`ServiceMachine::evaluate`] compares what is with what should be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::{Autostart, Dependency, Service};
use mainstay_config::names::{DeviceName, ServiceName};

use super::dependents::Dependents;
use super::needs::Needs;
use super::state::{Death, Goodbye, Ignoring, Phase, Rest, Run, RunNumbers, Slot, StopStage};
use crate::action::process::RunId;
use crate::cause::{Asked, Episode, Failed, NotWanted, Standing, Why, Withdrawal};
use crate::machine::{Beginning, Machine};
use crate::message::lasting::Lasting;
use crate::message::lease::{Grant, LeaseMessage, Token};
use crate::message::service::{ServiceMessage, ServiceTimer, Wanted};
use crate::message::supervision::{Haste, ServicesMessage};
use crate::message::{Action, ActorId, Effect, Effects, Message, Moment, Outcome, RequestId};

/// A service.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ServiceMachine {
    pub(super) spec: Arc<Service>,
    pub(super) dependents: Dependents,
    pub(super) wanted: Wanted,
    pub(super) ignoring: Ignoring,
    /// The last request whose "with what it needs" it has passed on: in a dense graph it comes by many ways.
    pub(super) passed_on: Option<RequestId>,
    pub(super) closing: Option<Haste>,
    pub(super) goodbye: Goodbye,
    /// Dependents that outlived SIGKILL, with their processes, and were not waited for when it stopped last.
    pub(super) left: BTreeMap<ServiceName, Option<u32>>,
    pub(super) needs: Needs,
    pub(super) phase: Phase,
    pub(super) rest: Rest,
    pub(super) slot: Slot,
    pub(super) grant: Option<Grant>,
    pub(super) revoked: Option<Withdrawal>,
    pub(super) attempts: u32,
    pub(super) last_start: Option<Moment>,
    pub(super) last_death: Option<Death>,
    /// When it was told to stop.
    pub(super) signalled: Option<Moment>,
    /// For how much more time it has asked last, for its start or its stop.
    pub(super) extended: Option<Duration>,
    /// Devices that left, with whether they had stayed long enough for their return to count as a new beginning.
    pub(super) stayed: BTreeMap<DeviceName, bool>,
    /// Services that wait for this one to stop.
    pub(super) owed: BTreeMap<ServiceName, Episode>,
    pub(super) episode: Episode,
    pub(super) last_stop: Option<Why>,
    pub(super) runs: RunNumbers,
    /// The run for which it has had made ready what can be.
    pub(super) prepared: Option<RunId>,
    /// The last run that became ready.
    pub(super) ready_run: Option<RunId>,
    pub(super) announced: Standing,
    /// The last lease that it gave back. What it is said to hold of that or earlier ones is old news.
    pub(super) given_back: Token,
    /// When it asked for the leases that it holds.
    pub(super) asked: Option<Moment>,
    /// When it asked for leases that a loss took from it: it has its place in the queue back.
    pub(super) bereaved: Option<Moment>,
}

pub(super) type Out = Effects<ServiceTimer>;

impl Machine for ServiceMachine {
    type Message = ServiceMessage;
    type Timer = ServiceTimer;

    fn id(&self) -> ActorId {
        ActorId::Service(self.spec.name.clone())
    }

    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        match beginning {
            Beginning::First => vec![self.publication()],
            Beginning::Again => self.begin_again(),
        }
    }

    fn handle(&mut self, now: Moment, message: ServiceMessage) -> Out {
        let mut out = Vec::new();
        let (was_in_grace, waited_for, wanted) = (self.is_in_grace(), self.waits_for(), self.wanted);
        self.take(now, message, &mut out);
        if self.wanted != wanted {
            // First of all: whatever comes of it, the next mainstay shall know it.
            out.insert(0, self.remember_wanted());
        }
        self.evaluate(now, &mut out);
        if self.is_in_grace() && !was_in_grace {
            (self.signalled, self.extended) = (Some(now), None);
        }
        self.prepare(&mut out);
        let waits_for = self.waits_for();
        let stays = |timer: &ServiceTimer| timer.is_of_a_need() || waits_for.as_ref() == Some(timer);
        Effect::cancel_left(waited_for, &mut out, stays);
        self.announce(&mut out);
        out.push(self.publication());
        out
    }

    fn successor(&self) -> Self {
        self.reduced()
    }

    fn peers(&self) -> Vec<ActorId> {
        let dependents = self.dependents.required.iter().chain(&self.dependents.others);
        let services = dependents.chain(self.spec.dependencies.keys()).cloned().map(ActorId::Service);
        services.chain([ActorId::Leases, ActorId::Services]).collect()
    }

    fn tell_again(&self, to: &ActorId) -> Vec<Message> {
        self.say_again(to)
    }

    fn weight(&self) -> usize {
        self.spec.dependencies.len() + self.owed.len()
    }

    fn timer(timer: ServiceTimer) -> ServiceMessage {
        ServiceMessage::Timer(timer)
    }
}

impl ServiceMachine {
    /// A service that does not run, and what the operator wanted of it last.
    #[must_use]
    pub fn new(spec: impl Into<Arc<Service>>, dependents: Dependents, runs: RunNumbers, wanted: Wanted) -> Self {
        let spec = spec.into();
        let needs = Needs::new(&spec.dependencies);
        let rest = later(&spec).map_or(Rest::Fresh, Rest::Failed);
        Self {
            spec,
            dependents,
            wanted,
            ignoring: Ignoring::No,
            passed_on: None,
            closing: None,
            goodbye: Goodbye::NotYet,
            left: BTreeMap::new(),
            needs,
            phase: Phase::Idle,
            rest,
            slot: Slot::None,
            grant: None,
            revoked: None,
            attempts: 0,
            last_start: None,
            last_death: None,
            signalled: None,
            extended: None,
            stayed: BTreeMap::new(),
            owed: BTreeMap::new(),
            episode: Episode::default(),
            last_stop: None,
            runs,
            prepared: None,
            ready_run: None,
            announced: Standing::ASSUMED,
            given_back: Token(0),
            asked: None,
            bereaved: None,
        }
    }

    /// Takes in what a message says, without drawing the general conclusions.
    fn take(&mut self, now: Moment, message: ServiceMessage, out: &mut Out) {
        match message {
            ServiceMessage::Begin => {}
            ServiceMessage::Dependency(name, standing) => self.dependency(now, name, standing, out),
            ServiceMessage::DependentStopped(name, episode) => self.dependent_stopped(&name, episode, out),
            ServiceMessage::DependentStuck(name, episode, pid) => self.dependent_stuck(&name, episode, pid, out),
            ServiceMessage::Granted(grant) => self.granted(grant, out),
            ServiceMessage::Queued(found) => match &mut self.phase {
                Phase::Leasing { blockers, .. } => *blockers = found,
                // Perhaps it was refused while the registry, after a panic, took from it that it waits.
                Phase::Idle
                | Phase::Renewing { .. }
                | Phase::Slotting
                | Phase::Starting(_)
                | Phase::Running(_)
                | Phase::Leaving { .. }
                | Phase::Stopping { .. } => {
                    out.extend([tell_leases(LeaseMessage::Withdraw(self.holder())), Effect::Note(Outcome::Superseded)])
                }
            },
            ServiceMessage::Refused(refusal) => self.refused(now, refusal, out),
            ServiceMessage::Renewed(token, renewed) => self.renewed(now, token, renewed, out),
            ServiceMessage::Revoked(token, withdrawal) => self.lease_revoked(now, token, withdrawal, out),
            ServiceMessage::NothingHeld => self.nothing_held(out),
            ServiceMessage::DeviceArrived(device, _) => self.device_arrived(&device),
            ServiceMessage::Corrected(device, offer) => self.corrected(&device, offer, out),
            ServiceMessage::DeviceLeft(device) => self.device_left(now, &device),
            ServiceMessage::SlotGranted(_) => self.slot_granted(now, out),
            ServiceMessage::Process(run, event) => self.process(now, run, event, out),
            ServiceMessage::Probe(run, event) => self.probed(run, event, out),
            ServiceMessage::Start(request, policy) => self.operator_start(request, policy, out),
            ServiceMessage::StartForDependent(_, request) => self.start_for(request, out),
            ServiceMessage::Stop(request) => self.operator_stop(request, out),
            ServiceMessage::Restart(request, attempts) => self.operator_restart(request, attempts, out),
            ServiceMessage::Close => self.closing = self.closing.max(Some(Haste::InOrder)),
            ServiceMessage::Hurry => self.hurry(out),
            ServiceMessage::Timer(timer) => self.timer_over(timer, out),
        }
    }

    /// The timer that belongs to where it is, beside those of its needs. Whatever it is told, it takes the one with it that it leaves.
    fn waits_for(&self) -> Option<ServiceTimer> {
        match &self.phase {
            Phase::Idle if self.closing.is_some() => None,
            Phase::Idle => matches!(self.rest, Rest::Backoff { .. }).then_some(ServiceTimer::Backoff),
            Phase::Starting(_) => Some(ServiceTimer::ReadyWithin),
            Phase::Running(_) => Some(ServiceTimer::ResetAfter),
            Phase::Stopping { stage: StopStage::Unborn | StopStage::Grace | StopStage::LastGrace, .. } => {
                Some(ServiceTimer::Grace)
            }
            Phase::Stopping { stage: StopStage::Killing, .. } => Some(ServiceTimer::Unkillable),
            Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting => None,
            Phase::Leaving { .. } | Phase::Stopping { stage: StopStage::Unkillable, .. } => None,
        }
    }

    /// What the operator wants of it outlives mainstay.
    pub(super) fn remember_wanted(&self) -> Effect<ServiceTimer> {
        act(Action::Remember(Lasting::Wanted(self.spec.name.clone(), self.wanted)))
    }

    /// Compares what is with what should be, and takes the next step.
    pub(super) fn evaluate(&mut self, now: Moment, out: &mut Out) {
        match &self.phase {
            Phase::Idle => self.evaluate_idle(now, out),
            Phase::Leasing { .. } if !self.may_go_on() => {
                out.push(tell_leases(LeaseMessage::Withdraw(self.holder())));
                self.phase = Phase::Idle;
                self.evaluate_idle(now, out);
            }
            Phase::Renewing { .. } | Phase::Slotting if !self.may_go_on() || self.revoked.is_some() => {
                self.return_slot(out);
                self.phase = Phase::Idle;
                self.evaluate_idle(now, out);
            }
            Phase::Starting(_) | Phase::Running(_) => {
                if let Some(why) = self.reason_to_stop() {
                    self.leave(why, out);
                }
            }
            Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting => {}
            Phase::Leaving { .. } | Phase::Stopping { .. } => {}
        }
        self.say_goodbye(out);
    }

    fn evaluate_idle(&mut self, now: Moment, out: &mut Out) {
        self.release_unless_kept(out);
        if self.reason_not_wanted().is_some() || self.rest != Rest::Fresh {
            return self.needs.await_nobody(out);
        }
        if self.ignoring == Ignoring::No {
            self.needs.set_waits(now, out);
            if !self.needs.are_met() {
                return;
            }
        }
        if self.grant.is_some() {
            self.use_again(now, out);
        } else if self.wants_nothing() {
            self.ask_slot(out);
        } else {
            self.request(now, out);
        }
    }

    /// Why it is not meant to run at all, whatever its needs.
    pub(super) fn reason_not_wanted(&self) -> Option<NotWanted> {
        if self.closing.is_some() {
            return Some(NotWanted::Closing);
        }
        match (self.wanted, self.spec.autostart) {
            (Wanted::Down, _) => Some(NotWanted::Stopped),
            (Wanted::Auto, Autostart::No) => Some(NotWanted::NoAutostart),
            (Wanted::Up, _) | (Wanted::Auto, Autostart::Yes) => None,
        }
    }

    /// Whether it may go on starting. It does not step back for what it could start without: that may be coming only
    /// because this one steps back, and both would make way for each other for ever.
    fn may_go_on(&self) -> bool {
        let needs = self.ignoring == Ignoring::Yes || self.needs.required_are_met();
        self.reason_not_wanted().is_none() && self.rest == Rest::Fresh && needs
    }

    /// Why it must stop, when it runs.
    fn reason_to_stop(&self) -> Option<Why> {
        let lost = || if self.ignoring == Ignoring::Yes { None } else { self.needs.lost() };
        let withdrawn = || self.revoked.clone().map(Asked::Withdrawn);
        self.reason_not_wanted().map(Asked::NotWanted).or_else(withdrawn).map(Why::Asked).or_else(lost)
    }

    /// Tells dependents how it stands, when that has changed.
    fn announce(&mut self, out: &mut Out) {
        let standing = self.standing();
        if standing == self.announced {
            return;
        }
        self.announced = standing.clone();
        for name in self.dependents.required.union(&self.dependents.others) {
            let message = ServiceMessage::Dependency(self.spec.name.clone(), standing.clone());
            out.push(Effect::Tell(Message::Service(name.clone(), message)));
        }
    }

    /// The run there is, whatever happens to it.
    pub(super) fn run(&self) -> Option<&Run> {
        self.phase.run()
    }

    pub(super) fn requires(&self, name: &ServiceName) -> bool {
        matches!(self.spec.dependencies.get(name), Some(Dependency::Required { .. }))
    }
}

/// Why this version cannot run a service.
pub(super) fn later(spec: &Service) -> Option<Failed> {
    let parts = &spec.not_in_this_version;
    (!parts.is_empty()).then(|| Failed::NotInThisVersion(parts.clone()))
}

pub(super) fn tell_leases(message: LeaseMessage) -> Effect<ServiceTimer> {
    Effect::Tell(Message::Leases(message))
}

pub(super) fn tell_services(message: ServicesMessage) -> Effect<ServiceTimer> {
    Effect::Tell(Message::Services(message))
}

/// What was heard answers something that is no longer asked.
pub(super) fn superseded(out: &mut Out) {
    out.push(Effect::Note(Outcome::Superseded));
}

pub(super) fn act(action: Action) -> Effect<ServiceTimer> {
    Effect::Act(action)
}
