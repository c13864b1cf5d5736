//! Invariant 11: nothing is stopped without a cause in the world.
//!
//! When a machine begins to stop a run, one of these has befallen the service since that run was ordered, or one that it
//! requires since that said last, as far as the service has heard, to be up: the operator said so, its own end or its failure
//! to become ready, the loss or a fault of an arrival of a device that it was granted, the return of a service for which it is
//! to be restarted, its being stopped for one of these; or the daemon closes down. That an actor panicked is none of these.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::{Dependency, OnReturn};
use mainstay_config::names::ServiceName;

use super::failures::Failures;
use super::losses::Losses;
use super::{Check, Checker, Verdict};
use crate::action::probe::ProbeEvent;
use crate::action::process::{ProcessEvent, RunId};
use crate::cause;
use crate::engine::Letter;
use crate::message::lease::{LeaseMessage, LeaseRequest, Statement, StillUsed, Token};
use crate::message::service::{ServiceMessage, ServiceTimer};
use crate::message::supervision::{RootMessage, ServicesMessage};
use crate::message::{Message, Moment, Outside};
use crate::trace::MessageId;
use crate::world::environment::{Environment, Happening};

#[derive(Debug, Default)]
pub(super) struct Needless {
    closes: bool,
    failures: Failures,
    ordered: BTreeMap<RunId, Moment>,
    /// Runs that are stopped for a cause.
    stopped: BTreeSet<RunId>,
    losses: Losses,
    /// When the operator last had something done for which a service stops, or it ended, or was not ready in time.
    befallen: BTreeMap<ServiceName, Moment>,
    /// Which run of each service was heard last to run, or to be ready.
    ready: BTreeMap<ServiceName, RunId>,
    /// What one was told last of another, which it depends on.
    told_up: BTreeMap<(ServiceName, ServiceName), Up>,
    /// Such words that have not been heard yet: until then, what has befallen an earlier run still counts.
    words: BTreeMap<MessageId, Up>,
    /// Which of them one has heard last, and when for the first time.
    heard_up: BTreeMap<(ServiceName, ServiceName), (Up, Moment)>,
    /// Those of which the registry has heard last that they wait out a back-off.
    idle: BTreeSet<ServiceName>,
    /// Which leases each was to give up then, since somebody else waited for them. It may just have started again.
    gives_way: BTreeMap<ServiceName, Token>,
}

/// That a service is up: of which run that was said, and when for the first time. Said again, after a panic, it is nothing new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Up {
    run: Option<RunId>,
    said: Moment,
}

impl Checker for Needless {
    fn check(&self) -> Check {
        Check::Needless
    }

    fn sent(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        let now = environment.now();
        self.losses.sent(letter, now);
        match &letter.message {
            // From now on it waits for those that require it, to stop.
            Message::Service(_, ServiceMessage::Dependency(name, cause::Standing::Leaving { .. })) => {
                let mut theirs = environment.trees().filter(|(_, tree)| tree.service == *name);
                return theirs.try_for_each(|(run, _)| self.stops(*run, environment));
            }
            // One of which its machine has not heard yet that it runs is signalled later, whatever is so by then.
            Message::Services(ServicesMessage::ReturnSlot(name)) => self.is_to_be_stopped(name, environment),
            Message::Service(name, ServiceMessage::Dependency(other, cause::Standing::Up)) => {
                let up = Up { run: self.ready.get(other).copied(), said: now };
                let told = self.told_up.entry((name.clone(), other.clone())).or_insert(up);
                if told.run != up.run {
                    *told = up;
                }
                self.words.insert(letter.id, *told);
            }
            Message::Service(name, ServiceMessage::Revoked(token, withdrawal))
                if !withdrawal.is_loss() && self.idle.contains(name) =>
            {
                self.gives_way.insert(name.clone(), *token);
            }
            _ => {}
        }
        Ok(())
    }

