//! Services that can never run: of what they need running at once, two rule each other out.
//!
//! A service needs itself and all that it requires, however indirectly. Of these at most one may have an exclusive device, file or
//! custom resource, and no two may be in conflict, or be given the same port because one stands in for the other. Sets of services are bits, so that thousands of services that require each other in
//! every way, and thousands of resources, are compared in one pass over what the file says.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::ops::Range;
use std::path::Path;

use super::dependencies::{named_in, reference_span};
use crate::diagnostics::{Code, Problems, Report};
use crate::graph::{Edge, Graph};
use crate::model::{PortNeed, Service, Sharing, Station};
use crate::names::ServiceName;
use crate::paths::FileIdentity;
use crate::schema::{File, ServiceTable};

/// Services by number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set(Vec<u64>);

impl Set {
    fn none(services: usize) -> Self {
        Self(vec![0; services.div_ceil(64)])
    }

    fn insert(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// Adds what is in both of the others.
    fn add_common(&mut self, one: &Self, other: &Self) {
        self.0.iter_mut().zip(one.0.iter().zip(&other.0)).for_each(|(word, (one, other))| *word |= one & other);
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(|(at, word)| {
            let word = *word;
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| at * 64 + bit)
        })
    }
}

/// What two services cannot both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing<'a> {
    Device(&'a str),
    /// `file/PATH` or `custom/NAME`; of the paths that lead to one file the first.
    Named(&'a str),
}

impl Thing<'_> {
    fn cure(self) -> String {
        match self {
            Self::Device(name) => format!("lease `{name}` in one of them, or \"shared\" in both"),
            Self::Named(_) => "leave it out of one of them, or take the requirement out".to_owned(),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Device(name) => name,
            Self::Named(name) => name.split_once('/').map_or(name, |(_, name)| name),
        }
    }
}

/// Who wants a thing.
#[derive(Debug, Default)]
struct Wanted<'a> {
    alone: Vec<usize>,
    shared: Vec<usize>,
    /// What it is called by those who call it something else.
    spelled: BTreeMap<usize, Thing<'a>>,
}

struct Needs<'a> {
    names: Vec<&'a ServiceName>,
    numbers: BTreeMap<&'a ServiceName, usize>,
    required: Vec<Vec<usize>>,
    /// For each service, those that need it running, itself included.
    users: Vec<Set>,
}

impl<'a> Needs<'a> {
    /// `layers`: as of the graph, so that what a service requires comes before it.
    fn new(graph: &'a Graph, layers: &'a [Vec<ServiceName>]) -> Self {
        let names: Vec<&ServiceName> = layers.iter().flatten().collect();
        let numbers: BTreeMap<&ServiceName, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let mut required = vec![Vec::new(); names.len()];
        for (from, to, edge) in graph.all() {
            if let (Edge::Required, Some(from), Some(to)) = (edge, numbers.get(from), numbers.get(to))
                && let Some(list) = required.get_mut(*from)
            {
                list.push(*to);
            }
        }
        let mut users = vec![Set::none(names.len()); names.len()];
        for at in (0..names.len()).rev() {
            let Some(own) = users.get_mut(at) else { continue };
            own.insert(at);
            let own = own.clone();
            for needed in required.get(at).into_iter().flatten() {
                if let Some(users) = users.get_mut(*needed) {
                    users.add(&own);
                }
            }
        }
        Self { names, numbers, required, users }
    }

    fn none(&self) -> Set {
        Set::none(self.names.len())
    }

    /// Those that need two of these: two of those that want a thing alone, or one of them and one that shares it.
    fn torn(&self, wanted: &Wanted<'_>) -> Set {
        let (mut once, mut twice, mut shared) = (self.none(), self.none(), self.none());
        for users in wanted.alone.iter().filter_map(|at| self.users.get(*at)) {
            twice.add_common(&once, users);
            once.add(users);
        }
        wanted.shared.iter().filter_map(|at| self.users.get(*at)).for_each(|users| shared.add(users));
        twice.add_common(&once, &shared);
        twice
    }

