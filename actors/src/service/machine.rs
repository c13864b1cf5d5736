//! The life of a service.
//!
//! ```text
//!            needs met, request          granted           slot          ready
//!   idle ───────────────────▶ leasing ──────────▶ slotting ─────▶ starting ─────▶ running
//!    ▲ ▲                         │ withdraw          │               │  │           │
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

use mainstay_config::model::{Autostart, Dependency, Service};
use mainstay_config::names::{DeviceName, ServiceName};

use super::dependents::Dependents;
use super::messages::{ServiceMessage, Wanted};
use super::needs::Needs;
use super::state::{Closing, Death, Ignoring, Phase, Readiness, Recovering, Rest, Resuming, Run, ServiceTimer, Slot};
use crate::cause::{Asked, Episode, Failed, Matter, NotWanted, Said, Standing, Why, Withdrawal};
use crate::effect::process::order::RunId;
use crate::lease::{Grant, LeaseMessage};
use crate::machine::{Action, ActorId, Beginning, Effect, Effects, Machine, Message, Moment, Outcome};
use crate::supervision::ServicesMessage;

/// What a service must remember over a panic of its actor.
#[derive(Debug, Clone, Default)]
pub struct ServiceMemo {
    pub(super) kept: Option<Kept>,
}

#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) wanted: Wanted,
    pub(super) ignoring: Ignoring,
    pub(super) rest: Rest,
    pub(super) attempts: u32,
    pub(super) last_run: Option<(RunId, Readiness)>,
    /// Why that run was being stopped.
    pub(super) leaving: Option<Why>,
    pub(super) closing: Closing,
    pub(super) episode: Episode,
    pub(super) arrival: Option<Moment>,
    /// Asked for anew, but the registry may have died as well.
    pub(super) grant: Option<Grant>,
    pub(super) last_start: Option<Moment>,
    pub(super) last_death: Option<Death>,
    pub(super) last_stop: Option<Why>,
    /// What the run said last.
    pub(super) said: Said,
    /// When services that are down count as lost.
    pub(super) deadlines: Vec<(ServiceName, Moment)>,
}

/// A service.
#[derive(Debug, Clone)]
pub struct ServiceMachine {
    pub(super) spec: Arc<Service>,
    pub(super) dependents: Dependents,
    pub(super) wanted: Wanted,
    pub(super) ignoring: Ignoring,
    pub(super) closing: Closing,
    pub(super) said_closed: bool,
    pub(super) needs: Needs,
    pub(super) phase: Phase,
    pub(super) rest: Rest,
    pub(super) slot: Slot,
    pub(super) grant: Option<Grant>,
    pub(super) revoked: Option<Withdrawal>,
    pub(super) attempts: u32,
    pub(super) last_start: Option<Moment>,
    pub(super) last_death: Option<Death>,
    /// Devices that left, with whether they had stayed long enough for their return to count as a new beginning.
    pub(super) stayed: BTreeMap<DeviceName, bool>,
    /// Services that wait for this one to stop.
    pub(super) owed: BTreeMap<ServiceName, Episode>,
    pub(super) episode: Episode,
    pub(super) last_stop: Option<Why>,
    pub(super) next_run: u64,
    /// The last run that became ready.
    pub(super) ready_run: Option<RunId>,
    pub(super) announced: Standing,
    pub(super) recovering: Option<Recovering>,
    pub(super) resuming: Resuming,
    /// When it first asked for its leases, after a restart of its actor.
    pub(super) first_asked: Option<Moment>,
    /// When it asked for the leases that it holds.
    pub(super) asked: Option<Moment>,
    /// When it asked for leases that a loss took from it: it has its place in the queue back.
    pub(super) bereaved: Option<Moment>,
}

pub(super) type Out = Effects<ServiceTimer>;

impl Machine for ServiceMachine {
    type Message = ServiceMessage;
    type Timer = ServiceTimer;
    type Memo = ServiceMemo;

    fn id(&self) -> ActorId {
        ActorId::Service(self.spec.name.clone())
    }

    fn begin(&mut self, now: Moment, beginning: Beginning) -> Out {
        match beginning {
            Beginning::First => vec![self.publication()],
            Beginning::Again => self.recover(now),
        }
    }

    fn handle(&mut self, now: Moment, message: ServiceMessage) -> Out {
        let mut out = Vec::new();
        self.take(now, message, &mut out);
        self.evaluate(now, &mut out);
        self.first_asked = None;
        let knows = self.knows_as_much_again();
        self.announce(&mut out);
        // What was shown before the actor's restart stays until it knows again what is true.
        if knows {
            out.push(self.publication());
        }
        out
    }

