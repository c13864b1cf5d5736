//! Ports: what a service listens on, and whether two want the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::ops::Range;

use crate::diagnostics::{Code, Report};
use crate::model::{Dependency, PortNeed, Station};
use crate::names::{PortName, ServiceName};
use crate::port_choice::choose;
use crate::read::{At, Either};
use crate::schema::{File, PortTable, ServiceTable};
use crate::suggest;

/// The most ports of one service.
const MOST: usize = 64;

/// What the file says of ports, whatever else is wrong with it.
pub(super) struct Written {
    /// Each name of a port, with the first service that has it and its number, where it is fixed.
    named: BTreeMap<PortName, (ServiceName, Option<u16>)>,
    /// First and last of each choice of a port, that of mainstay itself too.
    taken: Vec<(u16, u16)>,
    /// Numbers that nobody may listen on, each offered to one service for one port of it.
    offered: RefCell<BTreeMap<(ServiceName, PortName), u16>>,
}

impl Written {
    pub(super) fn new(file: &File) -> Self {
        let mut named = BTreeMap::new();
        let api = file.api.value().and_then(|table| table.listen.value()).map_or(8092, SocketAddr::port);
        let mut taken = vec![(api, api)];
        for (service, entry) in file.services.value().map(|map| &map.entries).into_iter().flatten() {
            let ports = entry.value.value().and_then(|table| table.ports.value());
            for (name, entry) in ports.map(|map| &map.entries).into_iter().flatten() {
                let (fixed, range) = match entry.value.value() {
                    Some(Either::Short(port)) => (Some(port.number().get()), None),
                    Some(Either::Long(table)) => {
                        (table.fixed.value().map(|port| port.number().get()), table.range.value())
                    }
                    None => (None, None),
                };
                taken.extend(fixed.map(|number| (number, number)));
                taken.extend(range.map(|range| (range.first.get(), range.last.get())));
                named.entry(name.clone()).or_insert_with(|| (service.clone(), fixed));
            }
        }
        Self { named, taken, offered: RefCell::default() }
    }

    /// The number to offer `service` for its port `name`.
    fn free(&self, service: &ServiceName, name: &PortName) -> u16 {
        let mut offered = self.offered.borrow_mut();
        let others = offered.values().map(|number| (*number, *number));
        let free = free(self.taken.iter().copied().chain(others).collect());
        *offered.entry((service.clone(), name.clone())).or_insert(free)
    }

    /// What to write when `service`, which has the ports `own`, names one that it does not have.
    pub(super) fn cure(&self, service: &ServiceName, name: &PortName, own: &[&str]) -> String {
        if let Some(near) = suggest::nearest(name.as_str(), own.iter().copied()) {
            return format!("did you mean `{near}`?");
        }
        match self.named.get(name) {
            Some((other, Some(number))) => {
                format!(
                    "`{name}` is a port of `{other}`, and a template names only ports of its own service: write {number}"
                )
            }
            Some((other, None)) => format!(
                "`{name}` is a port of `{other}`, and a template names only ports of its own service: give it a `fixed` number there, and write that number here"
            ),
            None if own.is_empty() => {
                format!("add `ports = {{ {name} = {} }}` to the service", self.free(service, name))
            }
            None => format!(
                "add `{name} = {}` to its `ports`, or name one of them: {}",
                self.free(service, name),
                suggest::list(own.iter().copied())
            ),
        }
    }
}

/// The first number from 8000 on that is in none of these choices.
fn free(mut taken: Vec<(u16, u16)>) -> u16 {
    taken.sort_unstable();
    taken
        .into_iter()
        .fold(8000, |free, (first, last)| if first <= free && free <= last { last.saturating_add(1) } else { free })
}

pub(super) fn needs(service: &ServiceName, table: &ServiceTable, report: &mut Report) -> BTreeMap<PortName, PortNeed> {
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
    if let Some(at) = table.ports.said().filter(|_| needs.len() > MOST) {
        let message = format!("`{service}` has {} ports, more than mainstay handles", needs.len());
        report.problem(Code::TooMany, &at.span, message, format!("give a service at most {MOST} ports"));
    } else {
        all_different(service, table, &needs, report);
    }
    needs
}

/// The ports that name an address.
pub(super) fn addresses(table: &ServiceTable) -> BTreeMap<PortName, IpAddr> {
    let mut addresses = BTreeMap::new();
    for (name, entry) in table.ports.value().map(|map| &map.entries).into_iter().flatten() {
        if let Some(Either::Long(table)) = entry.value.value() {
            addresses.extend(table.address.value().map(|address| (name.clone(), *address)));
        }
    }
    addresses
}