    /// Of these the ones that require none of the others: what these cannot, the others cannot because of them.
    fn lowest<'b>(&'b self, torn: &'b Set) -> impl Iterator<Item = usize> + 'b {
        torn.iter().filter(|at| !self.required.get(*at).into_iter().flatten().any(|needed| torn.has(*needed)))
    }

    /// Two of these that `at` needs, itself first if it is one of them.
    fn pair(&self, at: usize, wanted: &Wanted<'_>) -> Option<(usize, usize)> {
        let needs = |other: &&usize| self.users.get(**other).is_some_and(|users| users.has(at));
        let mut alone: Vec<usize> = wanted.alone.iter().filter(needs).copied().collect();
        let mut all: Vec<usize> = alone.iter().chain(wanted.shared.iter().filter(needs)).copied().collect();
        let own_first = |list: &mut Vec<usize>| list.sort_by_key(|other| (*other != at, *other));
        own_first(&mut alone);
        own_first(&mut all);
        let first = *all.first()?;
        let second = if alone.contains(&first) { all.iter().find(|other| **other != first) } else { alone.first() };
        second.map(|second| (first, *second))
    }
}

/// Reports services that wait for ever for what they themselves, or what they require, rule out.
pub(super) fn check(file: &File, station: &Station, graph: &Graph, layers: &[Vec<ServiceName>], report: &mut Report) {
    let needs = Needs::new(graph, layers);
    let mut told = Telling { file, needs: &needs, pairs: BTreeSet::new(), report };
    for (thing, wanted) in things(station, &needs).iter().filter(|(_, wanted)| !wanted.alone.is_empty()) {
        let torn = needs.torn(wanted);
        for at in needs.lowest(&torn) {
            match needs.pair(at, wanted) {
                Some(pair) if !told.is_full() => told.both_want(at, pair, *thing, wanted),
                _ => break,
            }
        }
    }
    let conflicts = conflicts(station, &needs).into_iter().map(|pair| (pair, None));
    let ports = stand_ins(file, station, &needs).into_iter().map(|(pair, port)| (pair, Some(port)));
    for ((a, b), port) in conflicts.chain(ports) {
        let wanted = Wanted { alone: vec![a, b], ..Wanted::default() };
        let torn = needs.torn(&wanted);
        for at in needs.lowest(&torn) {
            match (needs.pair(at, &wanted), port) {
                (Some(_), _) if told.is_full() => break,
                (Some(pair), None) => told.in_conflict(at, pair),
                (Some(pair), Some(port)) => told.same_port(at, pair, port),
                (None, _) => break,
            }
        }
    }
}

fn things<'a>(station: &'a Station, needs: &Needs<'_>) -> BTreeMap<Thing<'a>, Wanted<'a>> {
    let mut things: BTreeMap<Thing<'a>, Wanted<'a>> = BTreeMap::new();
    let mut files = BTreeMap::new();
    for (name, service) in &station.services {
        let Some(at) = needs.numbers.get(name).copied() else { continue };
        for (device, need) in &service.devices {
            let wanted = things.entry(Thing::Device(device.as_str())).or_default();
            match need.sharing {
                Sharing::Exclusive => wanted.alone.push(at),
                Sharing::Shared => wanted.shared.push(at),
            }
        }
        for resource in &service.resources {
            let thing = Thing::Named(resource);
            // A node says which file it is: another path may lead to it.
            let first = resource.strip_prefix("file/").map_or(thing, |path| {
                let FileIdentity { path, node, rest } = FileIdentity::of(Path::new(path));
                *files.entry((node, node.map_or(path, |_| rest))).or_insert(thing)
            });
            let wanted = things.entry(first).or_default();
            if wanted.alone.last() != Some(&at) {
                wanted.alone.push(at);
                wanted.spelled.extend((thing != first).then_some((at, thing)));
            }
        }
    }
    things
}

fn conflicts(station: &Station, needs: &Needs<'_>) -> BTreeSet<(usize, usize)> {
    let number = |name: &ServiceName| needs.numbers.get(name).copied();
    let pairs = |service: &Service| -> Vec<(usize, usize)> {
        let of = |other| number(&service.name).zip(number(other)).map(|(a, b)| (a.min(b), a.max(b)));
        service.conflicts.iter().filter_map(of).collect()
    };
    station.services.values().flat_map(|service| pairs(service)).collect()
}

