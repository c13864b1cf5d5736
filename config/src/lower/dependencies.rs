//! `requires`, `wants`, `after`, `conflicts`: each name is a service, another one, and stands once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::World;
use crate::diagnostics::{Code, Report};
use crate::model::{Dependency, OnReturn};
use crate::names::ServiceName;
use crate::read::{At, Either, Field, Map, Text};
use crate::schema::ServiceTable;

/// One reference to another service: the key it stands under, its text and place, and what is said about it.
struct Reference {
    key: &'static str,
    written: String,
    span: Range<usize>,
    dependency: Dependency,
}

pub(super) fn dependencies(
    name: &ServiceName,
    table: &ServiceTable,
    world: &World,
    report: &mut Report,
) -> BTreeMap<ServiceName, Dependency> {
    let mut dependencies: BTreeMap<ServiceName, (Dependency, &'static str)> = BTreeMap::new();
    for reference in references(table, world) {
        let Some(other) = world.service(&reference.written, &reference.span, report) else { continue };
        if other == *name {
            itself(name, &reference.span, report);
            continue;
        }
        match dependencies.get(&other) {
            // `after` adds nothing to what is already stronger.
            Some(_) if reference.dependency == Dependency::Soft && reference.key == "after" => {}
            Some((_, key)) => {
                let key_now = reference.key;
                let message = format!("`{name}` names `{other}` under `{key}` and again under `{key_now}`");
                let help =
                    if *key == key_now { "name it once" } else { "keep the one that is meant: it cannot be both" };
                report.problem(Code::Contradiction, &reference.span, message, help);
            }
            None => {
                dependencies.insert(other, (reference.dependency, reference.key));
            }
        }
    }
    dependencies.into_iter().map(|(name, (dependency, _))| (name, dependency)).collect()
}

fn references(table: &ServiceTable, world: &World) -> Vec<Reference> {
    let defaults = &world.defaults;
    let timeout = defaults.dependency_timeout;
    let required = Dependency::Required { timeout, lost_after: defaults.lost_after };
    let optional = Dependency::Optional { timeout, on_return: OnReturn::Keep };
    let mut found = Vec::new();
    match table.requires.value() {
        Some(Either::Short(list)) => found.extend(listed("requires", list, required)),
        Some(Either::Long(map)) => found.extend(mapped("requires", map, |said| Dependency::Required {
            timeout: said.and_then(|t| t.timeout.value()).map_or(timeout, |time| time.0),
            lost_after: said.and_then(|t| t.lost_after.value()).map_or(defaults.lost_after, |time| time.0),
        })),
        None => {}
    }
    match table.wants.value() {
        Some(Either::Short(list)) => found.extend(listed("wants", list, optional)),
        Some(Either::Long(map)) => found.extend(mapped("wants", map, |said| Dependency::Optional {
            timeout: said.and_then(|t| t.timeout.value()).map_or(timeout, |time| time.0),
            on_return: said.and_then(|t| t.on_return.value().copied()).unwrap_or(OnReturn::Keep),
        })),
        None => {}
    }
    let after = table.after.value().map(Vec::as_slice).unwrap_or_default();
    found.extend(listed("after", after, Dependency::Soft));
    found
}

fn listed(key: &'static str, list: &[At<Text>], dependency: Dependency) -> Vec<Reference> {
    let reference =
        |name: &At<Text>| Reference { key, written: name.value.0.clone(), span: name.span.clone(), dependency };
    list.iter().map(reference).collect()
}

fn mapped<V>(
    key: &'static str,
    map: &Map<ServiceName, V>,
    dependency: impl Fn(Option<&V>) -> Dependency,
) -> Vec<Reference> {
    let entries = map.entries.iter();
    let reference = |(name, entry): (&ServiceName, &crate::read::Entry<V>)| Reference {
        key,
        written: name.as_str().to_owned(),
        span: entry.key.clone(),
        dependency: dependency(entry.value.value()),
    };
    entries.map(reference).collect()
}

fn itself(name: &ServiceName, span: &Range<usize>, report: &mut Report) {
    let message = format!("`{name}` cannot depend on itself, nor be in conflict with itself");
    report.problem(Code::Contradiction, span, message, "take its own name out of the list");
}

pub(super) fn conflicts(
    name: &ServiceName,
    table: &ServiceTable,
    world: &World,
    report: &mut Report,
) -> BTreeSet<ServiceName> {
    let mut conflicts = BTreeSet::new();
    for at in table.conflicts.value().into_iter().flatten() {
        match world.service(&at.value.0, &at.span, report) {
            Some(other) if other == *name => itself(name, &at.span, report),
            Some(other) => {
                conflicts.insert(other);
            }
            None => {}
        }
    }
    conflicts
}

/// Where a service names another as something it depends on.
pub(super) fn reference_span(table: &ServiceTable, other: &ServiceName) -> Option<Range<usize>> {
    fn in_map<V>(map: &Map<ServiceName, V>, other: &ServiceName) -> Option<Range<usize>> {
        map.entries.get(other).map(|entry| entry.key.clone())
    }
    let requires = table.requires.value().and_then(|said| match said {
        Either::Short(list) => in_list(list, other),
        Either::Long(map) => in_map(map, other),
    });
    let wants = || {
        table.wants.value().and_then(|said| match said {
            Either::Short(list) => in_list(list, other),
            Either::Long(map) => in_map(map, other),
        })
    };
    requires.or_else(wants).or_else(|| named_in(&table.after, other))
}

/// Where a list of services names one.
pub(super) fn named_in(field: &Field<Vec<At<Text>>>, name: &ServiceName) -> Option<Range<usize>> {
    field.value().and_then(|list| in_list(list, name))
}

fn in_list(list: &[At<Text>], name: &ServiceName) -> Option<Range<usize>> {
    list.iter().find(|at| at.value.0 == name.as_str()).map(|at| at.span.clone())
}
