//! The services a service depends on: whether they are met, missing, or lost.
//!
//! There may be thousands of them, and each is heard of several times: what is asked after every message is counted when a
//! need changes, and not looked for among all of them.

mod tally;

use std::collections::BTreeMap;

use mainstay_config::model::{Dependency, OnReturn};
use mainstay_config::names::ServiceName;

use self::tally::Tally;
use super::machine::Out;
use super::state::Ignoring;
use crate::cause::{HowLost, Listed, Missing, Next, Origin, Requirement, Standing, Why};
use crate::message::service::ServiceTimer;
use crate::message::{Effect, Moment};

/// One dependency.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Need {
    pub(super) dependency: Dependency,
    pub(super) standing: Standing,
    loss: Loss,
    wait: Wait,
}

/// Whether a required service that is down counts as lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Loss {
    /// It is not down, or this service does not run.
    No,
    /// It is down, and there is still time for it to come back: until then.
    Counting(Moment),
    /// It is lost.
    Lost,
}

/// The wait for a service that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Wait {
    NotBegun,
    /// Since then.
    Counting(Moment),
    Over,
}

/// Whether the service that depends on others has a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Dependent {
    Runs,
    Rests,
}

/// All dependencies of a service.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Needs {
    all: BTreeMap<ServiceName, Need>,
    tally: Tally,
}

impl Needs {
    pub(super) fn new(dependencies: &BTreeMap<ServiceName, Dependency>) -> Self {
        let need = |dependency: &Dependency| Need {
            dependency: *dependency,
            standing: Standing::ASSUMED,
            loss: Loss::No,
            wait: Wait::NotBegun,
        };
        Self::counted(dependencies.iter().map(|(name, dependency)| (name.clone(), need(dependency))).collect())
    }

    /// The same, with everything that is counted counted anew.
    pub(super) fn counted_anew(&self) -> Self {
        Self::counted(self.all.clone())
    }

    fn counted(all: BTreeMap<ServiceName, Need>) -> Self {
        let mut tally = Tally::default();
        all.iter().for_each(|(name, need)| tally.add(name, need));
        Self { all, tally }
    }

    /// How one stands.
    pub(super) fn standing(&self, name: &ServiceName) -> Option<&Standing> {
        self.all.get(name).map(|need| &need.standing)
    }

    /// Changes one need; everything that is counted follows. `None`: there is no such need.
    fn change<T>(&mut self, name: &ServiceName, change: impl FnOnce(&ServiceName, &mut Need) -> T) -> Option<T> {
        let need = self.all.get_mut(name)?;
        self.tally.remove(name, need);
        let answer = change(name, need);
        self.tally.add(name, need);
        Some(answer)
    }

    /// Notes how a service stands. Answers whether an optional service has come back for which a restart is configured.
    pub(super) fn heard(
        &mut self,
        now: Moment,
        name: &ServiceName,
        standing: Standing,
        dependent: Dependent,
        out: &mut Out,
    ) -> OnReturn {
        let heard = self.change(name, |name, need| need.heard(now, name, standing, dependent, out));
        heard.unwrap_or(OnReturn::Keep)
    }

    /// Whether a required service is lost and does not run any more.
    pub(super) fn is_gone(&self, name: &ServiceName) -> bool {
        let is_gone = |need: &Need| need.loss == Loss::Lost && !matches!(need.standing, Standing::Leaving { .. });
        self.all.get(name).is_some_and(is_gone)
    }

    /// A required service has been down too long.
    pub(super) fn count_as_lost(&mut self, name: &ServiceName) -> bool {
        let lose = |need: &mut Need| matches!(need.loss, Loss::Counting(_)).then(|| need.loss = Loss::Lost);
        self.change(name, |_, need| lose(need)).flatten().is_some()
    }

    /// A wait is over.
    pub(super) fn waited(&mut self, name: &ServiceName) -> bool {
        let end = |need: &mut Need| matches!(need.wait, Wait::Counting(_)).then(|| need.wait = Wait::Over);
        self.change(name, |_, need| end(need)).flatten().is_some()
    }

