//! Invariant 1: an exclusive resource never has two holders. A holder is a process tree that lives, or is being started.

use super::{Check, Checker, Verdict, View};
use crate::action::process::RunId;
use crate::cause::Resource;
use crate::effect::check_commands::is_command;
use crate::world::environment::{Environment, Happening};

pub(super) struct Exclusive;

impl Checker for Exclusive {
    fn check(&self) -> Check {
        Check::Exclusive
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        match happening {
            Happening::Ordered(run) => alone(*run, environment),
            _ => Ok(()),
        }
    }

    fn given_up(&mut self, view: &View<'_>) -> Verdict {
        // What runs goes on, and nobody sees to it any more. Commands of checks may run beside each other.
        let mut services = view.environment.trees().filter(|(run, _)| !is_command(**run));
        services.try_for_each(|(run, _)| alone(*run, view.environment))
    }
}

fn alone(run: RunId, environment: &Environment) -> Verdict {
    let Some(new) = environment.tree(run) else { return Ok(()) };
    let is_left = |port| environment.is_left_listening(port);
    if let Some((resource, _)) =
        new.uses.iter().find(|(used, _)| matches!(used, Resource::Port(port) if is_left(*port)))
    {
        return Err(format!("{} is started with {resource}, which an earlier mainstay left in use", new.service));
    }
    for (other_run, other) in environment.trees().filter(|(other, _)| **other != run) {
        if other.service == new.service {
            return Err(format!("{} is started as run {} while its run {} lives", new.service, run.0, other_run.0));
        }
        let shared = |mine| other.uses.iter().find(|theirs| Environment::excludes(mine, theirs));
        if let Some((resource, _)) = new.uses.iter().find_map(shared) {
            return Err(format!("{} is started with {resource} while {} uses it", new.service, other.service));
        }
    }
    Ok(())
}
