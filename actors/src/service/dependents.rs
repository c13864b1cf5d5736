//! Who depends on a service: the dependencies of the configuration, read backwards.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::{Dependency, Station};
use mainstay_config::names::ServiceName;

/// Who depends on a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Dependents {
    /// Those that require it: they stop before it does.
    pub required: BTreeSet<ServiceName>,
    /// Those that want it, or only come after it: they stop before it when everything stops.
    pub others: BTreeSet<ServiceName>,
}

/// Who depends on a service of a station. Empty for a service that is not in it.
#[must_use]
pub fn dependents(station: &Station, service: &ServiceName) -> Dependents {
    all_dependents(station).remove(service).unwrap_or_default()
}

/// Who depends on whom in a station. Services on which nobody depends are not in it.
#[must_use]
pub fn all_dependents(station: &Station) -> BTreeMap<ServiceName, Dependents> {
    let mut found: BTreeMap<ServiceName, Dependents> = BTreeMap::new();
    for other in station.services.values() {
        for (service, dependency) in &other.dependencies {
            let dependents = found.entry(service.clone()).or_default();
            let among = match dependency {
                Dependency::Required { .. } => &mut dependents.required,
                Dependency::Optional { .. } | Dependency::Soft => &mut dependents.others,
            };
            among.insert(other.name.clone());
        }
    }
    found
}