    fn memo(&self) -> ServiceMemo {
        let last_run = match &self.phase {
            Phase::Running(run) | Phase::Leaving { run, readiness: Readiness::Ready, .. } => {
                Some((run.id, Readiness::Ready))
            }
            _ => self.run().map(|run| (run.id, Readiness::NotYet)),
        };
        let last_run = last_run.or_else(|| self.recovering.as_ref().and_then(|recovering| recovering.last_run));
        let arrival = match &self.phase {
            Phase::Leasing { arrival, .. } => Some(*arrival),
            _ => self.recovering.as_ref().and_then(|recovering| recovering.arrival),
        };
        ServiceMemo {
            kept: Some(Kept {
                wanted: self.wanted,
                ignoring: self.ignoring,
                rest: self.rest.clone(),
                attempts: self.attempts,
                last_run,
                leaving: self.leaving(),
                closing: self.closing,
                episode: self.episode,
                arrival,
                grant: self.grant.clone(),
                last_start: self.last_start,
                last_death: self.last_death,
                last_stop: self.last_stop.clone(),
                said: self.said(),
                deadlines: self.needs.deadlines(),
            }),
        }
    }

    fn timer(timer: ServiceTimer) -> ServiceMessage {
        ServiceMessage::Timer(timer)
    }
}

impl ServiceMachine {
    /// A service that does not run. `first_run` begins a block of run numbers that nobody else uses.
    #[must_use]
    pub fn new(spec: impl Into<Arc<Service>>, dependents: Dependents, first_run: RunId, memo: ServiceMemo) -> Self {
        let spec = spec.into();
        // Those who begin together need not tell each other that they wait. After a restart of its actor nothing is known.
        let assumed = if memo.kept.is_some() { Standing::Unknown } else { Standing::Coming(Matter::Needs) };
        let needs = Needs::new(&spec.dependencies, &assumed);
        let rest = later(&spec).map_or(Rest::Fresh, Rest::Failed);
        let mut machine = Self {
            spec,
            dependents,
            wanted: Wanted::Auto,
            ignoring: Ignoring::No,
            closing: Closing::No,
            said_closed: false,
            needs,
            phase: Phase::Idle,
            rest,
            slot: Slot::None,
            grant: None,
            revoked: None,
            attempts: 0,
            last_start: None,
            last_death: None,
            stayed: BTreeMap::new(),
            owed: BTreeMap::new(),
            episode: Episode::default(),
            last_stop: None,
            next_run: first_run.0,
            ready_run: None,
            announced: assumed,
            recovering: None,
            resuming: Resuming::No,
            first_asked: None,
            asked: None,
            bereaved: None,
        };
        if let Some(kept) = memo.kept {
            machine.restore_memo(kept);
        }
        machine
    }

    /// Takes in what a message says, without drawing the general conclusions.
    fn take(&mut self, now: Moment, message: ServiceMessage, out: &mut Out) {
        match message {
            ServiceMessage::Begin => {}
            ServiceMessage::Dependency(name, standing) => self.dependency(now, name, standing, out),
            ServiceMessage::DependentStopped(name, episode) => self.dependent_stopped(&name, episode, out),
            // All dependents hear how it stands as soon as it knows that itself again.
            ServiceMessage::Inquire(_) if self.is_silent() => self.announced = Standing::Unknown,
            ServiceMessage::Inquire(name) => {
                let message = ServiceMessage::Dependency(self.spec.name.clone(), self.standing());
                out.push(Effect::Tell(Message::Service(name, message)));
            }
            ServiceMessage::Granted(grant) => self.granted(grant, out),
            ServiceMessage::Queued(found) => match &mut self.phase {
                Phase::Leasing { blockers, .. } => *blockers = found,
                _ => out.push(Effect::Note(Outcome::Superseded)),
            },
            ServiceMessage::Refused(refusal) => self.refused(now, refusal, out),
            ServiceMessage::Revoked(withdrawal) => self.lease_revoked(now, withdrawal, out),
            ServiceMessage::Holding(grant) => self.heard_grant(now, grant, out),
            ServiceMessage::Restate => self.restate(out),
            ServiceMessage::DeviceArrived(device, _) => self.device_arrived(&device, out),
            ServiceMessage::Corrected(device, offer) => self.corrected(&device, offer, out),
            ServiceMessage::DeviceLeft(device) => self.device_left(now, &device, out),
            ServiceMessage::SlotGranted => self.slot_granted(now, out),
            ServiceMessage::RestateSlot => self.restate_slot(out),
            ServiceMessage::Process(run, event) => self.process(now, run, event, out),
            ServiceMessage::Probe(run, event) => self.probed(run, event, out),
            ServiceMessage::Reported(run) => self.heard_run(now, run, out),
            ServiceMessage::Start(request, policy) => self.operator_start(request, policy, out),
            ServiceMessage::StartForDependent(name) => self.start_for(&name, out),
            ServiceMessage::Stop(request) => self.operator_stop(request, out),
            ServiceMessage::Restart(request, attempts) => self.operator_restart(request, attempts, out),
            ServiceMessage::Close => self.closing = self.closing.max(Closing::InOrder),
            ServiceMessage::Hurry => self.hurry(out),
            ServiceMessage::Timer(timer) => self.timer_over(timer, out),
        }
    }