    /// Begins the waits that a start needs: for optional services that are coming. How long a required one is waited for is
    /// only said, and needs no timer.
    pub(super) fn set_waits(&mut self, now: Moment, out: &mut Out) {
        for name in std::mem::take(&mut self.tally.unbegun) {
            self.change(&name, |name, need| {
                need.wait = Wait::Counting(now);
                if let Dependency::Optional { timeout, .. } = need.dependency {
                    out.push(Effect::SetTimer(ServiceTimer::Optional(name.clone()), timeout));
                }
            });
        }
    }

    /// The service is not about to start: it waits for nobody, and the next start waits anew.
    pub(super) fn await_nobody(&mut self, out: &mut Out) {
        for name in std::mem::take(&mut self.tally.begun) {
            self.change(&name, |name, need| need.forget_wait(name, out));
        }
    }

    /// The service is about to be signalled, and there is nothing more for which it would stop.
    pub(super) fn count_nothing(&mut self, out: &mut Out) {
        for name in std::mem::take(&mut self.tally.counting) {
            self.change(&name, |name, need| need.forget_loss(name, out));
        }
    }

    /// The service has stopped: nothing is lost any more, and the next start waits anew.
    pub(super) fn stopped(&mut self, out: &mut Out) {
        let mut tally = Tally::default();
        for (name, need) in &mut self.all {
            need.forget_waits(name, out);
            tally.add(name, need);
        }
        self.tally = tally;
    }

    /// Whether nothing keeps the service from starting.
    pub(super) fn are_met(&self) -> bool {
        self.tally.unmet.is_empty()
    }

    /// Whether every service that it cannot be without is there.
    pub(super) fn required_are_met(&self) -> bool {
        self.tally.required == 0
    }

    /// Whether every service that it cannot be without is there, or is just being restarted.
    pub(super) fn required_are_returning(&self) -> bool {
        self.tally.away == 0
    }

    /// What is still waited for, the most pressing first.
    pub(super) fn missing(&self) -> Listed<Missing> {
        let missing = |name: &ServiceName| Some(self.all.get(name)?.missing(name));
        Listed::of(self.tally.unmet.iter().filter_map(|(_, name)| missing(name)), self.tally.unmet.len())
    }

    /// Whether everything that is missing is on its way.
    pub(super) fn are_coming(&self) -> bool {
        self.tally.unmet.first().is_none_or(|(urgency, _)| *urgency == Urgency::Coming)
    }

    /// What it requires that is not meant to run.
    pub(super) fn held(&self) -> Option<Missing> {
        let (urgency, name) = self.tally.unmet.first()?;
        // Only what is required is waited for although it is held.
        (*urgency == Urgency::Held).then(|| self.all.get(name).map(|need| need.missing(name))).flatten()
    }

    /// Why the service must stop: a required service is lost.
    pub(super) fn lost(&self) -> Option<Why> {
        let name = self.tally.lost.first()?;
        let standing = &self.all.get(name)?.standing;
        let how = if matches!(standing, Standing::Leaving { .. }) { HowLost::Stops } else { HowLost::Down };
        Some(Why::Lost { need: name.clone(), how, origin: Origin::of(name, standing) })
    }

    /// What it runs without: optional services, and required ones by the operator's word.
    pub(super) fn degraded(&self, ignoring: Ignoring) -> Listed<Missing> {
        let required = self.tally.unmet.iter().map(|(_, name)| name).filter(|_| ignoring == Ignoring::Yes);
        let is_required = |name: &&ServiceName| self.all.get(*name).is_some_and(Need::is_required);
        let missing = |name: &ServiceName| Some(self.all.get(name)?.missing(name));
        let all = required.filter(is_required).chain(&self.tally.absent).filter_map(missing);
        let ignored = if ignoring == Ignoring::Yes { self.tally.required } else { 0 };
        Listed::of(all, self.tally.absent.len() + ignored)
    }
}

/// How pressing it is that a need is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
enum Urgency {
    /// Nothing brings it but the operator.
    Held,
    /// It is down.
    Down,
    /// It is on its way, or nothing is known of it yet.
    Coming,
}

