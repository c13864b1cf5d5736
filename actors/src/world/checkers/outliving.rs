//! Invariant 2: no process of a service runs while a required device is gone beyond the time to stop, or a required
//! service is gone beyond `lost_after` and that time.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_config::model::{Dependency, Station};
use mainstay_config::names::{DeviceName, ServiceName};

use super::ignoring::Ignoring;
use super::reach::{all_requirers, time_to_stop};
use super::{Check, Checker, Verdict};
use crate::action::process::RunId;
use crate::cause::Resource;
use crate::message::{ActorId, Moment};
use crate::world::environment::{Command, Environment, Happening};

/// How long a process that outlives SIGKILL is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process tree that must be gone by some moment, unless what it lacks comes back before.
#[derive(Debug)]
struct Sentence {
    run: RunId,
    by: Moment,
    lacks: Lack,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Lack {
    /// It was bound to an arrival that is over.
    Device(DeviceName),
    Service(ServiceName),
}

#[derive(Debug, Default)]
pub(super) struct Outliving {
    sentences: Vec<Sentence>,
    /// What they require is their operator's affair.
    ignoring: Ignoring,
    /// Since when and until when processes outlive SIGKILL.
    hanging: BTreeMap<RunId, (Moment, Moment)>,
}

impl Checker for Outliving {
    fn check(&self) -> Check {
        Check::Outliving
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        self.ignoring.happened(happening, environment);
        match happening {
            Happening::Unplugged(device) => self.unplugged(device, environment),
            Happening::Gone(run) => {
                self.hanging.remove(run);
                self.sentences.retain(|sentence| sentence.run != *run);
            }
            Happening::Born(run) => self.born(*run, environment),
            // An actor that begins anew gives grace anew.
            Happening::Panicked(id) | Happening::Restarted(id) => {
                self.postpone(environment, |sentence, service| concerns(id, sentence, service, environment.station()));
            }
            Happening::Unkillable(run, time) => self.hangs(*run, *time, environment),
            Happening::Done(_, Command::StartIgnoringNeeds) => {
                // Also for what has been missed for a while already.
                let ignoring = &self.ignoring;
                self.sentences.retain(|known| matches!(known.lacks, Lack::Device(_)) || !ignoring.has(known.run));
            }
            _ => {}
        }
        if let Happening::Gone(_) = happening {
            self.services_gone(environment);
        }
        Ok(())
    }

    fn time_passed(&mut self, environment: &Environment) -> Verdict {
        // What is to be killed is, as soon as the look is over at which the thread is that kills.
        let is_held_up = |run| environment.tree(run).is_none_or(|tree| environment.cannot_be_ended(tree));
        let mut over = self.sentences.iter().filter(|sentence| sentence.by < environment.now());
        let Some(over) = over.find(|sentence| !is_held_up(sentence.run)) else { return Ok(()) };
        let Some(tree) = environment.tree(over.run) else { return Ok(()) };
        Err(match &over.lacks {
            Lack::Device(device) => format!("{} still runs, though its {device} has been gone too long", tree.service),
            Lack::Service(name) => format!("{} still runs, though {name} has been gone too long", tree.service),
        })
    }
}

impl Outliving {
    fn unplugged(&mut self, device: &DeviceName, environment: &Environment) {
        let uses = |resource: &Resource| *resource == Resource::Device(device.clone());
        for (run, tree) in environment.trees().filter(|(_, tree)| tree.uses.iter().any(|(used, _)| uses(used))) {
            let by = self.held_up(&tree.service, environment) + time_to_stop(environment.station(), &tree.service);
            self.sentences.push(Sentence { run: *run, by, lacks: Lack::Device(device.clone()) });
        }
    }

    fn born(&mut self, run: RunId, environment: &Environment) {
        let Some(tree) = environment.tree(run) else { return };
        let back = Lack::Service(tree.service.clone());
        self.sentences.retain(|sentence| sentence.lacks != back);
        self.services_gone(environment);
    }

    /// Begins to count for every process whose required service has none.
    fn services_gone(&mut self, environment: &Environment) {
        let station = environment.station();
        for (run, tree) in environment.trees() {
            let Some(spec) = station.services.get(&tree.service) else { continue };
            for (name, dependency) in &spec.dependencies {
                let Dependency::Required { lost_after, .. } = dependency else { continue };
                let lacks = Lack::Service(name.clone());
                let counted = self.sentences.iter().any(|known| known.run == *run && known.lacks == lacks);
                let there = environment.trees_of(name).next().is_some();
                if !there && !counted && !self.ignoring.has(*run) {
                    let by =
                        self.held_up(&tree.service, environment) + *lost_after + time_to_stop(station, &tree.service);
                    self.sentences.push(Sentence { run: *run, by, lacks });
                }
            }
        }
    }

    fn postpone(&mut self, environment: &Environment, which: impl Fn(&Sentence, &ServiceName) -> bool) {
        let mut sentences = std::mem::take(&mut self.sentences);
        for sentence in &mut sentences {
            let Some(tree) = environment.tree(sentence.run) else { continue };
            if which(sentence, &tree.service) {
                let more = time_to_stop(environment.station(), &tree.service);
                sentence.by = sentence.by.max(self.held_up(&tree.service, environment) + more);
            }
        }
        self.sentences = sentences;
    }

    /// A process that hangs in the kernel holds up its own end, and that of what its service requires.
    fn hangs(&mut self, run: RunId, time: Duration, environment: &Environment) {
        let Some(tree) = environment.tree(run) else { return };
        let (now, station) = (environment.now(), environment.station());
        let (since, until) = self.hanging.get(&run).copied().unwrap_or((now, now));
        self.hanging.insert(run, (since, until.max(now + time)));
        self.postpone(environment, |_, service| {
            *service == tree.service || all_requirers(station, service).contains(&tree.service)
        });
    }

    /// From when on a service can be stopped: when its own hanging process has ended, and those of who must stop first have,
    /// or were waited for long enough.
    fn held_up(&self, service: &ServiceName, environment: &Environment) -> Moment {
        let requirers = all_requirers(environment.station(), service);
        let hanging = self.hanging.iter().filter_map(|(run, (since, until))| {
            let who = &environment.tree(*run)?.service;
            let waited_for = requirers.contains(who).then(|| (*until).min(*since + PATIENCE));
            if who == service { Some(*until) } else { waited_for }
        });
        hanging.fold(environment.now(), Moment::max)
    }
}

/// Whether an actor has to do with the end of a run of this service.
fn concerns(id: &ActorId, sentence: &Sentence, service: &ServiceName, station: &Station) -> bool {
    match (id, &sentence.lacks) {
        // Whatever they restart says so itself.
        (ActorId::Root | ActorId::Services, _) => false,
        // What is lost says so, and those that require the service stop before it.
        (ActorId::Service(name), Lack::Service(lost)) if name == lost => true,
        (ActorId::Service(name), _) => name == service || all_requirers(station, service).contains(name),
        (ActorId::Device(name), Lack::Device(lost)) => name == lost,
        (ActorId::Hardware | ActorId::Leases, Lack::Device(_)) => true,
        (ActorId::Device(_) | ActorId::Hardware | ActorId::Leases, Lack::Service(_)) => false,
    }
}