/// Services with one fixed port, of which one is the other's fallback. Of any others it is said without a look at who requires them.
fn stand_ins(file: &File, station: &Station, needs: &Needs<'_>) -> BTreeMap<(usize, usize), NonZeroU16> {
    let mut found = BTreeMap::new();
    for (name, service) in &station.services {
        let fallback = table(file, name).and_then(|table| table.fallback.value());
        let other =
            fallback.and_then(|fallback| station.services.values().find(|other| other.name.as_str() == fallback.0));
        let Some(other) = other else { continue };
        let same = fixed(service).find(|port| fixed(other).any(|others| others == *port));
        let (Some(a), Some(b), Some(port)) = (needs.numbers.get(name), needs.numbers.get(&other.name), same) else {
            continue;
        };
        found.insert((*a.min(b), *a.max(b)), port);
    }
    found
}

fn fixed(service: &Service) -> impl Iterator<Item = NonZeroU16> + '_ {
    service.ports.values().filter_map(|need| match need {
        PortNeed::Fixed(port) => Some(*port),
        PortNeed::Range { .. } => None,
    })
}

fn table<'a>(file: &'a File, name: &ServiceName) -> Option<&'a ServiceTable> {
    file.services.value()?.entries.get(name)?.value.value().map(|table| &**table)
}

/// Puts what was found into words, each pair once for each service.
struct Telling<'a, 'r> {
    file: &'a File,
    needs: &'a Needs<'a>,
    pairs: BTreeSet<(usize, usize, usize)>,
    report: &'r mut Report,
}

impl Telling<'_, '_> {
    /// No report holds more.
    fn is_full(&self) -> bool {
        self.pairs.len() >= Problems::MOST
    }

    fn both_want(&mut self, at: usize, pair: (usize, usize), thing: Thing<'_>, wanted: &Wanted<'_>) {
        let [one, other] = [pair.0, pair.1].map(|at| wanted.spelled.get(&at).unwrap_or(&thing).name());
        let words = if one == other {
            format!("both want `{one}` for themselves")
        } else {
            format!("both want one file for themselves, `{one}` and `{other}`")
        };
        self.tell(at, pair, &words, &thing.cure(), None);
    }

    fn in_conflict(&mut self, at: usize, pair: (usize, usize)) {
        let words = if at == pair.0 { "is in conflict with it" } else { "these are in conflict" };
        let said = self.table(at).and_then(|table| named_in(&table.conflicts, self.name(pair.1)?));
        self.tell(at, pair, words, "keep the requirement or the conflict, not both", said);
    }

    fn same_port(&mut self, at: usize, pair: (usize, usize), port: NonZeroU16) {
        let words = format!("both want port {port}, without a choice");
        self.tell(at, pair, &words, "give one of them another number or a range, or take the requirement out", None);
    }

    fn tell(&mut self, at: usize, pair: (usize, usize), words: &str, help: &str, place: Option<Range<usize>>) {
        if !self.pairs.insert((at, pair.0, pair.1)) {
            return;
        }
        let (Some(name), Some(a), Some(b)) = (self.name(at), self.name(pair.0), self.name(pair.1)) else { return };
        let table = self.table(at);
        let reference = |other| reference_span(table?, other);
        let requires = || table.and_then(|table| table.requires.span()).cloned();
        let place = place.or_else(|| reference(b)).or_else(|| reference(a)).or_else(requires).unwrap_or_default();
        let needed = if at == pair.0 { format!("`{b}`") } else { format!("`{a}` and `{b}`") };
        let message = format!("`{name}` requires {needed}, and {words}: `{name}` could never run");
        self.report.problem(Code::Contradiction, &place, message, help);
    }

    fn name(&self, at: usize) -> Option<&ServiceName> {
        self.needs.names.get(at).copied()
    }

    fn table(&self, at: usize) -> Option<&ServiceTable> {
        table(self.file, self.name(at)?)
    }
}
