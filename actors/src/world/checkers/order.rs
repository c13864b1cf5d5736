//! Invariant 3: a service is stopped only after those that require it have no process, except when it died by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_config::names::ServiceName;

use super::ignoring::Ignoring;
use super::reach::requirers;
use super::{Check, Checker, Verdict};
use crate::action::process::RunId;
use crate::engine::Letter;
use crate::message::service::ServiceMessage;
use crate::message::{Message, Moment};
use crate::world::environment::{Environment, Happening, Tree};

#[derive(Debug, Default)]
pub(super) struct Order {
    ignoring: Ignoring,
    /// Which services have heard that the daemon closes down in a hurry, and when: what outlives SIGKILL of these is not waited for
    /// so long.
    hurried: BTreeMap<ServiceName, Moment>,
    /// Runs that have outlived SIGKILL for so long that they are not waited for, whatever becomes of them.
    given_up: BTreeSet<RunId>,
}

/// How long a process that outlives SIGKILL is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_IN_A_HURRY: Duration = Duration::from_secs(5);
/// When a panic has lost that it is to be killed, it is killed so much later than it was to be.
const LOST: Duration = Duration::from_millis(200);

impl Checker for Order {
    fn check(&self) -> Check {
        Check::Order
    }

    fn handled(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        if let Message::Service(name, ServiceMessage::Hurry) = &letter.message {
            self.hurried.entry(name.clone()).or_insert_with(|| environment.now());
        }
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        self.ignoring.happened(happening, environment);
        match happening {
            Happening::Signalled(run) => self.signalled(*run, environment),
            Happening::Ordered(run) => {
                self.given_up.remove(run);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn time_passed(&mut self, environment: &Environment) -> Verdict {
        let given_up = environment.trees().filter(|(_, tree)| self.is_given_up(tree, environment));
        let given_up: Vec<RunId> = given_up.map(|(run, _)| *run).collect();
        self.given_up.extend(given_up);
        Ok(())
    }
}

impl Order {
    /// Whether a run of a service has outlived SIGKILL for so long now that it is not waited for. Its program may have begun only just
    /// now; whether what can be killed is killed in time is another matter.
    fn is_given_up(&self, tree: &Tree, environment: &Environment) -> bool {
        let Some(killed) = tree.swept else { return false };
        let now = environment.now() + LOST;
        let in_a_hurry = self.hurried.get(&tree.service).map(|hurried| killed.max(*hurried) + PATIENCE_IN_A_HURRY);
        now >= killed + PATIENCE || in_a_hurry.is_some_and(|at| now >= at)
    }

    fn signalled(&self, run: RunId, environment: &Environment) -> Verdict {
        let Some(tree) = environment.tree(run).filter(|tree| !tree.orphaned) else { return Ok(()) };
        let alive = requirers(environment.station(), &tree.service).find(|dependent| {
            let mut trees = environment.trees().filter(|(_, tree)| tree.service == **dependent);
            let is_given_up =
                |run: &RunId, tree: &Tree| self.given_up.contains(run) || self.is_given_up(tree, environment);
            trees.any(|(run, tree)| !self.ignoring.has(*run) && !is_given_up(run, tree))
        });
        match alive {
            Some(dependent) => {
                Err(format!("{} is signalled while {dependent}, which requires it, lives", tree.service))
            }
            None => Ok(()),
        }
    }
}
