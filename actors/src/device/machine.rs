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

use crate::message::device::{Awaited, DeviceMessage, DeviceTimer};
use mainstay_config::model::Device;
use mainstay_hardware::bus::Findings;
use mainstay_hardware::error::Error;
use mainstay_hardware::sighting::{Generation, Sighting};

use super::fitting::Owed;
use super::flap::Departures;
use crate::cause::{Absence, DeviceFault, Quarantine, Rivals, Soon, Unusable, Withheld};
use crate::machine::{Beginning, Machine};
use crate::message::lease::LeaseMessage;
use crate::message::{Action, ActorId, Effect, Effects, Message, Moment, OperationId, Outcome};

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) enum State {
    Absent {
        reason: Absence,
    },
    /// It is waited until it is steady, or until it is worth while to look again whether it can be opened: so this timer says.
    Settling {
        since: Moment,
        until: DeviceTimer,
    },
    Checking {
        since: Moment,
        operation: OperationId,
    },
    Probing {
        operation: OperationId,
    },
    Ready,
    Faulted {
        reason: DeviceFault,
        mending: Mending,
    },
    Quarantined {
        reason: Quarantine,
        until: Moment,
    },
    Ejected,
}

/// What takes a device out of its fault, beside being replugged or taken back by the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Mending {
    /// When it is said again to be there, it is looked at again.
    SeenAgain,
    /// Time: it was not looked at, for reasons that are not its own, and will be.
    Later,
    /// Nothing: whoever used it says that it does not work.
    ByHand,
    /// The operator's word: several pieces of hardware fit it, and none was taken.
    Choice,
}

/// A configured device.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct DeviceMachine {
    pub(super) spec: Device,
    pub(super) operation: OperationId,
    pub(super) state: State,
    pub(super) sighting: Option<Sighting>,
    pub(super) findings: Option<Findings>,
    pub(super) leased_since: Option<Moment>,
    /// Why nobody can lease it yet, though nobody does.
    pub(super) withheld: Option<Withheld>,
    pub(super) owed: Owed,
    pub(super) awaited: Awaited,
    pub(super) departures: Departures,
    /// Others that fit it as well; where it is none of them, they are why.
    pub(super) rivals: Option<Rivals>,
    pub(super) sought: Sought,
    pub(super) arrived: Arrived,
    /// Why its node could not be opened when that was tried last.
    pub(super) refused: Option<Error>,
}

/// When the present arrival came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Arrived {
    /// It was there when this was first looked for.
    Before,
    /// It was plugged in since.
    Later,
}

/// Whether it is known if it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Sought {
    /// Nobody has looked yet.
    NotYet,
    /// It was seen, or looked for in vain.
    Yes,
}

pub(super) type Out = Effects<DeviceTimer>;

impl Machine for DeviceMachine {
    type Message = DeviceMessage;
    type Timer = DeviceTimer;

    fn id(&self) -> ActorId {
        ActorId::Device(self.spec.name.clone())
    }

    fn begin(&mut self, now: Moment, beginning: Beginning) -> Out {
        match beginning {
            Beginning::First => vec![self.publication()],
            Beginning::Again => self.begin_again(now),
        }
    }

    fn handle(&mut self, now: Moment, message: DeviceMessage) -> Out {
        let waited_for = self.waits_for();
        let mut out = match message {
            DeviceMessage::Seen(sighting) => self.seen(now, sighting),
            DeviceMessage::Gone { generation, how } => self.gone(now, generation.as_ref(), how),
            DeviceMessage::Rivals(rivals) => self.has_rivals(now, rivals),
            DeviceMessage::NoRivals => self.has_no_rivals(),
            DeviceMessage::Accessible(operation, result) => self.accessible(now, operation, result),
            DeviceMessage::Probed(operation, result) => self.probed(operation, result),
            DeviceMessage::Supply(operation, supply) => self.heard_supply(operation, supply),
            DeviceMessage::Leased { since, .. } => self.leased(Some(since)),
            DeviceMessage::Unleased => {
                let mut out = self.leased(None);
                out.extend(self.wants_to_be_lent());
                out
            }
            DeviceMessage::Withheld(why) => self.withheld(why),
            DeviceMessage::PutBack(before) => self.put_back(before),
            DeviceMessage::Awaited(awaited) => {
                self.awaited = awaited;
                self.wants_to_be_lent().into_iter().collect()
            }
            DeviceMessage::Lent(generation) => self.lent(&generation),
            DeviceMessage::Fault(reason, arrival) => self.found_faulty(reason, arrival.as_ref()),
            DeviceMessage::Eject(request) => self.eject(request),
            DeviceMessage::Admit(request) => self.admit(now, request),
            DeviceMessage::Timer(timer) => self.timer_over(now, timer),
        };
        let unchanged = matches!(out.last(), Some(Effect::Note(Outcome::Ignored | Outcome::Superseded)));
        if !unchanged {
            out.extend(self.mind_its_name());
            out.push(self.publication());
        }
        let waits_for = self.waits_for();
        Effect::cancel_left(waited_for, &mut out, |timer| waits_for.contains(timer));
        out
    }

