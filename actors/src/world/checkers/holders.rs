//! Invariant 4, of leases: what is said of them is so. A device shows that it is leased when a program has it open, and not otherwise; whoever holds anything runs, and what runs holds all that it uses.

use super::{Check, Checker, Verdict, View};
use crate::cause::Resource;
use crate::message::device::DeviceSnapshot;
use crate::message::lease_table::HeldLease;
use crate::world::environment::{Environment, Tree};

pub(super) struct Holders;

impl Checker for Holders {
    fn check(&self) -> Check {
        Check::Holders
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        let held = &view.leases.held;
        for shown in view.shown.devices.values() {
            device(view, shown)?;
        }
        let runs = |lease: &&HeldLease| {
            lease.holder.service().is_some_and(|service| view.environment.trees_of(service).next().is_some())
        };
        if let Some(lease) = held.iter().find(|lease| !runs(lease)) {
            return Err(format!("{} holds {}, but does not run", lease.holder, lease.resource));
        }
        for (_, tree) in view.environment.trees() {
            let holds =
                |used: &Resource| held.iter().any(|lease| lease.holder.is(&tree.service) && lease.resource == *used);
            if let Some((used, _)) = tree.uses.iter().find(|(used, _)| !holds(used)) {
                return Err(format!("{} uses {used}, but does not hold it", tree.service));
            }
        }
        Ok(())
    }
}

/// A device shows that it is leased when a program has it open, since before that did.
fn device(view: &View<'_>, shown: &DeviceSnapshot) -> Verdict {
    let name = &shown.name;
    let uses_it = |tree: &&Tree| tree.uses.iter().any(|(used, _)| *used == Resource::Device(name.clone()));
    let users: Vec<&Tree> = view.environment.trees().map(|(_, tree)| tree).filter(uses_it).collect();
    let Some(since) = shown.leased_since else {
        return match users.first() {
            Some(user) => Err(format!("{name} shows that nobody leases it, and {} uses it", user.service)),
            None => Ok(()),
        };
    };
    // Of several who share it, one has had it since then.
    let is_of = |user: &&Tree| Environment::runs_since(user).is_none_or(|begun| begun >= since);
    if users.iter().any(is_of) {
        return Ok(());
    }
    Err(match users.first() {
        Some(user) => format!("{name} shows that it is leased since later than {} uses it", user.service),
        None => format!("{name} shows that it is leased, and nobody uses it"),
    })
}
