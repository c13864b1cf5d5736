//! A service, told things by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod again;
mod dependencies;
mod ending;
mod graphs;
mod keeping;
mod operator;
mod starting;
mod stopping;
mod strange;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Sharing};
use mainstay_config::names::{DeviceName, PortName, ServiceName};
use mainstay_hardware::sighting::{Generation, Key};

use super::{Dependents, RunNumbers, ServiceMachine};
use crate::action::probe::{ProbeEvent, Sight};
use crate::action::process::{Exit, ProcessEvent, RunId, SpawnFailure};
use crate::cause::{
    Absence, Asked, Episode, Failed, Failure, Matter, Next, NotWanted, Origin, Root, Standing, Unusable, Withdrawal,
};
use crate::machine::{Beginning, Machine};
use crate::message::device::Offer;
use crate::message::lasting::Remembered;
use crate::message::lease::{Grant, GrantedDevice, LeaseMessage, Token};
use crate::message::service::Wanted;
use crate::message::service::{ServiceMessage, ServiceSnapshot, ServiceStatus, ServiceTimer};
use crate::message::supervision::ServicesMessage;
use crate::message::{Action, Effect, Message, Moment, OperatorAnswer, Publication, RequestId, round_trip};
use crate::view::words;
use crate::world::stations::{Draft, assemble};

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// A start slot that was free.
pub(super) const SLOT: ServiceMessage = ServiceMessage::SlotGranted(Duration::ZERO);

/// A service and what it said since it was last told something.
pub(super) struct Bench {
    pub(super) machine: ServiceMachine,
    pub(super) now: Moment,
    pub(super) shown: Option<ServiceSnapshot>,
    /// The reason that it shows, in words.
    words: String,
    pub(super) acts: Vec<Action>,
    /// What it has had written down.
    pub(super) remembered: Remembered,
    pub(super) leases: Vec<LeaseMessage>,
    pub(super) slots: Vec<ServicesMessage>,
    pub(super) services: Vec<(ServiceName, ServiceMessage)>,
    pub(super) answers: Vec<OperatorAnswer>,
    /// Timers that are set, with when they are due.
    pub(super) timers: BTreeMap<ServiceTimer, Moment>,
}

pub(super) fn name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

fn x() -> DeviceName {
    DeviceName::new("x").unwrap()
}

pub(super) fn grant(token: u64) -> Grant {
    let offer = Offer {
        generation: Generation(format!("usb 1:{token}")),
        node: None,
        interface: None,
        ifindex: None,
        serial: None,
    };
    let devices = BTreeMap::from([(x(), GrantedDevice { sharing: Sharing::Exclusive, offer })]);
    Grant { token: Token(token), since: Moment::default(), devices, ports: BTreeMap::new(), named: Vec::new() }
}

/// What a probe may see of a service that is ready.
pub(super) fn answers() -> Sight {
    Sight::FileExists("/run/ready".into())
}

/// A service that needs nothing.
pub(super) fn plain() -> Draft {
    Draft::new("s")
}

/// A service that leases a device.
pub(super) fn leasing() -> Draft {
    plain().device("x", Sharing::Exclusive)
}

impl Bench {
    pub(super) fn new(draft: Draft) -> Self {
        Self::with_dependents(draft, &[])
    }

    pub(super) fn with_dependents(draft: Draft, required: &[&str]) -> Self {
        let required: BTreeSet<ServiceName> = required.iter().map(|text| name(text)).collect();
        let mut bench = Self::build(draft, Dependents { required, others: BTreeSet::new() });
        let effects = bench.machine.begin(bench.now, Beginning::First);
        bench.take(effects);
        bench.tell(ServiceMessage::Begin);
        bench
    }

    fn build(draft: Draft, dependents: Dependents) -> Self {
        let needed = draft.0.dependencies.keys().map(|needed| Draft::new(needed.as_str()));
        let station = assemble(&[("x", DeviceKind::Usb)], needed.chain([draft.clone()]).collect());
        let spec = station.services[&draft.0.name].clone();
        Self {
            machine: ServiceMachine::new(spec, dependents, RunNumbers { next: RunId(1), step: 1 }, Wanted::Auto),
            now: Moment::after_boot(SECOND * 1000),
            shown: None,
            words: String::new(),
            acts: Vec::new(),
            remembered: Remembered::default(),
            leases: Vec::new(),
            slots: Vec::new(),
            services: Vec::new(),
            answers: Vec::new(),
            timers: BTreeMap::new(),
        }
    }

    /// The service after a panic of its actor.
    pub(super) fn begin_again(&mut self) -> &mut Self {
        let effects = self.machine.begin(self.now, Beginning::Again);
        self.take(effects);
        self
    }

    /// The service after two panics, one upon the other.
    pub(super) fn begin_afresh(&mut self) -> &mut Self {
        self.machine = self.machine.successor();
        self.begin_again()
    }

    fn take(&mut self, effects: Vec<Effect<ServiceTimer>>) {
        (self.acts, self.leases, self.slots) = (Vec::new(), Vec::new(), Vec::new());
        (self.services, self.answers) = (Vec::new(), Vec::new());
        for effect in effects {
            round_trip::survives(&effect);
            match effect {
                Effect::Tell(Message::Leases(message)) => self.leases.push(message),
                Effect::Tell(Message::Services(message)) => self.slots.push(message),
                Effect::Tell(Message::Service(to, message)) => self.services.push((to, message)),
                Effect::Act(Action::Remember(lasting)) => self.remembered.take(lasting),
                Effect::Act(action) => self.acts.push(action),
                Effect::SetTimer(timer, wait) => {
                    self.timers.insert(timer, self.now + wait);
                }
                Effect::CancelTimer(timer) => {
                    self.timers.remove(&timer);
                }
                Effect::Publish(Publication::Service(shown)) => {
                    self.words = words::service_reason(&shown, |_| None);
                    self.shown = Some(shown);
                }
                Effect::Answer(answer) => self.answers.push(answer),
                _ => {}
            }
        }
    }

