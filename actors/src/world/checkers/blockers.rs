//! What a service says that it waits for is so.

use super::{Verdict, View};
use crate::cause::{Blocker, Listed};
use crate::message::device::DeviceStatus;
use crate::message::lease_table::Waiter;
use crate::message::service::{ServiceSnapshot, Waiting};
use crate::world::environment::{is_one, is_wanted};

/// Of a service that waits.
pub(super) fn are_true(view: &View<'_>, shown: &ServiceSnapshot) -> Verdict {
    if shown.waiting_for == Waiting::Slot {
        return Err("waits for a start slot for ever".to_owned());
    }
    let mut queue = view.leases.queue.iter();
    let Some(waiter) = queue.find(|waiter| waiter.request.holder.is(&shown.name)) else { return Ok(()) };
    let is = Waiting::Leases(Listed::of(waiter.blockers.iter().cloned(), waiter.blockers.len()));
    if shown.waiting_for != is {
        let says = &shown.waiting_for;
        return Err(format!("says that it waits for {says:?}, but the registry lets it wait for {is:?}"));
    }
    let wrong = |blocker: &&Blocker| !is_so(view, waiter, blocker);
    waiter.blockers.iter().find(wrong).map_or(Ok(()), |blocker| Err(format!("waits for {blocker}, which is not so")))
}

fn is_so(view: &View<'_>, waiter: &Waiter, blocker: &Blocker) -> bool {
    let leases = &view.leases;
    match blocker {
        Blocker::Device { device, .. } => {
            let status = view.shown.devices.get(device).map(|shown| shown.status);
            !matches!(status, Some(DeviceStatus::Ready | DeviceStatus::InUse))
        }
        Blocker::Held { resource, holder } => {
            leases.held.iter().any(|held| is_one(&held.resource, resource) && held.holder == *holder)
        }
        Blocker::Behind { resource, first } => leases.queue.iter().any(|other| {
            let wants = other.request.wants.iter().any(|want| is_wanted(want, resource));
            other.request.holder == *first && first != &waiter.request.holder && wants
        }),
        Blocker::ForeignListener { port, .. } => view.environment.foreign().contains(port),
        // None takes so long.
        Blocker::Restoring { .. } | Blocker::Preparing | Blocker::UnknownFile { .. } => false,
    }
}