impl Need {
    fn heard(
        &mut self,
        now: Moment,
        name: &ServiceName,
        standing: Standing,
        dependent: Dependent,
        out: &mut Out,
    ) -> OnReturn {
        let came_back = standing == Standing::Up && self.standing != Standing::Up;
        // After a restart of the actor nothing is known yet: hearing of it is no return.
        let returned = came_back && self.standing != Standing::Unknown;
        self.standing = standing;
        if came_back {
            self.forget_waits(name, out);
        }
        match self.dependency {
            Dependency::Required { lost_after, .. } => match self.standing {
                Standing::Up => {}
                Standing::Leaving { .. } => self.lose(name, out),
                // Nothing brings it back by itself.
                Standing::Held(_) if dependent == Dependent::Runs => self.lose(name, out),
                _ if dependent == Dependent::Rests || self.loss != Loss::No => {}
                _ if lost_after.is_zero() => self.loss = Loss::Lost,
                Standing::Unknown
                | Standing::Starting(_)
                | Standing::Coming(_)
                | Standing::Down(_)
                | Standing::Held(_) => {
                    self.loss = Loss::Counting(now + lost_after);
                    out.push(Effect::SetTimer(ServiceTimer::Lost(name.clone()), lost_after));
                }
            },
            Dependency::Optional { on_return, .. } if returned && dependent == Dependent::Runs => return on_return,
            Dependency::Optional { .. } | Dependency::Soft => {}
        }
        OnReturn::Keep
    }

    fn is_required(&self) -> bool {
        matches!(self.dependency, Dependency::Required { .. })
    }

    fn is_met(&self) -> bool {
        match self.dependency {
            Dependency::Required { .. } => self.standing == Standing::Up,
            Dependency::Optional { .. } => match self.standing {
                Standing::Unknown | Standing::Starting(_) | Standing::Coming(_) => self.wait == Wait::Over,
                Standing::Up | Standing::Leaving { .. } | Standing::Down(_) | Standing::Held(_) => true,
            },
            // Order only: it is let go first when it is on its way.
            Dependency::Soft => {
                !matches!(self.standing, Standing::Unknown | Standing::Starting(_) | Standing::Coming(_))
            }
        }
    }

    fn is_returning(&self) -> bool {
        match self.standing {
            Standing::Up | Standing::Starting(_) | Standing::Leaving { next: Next::Restart, .. } => true,
            Standing::Leaving { next: Next::Rest, .. } => false,
            Standing::Unknown | Standing::Coming(_) | Standing::Down(_) | Standing::Held(_) => false,
        }
    }

    fn urgency(&self) -> Urgency {
        match self.standing {
            Standing::Held(_) => Urgency::Held,
            Standing::Down(_) | Standing::Leaving { next: Next::Rest, .. } => Urgency::Down,
            // One that leaves to be restarted is on its way back: else each of a chain that is restarted would call all after it
            // down, coming and down again.
            Standing::Leaving { next: Next::Restart, .. }
            | Standing::Up
            | Standing::Starting(_)
            | Standing::Coming(_)
            | Standing::Unknown => Urgency::Coming,
        }
    }

    fn missing(&self, name: &ServiceName) -> Missing {
        let patience = match (self.dependency, self.wait) {
            (Dependency::Required { timeout, .. }, Wait::Counting(since)) => Some((since.since_boot(), timeout)),
            (Dependency::Required { .. }, Wait::NotBegun | Wait::Over) => None,
            (Dependency::Optional { .. } | Dependency::Soft, _) => None,
        };
        let requirement = if self.is_required() { Requirement::Required } else { Requirement::Optional };
        Missing { need: name.clone(), requirement, standing: self.standing.clone(), patience }
    }

    /// It is lost, whether or not that was counted before.
    fn lose(&mut self, name: &ServiceName, out: &mut Out) {
        self.count_no_more(name, out);
        self.loss = Loss::Lost;
    }

    fn count_no_more(&mut self, name: &ServiceName, out: &mut Out) {
        if let Loss::Counting(_) = self.loss {
            out.push(Effect::CancelTimer(ServiceTimer::Lost(name.clone())));
        }
    }

    fn forget_waits(&mut self, name: &ServiceName, out: &mut Out) {
        self.forget_loss(name, out);
        self.forget_wait(name, out);
    }

    fn forget_loss(&mut self, name: &ServiceName, out: &mut Out) {
        self.count_no_more(name, out);
        self.loss = Loss::No;
    }

    fn forget_wait(&mut self, name: &ServiceName, out: &mut Out) {
        if let (Wait::Counting(_), Dependency::Optional { .. }) = (self.wait, self.dependency) {
            out.push(Effect::CancelTimer(ServiceTimer::Optional(name.clone())));
        }
        self.wait = Wait::NotBegun;
    }
}
