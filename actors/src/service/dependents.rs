//! Who depends on a service: the dependencies of the configuration, read backwards.

use std::collections::BTreeSet;

use mainstay_config::model::{Dependency, Station};
use mainstay_config::names::ServiceName;

/// Who depends on a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// Those that require it: they stop before it does.
    pub required: BTreeSet<ServiceName>,
    /// Those that want it, or only come after it: they stop before it when everything stops.
    pub others: BTreeSet<ServiceName>,
}

/// Who depends on a service of a station. Empty for a service that is not in it.
#[must_use]
pub fn dependents(station: &Station, service: &ServiceName) -> Dependents {
    let mut found = Dependents::default();
    for other in station.services.values() {
        let among = match other.dependencies.get(service) {
            Some(Dependency::Required { .. }) => &mut found.required,
            Some(Dependency::Optional { .. } | Dependency::Soft) => &mut found.others,
            None => continue,
        };
        among.insert(other.name.clone());
    }
    found
}
