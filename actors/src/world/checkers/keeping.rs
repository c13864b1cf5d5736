//! Invariant 11, of restarts: what a service has that stops and is to start again at once goes to nobody else meanwhile. It stops so when
//! the operator restarts it, when what it came up without has returned (`on_return`), together with what it requires, or after it has
//! failed when it does not wait (a back-off of 0). It is lost only with what it had, with what it requires, or by the operator's word.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::{Dependency, RestartWhen, Service, Sharing};
use mainstay_config::names::ServiceName;

use super::failures::Failures;
use super::ignoring::Ignoring;
use super::losses::Losses;
use super::{Check, Checker, Verdict};
use crate::action::process::{ProcessEvent, RunId};
use crate::cause::{Next, Resource, Standing};
use crate::engine::Letter;
use crate::message::Message;
use crate::message::lease::{self, LeaseMessage, LeaseRequest, Renewed, StillUsed, Token};
use crate::message::service::{ServiceMessage, ServiceTimer};
use crate::trace::MessageId;
use crate::world::environment::{Command, Environment, Happening};

#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// What each run used, as long as it lives.
    used: BTreeMap<RunId, (ServiceName, Vec<(Resource, Sharing)>)>,
    /// Who has stopped and is to start again, with what it used.
    restarting: BTreeMap<ServiceName, Vec<(Resource, Sharing)>>,
    /// Who has lost what he had, with which token, and was given nothing since.
    bereft: BTreeMap<ServiceName, Token>,
    /// Whom the operator has stopped, or who has heard that mainstay closes down.
    held: BTreeSet<ServiceName>,
    closing: BTreeSet<ServiceName>,
    failures: Failures,
    ignoring: Ignoring,
    losses: Losses,
    /// Who was told last of whom that he runs, or is about to.
    there: BTreeSet<(ServiceName, ServiceName)>,
    /// Words that somebody waits out a back-off, from whoever has no process; and of whom the registry has heard that.
    in_backoff: BTreeSet<MessageId>,
    resting: BTreeSet<ServiceName>,
    signalled: BTreeSet<RunId>,
    /// For whom files and ports are looked at that it is to use again, by the messages that such looks are caused by.
    renewing: BTreeMap<MessageId, ServiceName>,
    /// Of whom one of these is known since then: with the other, it need not keep what it had.
    gives_way: BTreeMap<ServiceName, GivesWay>,
}

/// Why somebody cannot go on with what it has, for which both are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GivesWay {
    /// It was told so.
    Told,
    /// A stranger was seen on its ports.
    Disturbed,
}

impl Checker for Keeping {
    fn check(&self) -> Check {
        Check::Keeping
    }

    fn sent(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        self.losses.sent(letter, environment.now());
        match &letter.message {
            Message::Service(service, said) => self.told(service, said, environment),
            Message::Leases(
                LeaseMessage::Idle(holder)
                | LeaseMessage::Stands(lease::Statement { holder, uses: StillUsed::InBackoff, .. }),
            ) => {
                let has_process = holder.service().is_none_or(|name| environment.trees_of(name).next().is_some());
                self.in_backoff.extend((!has_process).then_some(letter.id));
            }
            _ => {}
        }
        Ok(())
    }

    fn handled(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        let _ = self.failures.handled(letter, environment);
        self.losses.handled(letter, environment.now());
        match &letter.message {
            Message::Service(service, said) => self.heard(service, said, environment),
            Message::Leases(said) => {
                self.ports_looked_at(letter, said);
                self.registry_heard(letter.id, said);
            }
            _ => {}
        }
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        self.failures.happened(happening, environment);
        self.ignoring.happened(happening, environment);
        self.losses.happened(happening);
        match happening {
            Happening::Signalled(run) => {
                self.signalled.insert(*run);
            }
            Happening::Gone(run) => self.gone(*run, environment),
            Happening::StartedForDependent(service) => {
                self.held.remove(service);
            }
            Happening::Done(service, command) => self.done(service, *command, environment),
            Happening::Ordered(run) => return self.ordered(*run, environment),
            _ => {}
        }
        Ok(())
    }
}

