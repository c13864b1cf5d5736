//! Radios are put into their mode before a grant, and back as they were when nobody uses them any more.
//!
//! First it is read how a radio is, and that is kept; only then it is changed. So it is known how it was whatever dies in between. A radio
//! that refuses to be put back is given up after some tries: its own actor says so, and before anybody leases it again it is tried
//! anew.

use std::collections::BTreeMap;

use mainstay_config::model::{Takeover, WifiMode};
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::Generation;

use super::machine::{LeaseMachine, Out, refuse};
use super::preparation::Preparation;
use crate::cause::{Absence, Blocker, DeviceFault, Holder, Refusal, Resource, Soon, Unusable};
use crate::message::device::DeviceMessage;
use crate::message::lasting::Lasting;
use crate::message::lease::LeaseTimer;
use crate::message::{Action, Effect, OperationId, Outcome};

/// A radio that is being put back, after so many failures.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Restoring {
    UnderWay {
        operation: OperationId,
        failures: usize,
    },
    Pausing {
        failures: usize,
    },
    /// It stays as it is, which is told to people; nothing is tried behind their backs until it is said to be usable again.
    GivenUp {
        fault: DeviceFault,
    },
}

/// A change of a radio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Change {
    /// The interface that it is asked for: whoever had the radio before may have made it anew meanwhile.
    pub(super) ifindex: u32,
    /// The mode; `None` leaves it.
    pub(super) mode: Option<WifiMode>,
    /// Whether somebody's network may be taken down.
    pub(super) takeover: Takeover,
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Step {
    /// Nothing yet: it is being looked whether something else is in the way.
    Waits,
    /// It is being read how the radio is.
    Read,
    /// It is being put into its mode.
    Set(WifiMode),
    /// The same, once more: what came of the first time was lost.
    SetAgain(WifiMode),
}

/// A change under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Preparing {
    pub(super) operation: OperationId,
    pub(super) change: Change,
    pub(super) step: Step,
}

/// What is known of radios that are not as they were.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Radios {
    /// How each changed radio was before.
    pub(super) changed: BTreeMap<DeviceName, WifiBaseline>,
    /// Those that are being changed.
    pub(super) preparing: BTreeMap<DeviceName, Preparing>,
    /// Those that are being put back.
    pub(super) restoring: BTreeMap<DeviceName, Restoring>,
    /// Which arrival of each was changed last, or was to be.
    pub(super) arrivals: BTreeMap<DeviceName, Generation>,
}

impl Radios {
    /// What an earlier mainstay has changed and not put back.
    pub(super) fn left_by(earlier: &BTreeMap<DeviceName, WifiBaseline>) -> Self {
        Self { changed: earlier.clone(), ..Self::default() }
    }

    /// How a radio is is known, and written down: only then it is changed.
    fn note(&mut self, device: &DeviceName, before: WifiBaseline) -> Effect<LeaseTimer> {
        self.changed.insert(device.clone(), before.clone());
        Effect::Act(Action::Remember(Lasting::Radio(device.clone(), before)))
    }

    /// Nothing is left to put back of a radio, which was so before it was changed.
    pub(super) fn forget(&mut self, device: &DeviceName) -> Option<(WifiBaseline, Effect<LeaseTimer>)> {
        let before = self.changed.remove(device)?;
        Some((before, Effect::Act(Action::Remember(Lasting::RadioIsBack(device.clone())))))
    }

