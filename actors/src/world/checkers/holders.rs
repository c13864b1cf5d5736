//! Invariant 4, of leases: what is said of them is so. Whom a device shows as its holder has a lease of it; where somebody
//! has one, the device shows one of them; and whoever holds anything runs.

use super::{Checker, Verdict, View};
use crate::cause::Resource;
use crate::message::device::DeviceSnapshot;
use crate::message::lease_table::HeldLease;
use crate::message::service::ServiceStatus;

pub(super) struct Holders;

impl Checker for Holders {
    fn invariant(&self) -> u8 {
        4
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        let held = &view.leases.held;
        for shown in view.shown.devices.values() {
            device(shown, held)?;
        }
        let status = |lease: &HeldLease| view.shown.services.get(lease.holder.service()?).map(|shown| shown.status);
        match held.iter().find(|lease| status(lease) != Some(ServiceStatus::Running)) {
            Some(lease) => Err(format!("{} holds {}, but does not run", lease.holder, lease.resource)),
            None => Ok(()),
        }
    }
}

fn device(shown: &DeviceSnapshot, held: &[HeldLease]) -> Verdict {
    let name = &shown.name;
    let mut leases = held.iter().filter(|lease| lease.resource == Resource::Device(name.clone()));
    match &shown.holder {
        Some(holder) if !leases.clone().any(|lease| lease.holder == *holder) => {
            Err(format!("{name} shows {holder} as its holder, which has no lease of it"))
        }
        None => match leases.next() {
            Some(lease) => Err(format!("{name} shows no holder, but {} has a lease of it", lease.holder)),
            None => Ok(()),
        },
        Some(_) => Ok(()),
    }
}
