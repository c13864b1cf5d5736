//! The life of a device.
//!
//! ```text
//!            seen                settled            accessible           probed
//!  absent ─────────▶ settling ─────────▶ (access) ─────────▶ probing ─────────▶ ready ⇄ in use
//!    ▲                  │                    │ not openable     │ driver hung      │
//!    │ gone (from any)  │                    ▼                  ▼        fault     ▼
//!    ├──────────────────┴─────────────── faulted ◀────────────────────────────────┘
//!    │ gone too often                        │ admit ─▶ settling
//!    └──────────────▶ quarantined ── over, admit ─▶ settling or absent
//!                     ejected (operator, from any) ── admit ─▶ settling or absent
//! ```

use std::time::Duration;

use mainstay_config::model::Device;
use mainstay_config::names::ServiceName;
use mainstay_hardware::bus::{Depth, Findings};
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::{Generation, Sighting};

use super::flap::{Departures, Verdict};
use super::messages::{Awaited, DeviceMessage};
use crate::lease::{LeaseMessage, Soon};
use crate::machine::{Action, ActorId, Beginning, Effect, Effects, Machine, Message, Moment, OperationId, Outcome};

/// A probe is given up after this long (DESIGN section 5).
const PROBE_WITHIN: Duration = Duration::from_secs(10);
/// udev sets permissions up to about a second after the node appears; slow boards take longer.
const ACCESS_WITHIN: Duration = Duration::from_secs(3);
/// Between two looks at a node that cannot be opened yet.
const ACCESS_RETRY: Duration = Duration::from_millis(100);

/// Timers of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceTimer {
    /// It has been steady long enough.
    Settling,
    /// Look again whether it can be opened.
    AccessRetry,
    /// The quarantine.
    Quarantine,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    Absent { reason: String },
    Settling { since: Moment },
    Checking { since: Moment, operation: OperationId },
    Probing { operation: OperationId },
    Ready,
    Faulted { reason: String },
    Quarantined { reason: String },
    Ejected,
}

/// What a device must remember over a panic of its actor: what the operator said. The rest is asked for anew.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeviceMemo {
    ejected: bool,
}

/// A configured device.
#[derive(Debug, Clone)]
pub struct DeviceMachine {
    pub(super) spec: Device,
    pub(super) operation: OperationId,
    pub(super) state: State,
    pub(super) sighting: Option<Sighting>,
    pub(super) findings: Option<Findings>,
    pub(super) holder: Option<(ServiceName, Moment)>,
    pub(super) awaited: Awaited,
    pub(super) departures: Departures,
    pub(super) recovering: Recovering,
}

/// After a restart the registry is asked first: a leased device must not be probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovering {
    No,
    AskingRegistry,
    /// Then the inventory is, and its answer is passed on to the registry, which may believe what was true before.
    AskingInventory,
}

pub(super) type Out = Effects<DeviceTimer>;

impl Machine for DeviceMachine {
    type Message = DeviceMessage;
    type Timer = DeviceTimer;
    type Memo = DeviceMemo;

    fn id(&self) -> ActorId {
        ActorId::Device(self.spec.name.clone())
    }

    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        let mut out = vec![self.publication()];
        if beginning == Beginning::Again {
            self.recovering = Recovering::AskingRegistry;
            out.push(self.tell_leases(LeaseMessage::InquireDevice(self.spec.name.clone())));
        }
        out
    }

    fn handle(&mut self, now: Moment, message: DeviceMessage) -> Out {
        let mut out = match message {
            DeviceMessage::Seen(sighting) => self.seen(now, sighting),
            DeviceMessage::Gone { generation, how } => self.gone(now, generation.as_ref(), &how),
            DeviceMessage::Accessible(operation, result) => self.accessible(now, operation, result),
            DeviceMessage::Probed(operation, result) => self.probed(operation, result),
            DeviceMessage::Leased { holder } => self.leased(now, Some(holder)),
            DeviceMessage::Unleased => self.leased(now, None),
            DeviceMessage::Awaited(awaited) => {
                self.awaited = awaited;
                Vec::new()
            }
            DeviceMessage::Fault(reason) => self.fault(reason),
            DeviceMessage::Restate => self.restate(),
            DeviceMessage::Eject(request) => self.eject(request),
            DeviceMessage::Admit(request) => self.admit(now, request),
            DeviceMessage::Timer(timer) => self.timer_over(now, timer),
        };
        if !matches!(out.last(), Some(Effect::Note(Outcome::Ignored | Outcome::Superseded))) {
            out.push(self.publication());
        }
        out
    }

    fn memo(&self) -> DeviceMemo {
        DeviceMemo { ejected: self.state == State::Ejected }
    }

    fn timer(timer: DeviceTimer) -> DeviceMessage {
        DeviceMessage::Timer(timer)
    }
}