    /// All of it is written down once more: that may have been lost.
    fn note_again<'a>(&self, known: impl Iterator<Item = &'a DeviceName>) -> impl Iterator<Item = Effect<LeaseTimer>> {
        let changed = self.changed.iter().map(|(device, before)| Lasting::Radio(device.clone(), before.clone()));
        let back = known.filter(|device| !self.changed.contains_key(*device)).cloned().map(Lasting::RadioIsBack);
        changed.chain(back).map(Action::Remember).map(Effect::Act)
    }

    /// Whether all are as they were, or given up, but for some.
    pub(super) fn are_settled_but_for(&self, left: impl Fn(&DeviceName) -> bool) -> bool {
        let is_given_up = |device| matches!(self.restoring.get(device), Some(Restoring::GivenUp { .. }));
        let mut others = self.changed.keys().chain(self.restoring.keys()).filter(|device| !left(device));
        self.preparing.is_empty() && others.all(is_given_up)
    }

    /// Whether something is done to put it back.
    pub(super) fn is_being_put_back(&self, device: &DeviceName) -> bool {
        matches!(self.restoring.get(device), Some(Restoring::UnderWay { .. } | Restoring::Pausing { .. }))
    }

    /// What its own actor is told when it was given up.
    pub(super) fn given_up(&self, device: &DeviceName) -> Option<DeviceMessage> {
        match self.restoring.get(device) {
            Some(Restoring::GivenUp { fault }) => Some(self.is_faulty(device, fault.clone())),
            Some(Restoring::UnderWay { .. } | Restoring::Pausing { .. }) | None => None,
        }
    }

    pub(super) fn is_faulty(&self, device: &DeviceName, fault: DeviceFault) -> DeviceMessage {
        DeviceMessage::Fault(fault, self.arrivals.get(device).cloned())
    }

    /// What keeps a radio from being leased, when it is not as it was.
    pub(super) fn blocker(&self, device: &DeviceName) -> Option<Blocker> {
        match self.restoring.get(device) {
            Some(Restoring::GivenUp { fault }) => {
                let reason = Unusable::Faulted(fault.clone());
                Some(Blocker::Device { device: device.clone(), reason, soon: Soon::Unknown })
            }
            Some(_) => Some(Blocker::Restoring { device: device.clone() }),
            None => self.preparing.contains_key(device).then_some(Blocker::Preparing),
        }
    }
}

impl LeaseMachine {
    /// What was under way may have been lost: reading, setting and putting back can all be done twice.
    pub(super) fn begin_radios_again(&mut self) -> Out {
        let mut out: Out = self.radios.note_again(self.users.keys()).collect();
        for (device, preparing) in &mut self.radios.preparing {
            preparing.operation = self.operation.advance();
            if let Step::Set(mode) = preparing.step {
                preparing.step = Step::SetAgain(mode);
            }
            out.extend(preparing.act(device));
        }
        for (device, restoring) in &mut self.radios.restoring {
            if let (Restoring::UnderWay { operation, .. }, Some(before)) = (restoring, self.radios.changed.get(device))
            {
                *operation = self.operation.advance();
                let (operation, device, before) = (*operation, device.clone(), before.clone());
                out.push(Effect::Act(Action::RestoreRadio { operation, device, before }));
            }
        }
        out
    }

    /// Begins to change the radios of a request with which nothing else is in the way.
    pub(super) fn begin_radios(&mut self, preparation: &Preparation, out: &mut Out) {
        for device in preparation.radios.keys() {
            let Some(waiting) = self.radios.preparing.get_mut(device).filter(|known| known.step == Step::Waits) else {
                continue;
            };
            *waiting = Preparing { operation: self.operation.advance(), step: Step::Read, ..*waiting };
            out.extend(waiting.act(device));
            let generation = preparation.offers.get(device).map(|offer| offer.generation.clone());
            self.radios.arrivals.extend(generation.map(|generation| (device.clone(), generation)));
        }
    }

    /// Something else was in the way, or nobody waits any more: radios are left as they are of which nothing was begun.
    pub(super) fn forget_unbegun_radios(&mut self) {
        let is_wanted = |device: &DeviceName| {
            self.queue.prepared_with(device).iter().any(|holder| self.change_of(holder, device).is_some())
        };
        let unbegun = self.radios.preparing.iter().filter(|(_, known)| known.step == Step::Waits);
        let unwanted: Vec<DeviceName> =
            unbegun.map(|(device, _)| device).filter(|device| !is_wanted(device)).cloned().collect();
        for device in unwanted {
            self.radios.preparing.remove(&device);
            self.queue.touch(&Resource::Device(device));
        }
    }

    /// The change that this answers, if it is under way. It is over, unless it goes on with another step.
    fn end(&mut self, device: &DeviceName, operation: OperationId) -> Option<Preparing> {
        let current = self.radios.preparing.get(device).is_some_and(|known| known.operation == operation);
        if current { self.radios.preparing.remove(device) } else { None }
    }

    pub(super) fn radio_read(
        &mut self,
        operation: OperationId,
        device: &DeviceName,
        result: Result<WifiBaseline, Error>,
    ) -> Out {
        let Some(preparing) = self.end(device, operation) else { return vec![Effect::Note(Outcome::Superseded)] };
        let before = match result {
            Ok(before) => before,
            Err(error) => return self.could_not_prepare(device, &error),
        };
        let is_wanted = |holder: &Holder| self.change_of(holder, device).is_some();
        if !self.queue.prepared_with(device).iter().any(is_wanted) {
            // Nobody waits for it any more, and it is as it was.
            return Vec::new();
        }
        let noted = self.radios.note(device, before);
        let Some(mode) = preparing.change.mode else {
            self.is_made_ready(device);
            return vec![noted];
        };
        let next = Preparing { operation: self.operation.advance(), step: Step::Set(mode), ..preparing };
        self.radios.preparing.insert(device.clone(), next);
        std::iter::once(noted).chain(next.act(device)).collect()
    }

