//! Invariant 2: no process of a service runs while a required device is gone beyond the time to stop, or a required
//! service is gone beyond `lost_after` and that time.

use std::collections::BTreeSet;

use mainstay_config::model::{Dependency, Station};
use mainstay_config::names::{DeviceName, ServiceName};

use super::reach::{all_requirers, time_to_stop};
use super::{Checker, Verdict};
use crate::action::process::RunId;
use crate::cause::Resource;
use crate::message::{ActorId, Moment};
use crate::world::environment::{Command, Environment, Happening};

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
    /// Started with `--ignore-needs` at some time: what they require is their operator's affair.
    ignoring: BTreeSet<ServiceName>,
    /// Until then some process outlives SIGKILL.
    hanging: Moment,
}

impl Checker for Outliving {
    fn invariant(&self) -> u8 {
        2
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        match happening {
            Happening::Unplugged(device) => self.unplugged(device, environment),
            Happening::Gone(run) => self.sentences.retain(|sentence| sentence.run != *run),
            Happening::Born(run) => self.born(*run, environment),
            // An actor that begins anew gives grace anew.
            Happening::Panicked(id) | Happening::Restarted(id) => {
                self.postpone(environment, |sentence, service| concerns(id, sentence, service, environment.station()));
            }
            // A process that hangs in the kernel holds up all that wait for it.
            Happening::Unkillable(_, time) => {
                self.hanging = self.hanging.max(environment.now() + *time);
                self.postpone(environment, |_, _| true);
            }
            Happening::Done(service, Command::StartIgnoringNeeds) => {
                self.ignoring.insert(service.clone());
                // Also for what has been missed for a while already.
                let theirs = |run| environment.tree(run).is_some_and(|tree| tree.service == *service);
                self.sentences.retain(|known| matches!(known.lacks, Lack::Device(_)) || !theirs(known.run));
            }
            _ => {}
        }
        if let Happening::Gone(_) = happening {
            self.services_gone(environment);
        }
        Ok(())
    }

    fn time_passed(&mut self, environment: &Environment) -> Verdict {
        let Some(over) = self.sentences.iter().find(|sentence| sentence.by < environment.now()) else { return Ok(()) };
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
            let by = environment.now().max(self.hanging) + time_to_stop(environment.station(), &tree.service);
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
                if !there && !counted && !self.ignoring.contains(&tree.service) {
                    let by = environment.now().max(self.hanging) + *lost_after + time_to_stop(station, &tree.service);
                    self.sentences.push(Sentence { run: *run, by, lacks });
                }
            }
        }
    }

    fn postpone(&mut self, environment: &Environment, which: impl Fn(&Sentence, &ServiceName) -> bool) {
        for sentence in &mut self.sentences {
            let Some(tree) = environment.tree(sentence.run) else { continue };
            if which(sentence, &tree.service) {
                let more = time_to_stop(environment.station(), &tree.service);
                sentence.by = sentence.by.max(environment.now().max(self.hanging) + more);
            }
        }
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
