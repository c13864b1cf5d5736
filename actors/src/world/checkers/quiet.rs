//! Invariant 4: when nothing has gone wrong for long, every service runs, or says what it waits for, or is failed, held or
//! stopped. What it waits for must be so; nothing is starting, stopping, settling or being looked at for ever. Failed is
//! only what has failed by itself, often enough; stopped, what has ended by itself or nobody has started.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::{Autostart, RestartWhen, Service};
use mainstay_config::names::ServiceName;

use super::failures::Failures;
use super::{Check, Checker, Verdict, View, blockers, missing};
use crate::cause::Reason;
use crate::engine::Letter;
use crate::message::service::{ServiceSnapshot, ServiceStatus, Waiting};
use crate::world::environment::{Command, Environment, Happening};

#[derive(Debug, Default)]
pub(super) struct Quiet {
    failures: Failures,
    /// Services that the operator has started, himself or with one that needs them.
    started: BTreeMap<ServiceName, By>,
}

/// How a service was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The operator was told that it is.
    Operator,
    /// With one that needs it.
    Dependent,
}

impl Checker for Quiet {
    fn check(&self) -> Check {
        Check::Quiet
    }

    /// What the operator was told to be started is, also if it was mainstay's last word.
    fn outlives_mainstay(&mut self, unanswered: &BTreeSet<ServiceName>, _environment: &Environment) -> bool {
        self.started.retain(|service, by| *by == By::Operator && !unanswered.contains(service));
        self.failures = Failures::default();
        true
    }

    fn handled(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        self.failures.handled(letter, environment);
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        self.failures.happened(happening, environment);
        match happening {
            Happening::Done(service, Command::Stop) => {
                self.started.remove(service);
            }
            Happening::Done(service, _) => {
                self.started.insert(service.clone(), By::Operator);
            }
            Happening::StartedForDependent(service) => {
                self.started.entry(service.clone()).or_insert(By::Dependent);
            }
            _ => {}
        }
        Ok(())
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        for spec in view.environment.station().services.values() {
            let shown = view.shown.services.get(&spec.name).ok_or_else(|| format!("{} shows nothing", spec.name))?;
            let verdict = service(view, spec, shown).and_then(|()| self.rests_rightly(spec, shown));
            verdict.map_err(|words| format!("{} {words}", spec.name))?;
        }
        Ok(())
    }
}

impl Quiet {
    /// Whether one that is failed or stopped has a reason to be.
    fn rests_rightly(&self, spec: &Service, shown: &ServiceSnapshot) -> Verdict {
        let ends_well = spec.restart.when != RestartWhen::Always && self.failures.has_ended(&spec.name);
        let is_not_meant_to_run = spec.autostart == Autostart::No && !self.started.contains_key(&spec.name);
        match shown.status {
            ServiceStatus::Failed if !self.failures.is_given_up(spec) => {
                Err(format!("is failed, though it has not failed so often by itself: {:?}", shown.reason))
            }
            ServiceStatus::Stopped if !is_not_meant_to_run && !ends_well => {
                Err(format!("is stopped, though it is wanted and has not ended by itself: {:?}", shown.reason))
            }
            _ => Ok(()),
        }
    }
}

fn service(view: &View<'_>, spec: &Service, shown: &ServiceSnapshot) -> Verdict {
    let lives = view.environment.trees_of(&spec.name).next();
    match shown.status {
        ServiceStatus::Running => match lives {
            Some(tree) if tree.orphaned || shown.pid == Some(tree.pid) => Ok(()),
            Some(tree) => Err(format!("says pid {:?}, but it is {}", shown.pid, tree.pid)),
            None => Err("says that it runs, but it has no process".to_owned()),
        },
        ServiceStatus::Starting => Err("is still starting".to_owned()),
        ServiceStatus::Stopping => Err("is still stopping".to_owned()),
        _ if lives.is_some() => Err(format!("is {}, but a process of it lives", shown.status.as_str())),
        ServiceStatus::Backoff if shown.retry_at.is_none_or(|at| at < view.environment.now()) => {
            Err("waits out a back-off that is over".to_owned())
        }
        ServiceStatus::Waiting => match &shown.waiting_for {
            Waiting::Needs(missing) => missing::is_true(view, spec, missing),
            Waiting::Leases(blockers) => blockers::are_true(view, spec, blockers),
            other => Err(format!("waits for {other:?}, for ever")),
        },
        ServiceStatus::Failed | ServiceStatus::Stopped | ServiceStatus::Held if shown.reason == Reason::Nothing => {
            Err(format!("is {}, but does not say why", shown.status.as_str()))
        }
        _ => Ok(()),
    }
}
