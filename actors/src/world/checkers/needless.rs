//! Invariant 11: nothing is stopped without a cause in the world.
//!
//! When a machine begins to stop a run, one of these has befallen the service since that run was ordered, or one that it
//! requires since that said last, as far as the service has heard, to be up: the operator said so, its own end or its failure
//! to become ready, the loss or a fault of an arrival of a device that it was granted, the return of a service for which it is
//! to be restarted, its being stopped for one of these; or it was told that the daemon closes down, as somebody has asked for. That an
//! actor panicked is none of these, nor is what is said to have ended and has not, nor way that is given to who does not wait.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::{Dependency, OnReturn};
use mainstay_config::names::ServiceName;

use super::failures::Failures;
use super::losses::Losses;
use super::{Check, Checker, Verdict};
use crate::action::probe::ProbeEvent;
use crate::action::process::{ProcessEvent, RunId};
use crate::cause::{self, Holder, Resource, Withdrawal};
use crate::engine::Letter;
use crate::message::lease::{LeaseMessage, LeaseRequest, Statement, StillUsed, Token};
use crate::message::service::{ServiceMessage, ServiceTimer};
use crate::message::supervision::{RootMessage, ServicesMessage};
use crate::message::{Message, Moment, Outside};
use crate::trace::MessageId;
use crate::world::environment::{Environment, Happening, wanted};

