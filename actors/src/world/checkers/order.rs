//! Invariant 3: a service is stopped only after those that require it have no process, except when it died by itself.

use std::collections::BTreeSet;

use mainstay_config::names::ServiceName;

use super::reach::requirers;
use super::{Checker, Verdict};
use crate::effect::process::order::RunId;
use crate::world::environment::{Command, Environment, Happening};

#[derive(Debug, Default)]
pub(super) struct Order {
    /// Started with `--ignore-needs` at some time: they do not stop for what they require.
    ignoring: BTreeSet<ServiceName>,
}

impl Checker for Order {
    fn invariant(&self) -> u8 {
        3
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        match happening {
            Happening::Done(service, Command::StartIgnoringNeeds) => {
                self.ignoring.insert(service.clone());
                Ok(())
            }
            Happening::Signalled(run) => self.signalled(*run, environment),
            _ => Ok(()),
        }
    }
}

impl Order {
    fn signalled(&self, run: RunId, environment: &Environment) -> Verdict {
        let Some(tree) = environment.tree(run).filter(|tree| !tree.orphaned) else { return Ok(()) };
        let alive = requirers(environment.station(), &tree.service)
            .filter(|dependent| !self.ignoring.contains(*dependent))
            .find(|dependent| environment.trees_of(dependent).next().is_some());
        match alive {
            Some(dependent) => {
                Err(format!("{} is signalled while {dependent}, which requires it, lives", tree.service))
            }
            None => Ok(()),
        }
    }
}