    fn handled(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        let now = environment.now();
        self.losses.handled(letter, now);
        let _ = self.failures.handled(letter, environment);
        match &letter.message {
            Message::Root(RootMessage::Close | RootMessage::Hurry) => self.closes = true,
            Message::Service(name, said) if letter.from == Outside::Operator.into() => self.asked(name, said, now),
            Message::Service(name, ServiceMessage::Dependency(other, cause::Standing::Up)) => {
                self.heard_up(letter.id, name, other, now);
            }
            Message::Service(name, said) => self.heard(name, said, environment),
            Message::Leases(LeaseMessage::Idle(holder)) => self.idle.extend(holder.service().cloned()),
            Message::Leases(LeaseMessage::Busy(holder) | LeaseMessage::Renew(LeaseRequest { holder, .. })) => {
                self.idle.retain(|idle| !holder.is(idle));
            }
            Message::Leases(LeaseMessage::Stands(Statement { holder, uses, .. })) => match uses {
                StillUsed::InBackoff => self.idle.extend(holder.service().cloned()),
                StillUsed::Yes => self.idle.retain(|idle| !holder.is(idle)),
            },
            _ => {}
        }
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        self.failures.happened(happening, environment);
        match happening {
            Happening::Ordered(run) => {
                self.ordered.insert(*run, environment.now());
            }
            Happening::Signalled(run) => return self.stops(*run, environment),
            Happening::Gone(run) => {
                self.ordered.remove(run);
                self.stopped.remove(run);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Needless {
    fn asked(&mut self, name: &ServiceName, said: &ServiceMessage, now: Moment) {
        if matches!(said, ServiceMessage::Stop(_) | ServiceMessage::Restart(..)) {
            self.befallen.insert(name.clone(), now);
        }
    }

    fn heard(&mut self, name: &ServiceName, said: &ServiceMessage, environment: &Environment) {
        let now = environment.now();
        match said {
            ServiceMessage::Timer(ServiceTimer::ReadyWithin)
                if !self.failures.was_given_its_time(name, environment) => {}
            ServiceMessage::Timer(ServiceTimer::ReadyWithin)
            | ServiceMessage::Process(_, ProcessEvent::MainExited { .. } | ProcessEvent::TreeGone) => {
                self.befallen.insert(name.clone(), now);
            }
            ServiceMessage::Probe(run, ProbeEvent::Ready(_))
            | ServiceMessage::Process(run, ProcessEvent::Notified(_) | ProcessEvent::Spawned { .. }) => {
                self.ready.insert(name.clone(), *run);
            }
            _ => {}
        }
    }

    /// A word that another is up. Said again of the same run, it is no return.
    fn heard_up(&mut self, word: MessageId, name: &ServiceName, other: &ServiceName, now: Moment) {
        let Some(up) = self.words.remove(&word) else { return };
        let heard = self.heard_up.entry((name.clone(), other.clone())).or_insert((up, now));
        if heard.0 != up {
            *heard = (up, now);
        }
    }

    fn is_to_be_stopped(&mut self, name: &ServiceName, environment: &Environment) {
        // That is heard after it is so.
        let heard = self.ready.get(name).copied();
        let unborn = environment.trees().filter(|(run, tree)| tree.service == *name && Some(**run) != heard);
        for (run, _) in unborn {
            if self.ordered.get(run).is_some_and(|since| self.has_cause(name, *since, environment)) {
                self.stopped.insert(*run);
            }
        }
    }

    fn stops(&mut self, run: RunId, environment: &Environment) -> Verdict {
        let Some(tree) = environment.tree(run).filter(|tree| !tree.orphaned) else { return Ok(()) };
        let Some(since) = self.ordered.get(&run) else { return Ok(()) };
        let name = &tree.service;
        let granted = self.losses.token(name);
        let gave_way = granted.is_some() && self.gives_way.get(name).copied() == granted;
        if self.closes || gave_way || self.stopped.contains(&run) || self.has_cause(name, *since, environment) {
            // Those that require it stop for that, also when what it stops for is over before they hear of it.
            if self.stopped.insert(run) {
                self.befallen.insert(name.clone(), environment.now());
            }
            return Ok(());
        }
        Err(format!("{name} is stopped, though nothing has happened to it or to what it needs"))
    }

    /// Whether something has befallen a service since then, or what it needs.
    fn has_cause(&self, name: &ServiceName, since: Moment, environment: &Environment) -> bool {
        let befallen = is_since(self.befallen.get(name), since);
        if befallen || self.losses.has_lost(name, environment) || self.has_returned_to(name, since, environment) {
            return true;
        }
        let Some(spec) = environment.station().services.get(name) else { return false };
        let required = |(other, dependency): (&ServiceName, &Dependency)| {
            let up = self.heard_up.get(&(name.clone(), other.clone())).map(|(up, _)| up.said).unwrap_or_default();
            matches!(dependency, Dependency::Required { .. }) && self.has_cause(other, up, environment)
        };
        spec.dependencies.iter().any(required)
    }

    /// Whether it has heard that a service has come back for which it is to be restarted.
    fn has_returned_to(&self, name: &ServiceName, since: Moment, environment: &Environment) -> bool {
        let Some(spec) = environment.station().services.get(name) else { return false };
        spec.dependencies.iter().any(|(other, dependency)| {
            let restarts = matches!(dependency, Dependency::Optional { on_return: OnReturn::Restart, .. });
            let heard = self.heard_up.get(&(name.clone(), other.clone())).map(|(_, at)| at);
            restarts && is_since(heard, since)
        })
    }
}

fn is_since(at: Option<&Moment>, since: Moment) -> bool {
    at.is_some_and(|at| *at >= since)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::action::process::Notification;
    use crate::trace::{Cause, TraceId};
    use crate::world::World;
    use crate::world::stations::{Draft, assemble};

    fn letter(id: u64, to: &ServiceName, said: ServiceMessage) -> Letter {
        let cause = Cause { trace: TraceId(id), message: None };
        Letter { id: MessageId(id), cause, from: Outside::Clock.into(), message: Message::Service(to.clone(), said) }
    }

    fn is_ready(id: u64, service: &ServiceName, run: RunId) -> Letter {
        letter(id, service, ServiceMessage::Process(run, ProcessEvent::Notified(Notification::default())))
    }

    #[test]
    fn the_end_of_what_one_requires_is_a_cause_until_one_has_heard_that_it_is_back() {
        for has_heard in [false, true] {
            let station = assemble(&[], vec![Draft::new("need"), Draft::new("user").requires("need", 15)]);
            let (mut world, mut checker) = (World::new(&station, 1), Needless::default());
            world.run_for(Duration::from_secs(60)).unwrap_or_else(|failure| panic!("{failure}"));
            let [need, user] = ["need", "user"].map(|name| ServiceName::new(name).unwrap());
            let run = world.environment().trees().find(|(_, tree)| tree.service == user).map(|(run, _)| *run).unwrap();
            let is_up = |id| letter(id, &user, ServiceMessage::Dependency(need.clone(), cause::Standing::Up));
            checker.happened(&Happening::Ordered(run), world.environment()).unwrap();
            checker.handled(&is_ready(1, &need, RunId(1)), world.environment()).unwrap();
            checker.sent(&is_up(2), world.environment()).unwrap();
            checker.handled(&is_up(2), world.environment()).unwrap();
            world.run_for(Duration::from_secs(1)).unwrap_or_else(|failure| panic!("{failure}"));
            let gone = ServiceMessage::Process(RunId(1), ProcessEvent::TreeGone);
            checker.handled(&letter(3, &need, gone), world.environment()).unwrap();
            world.run_for(Duration::from_secs(1)).unwrap_or_else(|failure| panic!("{failure}"));
            checker.handled(&is_ready(4, &need, RunId(3)), world.environment()).unwrap();
            checker.sent(&is_up(5), world.environment()).unwrap();
            if has_heard {
                checker.handled(&is_up(5), world.environment()).unwrap();
            }
            let stops = checker.happened(&Happening::Signalled(run), world.environment());
            assert_eq!(stops.is_err(), has_heard, "{stops:?}");
        }
    }
}