/// A service whose ports cannot all have different numbers would wait for itself for ever.
fn all_different(
    service: &ServiceName,
    table: &ServiceTable,
    needs: &BTreeMap<PortName, PortNeed>,
    report: &mut Report,
) {
    let entries = table.ports.value().map(|map| &map.entries);
    let span = |name| entries.and_then(|map| map.get(name)).map(|entry| entry.value.span().unwrap_or(&entry.key));
    let mut placed: Vec<_> =
        needs.iter().filter_map(|(name, need)| span(name).map(|span| (name, *need, span))).collect();
    // The order of the file: what is told is the one that comes too late.
    placed.sort_by_key(|(_, _, span)| span.start);
    let in_order: Vec<PortNeed> = placed.iter().map(|(_, need, _)| *need).collect();
    for shortage in choose(&in_order, |_, _| true).shortages {
        let Some((_, _, span)) = placed.get(shortage.last) else { continue };
        let names = shortage.needs.iter().filter_map(|at| placed.get(*at)).map(|(name, _, _)| name.as_str());
        let numbers: Vec<String> = shortage.numbers.iter().map(u16::to_string).collect();
        let message = format!(
            "the ports {} of `{service}` need {} different numbers, and have only {} to choose from: {}",
            suggest::list(names),
            shortage.needs.len(),
            shortage.numbers.len(),
            suggest::list(numbers.iter().map(String::as_str)),
        );
        let help = "give one of them another number or a longer range, or leave one out";
        report.problem(Code::PortClash, span, message, help);
    }
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
    if prefer == range.first && prefer == range.last {
        // A choice of one is none.
        return Some(PortNeed::Fixed(prefer));
    }
    Some(PortNeed::Range { prefer, first: range.first, last: range.last })
}

/// Two services with one fixed port are an error unless they never run side by side; mainstay's own port is taken.
pub(super) fn check(file: &File, station: &Station, report: &mut Report) {
    let mut seen: BTreeMap<NonZeroU16, Vec<&ServiceName>> = BTreeMap::new();
    let api = file.api.value().and_then(|table| table.listen.value());
    let (mut clashes, mut requirers) = (0, None);
    for (service, number, span) in fixed(file, station) {
        let holders = seen.entry(number).or_default();
        let clash = holders.iter().find(|other| **other != service && !apart(file, station, service, other));
        if let Some(other) = clash {
            let addressed = |name| station.services.get(name).is_some_and(|service| !service.addresses.is_empty());
            let why = if addressed(service) || addressed(other) {
                " (services share no port number, whatever their `address`)"
            } else {
                ""
            };
            let message = format!("`{other}` and `{service}` both want port {number}, and neither has a choice{why}");
            let mut help = "give one of them another number or a range".to_owned();
            clashes += 1;
            if clashes <= ADVISED && !requirers.get_or_insert_with(|| Requirers::new(station)).need_both(service, other)
            {
                help.push_str(&format!(", or say conflicts = [\"{other}\"] when they never run together"));
            }
            report.problem(Code::PortClash, &span, message, help);
        }
        holders.push(service);
        if api.is_some_and(|api| api.port() == number.get()) {
            let message = format!("`{service}` wants port {number}, which mainstay itself listens on (`api.listen`)");
            report.problem(Code::PortClash, &span, message, "give one of the two another port");
        }
    }
}

/// All ports without a choice, in the order of the file.
fn fixed<'a>(file: &File, station: &'a Station) -> impl Iterator<Item = (&'a ServiceName, NonZeroU16, Range<usize>)> {
    let mut found = Vec::new();
    for (name, service) in &station.services {
        let entry = file.services.value().and_then(|map| map.entries.get(name));
        let ports = entry.and_then(|entry| entry.value.value()).and_then(|table| table.ports.value());
        for (port, need) in &service.ports {
            let span =
                ports.and_then(|map| map.entries.get(port)).map(|entry| entry.value.span().unwrap_or(&entry.key));
            if let (PortNeed::Fixed(number), Some(span)) = (need, span) {
                found.push((name, *number, span.clone()));
            }
        }
    }
    found.sort_by_key(|(_, _, span)| span.start);
    found.into_iter()
}

/// Clashes of which it is found out whether a conflict would help; where there are more, it is not advised.
const ADVISED: usize = 64;

/// Who requires whom.
struct Requirers<'a>(BTreeMap<&'a ServiceName, Vec<&'a ServiceName>>);

impl<'a> Requirers<'a> {
    fn new(station: &'a Station) -> Self {
        let mut all: BTreeMap<&ServiceName, Vec<&ServiceName>> = BTreeMap::new();
        for (name, service) in &station.services {
            let dependencies = service.dependencies.iter();
            for (needed, _) in dependencies.filter(|(_, kind)| matches!(kind, Dependency::Required { .. })) {
                all.entry(needed).or_default().push(name);
            }
        }
        Self(all)
    }

    /// Every service that needs this one to run, itself too.
    fn above(&self, name: &'a ServiceName) -> BTreeSet<&'a ServiceName> {
        let (mut all, mut open) = (BTreeSet::from([name]), vec![name]);
        while let Some(needed) = open.pop() {
            for by in self.0.get(needed).into_iter().flatten() {
                if all.insert(by) {
                    open.push(by);
                }
            }
        }
        all
    }

    /// Whether there is a service that needs both of these to run: then they may not be in conflict.
    fn need_both(&self, a: &'a ServiceName, b: &'a ServiceName) -> bool {
        !self.above(a).is_disjoint(&self.above(b))
    }
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
    conflicts(a, b) || conflicts(b, a) || falls_back(a, b) || falls_back(b, a)
}
