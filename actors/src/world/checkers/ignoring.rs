//! Which runs do not stop for what they require: those of services that the operator has started without it.

use std::collections::BTreeSet;

use mainstay_config::names::ServiceName;

use crate::action::process::RunId;
use crate::world::environment::{Command, Environment, Happening};

#[derive(Debug, Default)]
pub(super) struct Ignoring {
    services: BTreeSet<ServiceName>,
    runs: BTreeSet<RunId>,
}

impl Ignoring {
    pub(super) fn happened(&mut self, happening: &Happening, environment: &Environment) {
        match happening {
            Happening::Done(service, Command::StartIgnoringNeeds) => {
                self.services.insert(service.clone());
                let theirs = environment.trees().filter(|(_, tree)| tree.service == *service);
                self.runs.extend(theirs.map(|(run, _)| *run));
            }
            Happening::Done(service, Command::Start | Command::StartWithNeeds | Command::Stop) => {
                self.services.remove(service);
            }
            Happening::Ordered(run)
                if environment.tree(*run).is_some_and(|tree| self.services.contains(&tree.service)) =>
            {
                self.runs.insert(*run);
            }
            Happening::Gone(run) => {
                self.runs.remove(run);
            }
            _ => {}
        }
    }

    /// Whether the operator has started it so.
    pub(super) fn is(&self, service: &ServiceName) -> bool {
        self.services.contains(service)
    }

    /// Whether this run does.
    pub(super) fn has(&self, run: RunId) -> bool {
        self.runs.contains(&run)
    }
}