impl Keeping {
    fn told(&mut self, service: &ServiceName, said: &ServiceMessage, environment: &Environment) {
        if let ServiceMessage::Renewed(_, Renewed::With(_)) = said {
            self.renewing.retain(|_, other| other != service);
        }
        match said {
            ServiceMessage::Revoked(token, _)
                if self.losses.has_lost(service, environment) || self.resting.contains(service) =>
            {
                self.restarting.remove(service);
                self.bereft.insert(service.clone(), *token);
            }
            // To one who has panicked it is said once more what he was given, and then that it is lost.
            ServiceMessage::Granted(grant) if self.bereft.get(service).is_some_and(|lost| *lost < grant.token) => {
                self.bereft.remove(service);
            }
            // A stranger has its port, and it is given another.
            ServiceMessage::Renewed(_, Renewed::With(ports)) => {
                let is_kept = |used: &Resource| match used {
                    Resource::Port(port) => ports.values().any(|given| given == port),
                    _ => true,
                };
                self.restarting.entry(service.clone()).and_modify(|had| had.retain(|(used, _)| is_kept(used)));
            }
            ServiceMessage::Renewed(_, Renewed::Refused(_) | Renewed::MustWait) => {
                self.gives_way(service, GivesWay::Told);
            }
            _ => {}
        }
    }

    fn heard(&mut self, service: &ServiceName, said: &ServiceMessage, environment: &Environment) {
        match said {
            ServiceMessage::Dependency(need, standing) => {
                let pair = (service.clone(), need.clone());
                match standing {
                    Standing::Up | Standing::Starting(_) | Standing::Leaving { next: Next::Restart, .. } => {
                        self.there.insert(pair);
                    }
                    _ => {
                        self.there.remove(&pair);
                    }
                }
                if !self.has_what_it_requires(service, environment) {
                    self.restarting.remove(service);
                }
            }
            ServiceMessage::Close => {
                self.closing.insert(service.clone());
                self.restarting.remove(service);
            }
            // It has failed to start again, and waits, or not.
            ServiceMessage::Process(_, ProcessEvent::SpawnFailed(_))
            | ServiceMessage::Timer(ServiceTimer::ReadyWithin)
                if !self.tries_again_at_once(service, environment) =>
            {
                self.restarting.remove(service);
            }
            _ => {}
        }
    }

    /// A port on which a stranger was seen is given up at once. It is told with which others to go on when those were looked at too.
    fn ports_looked_at(&mut self, letter: &Letter, said: &LeaseMessage) {
        match said {
            LeaseMessage::Renew(LeaseRequest { holder, .. }) => {
                self.renewing.retain(|_, service| !holder.is(service));
                self.gives_way.retain(|service, _| !holder.is(service));
                self.renewing.extend(holder.service().cloned().map(|service| (letter.id, service)));
            }
            // Then its ports are looked at.
            LeaseMessage::FilesSeen(..) => {
                self.renewing.extend(self.renews(letter).map(|service| (letter.id, service)))
            }
            LeaseMessage::PortsSeen(_, Ok(seen)) if !seen.is_empty() => {
                // The same message may have others' ports looked at: never those that this one holds.
                let Some(service) = self.renews(letter) else { return };
                let is_kept = |used: &Resource| !matches!(used, Resource::Port(port) if seen.contains_key(port));
                self.restarting.entry(service.clone()).and_modify(|had| had.retain(|(used, _)| is_kept(used)));
                // It waits for another one; or for nothing.
                self.gives_way(&service, GivesWay::Disturbed);
                self.renewing.insert(letter.id, service);
            }
            _ => {}
        }
    }

    fn gives_way(&mut self, service: &ServiceName, why: GivesWay) {
        if self.gives_way.insert(service.clone(), why).is_some_and(|other| other != why) {
            self.restarting.remove(service);
        }
    }

    fn renews(&self, letter: &Letter) -> Option<ServiceName> {
        self.renewing.get(&letter.cause.message?).cloned()
    }

    fn registry_heard(&mut self, letter: MessageId, said: &LeaseMessage) {
        match said {
            LeaseMessage::Idle(holder) | LeaseMessage::Stands(lease::Statement { holder, .. }) => {
                let rests = self.in_backoff.remove(&letter);
                if let Some(service) = holder.service().cloned() {
                    if rests {
                        self.resting.insert(service)
                    } else {
                        self.resting.remove(&service)
                    };
                }
            }
            LeaseMessage::Busy(holder) | LeaseMessage::Renew(LeaseRequest { holder, .. }) => {
                self.resting.retain(|service| !holder.is(service));
            }
            _ => {}
        }
    }

    fn done(&mut self, service: &ServiceName, command: Command, environment: &Environment) {
        if command == Command::Stop {
            self.held.insert(service.clone());
        } else {
            self.held.remove(service);
        }
        if self.held.contains(service) || !self.has_what_it_requires(service, environment) {
            self.restarting.remove(service);
        }
    }

    fn gone(&mut self, run: RunId, environment: &Environment) {
        let was_signalled = self.signalled.remove(&run);
        let Some((service, used)) = self.used.remove(&run) else { return };
        let by_itself = !was_signalled || self.failures.is_dying(&service);
        let is_kept = !self.held.contains(&service)
            && !self.closing.contains(&service)
            && !self.bereft.contains_key(&service)
            && !self.resting.contains(&service)
            && self.has_what_it_requires(&service, environment)
            && (!by_itself || self.tries_again_at_once(&service, environment));
        if is_kept {
            self.restarting.insert(service, used);
        }
    }

