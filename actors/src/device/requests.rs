//! What the operator and the registry say to a device.

use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::sighting::Sort;

use super::fitting::Owed;
use super::machine::{DeviceMachine, Out, State};
use crate::cause::Withheld;
use crate::message::{Effect, Moment, OperatorAnswer, Outcome, Reply, RequestId};

impl DeviceMachine {
    pub(super) fn eject(&mut self, request: RequestId) -> Out {
        let name = &self.spec.name;
        let said = if self.state == State::Ejected { Reply::EjectedAlready } else { Reply::Ejected };
        let answer = OperatorAnswer::done(request, said(name.clone()));
        self.state = State::Ejected;
        vec![self.restated(), answer]
    }

    pub(super) fn admit(&mut self, now: Moment, request: RequestId) -> Out {
        if self.is_undecided() {
            return self.admit_only(request);
        }
        let name = self.spec.name.clone();
        if !matches!(self.state, State::Ejected | State::Faulted { .. } | State::Quarantined { .. }) {
            return vec![OperatorAnswer::refused(request, Reply::NothingToAdmit(name, self.status()))];
        }
        self.departures.forget();
        let mut out = self.back(now);
        let said = if self.sighting.is_some() { Reply::Admitted } else { Reply::AdmittedAbsent };
        out.push(OperatorAnswer::done(request, said(name)));
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

    pub(super) fn leased(&mut self, since: Option<Moment>) -> Out {
        let Some(sighting) = &self.sighting else {
            // It left while the lease was given.
            return vec![Effect::Note(Outcome::Ignored)];
        };
        let on_usb = sighting.usb.is_some();
        self.withheld = None;
        self.owed = Owed::Nothing;
        let was_leased = std::mem::replace(&mut self.leased_since, since).is_some();
        let minds = on_usb && was_leased != since.is_some();
        minds.then(|| self.mind_sleep()).flatten().into_iter().collect()
    }

    /// Nobody leases it, and nobody can yet.
    pub(super) fn withheld(&mut self, why: Withheld) -> Out {
        let out = self.leased(None);
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
}
