//! Invariant 4, of leases: what is said of them is so. Whom a device shows as its holder has a lease of it; where somebody
//! has one, the device shows one of them; whoever holds anything runs, and what runs holds all that it uses.

use super::{Check, Checker, Verdict, View};
use crate::cause::Resource;
use crate::message::device::DeviceSnapshot;
use crate::message::lease_table::HeldLease;

pub(super) struct Holders;

impl Checker for Holders {
    fn check(&self) -> Check {
        Check::Holders
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        let held = &view.leases.held;
        for shown in view.shown.devices.values() {
            device(shown, held)?;
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

fn device(shown: &DeviceSnapshot, held: &[HeldLease]) -> Verdict {
    let name = &shown.name;
    let mut leases = held.iter().filter(|lease| lease.resource == Resource::Device(name.clone()));
    match shown.leased_since {
        Some(since) if !leases.clone().any(|lease| lease.since == since) => {
            Err(format!("{name} shows that it is leased, and nobody has had a lease of it since then"))
        }
        None => match leases.next() {
            Some(lease) => Err(format!("{name} shows that nobody leases it, but {} has a lease of it", lease.holder)),
            None => Ok(()),
        },
        Some(_) => Ok(()),
    }
}
