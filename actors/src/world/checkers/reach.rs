//! How long things may take, by the configuration.

use std::collections::BTreeSet;
use std::time::Duration;

use mainstay_config::model::{Dependency, Station, StopTo};
use mainstay_config::names::ServiceName;

use crate::service::LAST_GRACE;

/// What a stop may take beyond grace: the kernel's word of an unplugged device (or the scan after a lost one), the start
/// that must be finished before it can be stopped, the sweep.
pub(super) const DELAYS: Duration = Duration::from_secs(4);

/// Those that require a service.
pub(super) fn requirers<'a>(station: &'a Station, name: &'a ServiceName) -> impl Iterator<Item = &'a ServiceName> {
    let requires = move |dependency: Option<&Dependency>| matches!(dependency, Some(Dependency::Required { .. }));
    station
        .services
        .values()
        .filter(move |service| requires(service.dependencies.get(name)))
        .map(|service| &service.name)
}

/// All that stop before a service stops: those that require it, and those that require these.
pub(super) fn all_requirers(station: &Station, name: &ServiceName) -> BTreeSet<ServiceName> {
    let mut all = BTreeSet::new();
    let mut next = vec![name];
    while let Some(name) = next.pop() {
        next.extend(requirers(station, name).filter(|dependent| all.insert((*dependent).clone())));
    }
    all
}

/// How long a service may take to stop: its dependents first, then its own grace and the last one of its helpers, each of them on its own.
pub(super) fn time_to_stop(station: &Station, name: &ServiceName) -> Duration {
    let dependents = requirers(station, name).map(|dependent| time_to_stop(station, dependent)).max();
    let own = station.services.get(name).map_or(Duration::ZERO, |service| match service.stop.to {
        StopTo::All => service.stop.grace,
        StopTo::Main => service.stop.grace + service.stop.grace.min(LAST_GRACE),
    });
    own + DELAYS + dependents.unwrap_or_default()
}
