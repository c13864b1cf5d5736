//! What a service says that it waits for is so, when that is leases: it is in the queue with the rank that it has by its
//! configuration, each thing that it waits for is really in its way, and nothing else is.

use mainstay_config::model::{Service, Sharing};
use mainstay_config::names::DeviceName;

use super::{Verdict, View};
use crate::cause::{Blocker, Listed, Resource, Unusable};
use crate::message::device::DeviceStatus;
use crate::message::lease::Want;
use crate::message::lease_table::Waiter;
use crate::world::environment::{Environment, wanted};

/// Of a service that says so.
pub(super) fn are_true(view: &View<'_>, spec: &Service, said: &Listed<Blocker>) -> Verdict {
    let mut queue = view.leases.queue.iter();
    let Some(waiter) = queue.find(|waiter| waiter.request.holder.is(&spec.name)) else {
        return Err(format!("says that it waits for {said:?}, but has asked for nothing"));
    };
    let is = Listed::of(waiter.blockers.iter().cloned(), waiter.blockers.len());
    // It says so itself when nothing is in its way, and what it asked for is looked at.
    let said_of_nothing = is.is_empty() && said.first == [Blocker::Preparing];
    if *said != is && !said_of_nothing {
        return Err(format!("says that it waits for {said:?}, but the registry lets it wait for {is:?}"));
    }
    let priority = spec.devices.values().map(|need| need.priority).max().unwrap_or_default();
    if waiter.request.priority != priority {
        return Err(format!("waits with priority {}, and has {priority}", waiter.request.priority));
    }
    if waiter.blockers.is_empty() {
        return Err("waits, but nothing keeps it from running".to_owned());
    }
    let wrong = |blocker: &&Blocker| !is_so(view, waiter, blocker);
    if let Some(blocker) = waiter.blockers.iter().find(wrong) {
        return Err(format!("waits for {blocker}, which is not so"));
    }
    let mut wants = waiter.request.wants.iter().filter_map(alone);
    let unsaid = wants.find(|(resource, sharing)| is_in_the_way(view, waiter, resource, *sharing));
    unsaid.map_or(Ok(()), |(resource, _)| Err(format!("does not say that it waits for {resource}")))
}

/// What is wanted, when nothing else would do.
fn alone(want: &Want) -> Option<(Resource, Sharing)> {
    match want {
        Want::Device { device, sharing, .. } => Some((Resource::Device(device.clone()), *sharing)),
        // Whether a file is one that somebody has by another name is looked at last of all.
        Want::Port { .. } | Want::Other(Resource::File(_)) => None,
        Want::Other(resource) => Some((resource.clone(), Sharing::Exclusive)),
    }
}

/// Whether something keeps it from somebody that he does not name.
fn is_in_the_way(view: &View<'_>, waiter: &Waiter, resource: &Resource, sharing: Sharing) -> bool {
    let is_named = waiter.blockers.iter().any(|blocker| match blocker {
        Blocker::Device { device, .. } => *resource == Resource::Device(device.clone()),
        Blocker::Held { resource: named, .. } | Blocker::Behind { resource: named, .. } => named == resource,
        _ => false,
    });
    let is_unusable = matches!(resource, Resource::Device(device) if !is_usable(view, device));
    let uses = |(_, tree): (_, &crate::world::environment::Tree)| {
        tree.uses.iter().any(|used| Environment::excludes(&(resource.clone(), sharing), used))
    };
    let has_first = |other: &Waiter| comes_first(waiter, other, resource, sharing);
    !is_named && (is_unusable || view.environment.trees().any(uses) || view.leases.queue.iter().any(has_first))
}

/// What is there can be used, unless mainstay has taken it out of use.
fn is_usable(view: &View<'_>, device: &DeviceName) -> bool {
    let out_of_use = [DeviceStatus::Faulted, DeviceStatus::Quarantined, DeviceStatus::Ejected];
    // Whoever leases it may call it as he likes.
    let is_there = view.environment.is_there(device) || is_shown(view, device, DeviceStatus::InUse);
    is_there && !out_of_use.iter().any(|status| is_shown(view, device, *status))
}