    /// Compares what is with what should be, and takes the next step.
    pub(super) fn evaluate(&mut self, now: Moment, out: &mut Out) {
        if self.recovering.is_some() {
            return;
        }
        match &self.phase {
            Phase::Idle => self.evaluate_idle(now, out),
            Phase::Leasing { .. } if !self.may_go_on() => {
                out.push(tell_leases(LeaseMessage::Withdraw(self.holder())));
                self.phase = Phase::Idle;
                self.evaluate_idle(now, out);
            }
            Phase::Slotting if !self.may_go_on() || self.revoked.is_some() => {
                self.return_slot(out);
                self.phase = Phase::Idle;
                self.release(out);
                self.evaluate_idle(now, out);
            }
            Phase::Starting(_) | Phase::Running(_) => {
                if let Some(why) = self.reason_to_stop() {
                    self.leave(why, out);
                }
            }
            Phase::Leasing { .. } | Phase::Slotting | Phase::Leaving { .. } | Phase::Stopping { .. } => {}
        }
        if self.closing != Closing::No && self.phase == Phase::Idle && !self.said_closed {
            self.said_closed = true;
            out.push(tell_services(ServicesMessage::Closed(self.spec.name.clone())));
        }
    }

    fn evaluate_idle(&mut self, now: Moment, out: &mut Out) {
        let keeps_lease = matches!(self.rest, Rest::Backoff { .. }) && self.reason_not_wanted().is_none();
        if self.grant.is_some() && (self.revoked.is_some() || (!self.may_start() && !keeps_lease)) {
            self.release(out);
        }
        if self.reason_not_wanted().is_some() || self.rest != Rest::Fresh {
            return;
        }
        if self.ignoring == Ignoring::No {
            self.needs.set_waits(now, out);
            if !self.needs.are_met() {
                return;
            }
        }
        if self.grant.is_some() {
            out.push(tell_leases(LeaseMessage::Busy(self.holder())));
            self.ask_slot(out);
        } else if self.wants_nothing() {
            self.ask_slot(out);
        } else {
            self.request(now, out);
        }
    }

    /// Why it is not meant to run at all, whatever its needs.
    pub(super) fn reason_not_wanted(&self) -> Option<NotWanted> {
        if self.closing != Closing::No {
            return Some(NotWanted::Closing);
        }
        match (self.wanted, self.spec.autostart) {
            (Wanted::Down, _) => Some(NotWanted::Stopped),
            (Wanted::Auto, Autostart::No) => Some(NotWanted::NoAutostart),
            (Wanted::Up, _) | (Wanted::Auto, Autostart::Yes) => None,
        }
    }

    /// Whether it may begin to start.
    fn may_start(&self) -> bool {
        self.may_go_on() && (self.ignoring == Ignoring::Yes || self.needs.are_met())
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
        if self.is_silent() {
            return;
        }
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
        match &self.phase {
            Phase::Starting(run) | Phase::Running(run) => Some(run),
            Phase::Leaving { run, .. } | Phase::Stopping { run, .. } => Some(run),
            Phase::Idle | Phase::Leasing { .. } | Phase::Slotting => None,
        }
    }

    /// Gives back all leases.
    pub(super) fn release(&mut self, out: &mut Out) {
        self.revoked = None;
        if self.grant.take().is_some() {
            out.push(tell_leases(LeaseMessage::Release(self.holder())));
        }
    }

    /// Gives back the start slot.
    pub(super) fn return_slot(&mut self, out: &mut Out) {
        if self.slot != Slot::None {
            self.slot = Slot::None;
            out.push(tell_services(ServicesMessage::ReturnSlot(self.spec.name.clone())));
        }
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

pub(super) fn act(action: Action) -> Effect<ServiceTimer> {
    Effect::Act(action)
}