impl DeviceMachine {
    /// A device that has not been seen yet.
    #[must_use]
    pub fn new(spec: Device, incarnation: u32) -> Self {
        Self {
            spec,
            operation: OperationId::none_of(incarnation),
            state: State::Absent { reason: "not plugged in".to_owned() },
            sighting: None,
            findings: None,
            holder: None,
            awaited: Awaited::Nobody,
            departures: Departures::default(),
            recovering: Recovering::No,
        }
    }

    /// The same, with what its predecessor remembered.
    #[must_use]
    pub fn remembering(mut self, memo: DeviceMemo) -> Self {
        if memo.ejected {
            self.state = State::Ejected;
        }
        self
    }

    fn seen(&mut self, now: Moment, sighting: Sighting) -> Out {
        if self.recovering == Recovering::AskingRegistry {
            // The inventory is asked as soon as the registry has answered.
            return vec![Effect::Note(Outcome::Ignored)];
        }
        self.recovering = Recovering::No;
        match &self.sighting {
            Some(known) if *known == sighting => return vec![Effect::Note(Outcome::Ignored)],
            Some(known) if known.generation == sighting.generation => {
                self.sighting = Some(sighting);
                return if self.state == State::Ready { vec![self.restated()] } else { Vec::new() };
            }
            Some(_) | None => {}
        }
        let mut out = Vec::new();
        if self.sighting.is_some() {
            // Its departure was lost: the kernel shows another arrival in its place.
            out.extend(self.depart(now, "replugged"));
        }
        self.sighting = Some(sighting);
        self.findings = None;
        if !matches!(self.state, State::Ejected | State::Quarantined { .. }) {
            out.extend(self.settle(now));
        }
        out
    }

