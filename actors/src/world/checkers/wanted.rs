//! Invariant 5: what one loss stopped, its return brings back; what the operator stopped stays stopped.

use std::collections::BTreeSet;

use mainstay_config::model::Autostart;
use mainstay_config::names::ServiceName;

use super::{Checker, Verdict, View};
use crate::service::ServiceStatus;
use crate::world::environment::{Command, Environment, Happening};

#[derive(Debug, Default)]
pub(super) struct WantedByOperator {
    /// Services that the operator has stopped.
    held: BTreeSet<ServiceName>,
}

impl Checker for WantedByOperator {
    fn invariant(&self) -> u8 {
        5
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        match happening {
            Happening::Done(service, Command::Stop) => {
                self.held.insert(service.clone());
            }
            Happening::Done(service, _) | Happening::StartedForDependent(service) => {
                self.held.remove(service);
            }
            Happening::Ordered(run) => {
                if let Some(tree) = environment.tree(*run).filter(|tree| self.held.contains(&tree.service)) {
                    return Err(format!("{} is started, though the operator has stopped it", tree.service));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        for spec in view.environment.station().services.values() {
            let Some(shown) = view.shown.services.get(&spec.name) else { continue };
            let stopped = matches!(shown.status, ServiceStatus::Held);
            let held = self.held.contains(&spec.name);
            if stopped && !held && spec.autostart == Autostart::Yes {
                return Err(format!("{} is held, though nobody has stopped it: {}", spec.name, shown.reason));
            }
            if held && view.environment.trees_of(&spec.name).next().is_some() {
                return Err(format!("{} runs, though the operator has stopped it", spec.name));
            }
        }
        Ok(())
    }
}