    /// Whether all that it requires runs, or is just being restarted, as far as it has heard; or it does without.
    fn has_what_it_requires(&self, service: &ServiceName, environment: &Environment) -> bool {
        let Some(spec) = environment.station().services.get(service) else { return false };
        let mut required = spec.dependencies.iter().filter(|(_, how)| matches!(how, Dependency::Required { .. }));
        self.ignoring.is(service) || required.all(|(need, _)| self.there.contains(&(service.clone(), need.clone())))
    }

    /// Whether it is started again at once after one more failure, however it has failed.
    fn tries_again_at_once(&self, service: &ServiceName, environment: &Environment) -> bool {
        let tries = |spec: &std::sync::Arc<Service>| {
            let restart = &spec.restart;
            restart.backoff.is_zero() && restart.when == RestartWhen::Always && self.failures.may_fail_again(spec)
        };
        environment.station().services.get(service).is_some_and(tries)
    }

    fn ordered(&mut self, run: RunId, environment: &Environment) -> Verdict {
        let Some(new) = environment.tree(run) else { return Ok(()) };
        self.used.insert(run, (new.service.clone(), new.uses.clone()));
        self.restarting.remove(&new.service);
        for (owner, had) in &self.restarting {
            let taken = had.iter().find(|had| new.uses.iter().any(|uses| Environment::excludes(had, uses)));
            if let Some((resource, _)) = taken {
                return Err(format!(
                    "{} is started with {resource} while {owner} is restarted, which has it",
                    new.service
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mainstay_config::model::DeviceKind;

    use super::*;
    use crate::cause::Withdrawal;
    use crate::message::device::Offer;
    use crate::message::lease::{Grant, GrantedDevice};
    use crate::message::{Moment, Outside};
    use crate::trace::{Cause, TraceId};
    use crate::world::World;
    use crate::world::stations::{Draft, assemble};

    #[test]
    fn what_the_registry_says_to_be_lost_is_kept_for_who_is_restarted_as_long_as_it_is_there() {
        for is_lost in [false, true] {
            let draft = |name: &str| Draft::new(name).device("gps", Sharing::Exclusive);
            let station = assemble(&[("gps", DeviceKind::Gps)], vec![draft("first"), draft("second").autostart_no()]);
            let (mut world, mut checker) = (World::new(&station, 1), Keeping::default());
            let run_for = |world: &mut World, seconds| {
                world.run_for(Duration::from_secs(seconds)).unwrap_or_else(|failure| panic!("{failure}"));
            };
            let [first, second] = ["first", "second"].map(|name| ServiceName::new(name).unwrap());
            let gps = world.environment().plugs().next().unwrap().0.clone();
            world.plug(&gps);
            run_for(&mut world, 60);
            let run_of = |world: &World, name: &ServiceName| {
                *world.environment().trees().find(|(_, tree)| tree.service == *name).unwrap().0
            };
            let told = |id, said| {
                let message = Message::Service(first.clone(), said);
                let cause = Cause { trace: TraceId(id), message: None };
                Letter { id: MessageId(id), cause, from: Outside::Clock.into(), message }
            };
            let sighting = world.environment().plugs().next().unwrap().1.arrival.as_ref().unwrap().sighting.clone();
            let generation = sighting.generation;
            let offer = Offer { generation, node: None, interface: None, ifindex: None, serial: None };
            let devices = BTreeMap::from([(gps.clone(), GrantedDevice { sharing: Sharing::Exclusive, offer })]);
            let (ports, named) = (BTreeMap::new(), Vec::new());
            let grant = Grant { token: Token(1), since: Moment::default(), devices, ports, named };
            checker.sent(&told(1, ServiceMessage::Granted(grant)), world.environment()).unwrap();
            let run = run_of(&world, &first);
            checker.happened(&Happening::Ordered(run), world.environment()).unwrap();
            checker.happened(&Happening::Signalled(run), world.environment()).unwrap();
            checker.happened(&Happening::Gone(run), world.environment()).unwrap();
            if is_lost {
                world.unplug(&gps);
            }
            let revoked = ServiceMessage::Revoked(Token(1), Withdrawal::Replugged(gps.clone()));
            checker.sent(&told(2, revoked), world.environment()).unwrap();
            world.plug(&gps);
            world.command(&first, Command::Stop);
            world.command(&second, Command::Start);
            run_for(&mut world, 60);
            let taken = checker.happened(&Happening::Ordered(run_of(&world, &second)), world.environment());
            assert_eq!(taken.is_err(), !is_lost, "{taken:?}");
        }
    }
}