    fn gone(&mut self, now: Moment, generation: Option<&Generation>, how: &str) -> Out {
        if self.recovering == Recovering::AskingInventory {
            self.recovering = Recovering::No;
            self.holder = None;
            return vec![self.unavailable(format!("{} is gone ({how})", self.spec.name), Soon::Unknown)];
        }
        let known = self.sighting.as_ref().map(|sighting| &sighting.generation);
        let concerns_us = match (known, generation) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(known), Some(gone)) => known == gone,
        };
        if concerns_us { self.depart(now, how) } else { vec![Effect::Note(Outcome::Ignored)] }
    }

    fn depart(&mut self, now: Moment, how: &str) -> Out {
        self.sighting = None;
        self.findings = None;
        // A lease is bound to one arrival: whoever holds it has nothing of the next.
        let since = self.holder.take().map(|(_, since)| since);
        let verdict = self.departures.left(now, self.spec.flap, since);
        let mut out = vec![Effect::CancelTimer(DeviceTimer::Settling), Effect::CancelTimer(DeviceTimer::AccessRetry)];
        let gone = format!("{} is gone ({how})", self.spec.name);
        if !matches!(self.state, State::Ejected | State::Quarantined { .. }) {
            self.state = match verdict {
                Verdict::Fine => State::Absent { reason: gone.clone() },
                Verdict::Flapping { departures, quarantine } => {
                    out.push(Effect::SetTimer(DeviceTimer::Quarantine, quarantine));
                    let within = humantime::format_duration(self.spec.flap.within);
                    let length = humantime::format_duration(quarantine);
                    State::Quarantined { reason: format!("it left {departures} times in {within}; out for {length}") }
                }
                Verdict::Power { quarantine } => {
                    out.push(Effect::SetTimer(DeviceTimer::Quarantine, quarantine));
                    let length = humantime::format_duration(quarantine);
                    let reason =
                        "three times in a row it dropped out within 10 s of being used: check power supply and cable";
                    State::Quarantined { reason: format!("{reason}; out for {length}") }
                }
            };
        }
        out.push(self.unavailable(gone, Soon::Unknown));
        out
    }

    pub(super) fn settle(&mut self, now: Moment) -> Out {
        let wait = self.departures.settling_time(now);
        if wait.is_zero() {
            return self.check(now);
        }
        self.state = State::Settling { since: now };
        vec![
            Effect::SetTimer(DeviceTimer::Settling, wait),
            self.unavailable(format!("{} is there and is settling", self.spec.name), Soon::Yes),
        ]
    }

    /// Looks whether the node can be opened; `since` is when looking began.
    fn check(&mut self, since: Moment) -> Out {
        let Some(sighting) = self.sighting.clone() else { return Vec::new() };
        if self.holder.is_some() {
            // It is in use (its actor was restarted meanwhile): it is not disturbed.
            self.state = State::Ready;
            return vec![self.restated()];
        }
        let operation = self.operation.advance();
        self.state = State::Checking { since, operation };
        vec![
            self.unavailable(format!("{} is there and is being looked at", self.spec.name), Soon::Yes),
            Effect::Act(Action::CheckAccess(operation, sighting)),
        ]
    }

    fn accessible(&mut self, now: Moment, operation: OperationId, result: Result<(), Error>) -> Out {
        let State::Checking { since, operation: asked } = self.state else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        if asked != operation {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        match result {
            Ok(()) => self.probe(),
            Err(_) if now.since(since) < ACCESS_WITHIN => {
                self.state = State::Settling { since };
                vec![Effect::SetTimer(DeviceTimer::AccessRetry, ACCESS_RETRY)]
            }
            Err(error) => self.fault(error.to_string()),
        }
    }

    fn probe(&mut self) -> Out {
        let Some(sighting) = self.sighting.clone() else { return Vec::new() };
        let operation = self.operation.advance();
        self.state = State::Probing { operation };
        let depth = match self.awaited {
            Awaited::Somebody => Depth::Identity,
            Awaited::Nobody => Depth::Full,
        };
        vec![Effect::Act(Action::ProbeDevice(operation, sighting, self.spec.kind, depth, PROBE_WITHIN))]
    }

    fn probed(&mut self, operation: OperationId, result: Result<Findings, Error>) -> Out {
        if self.state != (State::Probing { operation }) {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        match result {
            Ok(findings) => self.ready(findings),
            Err(error) => match error.kind {
                ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::Busy | ErrorKind::TimedOut => {
                    self.fault(error.to_string())
                }
                // It is there and can be opened; what it said could not be understood.
                _ => self.ready(Findings::Unrecognised { why: error.to_string() }),
            },
        }
    }

    fn ready(&mut self, findings: Findings) -> Out {
        self.findings = Some(findings);
        self.state = State::Ready;
        vec![self.restated()]
    }

    fn fault(&mut self, reason: String) -> Out {
        // What the operator took out of use, or what is in quarantine, stays there, whatever else is wrong with it.
        if self.sighting.is_none() || matches!(self.state, State::Ejected | State::Quarantined { .. }) {
            return vec![Effect::Note(Outcome::Ignored)];
        }
        self.state = State::Faulted { reason: reason.clone() };
        vec![self.unavailable(format!("{} does not work: {reason}", self.spec.name), Soon::Unknown)]
    }

    fn timer_over(&mut self, now: Moment, timer: DeviceTimer) -> Out {
        match (timer, &self.state) {
            (DeviceTimer::Settling, State::Settling { .. }) => self.check(now),
            (DeviceTimer::AccessRetry, State::Settling { since }) => {
                let since = *since;
                self.check(since)
            }
            (DeviceTimer::Quarantine, State::Quarantined { .. }) => self.back(now),
            _ => vec![Effect::Note(Outcome::Superseded)],
        }
    }

    /// What the registry must know now.
    pub(super) fn restated(&self) -> Effect<DeviceTimer> {
        match (&self.state, self.offer()) {
            (State::Ready, Some(offer)) => {
                self.tell_leases(LeaseMessage::DeviceAvailable(self.spec.name.clone(), offer))
            }
            (State::Settling { .. } | State::Checking { .. } | State::Probing { .. }, _) => {
                self.unavailable(format!("{} is there and is being looked at", self.spec.name), Soon::Yes)
            }
            _ => self.unavailable(self.reason(), Soon::Unknown),
        }
    }

    pub(super) fn unavailable(&self, reason: String, soon: Soon) -> Effect<DeviceTimer> {
        self.tell_leases(LeaseMessage::DeviceUnavailable { device: self.spec.name.clone(), reason, soon })
    }

    #[allow(clippy::unused_self, reason = "reads as what the device does")]
    pub(super) fn tell_leases(&self, message: LeaseMessage) -> Effect<DeviceTimer> {
        Effect::Tell(Message::Leases(message))
    }
}
