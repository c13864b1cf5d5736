//! `[services.NAME]`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::templates::Scope;
use super::{World, dependencies, devices, ports, probes, unit};
use crate::diagnostics::{Code, Later, Report};
use crate::model::{Autostart, Restart, RestartWhen, Service, Stop, StopSignal, StopTo, Unsupported};
use crate::names::{READINESS_PROBES, ServiceName};
use crate::paths::normal;
use crate::read::{Boxed, Entry, Field, joined};
use crate::schema::{File, RestartTable, ServiceTable, StopTable};

pub(super) fn services(file: &File, world: &World, report: &mut Report) -> BTreeMap<ServiceName, Arc<Service>> {
    let mut services = BTreeMap::new();
    let Some(map) = file.services.value() else { return services };
    for (written, _) in &map.misnamed {
        report.unread_name(written);
    }
    for (name, entry) in &map.entries {
        if let Some(table) = entry.value.value() {
            services.insert(name.clone(), Arc::new(service(name, entry, table, world, report)));
        }
    }
    for (written, entry) in &map.misnamed {
        if let Some(table) = entry.value.value() {
            service(&ServiceName::misnamed(&joined("", written)), entry, table, world, report);
        }
    }
    services
}

fn service(
    name: &ServiceName,
    entry: &Entry<Boxed<ServiceTable>>,
    table: &ServiceTable,
    world: &World,
    report: &mut Report,
) -> Service {
    let mut not_yet = Vec::new();
    let place = format!("services.{name}");
    let span = entry.value.span().unwrap_or(&entry.key);
    not_reserved(name, &entry.key, report);
    let devices = devices::needs(&place, table, world, &mut not_yet, report);
    let ports = ports::needs(name, table, report);
    let scope = Scope::new(name, world, table);
    let unit = unit::unit(name, span, table, &scope, &mut not_yet, report);
    let stop = stop(&place, table.stop.value(), world, &scope, &mut not_yet, report);
    later(&place, table, world, report);
    let ready = probes::ready(&place, table, world, &scope, report);
    if let Some(span) = table.ready.span() {
        probes::of_anybody(&place, &ready.probe, &ports, span, report);
    }
    Service {
        name: name.clone(),
        unit,
        autostart: if table.autostart.value() == Some(&false) { Autostart::No } else { Autostart::Yes },
        devices,
        ports,
        addresses: ports::addresses(table),
        resources: resources(table, report),
        dependencies: dependencies::dependencies(name, table, world, report),
        conflicts: dependencies::conflicts(name, table, world, report),
        ready,
        restart: restart(&place, table.restart.value(), report),
        stop,
        critical: table.critical.value() == Some(&true),
        not_in_this_version: not_yet,
    }
}

/// A service of that name would share its log with the checks of all others.
fn not_reserved(name: &ServiceName, span: &Range<usize>, report: &mut Report) {
    if name.as_str() == READINESS_PROBES {
        let message = format!("`{name}` cannot be the name of a service: the output of `exec` checks is kept under it");
        report.problem(Code::BadName, span, message, "choose another name");
    }
}

/// Keys that change nothing in this version, and without which the service runs all the same.
fn later(place: &str, table: &ServiceTable, world: &World, report: &mut Report) {
    let said = [
        (Later::Live, table.live.span()),
        (Later::Recovery, table.recovery.span()),
        (Later::Breaker, table.breaker.span()),
        (Later::Fallback, table.fallback.span()),
        (Later::Critical, table.critical.if_true()),
    ];
    for (what, span) in said {
        if let Some(span) = span {
            report.later(what, span, place);
        }
    }
    if let Some(fallback) = table.fallback.said() {
        let found = world.service(&fallback.value.0, &fallback.span, report);
        if found.is_some_and(|found| place == format!("services.{found}")) {
            let help = "name another service, or leave `fallback` out";
            report.problem(Code::Contradiction, &fallback.span, "a service cannot be its own fallback", help);
        }
    }
}

/// `files` and `custom`, as the names of resources.
fn resources(table: &ServiceTable, report: &mut Report) -> BTreeSet<String> {
    let mut resources = BTreeSet::new();
    for file in table.files.value().into_iter().flatten() {
        resources.insert(format!("file/{}", normal(&file.value.0).display()));
    }
    for custom in table.custom.value().into_iter().flatten() {
        // The same shape as every other name.
        match ServiceName::new(&custom.value.0) {
            Ok(name) => {
                resources.insert(format!("custom/{name}"));
            }
            Err(error) => {
                let help = "write a name such as \"antenna-mast\"";
                report.problem(Code::BadName, &custom.span, error.to_string(), help);
            }
        }
    }
    resources
}

fn restart(place: &str, table: Option<&RestartTable>, report: &mut Report) -> Restart {
    if let Some(span) = table.and_then(|t| t.strategy.span()) {
        report.later(Later::RestartStrategy, span, place);
    }
    let when = table.and_then(|t| t.when.value().copied());
    Restart {
        when: when.unwrap_or(RestartWhen::Always),
        attempts: table.and_then(|t| t.attempts.value()).map_or(3, |n| n.to(3)),
        backoff: table.and_then(|t| t.backoff.value()).map_or(Duration::from_secs(2), |time| time.0),
        factor: table.and_then(|t| t.factor.value()).map_or(2.0, |factor| factor.0),
        reset_after: table.and_then(|t| t.reset_after.value()).map_or(Duration::from_secs(60), |time| time.0),
    }
}

fn stop(
    place: &str,
    table: Option<&StopTable>,
    world: &World,
    scope: &Scope<'_>,
    not_yet: &mut Vec<Unsupported>,
    report: &mut Report,
) -> Stop {
    if let Some(span) = table.map(|t| &t.command).and_then(Field::span) {
        report.later(Later::StopCommand, span, place);
        not_yet.push(Unsupported::StopCommand);
    }
    if let Some(table) = table {
        unit::argv(&table.command, scope, report);
    }
    Stop {
        signal: table.and_then(|t| t.signal.value().copied()).unwrap_or(StopSignal::Term),
        to: table.and_then(|t| t.to.value().copied()).unwrap_or(StopTo::All),
        grace: table.and_then(|t| t.grace.value()).map_or(world.defaults.stop_grace, |time| time.0),
    }
}