/// Whether it is so rightly, the checker of devices sees.
fn is_shown(view: &View<'_>, device: &DeviceName, status: DeviceStatus) -> bool {
    view.shown.devices.get(device).is_some_and(|shown| shown.status == status)
}

/// Whether a device is unusable for this reason, when everything is quiet.
fn is_why(view: &View<'_>, device: &DeviceName, reason: &Unusable) -> bool {
    match reason {
        Unusable::Absent(_) => !view.environment.is_there(device),
        Unusable::Faulted(_) => view.environment.has_failed(device),
        Unusable::Ejected => is_shown(view, device, DeviceStatus::Ejected),
        Unusable::Quarantined(_) => is_shown(view, device, DeviceStatus::Quarantined),
        Unusable::NotHeardOf | Unusable::Unwatched | Unusable::Settling => false,
        Unusable::LookedAt | Unusable::NotOpen(_) | Unusable::NotTried(_) => false,
    }
}

/// Whether somebody else rightly has his turn before this one. Who waits for a device that is not there keeps nothing from others, nor
/// does anybody keep a port of a range.
fn comes_first(waiter: &Waiter, other: &Waiter, resource: &Resource, sharing: Sharing) -> bool {
    let fixed = other.request.wants.iter().filter(|want| !is_range(want));
    let wants = fixed
        .filter_map(|want| wanted(want, resource))
        .any(|theirs| sharing == Sharing::Exclusive || theirs == Sharing::Exclusive);
    let waits_for_a_device = other.blockers.iter().any(|blocker| matches!(blocker, Blocker::Device { .. }));
    wants && !waits_for_a_device && other.request.rank() < waiter.request.rank()
}

fn is_range(want: &Want) -> bool {
    matches!(want, Want::Port { need: mainstay_config::model::PortNeed::Range { .. }, .. })
}

fn is_so(view: &View<'_>, waiter: &Waiter, blocker: &Blocker) -> bool {
    let wish = |resource: &Resource| waiter.request.wants.iter().find_map(|want| wanted(want, resource));
    match blocker {
        Blocker::Device { device, reason, .. } => {
            wish(&Resource::Device(device.clone())).is_some() && is_why(view, device, reason)
        }
        Blocker::Held { resource, holder } => wish(resource).is_some_and(|sharing| {
            let mut theirs = view.environment.trees().filter(|(_, tree)| holder.is(&tree.service));
            let has = |used| Environment::excludes(&(resource.clone(), sharing), used);
            !waiter.request.holder.eq(holder) && theirs.any(|(_, tree)| tree.uses.iter().any(has))
        }),
        Blocker::Behind { resource, first } => wish(resource).is_some_and(|sharing| {
            let mut firsts = view.leases.queue.iter().filter(|other| other.request.holder == *first);
            firsts.any(|other| comes_first(waiter, other, resource, sharing))
        }),
        Blocker::ForeignListener { port, .. } => {
            wish(&Resource::Port(*port)).is_some() && view.environment.foreign().contains(port)
        }
        // None takes so long.
        Blocker::Restoring { .. } | Blocker::Preparing | Blocker::UnknownFile { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mainstay_config::model::{DeviceKind, Sharing};

    use crate::world::World;
    use crate::world::checkers::{Check, View};
    use crate::world::environment::Consequences;
    use crate::world::stations::{Draft, assemble};

    #[test]
    fn who_waits_for_a_device_that_is_there_is_found_though_everybody_says_that_it_is_not() {
        let station = assemble(&[("gps", DeviceKind::Gps)], vec![Draft::new("user").device("gps", Sharing::Exclusive)]);
        let mut world = World::new(&station, 1);
        world.run_for(Duration::from_secs(60)).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(Check::Quiet.begin().when_quiet(&View::of(&world)), Ok(()));
        // Nobody hears of it.
        world.environment.plug(&"gps".parse().unwrap(), &mut Consequences::default());
        let verdict = Check::Quiet.begin().when_quiet(&View::of(&world));
        assert!(verdict.as_ref().is_err_and(|words| words.ends_with("which is not so")), "{verdict:?}");
    }
}
