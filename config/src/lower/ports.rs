//! Ports: what a service listens on, and whether two services want the same.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::ops::Range;

use crate::diagnostics::{Code, Report};
use crate::model::{PortNeed, Station};
use crate::names::{PortName, ServiceName};
use crate::read::{At, Either};
use crate::schema::{File, PortTable, ServiceTable};

pub(super) fn needs(table: &ServiceTable, report: &mut Report) -> BTreeMap<PortName, PortNeed> {
    let mut needs = BTreeMap::new();
    for (name, entry) in table.ports.value().map(|map| &map.entries).into_iter().flatten() {
        let need = match entry.value.said() {
            Some(At { value: Either::Short(port), .. }) => Some(PortNeed::Fixed(port.number())),
            Some(At { value: Either::Long(table), span }) => long(name, table, span, report),
            None => None,
        };
        if let Some(need) = need {
            needs.insert(name.clone(), need);
        }
    }
    needs
}

fn long(name: &PortName, table: &PortTable, span: &Range<usize>, report: &mut Report) -> Option<PortNeed> {
    let range_span = table.range.span();
    if let (Some(_), Some(other)) = (table.fixed.span(), range_span.or(table.prefer.span())) {
        let message = format!("port `{name}` is both fixed and to be chosen");
        report.problem(Code::Contradiction, other, message, "keep `fixed`, or `prefer` and `range`");
        return None;
    }
    if table.fixed.span().is_none() && range_span.is_none() {
        let message = format!("port `{name}` says neither `fixed` nor `range`");
        let help = "write a number, or { prefer = 8000, range = \"8000-8010\" }";
        report.problem(Code::MissingKey, span, message, help);
    }
    if let Some(port) = table.fixed.value() {
        return Some(PortNeed::Fixed(port.number()));
    }
    let range = table.range.value()?;
    let prefer = table.prefer.value().map_or(range.first, |port| port.number());
    Some(PortNeed::Range { prefer, first: range.first, last: range.last })
}

/// Two services with one fixed port are an error unless they never run side by side; mainstay's own port is taken.
pub(super) fn check(file: &File, station: &Station, report: &mut Report) {
    let mut seen: BTreeMap<NonZeroU16, Vec<(&ServiceName, &PortName)>> = BTreeMap::new();
    let api = file.api.value().and_then(|table| table.listen.value());
    for (service, port, number, span) in fixed(file, station) {
        let holders = seen.entry(number).or_default();
        let clash = holders.iter().find(|(other, _)| !apart(file, station, service, other));
        if let Some((other, other_port)) = clash {
            let (message, help) = if *other == service {
                let message = format!("`{service}` wants port {number} twice, as `{other_port}` and as `{port}`");
                (message, "give one of them another number, or leave one out".to_owned())
            } else {
                let message = format!("`{other}` and `{service}` both want port {number}, and neither has a choice");
                let help = format!(
                    "give one of them another number or a range, or say conflicts = [\"{other}\"] when they never run together"
                );
                (message, help)
            };
            report.problem(Code::PortClash, &span, message, help);
        }
        holders.push((service, port));
        if api.is_some_and(|api| api.port() == number.get()) {
            let message = format!("`{service}` wants port {number}, which mainstay itself listens on (`api.listen`)");
            report.problem(Code::PortClash, &span, message, "give one of the two another port");
        }
    }
}

/// All fixed ports, in the order of the file.
fn fixed<'a>(
    file: &File,
    station: &'a Station,
) -> impl Iterator<Item = (&'a ServiceName, &'a PortName, NonZeroU16, Range<usize>)> {
    let mut found = Vec::new();
    for (name, service) in &station.services {
        let entry = file.services.value().and_then(|map| map.entries.get(name));
        let ports = entry.and_then(|entry| entry.value.value()).and_then(|table| table.ports.value());
        for (port, need) in &service.ports {
            let span =
                ports.and_then(|map| map.entries.get(port)).map(|entry| entry.value.span().unwrap_or(&entry.key));
            if let (PortNeed::Fixed(number), Some(span)) = (need, span) {
                found.push((name, port, *number, span.clone()));
            }
        }
    }
    found.sort_by_key(|(_, _, _, span)| span.start);
    found.into_iter()
}

/// Whether the configuration says that the two never run side by side.
fn apart(file: &File, station: &Station, a: &ServiceName, b: &ServiceName) -> bool {
    let falls_back = |from: &ServiceName, to: &ServiceName| {
        let entry = file.services.value().and_then(|map| map.entries.get(from));
        let table = entry.and_then(|entry| entry.value.value());
        table.and_then(|table| table.fallback.value()).is_some_and(|fallback| fallback.0 == to.as_str())
    };
    let conflicts = |from: &ServiceName, to: &ServiceName| {
        station.services.get(from).is_some_and(|service| service.conflicts.contains(to))
    };
    a != b && (conflicts(a, b) || conflicts(b, a) || falls_back(a, b) || falls_back(b, a))
}