    pub(super) fn tell(&mut self, message: ServiceMessage) -> &mut Self {
        round_trip::survives(&message);
        let effects = self.machine.handle(self.now, message);
        self.take(effects);
        self
    }

    /// Lets time go by; what is due happens.
    pub(super) fn wait(&mut self, time: Duration) -> &mut Self {
        let until = self.now + time;
        while let Some((timer, at)) = self.timers.iter().min_by_key(|(_, at)| **at).map(|(t, at)| (t.clone(), *at)) {
            if at > until {
                break;
            }
            self.now = at;
            self.timers.remove(&timer);
            self.tell(ServiceMessage::Timer(timer));
        }
        self.now = until;
        self
    }

    pub(super) fn status(&self) -> ServiceStatus {
        self.shown.as_ref().unwrap().status
    }

    pub(super) fn reason(&self) -> &str {
        &self.words
    }

    pub(super) fn waits_for(&self) -> String {
        words::waiting(&self.shown.as_ref().unwrap().waiting_for, self.now, |_| None).join("; ")
    }

    /// The run that is there.
    pub(super) fn run(&self) -> RunId {
        self.machine.run().expect("a run").id
    }

    pub(super) fn process(&mut self, event: ProcessEvent) -> &mut Self {
        self.tell(ServiceMessage::Process(self.run(), event))
    }

    pub(super) fn spawned(&mut self) -> &mut Self {
        self.process(ProcessEvent::Spawned { pid: 42 })
    }

    pub(super) fn ready(&mut self) -> &mut Self {
        self.tell(ServiceMessage::Probe(self.run(), ProbeEvent::Ready(answers())))
    }

    /// Granted its slot, spawned and ready.
    pub(super) fn come_up(&mut self) -> &mut Self {
        self.tell(SLOT).spawned().ready()
    }

    /// The same, with its lease.
    pub(super) fn come_up_with(&mut self, token: u64) -> &mut Self {
        self.tell(ServiceMessage::Granted(grant(token))).come_up()
    }

    pub(super) fn exits(&mut self, exit: Exit) -> &mut Self {
        self.process(ProcessEvent::MainExited { exit, remaining: Vec::new() }).process(ProcessEvent::TreeGone)
    }

    pub(super) fn hears(&mut self, needed: &str, standing: Standing) -> &mut Self {
        self.tell(ServiceMessage::Dependency(name(needed), standing))
    }

    /// What it tells those that depend on it.
    pub(super) fn said_to(&self, dependent: &str) -> Option<&Standing> {
        self.services.iter().find_map(|(to, message)| match message {
            ServiceMessage::Dependency(_, standing) if to.as_str() == dependent => Some(standing),
            _ => None,
        })
    }

    pub(super) fn asked_for_slot(&self) -> bool {
        self.slots.iter().any(|message| matches!(message, ServicesMessage::AskSlot(_)))
    }

    pub(super) fn returned_slot(&self) -> bool {
        self.slots.iter().any(|message| matches!(message, ServicesMessage::ReturnSlot(_)))
    }

    pub(super) fn signalled(&self) -> bool {
        self.acts.iter().any(|act| matches!(act, Action::Signal(_)))
    }

    pub(super) fn swept(&self) -> bool {
        self.acts.iter().any(|act| matches!(act, Action::Sweep(_)))
    }

    pub(super) fn spawning(&self) -> bool {
        self.acts.iter().any(|act| matches!(act, Action::Spawn(_)))
    }

    pub(super) fn requested(&self) -> bool {
        self.leases.iter().any(|message| matches!(message, LeaseMessage::Request(_)))
    }

    pub(super) fn released(&self) -> bool {
        self.leases.iter().any(|message| matches!(message, LeaseMessage::Release(..)))
    }

    /// Tells somebody who waits that it has stopped.
    pub(super) fn settled_debt(&self, to: &str) -> bool {
        self.services
            .iter()
            .any(|(other, message)| other.as_str() == to && matches!(message, ServiceMessage::DependentStopped(..)))
    }
}

pub(super) fn leaving(episode: u32) -> Standing {
    let why = Origin { who: name("need"), what: Arc::new(Root::Asked(Asked::Withdrawn(gone("hackrf")))) };
    Standing::Leaving { why, next: Next::Rest, episode: Episode(episode) }
}

pub(super) fn down() -> Standing {
    let failure = Failure::Spawn(SpawnFailure::NotFound("nowhere".to_owned()));
    Standing::Down(Matter::Failed(Arc::new(Failed::Hopeless(failure))))
}

pub(super) fn held() -> Standing {
    Standing::Held(Matter::NotWanted(NotWanted::Stopped))
}

/// A device is gone.
pub(super) fn gone(device: &str) -> Withdrawal {
    let how = Absence::Left(Key("usb/1-1".to_owned()));
    Withdrawal::Lost { device: DeviceName::new(device).unwrap(), why: Unusable::Absent(how) }
}

/// The lease with the token 1 is withdrawn.
pub(super) fn revoked() -> ServiceMessage {
    revoked_token(1)
}

pub(super) fn revoked_token(token: u64) -> ServiceMessage {
    ServiceMessage::Revoked(Token(token), gone("x"))
}

pub(super) fn device_left() -> ServiceMessage {
    ServiceMessage::DeviceLeft(x())
}

pub(super) fn device_arrived() -> ServiceMessage {
    ServiceMessage::DeviceArrived(x(), Generation("usb 1:9".to_owned()))
}

pub(super) const REQUEST: RequestId = RequestId(1);