#[derive(Debug, Default)]
pub(super) struct Needless {
    /// Whether somebody has asked that the daemon closes down.
    is_to_close: bool,
    failures: Failures,
    /// What everybody waits for, as far as the registry has heard.
    waits: BTreeMap<Holder, LeaseRequest>,
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
            Message::Service(name, ServiceMessage::Revoked(token, Withdrawal::GivingWay { to, resource }))
                if self.idle.contains(name) && self.waits_for(to, resource) =>
            {
                self.gives_way.insert(name.clone(), *token);
            }
            Message::Service(name, ServiceMessage::Granted(_) | ServiceMessage::Refused(_)) => {
                self.waits.remove(&Holder::from(name));
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
            Message::Root(RootMessage::Close | RootMessage::Hurry) => self.is_to_close = true,
            Message::Service(name, said) if letter.from == Outside::Operator.into() => self.asked(name, said, now),
            Message::Service(name, ServiceMessage::Dependency(other, cause::Standing::Up)) => {
                self.heard_up(letter.id, name, other, now);
            }
            Message::Service(name, said) => self.heard(name, said, environment),
            Message::Leases(said) => self.registry_heard(said),
            _ => {}
        }
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        self.failures.happened(happening, environment);
        self.losses.happened(happening);
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
            ServiceMessage::Timer(ServiceTimer::ReadyWithin) => drop(self.befallen.insert(name.clone(), now)),
            ServiceMessage::Close | ServiceMessage::Hurry if self.is_to_close => {
                self.befallen.insert(name.clone(), now);
            }
            ServiceMessage::Process(run, ProcessEvent::MainExited { .. })
                if environment.tree(*run).is_none_or(|tree| tree.orphaned) =>
            {
                self.befallen.insert(name.clone(), now);
            }
            ServiceMessage::Process(run, ProcessEvent::TreeGone) if environment.tree(*run).is_none() => {
                self.befallen.insert(name.clone(), now);
            }
            ServiceMessage::Probe(run, ProbeEvent::Ready(_))
            | ServiceMessage::Process(run, ProcessEvent::Notified(_) | ProcessEvent::Spawned { .. }) => {
                self.ready.insert(name.clone(), *run);
            }
            _ => {}
        }
    }

    fn registry_heard(&mut self, said: &LeaseMessage) {
        match said {
            LeaseMessage::Request(request) => drop(self.waits.insert(request.holder.clone(), request.clone())),
            LeaseMessage::Withdraw(holder) | LeaseMessage::Release(holder, _) => drop(self.waits.remove(holder)),
            LeaseMessage::Idle(holder) => self.idle.extend(holder.service().cloned()),
            LeaseMessage::Busy(holder) | LeaseMessage::Renew(LeaseRequest { holder, .. }) => {
                self.idle.retain(|idle| !holder.is(idle));
            }
            LeaseMessage::Stands(Statement { holder, uses, wants, .. }) => {
                self.waits.remove(holder);
                self.waits.extend(wants.clone().map(|request| (holder.clone(), request)));
                match uses {
                    StillUsed::InBackoff => self.idle.extend(holder.service().cloned()),
                    StillUsed::Yes => self.idle.retain(|idle| !holder.is(idle)),
                }
            }
            _ => {}
        }
    }

    fn waits_for(&self, holder: &Holder, resource: &Resource) -> bool {
        self.waits.get(holder).is_some_and(|request| request.wants.iter().any(|want| wanted(want, resource).is_some()))
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
        if gave_way || self.stopped.contains(&run) || self.has_cause(name, *since, environment) {
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
    use crate::message::lease::{Grant, Want};
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

    /// A station of these two in which everything runs, and the run of each.
    fn need_and_user() -> (World, [ServiceName; 2], [RunId; 2]) {
        let station = assemble(&[], vec![Draft::new("need"), Draft::new("user").requires("need", 15)]);
        let mut world = World::new(&station, 1);
        world.run_for(Duration::from_secs(60)).unwrap_or_else(|failure| panic!("{failure}"));
        let names = ["need", "user"].map(|name| ServiceName::new(name).unwrap());
        let run = |name: &ServiceName| *world.environment().trees().find(|(_, tree)| tree.service == *name).unwrap().0;
        let runs = [run(&names[0]), run(&names[1])];
        (world, names, runs)
    }

    #[test]
    fn the_end_of_what_one_requires_is_a_cause_until_one_has_heard_that_it_is_back_and_when_it_is_true() {
        for (has_ended, has_heard) in [(true, false), (true, true), (false, false)] {
            let (mut world, [need, user], [lives, run]) = need_and_user();
            let mut checker = Needless::default();
            let of_need = if has_ended { RunId(1_000_000) } else { lives };
            let is_up = |id| letter(id, &user, ServiceMessage::Dependency(need.clone(), cause::Standing::Up));
            checker.happened(&Happening::Ordered(run), world.environment()).unwrap();
            checker.handled(&is_ready(1, &need, of_need), world.environment()).unwrap();
            checker.sent(&is_up(2), world.environment()).unwrap();
            checker.handled(&is_up(2), world.environment()).unwrap();
            world.run_for(Duration::from_secs(1)).unwrap_or_else(|failure| panic!("{failure}"));
            let gone = ServiceMessage::Process(of_need, ProcessEvent::TreeGone);
            checker.handled(&letter(3, &need, gone), world.environment()).unwrap();
            world.run_for(Duration::from_secs(1)).unwrap_or_else(|failure| panic!("{failure}"));
            checker.handled(&is_ready(4, &need, RunId(1_000_001)), world.environment()).unwrap();
            checker.sent(&is_up(5), world.environment()).unwrap();
            if has_heard {
                checker.handled(&is_up(5), world.environment()).unwrap();
            }
            let stops = checker.happened(&Happening::Signalled(run), world.environment());
            assert_eq!(stops.is_ok(), has_ended && !has_heard, "{stops:?}");
        }
    }

    #[test]
    fn closing_down_is_a_cause_for_whoever_was_told_so_when_somebody_has_asked_for_it() {
        for (is_asked, is_told) in [(true, true), (true, false), (false, true)] {
            let (world, [_, user], [_, run]) = need_and_user();
            let mut checker = Needless::default();
            checker.happened(&Happening::Ordered(run), world.environment()).unwrap();
            let cause = Cause { trace: TraceId(1), message: None };
            let message = Message::Root(RootMessage::Close);
            let close = Letter { id: MessageId(1), cause, from: Outside::Signal.into(), message };
            if is_asked {
                checker.handled(&close, world.environment()).unwrap();
            }
            if is_told {
                checker.handled(&letter(2, &user, ServiceMessage::Close), world.environment()).unwrap();
            }
            let stops = checker.happened(&Happening::Signalled(run), world.environment());
            assert_eq!(stops.is_ok(), is_asked && is_told, "{stops:?}");
        }
    }

    #[test]
    fn way_is_given_only_to_who_waits_for_just_that() {
        let wish = |what: &str| Want::Other(Resource::Named(what.to_owned()));
        for (wants, may_stop) in [(Some("antenna"), true), (Some("other"), false), (None, false)] {
            let (world, [other, user], [_, run]) = need_and_user();
            let mut checker = Needless::default();
            let told = |id, message| Letter { message, ..letter(id, &user, ServiceMessage::Begin) };
            if let Some(what) = wants {
                let wants = vec![wish(what)];
                let arrival = Moment::default();
                let request = LeaseRequest { holder: (&other).into(), wants, priority: 0, timeout: None, arrival };
                let asks = told(1, Message::Leases(LeaseMessage::Request(request)));
                checker.handled(&asks, world.environment()).unwrap();
            }
            let grant = Grant {
                token: Token(1),
                since: Moment::default(),
                devices: BTreeMap::new(),
                ports: BTreeMap::new(),
                named: Vec::new(),
            };
            checker.sent(&letter(2, &user, ServiceMessage::Granted(grant)), world.environment()).unwrap();
            let idle = told(3, Message::Leases(LeaseMessage::Idle((&user).into())));
            checker.handled(&idle, world.environment()).unwrap();
            let gives_way =
                Withdrawal::GivingWay { to: (&other).into(), resource: Resource::Named("antenna".to_owned()) };
            checker.sent(&letter(4, &user, ServiceMessage::Revoked(Token(1), gives_way)), world.environment()).unwrap();
            checker.happened(&Happening::Ordered(run), world.environment()).unwrap();
            let stops = checker.happened(&Happening::Signalled(run), world.environment());
            assert_eq!(stops.is_ok(), may_stop, "{stops:?}");
        }
    }
}
