//! What can only be seen of all services together: cycles, and services that can never run.

use std::collections::BTreeSet;
use std::ops::Range;

use super::dependencies::{named_in, reference_span};
use crate::diagnostics::{Code, Report};
use crate::graph::{Cycle, Graph};
use crate::model::{Service, Sharing, Station};
use crate::names::ServiceName;
use crate::schema::{File, ServiceTable};

/// Checks the dependency graph and returns its layers.
pub(super) fn check(file: &File, station: &Station, report: &mut Report) -> Vec<Vec<ServiceName>> {
    let graph = Graph::new(&station.services);
    never(file, station, &graph, report);
    match graph.layers() {
        Ok(layers) => layers,
        Err(cycles) => {
            let mut told = BTreeSet::new();
            for cycle in &cycles {
                circle(file, cycle, &told, report);
                told.extend(cycle.edges());
            }
            Vec::new()
        }
    }
}

fn table<'a>(file: &'a File, name: &ServiceName) -> Option<&'a ServiceTable> {
    file.services.value()?.entries.get(name)?.value.value().map(|table| &**table)
}

/// Cycles may share edges: each is shown at one that is in none of those `told` before.
fn circle(file: &File, cycle: &Cycle, told: &BTreeSet<(&ServiceName, &ServiceName)>, report: &mut Report) {
    let span = |(from, to)| reference_span(table(file, from)?, to);
    let place = cycle.edges().filter(|edge| !told.contains(edge)).find_map(span);
    let message = format!("services depend on each other in a circle: {cycle}");
    let last = cycle.services().last().map(ToString::to_string).unwrap_or_default();
    let help =
        format!("none of them could ever start; take out one of these dependencies, for example that of `{last}`");
    report.problem(Code::DependencyCycle, &place.unwrap_or_default(), message, help);
}

/// Reports services that wait for ever for what they themselves rule out.
fn never(file: &File, station: &Station, graph: &Graph, report: &mut Report) {
    let ruled_out: BTreeSet<&ServiceName> = station.services.values().flat_map(|service| &service.conflicts).collect();
    // Most rule nothing out, and all that thousands of them require takes long to follow.
    let may_clash = |service: &Service| {
        !service.devices.is_empty() || !service.conflicts.is_empty() || ruled_out.contains(&service.name)
    };
    for (name, service) in station.services.iter().filter(|(_, service)| may_clash(service)) {
        let Some(said) = table(file, name) else { continue };
        for other in graph.requirements(name) {
            let Some(needed) = station.services.get(&other) else { continue };
            let place = || reference_span(said, &other).or_else(|| said.requires.span().cloned()).unwrap_or_default();
            if service.conflicts.contains(&other) {
                in_conflict(name, &other, &named_in(&said.conflicts, &other).unwrap_or_else(place), report);
            } else if needed.conflicts.contains(name) {
                in_conflict(name, &other, &place(), report);
            }
            both_want(service, needed, &place, report);
        }
    }
}

fn in_conflict(name: &ServiceName, other: &ServiceName, span: &Range<usize>, report: &mut Report) {
    let message = format!("`{name}` requires `{other}`, and is in conflict with it: it could never run");
    report.problem(Code::Contradiction, span, message, "keep the requirement or the conflict, not both");
}

/// A service that needs another waits for ever for a device that the other has to itself.
fn both_want(service: &Service, needed: &Service, place: &impl Fn() -> Range<usize>, report: &mut Report) {
    for (device, need) in &service.devices {
        let Some(other) = needed.devices.get(device) else { continue };
        if need.sharing == Sharing::Shared && other.sharing == Sharing::Shared {
            continue;
        }
        let (a, b) = (&service.name, &needed.name);
        let message = format!("`{a}` requires `{b}`, and both want `{device}` for themselves: `{a}` could never run");
        let help = format!("lease `{device}` in one of them, or \"shared\" in both");
        report.problem(Code::Contradiction, &place(), message, help);
    }
}
