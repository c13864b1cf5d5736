//! Invariant 3: a service is stopped only after those that require it have no process, except when it died by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ignoring::Ignoring;
use super::reach::requirers;
use super::{Check, Checker, Verdict};
use crate::action::process::RunId;
use crate::engine::Letter;
use crate::message::supervision::RootMessage;
use crate::message::{Message, Moment};
use crate::world::environment::{Environment, Happening};

#[derive(Debug, Default)]
pub(super) struct Order {
    ignoring: Ignoring,
    /// When processes were killed that outlive it. After ten seconds they are not waited for.
    hanging: BTreeMap<RunId, Moment>,
    /// The daemon closes down in a hurry: they are not waited for so long.
    hurries: bool,
}

/// How long a process that outlives SIGKILL is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_IN_A_HURRY: Duration = Duration::from_secs(2);

impl Checker for Order {
    fn check(&self) -> Check {
        Check::Order
    }

    fn handled(&mut self, letter: &Letter, _environment: &Environment) -> Verdict {
        self.hurries |= matches!(letter.message, Message::Root(RootMessage::Hurry));
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        self.ignoring.happened(happening, environment);
        match happening {
            Happening::Unkillable(run, _) => {
                self.hanging.entry(*run).or_insert_with(|| environment.now());
                Ok(())
            }
            Happening::Signalled(run) => self.signalled(*run, environment),
            _ => Ok(()),
        }
    }
}

impl Order {
    fn is_given_up(&self, run: RunId, now: Moment) -> bool {
        let patience = if self.hurries { PATIENCE_IN_A_HURRY } else { PATIENCE };
        self.hanging.get(&run).is_some_and(|since| now.since(*since) >= patience)
    }

    fn signalled(&self, run: RunId, environment: &Environment) -> Verdict {
        let Some(tree) = environment.tree(run).filter(|tree| !tree.orphaned) else { return Ok(()) };
        let alive = requirers(environment.station(), &tree.service).find(|dependent| {
            let mut trees = environment.trees().filter(|(_, tree)| tree.service == **dependent);
            trees.any(|(run, _)| !self.ignoring.has(*run) && !self.is_given_up(*run, environment.now()))
        });
        match alive {
            Some(dependent) => {
                Err(format!("{} is signalled while {dependent}, which requires it, lives", tree.service))
            }
            None => Ok(()),
        }
    }
}