    fn successor(&self) -> Self {
        self.reduced()
    }

    fn peers(&self) -> Vec<ActorId> {
        vec![ActorId::Hardware, ActorId::Leases]
    }

    fn tell_again(&self, to: &ActorId) -> Vec<Message> {
        self.say_again(to)
    }

    fn timer(timer: DeviceTimer) -> DeviceMessage {
        DeviceMessage::Timer(timer)
    }
}

impl DeviceMachine {
    /// What it is called.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn name(&self) -> &mainstay_config::names::DeviceName {
        &self.spec.name
    }

    /// How the kernel showed it last, while it is there.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn sighting(&self) -> Option<&Sighting> {
        self.sighting.as_ref()
    }

    /// A device that has not been seen yet.
    #[must_use]
    pub fn new(spec: Device) -> Self {
        Self {
            spec,
            operation: OperationId::default(),
            state: State::Absent { reason: Absence::NotPluggedIn },
            sighting: None,
            findings: None,
            leased_since: None,
            withheld: None,
            owed: Owed::Nothing,
            awaited: Awaited::Nobody,
            departures: Departures::default(),
            rivals: None,
            sought: Sought::NotYet,
            arrived: Arrived::Before,
            refused: None,
        }
    }

    fn seen(&mut self, now: Moment, sighting: Sighting) -> Out {
        let was_sought = std::mem::replace(&mut self.sought, Sought::Yes);
        if self.sighting.as_ref().is_some_and(|known| known.generation == sighting.generation) {
            return self.seen_again(now, sighting);
        }
        let mut out = Vec::new();
        if self.sighting.is_some() {
            // Its departure was lost: the kernel shows another arrival in its place.
            out.extend(self.depart(now, Absence::Replugged));
        }
        self.sighting = Some(sighting);
        (self.findings, self.rivals) = (None, None);
        self.arrived = if was_sought == Sought::Yes { Arrived::Later } else { Arrived::Before };
        if !self.is_out_of_use() {
            out.extend(self.arrive(now));
        }
        out
    }

    /// The same arrival, perhaps with other facts.
    fn seen_again(&mut self, now: Moment, sighting: Sighting) -> Out {
        let known = self.sighting.replace(sighting);
        match self.state {
            // Said again once udev has set permissions: what could not be opened then may be open now.
            State::Faulted { mending: Mending::SeenAgain | Mending::Later, .. } => self.settle(now),
            _ if known == self.sighting => vec![Effect::Note(Outcome::Ignored)],
            State::Ready => vec![self.restated()],
            State::Absent { .. }
            | State::Settling { .. }
            | State::Checking { .. }
            | State::Probing { .. }
            | State::Faulted { mending: Mending::ByHand | Mending::Choice, .. }
            | State::Quarantined { .. }
            | State::Ejected => Vec::new(),
        }
    }

    pub(super) fn gone(&mut self, now: Moment, generation: Option<&Generation>, how: Absence) -> Out {
        let known = self.sighting.as_ref().map(|sighting| &sighting.generation);
        let concerns_us = match (known, generation) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(known), Some(gone)) => known == gone,
        };
        if concerns_us {
            self.depart(now, how)
        } else if self.is_undecided() {
            self.has_no_rivals()
        } else if self.sought == Sought::NotYet {
            // It was looked for and is not there: whoever waits for it must not think that it is about to come.
            self.sought = Sought::Yes;
            vec![self.restated()]
        } else {
            vec![Effect::Note(Outcome::Ignored)]
        }
    }

    fn depart(&mut self, now: Moment, how: Absence) -> Out {
        let quarantine = self.departures.left(now, self.spec.flap, self.leased_since);
        self.leave(now, how, quarantine)
    }

    /// It has nothing any more, by whatever this means.
    pub(super) fn leave(&mut self, now: Moment, how: Absence, quarantine: Option<Quarantine>) -> Out {
        self.sighting = None;
        self.findings = None;
        self.withheld = None;
        self.owed = Owed::Nothing;
        // A lease is bound to one arrival: whoever holds it has nothing of the next.
        self.leased_since = None;
        let mut out = Vec::new();
        if !self.is_out_of_use() {
            self.state = match quarantine {
                None => State::Absent { reason: how.clone() },
                Some(reason) => {
                    out.push(Effect::SetTimer(DeviceTimer::Quarantine, reason.length()));
                    if matches!(reason, Quarantine::Power { .. }) {
                        out.push(Effect::Act(Action::ReadSupply(self.operation.advance())));
                    }
                    State::Quarantined { until: now + reason.length(), reason }
                }
            };
        }
        out.push(self.unavailable(Unusable::Absent(how), Soon::Unknown));
        if self.is_out_of_use() {
            // It was taken from its holder because it left; it is waited for because of this.
            out.push(self.restated());
        }
        out
    }

    pub(super) fn settle(&mut self, now: Moment) -> Out {
        self.refused = None;
        let wait = self.departures.settling_time(now);
        if wait.is_zero() {
            return self.check(now);
        }
        self.state = State::Settling { since: now, until: DeviceTimer::Settling };
        vec![Effect::SetTimer(DeviceTimer::Settling, wait), self.unavailable(Unusable::Settling, Soon::Yes)]
    }

    /// The timers that belong to where it is. Whatever it is told, it takes those with it that it leaves.
    fn waits_for(&self) -> Vec<DeviceTimer> {
        let of_state = match self.state {
            State::Settling { until, .. } => Some(until),
            State::Faulted { mending: Mending::Later, .. } => Some(DeviceTimer::LookAfterAll),
            State::Quarantined { .. } => Some(DeviceTimer::Quarantine),
            State::Absent { .. }
            | State::Checking { .. }
            | State::Probing { .. }
            | State::Ready
            | State::Faulted { .. }
            | State::Ejected => None,
        };
        of_state.into_iter().chain(self.is_another().then_some(DeviceTimer::Mistaken)).collect()
    }

    fn timer_over(&mut self, now: Moment, timer: DeviceTimer) -> Out {
        match (timer, &self.state) {
            (DeviceTimer::Settling, State::Settling { .. }) => self.check(now),
            (DeviceTimer::AccessRetry, State::Settling { since, .. }) => {
                let since = *since;
                self.check(since)
            }
            (DeviceTimer::LookAfterAll, State::Faulted { mending: Mending::Later, .. }) => self.check(now),
            (DeviceTimer::Quarantine, State::Quarantined { .. }) => self.back(now),
            (DeviceTimer::Mistaken, _) => self.disclaim(),
            (
                DeviceTimer::Settling | DeviceTimer::AccessRetry | DeviceTimer::LookAfterAll | DeviceTimer::Quarantine,
                State::Absent { .. }
                | State::Settling { .. }
                | State::Checking { .. }
                | State::Probing { .. }
                | State::Ready
                | State::Faulted { .. }
                | State::Quarantined { .. }
                | State::Ejected,
            ) => vec![Effect::Note(Outcome::Superseded)],
        }
    }

    /// Whether it stays out of use whatever is plugged in: by the operator's word, or for having come and gone too often.
    pub(super) fn is_out_of_use(&self) -> bool {
        matches!(self.state, State::Ejected | State::Quarantined { .. })
    }

    /// What the registry must know now.
    pub(super) fn restated(&self) -> Effect<DeviceTimer> {
        match (&self.state, self.offer()) {
            (State::Ready, Some(offer)) => {
                self.tell_leases(LeaseMessage::DeviceAvailable(self.spec.name.clone(), offer))
            }
            (State::Settling { .. } | State::Checking { .. } | State::Probing { .. }, _) => {
                let reason = self.refused.clone().map_or(Unusable::LookedAt, Unusable::NotOpen);
                self.unavailable(reason, Soon::Yes)
            }
            (State::Absent { .. } | State::Faulted { .. } | State::Quarantined { .. } | State::Ejected, _)
            | (State::Ready, None) => self.unavailable(self.why_unusable(), Soon::Unknown),
        }
    }

    pub(super) fn unavailable(&self, reason: Unusable, soon: Soon) -> Effect<DeviceTimer> {
        self.tell_leases(LeaseMessage::DeviceUnavailable { device: self.spec.name.clone(), reason, soon })
    }

    #[allow(clippy::unused_self, reason = "reads as what the device does")]
    pub(super) fn tell_leases(&self, message: LeaseMessage) -> Effect<DeviceTimer> {
        Effect::Tell(Message::Leases(message))
    }
}
