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

use mainstay_config::model::Device;
use mainstay_hardware::bus::Findings;
use mainstay_hardware::sighting::{Generation, Sighting};

use super::claim::Owed;
use super::flap::{Departures, Verdict};
use super::memory::DeviceMemo;
use super::messages::{Awaited, DeviceMessage};
use crate::cause::{Absence, Departure, DeviceFault, Holder, Quarantine, Soon, Unusable, Withheld};
use crate::lease::LeaseMessage;
use crate::machine::{Action, ActorId, Beginning, Effect, Effects, Machine, Message, Moment, OperationId, Outcome};

/// Timers of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum DeviceTimer {
    /// It has been steady long enough.
    Settling,
    /// Look again whether it can be opened.
    AccessRetry,
    /// Look at it after all, which could not be done.
    LookAfterAll,
    /// The quarantine.
    Quarantine,
    /// It has been called otherwise than the configuration says for long enough.
    Mistaken,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    Absent { reason: Absence },
    Settling { since: Moment },
    Checking { since: Moment, operation: OperationId },
    Probing { operation: OperationId },
    Ready,
    Faulted { reason: DeviceFault, mending: Mending },
    Quarantined { reason: Quarantine, until: Moment },
    Ejected,
}

/// What takes a device out of its fault, beside being replugged or taken back by the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mending {
    /// When it is said again to be there, it is looked at again.
    SeenAgain,
    /// Time: it was not looked at, for reasons that are not its own, and will be.
    Later,
    /// Nothing: whoever used it says that it does not work.
    ByHand,
}

/// A configured device.
#[derive(Debug, Clone)]
pub struct DeviceMachine {
    pub(super) spec: Device,
    pub(super) operation: OperationId,
    pub(super) state: State,
    pub(super) sighting: Option<Sighting>,
    pub(super) findings: Option<Findings>,
    pub(super) holder: Option<(Holder, Moment)>,
    /// Why nobody can lease it yet, though nobody does.
    pub(super) withheld: Option<Withheld>,
    pub(super) owed: Owed,
    pub(super) awaited: Awaited,
    pub(super) departures: Departures,
    pub(super) recovering: Recovering,
    /// After a restart: the arrival that its predecessor knew, until it is known whether that is still there.
    pub(super) before: Option<Generation>,
    sought: Sought,
}

