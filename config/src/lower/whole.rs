//! What can only be seen of all services together: cycles, and services that can never run.

use std::collections::BTreeSet;

use super::dependencies::reference_span;
use super::together;
use crate::diagnostics::{Code, Report};
use crate::graph::{Cycle, Graph};
use crate::model::{Dependency, Station};
use crate::names::ServiceName;
use crate::schema::{File, ServiceTable};

/// Checks the dependency graph and returns its layers.
pub(super) fn check(file: &File, station: &Station, report: &mut Report) -> Vec<Vec<ServiceName>> {
    let graph = Graph::new(&station.services);
    match graph.layers() {
        Ok(layers) => {
            together::check(file, station, &graph, &layers, report);
            layers
        }
        Err(cycles) => {
            let mut told = BTreeSet::new();
            for cycle in &cycles {
                circle(file, station, cycle, &told, report);
                told.extend(cycle.edges());
            }
            // What else is wrong is told as well, as far as it does not hang on the circles.
            let rest = graph.without(&cycles);
            if let Ok(layers) = rest.layers() {
                together::check(file, station, &rest, &layers, report);
            }
            Vec::new()
        }
    }
}

fn table<'a>(file: &'a File, name: &ServiceName) -> Option<&'a ServiceTable> {
    file.services.value()?.entries.get(name)?.value.value().map(|table| &**table)
}

/// Cycles may share edges: each is shown at one that is in none of those `told` before.
fn circle(
    file: &File,
    station: &Station,
    cycle: &Cycle,
    told: &BTreeSet<(&ServiceName, &ServiceName)>,
    report: &mut Report,
) {
    let span = |(from, to)| reference_span(table(file, from)?, to);
    let place = cycle.edges().filter(|edge| !told.contains(edge)).find_map(span);
    let links = links(station, cycle).map_or_else(String::new, |links| format!(" ({links})"));
    let message = format!("services depend on each other in a circle: {cycle}{links}");
    let last = cycle.services().last().map(ToString::to_string).unwrap_or_default();
    let help =
        format!("none of them could ever start; take out one of these dependencies, for example that of `{last}`");
    report.problem(Code::DependencyCycle, &place.unwrap_or_default(), message, help);
}

/// Which link of a small circle is of which kind, when not all are of one.
fn links(station: &Station, cycle: &Cycle) -> Option<String> {
    let word = |(from, to)| match station.services.get(from)?.dependencies.get(to)? {
        Dependency::Required { .. } => Some(format!("`{from}` requires `{to}`")),
        Dependency::Optional { .. } => Some(format!("`{from}` wants `{to}`")),
        Dependency::Soft => Some(format!("`{from}` starts after `{to}`")),
    };
    let links: Vec<String> = cycle.edges().take(6).map(word).collect::<Option<_>>()?;
    let verbs: BTreeSet<_> = links.iter().filter_map(|link| link.split(' ').nth(1)).collect();
    (links.len() <= 5 && verbs.len() > 1).then(|| links.join(", "))
}
