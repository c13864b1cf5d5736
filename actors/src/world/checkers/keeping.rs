//! Invariant 11, of restarts: what a service has that the operator restarts goes to nobody else meanwhile, unless it is lost.
//! Looked at are those that require nothing and that nothing requires: whatever else they may wait for, it is no service.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::Sharing;
use mainstay_config::names::ServiceName;

use super::reach::requirers;
use super::{Check, Checker, Verdict};
use crate::action::process::{ProcessEvent, RunId};
use crate::cause::Resource;
use crate::engine::Letter;
use crate::message::Message;
use crate::message::lease::Renewed;
use crate::message::service::ServiceMessage;
use crate::trace::MessageId;
use crate::world::environment::{Command, Environment, Happening};

#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// Who is being restarted, with what it used.
    restarting: BTreeMap<ServiceName, Vec<(Resource, Sharing)>>,
    /// Who has lost what he had, and was given nothing since.
    bereft: BTreeSet<ServiceName>,
    /// The last message that was handled.
    handling: Option<MessageId>,
    /// Over which message each run was first signalled.
    signalled: BTreeMap<RunId, Option<MessageId>>,
}

impl Checker for Keeping {
    fn check(&self) -> Check {
        Check::Keeping
    }

    fn sent(&mut self, letter: &Letter, _environment: &Environment) -> Verdict {
        let Message::Service(service, said) = &letter.message else { return Ok(()) };
        match said {
            // It was lost.
            ServiceMessage::Revoked(_, withdrawal) if withdrawal.is_loss() => {
                self.restarting.remove(service);
                self.bereft.insert(service.clone());
            }
            ServiceMessage::Granted(_) => {
                self.bereft.remove(service);
            }
            // It has failed to start again, and gives way in its back-off; or a stranger has its port, and it waits for another.
            ServiceMessage::Renewed(_, Renewed::Refused(_) | Renewed::MustWait)
            | ServiceMessage::Process(_, ProcessEvent::SpawnFailed(_)) => {
                self.restarting.remove(service);
            }
            _ => {}
        }
        Ok(())
    }

    fn handled(&mut self, letter: &Letter, _environment: &Environment) -> Verdict {
        self.handling = Some(letter.id);
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        match happening {
            Happening::Signalled(run) => {
                self.signalled.entry(*run).or_insert(self.handling);
            }
            Happening::Gone(run) => {
                self.signalled.remove(run);
            }
            Happening::Done(service, command) => {
                self.restarting.remove(service);
                if matches!(command, Command::Restart | Command::Force) {
                    self.restarted(service, environment);
                }
            }
            Happening::Ordered(run) => return self.ordered(*run, environment),
            _ => {}
        }
        Ok(())
    }
}

impl Keeping {
    fn restarted(&mut self, service: &ServiceName, environment: &Environment) {
        let station = environment.station();
        let requires = station.services.get(service).is_none_or(|spec| !spec.dependencies.is_empty());
        if requires || self.bereft.contains(service) || requirers(station, service).next().is_some() {
            return;
        }
        // One that had been stopping for something else already does not stop for this.
        let stops_for_it = |run: &RunId| self.signalled.get(run) == Some(&self.handling);
        let mut trees = environment.trees().filter(|(run, tree)| tree.service == *service && stops_for_it(run));
        if let Some((_, tree)) = trees.next() {
            self.restarting.insert(service.clone(), tree.uses.clone());
        }
    }

    fn ordered(&mut self, run: RunId, environment: &Environment) -> Verdict {
        let Some(new) = environment.tree(run) else { return Ok(()) };
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