    pub(super) fn radio_set(&mut self, operation: OperationId, device: &DeviceName, result: Result<(), Error>) -> Out {
        let Some(Preparing { step, .. }) = self.end(device, operation) else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        let mut out = Vec::new();
        match result {
            // Somebody waits for it and goes on; or nobody does, and it is put back.
            Ok(()) => self.is_made_ready(device),
            Err(error) => {
                let is_untouched =
                    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::NotTried);
                if is_untouched && matches!(step, Step::Set(_)) {
                    // Nothing was changed, also not the first time.
                    out.extend(self.radios.forget(device).map(|(_, noted)| noted));
                }
                out.extend(self.could_not_prepare(device, &error));
            }
        }
        out
    }

    /// The change of a radio that somebody waits for.
    fn change_of(&self, holder: &Holder, device: &DeviceName) -> Option<&Change> {
        self.queue.get(holder)?.preparation.as_ref()?.radios.get(device)
    }

    fn is_made_ready(&mut self, device: &DeviceName) {
        for holder in self.queue.prepared_with(device) {
            self.queue.change(&holder, |queued| {
                queued.preparation.as_mut().and_then(|preparation| preparation.radios.remove(device));
            });
        }
    }

    fn could_not_prepare(&mut self, device: &DeviceName, error: &Error) -> Out {
        let mut prepared = self.queue.prepared_with(device).into_iter();
        let waiting = prepared.find_map(|holder| {
            let asked = self.change_of(&holder, device)?.ifindex;
            Some((holder, asked))
        });
        if let Some((holder, _)) = &waiting {
            self.queue.change(holder, |queued| {
                queued.preparation.as_mut().and_then(|preparation| preparation.radios.remove(device));
            });
        }
        let mut out = Vec::new();
        if error.kind() == ErrorKind::TimedOut {
            out.extend(self.give_up(device, DeviceFault::DriverHung(error.clone())));
        }
        match waiting {
            Some((holder, asked)) => out.extend(self.not_prepared(device, &holder, asked, error)),
            None if out.is_empty() => out.push(Effect::Note(Outcome::Superseded)),
            None => {}
        }
        out
    }

    /// Somebody waits for a radio that could not be made ready.
    fn not_prepared(&mut self, device: &DeviceName, holder: &Holder, asked: u32, error: &Error) -> Out {
        match error.kind() {
            ErrorKind::NotFound => {
                let preparation = self.queue.get(holder).and_then(|queued| queued.preparation.as_ref());
                let offer = preparation.and_then(|preparation| preparation.offers.get(device));
                if offer.and_then(|offer| offer.ifindex).is_some_and(|present| present != asked) {
                    // The interface was made anew since, and is there.
                    self.queue.change(holder, |queued| queued.preparation = None);
                    return Vec::new();
                }
                self.vanished(device)
            }
            ErrorKind::NotTried => {
                self.queue.change(holder, |queued| {
                    queued.preparation = None;
                    let reason = Unusable::NotTried(error.clone());
                    queued.untried = Some(Blocker::Device { device: device.clone(), reason, soon: Soon::Yes });
                });
                Vec::new()
            }
            ErrorKind::Busy
            | ErrorKind::PermissionDenied
            | ErrorKind::NotSupported
            | ErrorKind::Refused
            | ErrorKind::TimedOut
            | ErrorKind::Other => {
                let mut out = self.withdraw(holder);
                out.extend(refuse(holder, Refusal::NotPrepared { device: device.clone(), error: error.clone() }));
                out
            }
        }
    }

    /// It left while it was made ready, which is nobody's failure. Its own actor will say how, or that it is there again.
    fn vanished(&mut self, device: &DeviceName) -> Out {
        self.unavailable(device, Unusable::Absent(Absence::Vanished), Soon::Unknown)
    }
}

impl Preparing {
    fn act(self, device: &DeviceName) -> Option<Effect<LeaseTimer>> {
        let Self { operation, change: Change { ifindex, takeover, .. }, step } = self;
        let device = device.clone();
        Some(Effect::Act(match step {
            Step::Waits => return None,
            Step::Read => Action::ReadRadio { operation, device, ifindex },
            Step::Set(mode) | Step::SetAgain(mode) => Action::SetRadio { operation, device, ifindex, mode, takeover },
        }))
    }
}
