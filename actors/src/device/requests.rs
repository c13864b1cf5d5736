//! What the operator and the registry say to a device.

use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::sighting::Sort;

use super::fitting::Owed;
use super::machine::{DeviceMachine, Out, State, waits_no_more};
use crate::cause::{Holder, Withheld};
use crate::message::device::DeviceTimer;
use crate::message::{Action, Effect, Moment, OperatorAnswer, Outcome, Reply, RequestId};

impl DeviceMachine {
    pub(super) fn eject(&mut self, request: RequestId) -> Out {
        let name = &self.spec.name;
        let said = match self.state {
            State::Ejected => Reply::EjectedAlready(name.clone()),
            _ => Reply::Ejected(name.clone()),
        };
        self.state = State::Ejected;
        let mut out = waits_no_more();
        out.push(Effect::CancelTimer(DeviceTimer::Quarantine));
        out.push(self.restated());
        out.push(Effect::Answer(OperatorAnswer { request, outcome: Outcome::Handled, said }));
        out
    }

    pub(super) fn admit(&mut self, now: Moment, request: RequestId) -> Out {
        if self.is_undecided() {
            return self.admit_only(request);
        }
        let name = self.spec.name.clone();
        if !matches!(self.state, State::Ejected | State::Faulted { .. } | State::Quarantined { .. }) {
            let said = Reply::NothingToAdmit(name, self.status());
            return vec![Effect::Answer(OperatorAnswer { request, outcome: Outcome::Refused, said })];
        }
        self.departures.forget();
        let mut out = vec![Effect::CancelTimer(DeviceTimer::Quarantine)];
        out.extend(self.back(now));
        let said = match self.sighting {
            Some(_) => Reply::Admitted(name),
            None => Reply::AdmittedAbsent(name),
        };
        out.push(Effect::Answer(OperatorAnswer { request, outcome: Outcome::Handled, said }));
        out
    }

    /// Out of quarantine or ejection: what is there counts again.
    pub(super) fn back(&mut self, now: Moment) -> Out {
        if self.sighting.is_some() {
            self.settle(now)
        } else {
            self.state = self.undecided();
            vec![self.restated()]
        }
    }

    pub(super) fn leased(&mut self, now: Moment, holder: Option<Holder>) -> Out {
        if self.sighting.is_none() {
            // It left while the lease was given.
            return vec![Effect::Note(Outcome::Ignored)];
        }
        self.withheld = None;
        self.owed = Owed::Nothing;
        let before = self.holder.clone();
        self.set_holder(now, holder);
        self.mind_sleep(before.as_ref()).into_iter().collect()
    }

    /// On USB it is not suspended while it is leased.
    fn mind_sleep(&self, before: Option<&(Holder, Moment)>) -> Option<Effect<DeviceTimer>> {
        match (before, &self.holder) {
            (None, Some(_)) => {
                let on_usb = self.sighting.clone().filter(|sighting| sighting.usb.is_some());
                on_usb.map(|sighting| Effect::Act(Action::KeepAwake(sighting)))
            }
            (Some(_), None) => {
                let on_usb = self.sighting.as_ref().is_some_and(|sighting| sighting.usb.is_some());
                on_usb.then_some(Effect::Act(Action::LetSleep))
            }
            _ => None,
        }
    }

    /// Nobody leases it, and nobody can yet.
    pub(super) fn withheld(&mut self, now: Moment, why: Withheld) -> Out {
        let out = self.leased(now, None);
        if !matches!(out[..], [Effect::Note(_)]) {
            self.withheld = Some(why);
            self.owed = Owed::PuttingBack;
        }
        out
    }

    pub(super) fn put_back(&mut self, before: Option<WifiBaseline>) -> Out {
        self.owed = Owed::Nothing;
        if self.withheld.take().is_none() {
            return vec![Effect::Note(Outcome::Ignored)];
        }
        // The kernel's own word on it may come later, and until then it would show as it was while it was leased.
        let sort = self.sighting.as_mut().map(|sighting| &mut sighting.sort);
        if let (Some(Sort::Wifi(facts)), Some(before)) = (sort, before) {
            (facts.mode, facts.link) = (before.mode, before.link);
            facts.interface = before.interface;
        }
        Vec::new()
    }

    /// Whoever is said again to lease it has done so since he was said to first.
    fn set_holder(&mut self, now: Moment, holder: Option<Holder>) {
        let before = self.holder.take();
        self.holder = holder.map(|name| {
            let since = before.filter(|(known, _)| *known == name).map_or(now, |(_, since)| since);
            (name, since)
        });
    }
}