/// Whether it is known if it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sought {
    /// Nobody has looked yet.
    NotYet,
    /// It was seen, or looked for in vain.
    Yes,
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

    fn begin(&mut self, now: Moment, beginning: Beginning) -> Out {
        match beginning {
            Beginning::First => vec![self.publication()],
            Beginning::Again => self.recover(now),
        }
    }

    fn handle(&mut self, now: Moment, message: DeviceMessage) -> Out {
        let mut out = match message {
            DeviceMessage::Seen(sighting) => self.seen(now, sighting),
            DeviceMessage::Gone { generation, how } => self.gone(now, generation.as_ref(), how),
            DeviceMessage::Accessible(operation, result) => self.accessible(now, operation, result),
            DeviceMessage::Probed(operation, result) => self.probed(operation, result),
            DeviceMessage::Supply(operation, supply) => self.heard_supply(operation, supply),
            DeviceMessage::Leased { holder } => self.leased(now, Some(holder)),
            DeviceMessage::Unleased => self.leased(now, None),
            DeviceMessage::Withheld(why) => self.withheld(now, why),
            DeviceMessage::PutBack(before) => self.put_back(before),
            DeviceMessage::Holder(holder) => self.heard_holder(now, holder),
            DeviceMessage::Awaited(awaited) => {
                self.awaited = awaited;
                Vec::new()
            }
            DeviceMessage::Fault(reason) => self.fault(reason, Mending::ByHand),
            DeviceMessage::Restate => self.restate(),
            DeviceMessage::Eject(request) => self.eject(request),
            DeviceMessage::Admit(request) => self.admit(now, request),
            DeviceMessage::Timer(timer) => self.timer_over(now, timer),
        };
        let unchanged = matches!(out.last(), Some(Effect::Note(Outcome::Ignored | Outcome::Superseded)));
        // What was shown before the actor's restart stays until it knows again what is true.
        if !unchanged && self.recovering == Recovering::No {
            out.extend(self.mind_its_name());
            out.push(self.publication());
        }
        out
    }

    fn memo(&self) -> DeviceMemo {
        self.remember()
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
            state: State::Absent { reason: Absence::NotPluggedIn },
            sighting: None,
            findings: None,
            holder: None,
            withheld: None,
            owed: Owed::Nothing,
            awaited: Awaited::Nobody,
            departures: Departures::default(),
            recovering: Recovering::No,
            before: None,
            sought: Sought::NotYet,
        }
    }

    fn seen(&mut self, now: Moment, sighting: Sighting) -> Out {
        if self.recovering == Recovering::AskingRegistry {
            // The inventory is asked as soon as the registry has answered.
            return vec![Effect::Note(Outcome::Ignored)];
        }
        self.recovering = Recovering::No;
        self.sought = Sought::Yes;
        if self.sighting.as_ref().is_some_and(|known| known.generation == sighting.generation) {
            return self.seen_again(now, sighting);
        }
        let mut out = Vec::new();
        let before = self.before.take();
        let has_stayed = before.as_ref() == Some(&sighting.generation);
        let left_unheard = before.is_some() && !has_stayed;
        if self.sighting.is_some() || left_unheard {
            // Its departure was lost: the kernel shows another arrival in its place.
            out.extend(self.depart(now, Departure::Replugged));
        }
        self.sighting = Some(sighting);
        self.findings = None;
        if has_stayed && self.holder.is_some() && !self.is_out_of_use() {
            // In use while its actor was restarted: settling would take it from its holder.
            out.extend(self.check(now));
        } else if !self.is_out_of_use() {
            out.extend(self.settle(now));
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
            _ => Vec::new(),
        }
    }

    fn gone(&mut self, now: Moment, generation: Option<&Generation>, how: Departure) -> Out {
        if self.recovering == Recovering::AskingRegistry {
            // As above.
            return vec![Effect::Note(Outcome::Ignored)];
        }
        if self.recovering == Recovering::AskingInventory {
            self.recovering = Recovering::No;
            if self.before.take().is_some() {
                return self.depart(now, how);
            }
            (self.sought, self.holder) = (Sought::Yes, None);
            return vec![self.restated()];
        }
        let known = self.sighting.as_ref().map(|sighting| &sighting.generation);
        let concerns_us = match (known, generation) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(known), Some(gone)) => known == gone,
        };
        if concerns_us {
            self.depart(now, how)
        } else if self.sought == Sought::NotYet {
            // It was looked for and is not there: whoever waits for it must not think that it is about to come.
            self.sought = Sought::Yes;
            vec![self.restated()]
        } else {
            vec![Effect::Note(Outcome::Ignored)]
        }
    }

    fn depart(&mut self, now: Moment, how: Departure) -> Out {
        self.sighting = None;
        self.findings = None;
        self.withheld = None;
        self.owed = Owed::Nothing;
        // A lease is bound to one arrival: whoever holds it has nothing of the next.
        let since = self.holder.take().map(|(_, since)| since);
        let verdict = self.departures.left(now, self.spec.flap, since);
        let waits = [DeviceTimer::Settling, DeviceTimer::AccessRetry, DeviceTimer::LookAfterAll];
        let mut out: Out = waits.into_iter().map(Effect::CancelTimer).collect();
        let gone = Absence::Gone(how);
        if !self.is_out_of_use() {
            self.state = match verdict {
                Verdict::Fine => State::Absent { reason: gone.clone() },
                Verdict::Flapping { departures, quarantine } => {
                    out.push(Effect::SetTimer(DeviceTimer::Quarantine, quarantine));
                    let within = self.spec.flap.within;
                    let reason = Quarantine::Flapping { departures, within, length: quarantine };
                    State::Quarantined { reason, until: now + quarantine }
                }
                Verdict::Power { quarantine } => {
                    out.push(Effect::SetTimer(DeviceTimer::Quarantine, quarantine));
                    out.push(Effect::Act(Action::ReadSupply(self.operation.advance())));
                    let reason = Quarantine::Power { length: quarantine, supply: None };
                    State::Quarantined { reason, until: now + quarantine }
                }
            };
        }
        out.push(self.unavailable(Unusable::Absent(gone), Soon::Unknown));
        if self.is_out_of_use() {
            // It was taken from its holder because it left; it is waited for because of this.
            out.push(self.restated());
        }
        out
    }

    pub(super) fn settle(&mut self, now: Moment) -> Out {
        let wait = self.departures.settling_time(now);
        if wait.is_zero() {
            return self.check(now);
        }
        self.state = State::Settling { since: now };
        vec![Effect::SetTimer(DeviceTimer::Settling, wait), self.unavailable(Unusable::Settling, Soon::Yes)]
    }

    fn timer_over(&mut self, now: Moment, timer: DeviceTimer) -> Out {
        match (timer, &self.state) {
            (DeviceTimer::Settling, State::Settling { .. }) => self.check(now),
            (DeviceTimer::AccessRetry, State::Settling { since }) => {
                let since = *since;
                self.check(since)
            }
            (DeviceTimer::LookAfterAll, State::Faulted { mending: Mending::Later, .. }) => self.check(now),
            (DeviceTimer::Quarantine, State::Quarantined { .. }) => self.back(now),
            (DeviceTimer::Mistaken, _) => self.disclaim(),
            _ => vec![Effect::Note(Outcome::Superseded)],
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
                self.unavailable(Unusable::LookedAt, Soon::Yes)
            }
            _ => self.unavailable(self.why_unusable(), Soon::Unknown),
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
