//! Cycles: which there are, and how they are spelled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use super::Graph;
use crate::names::ServiceName;

/// Services that depend on each other in a circle, each on the next, and the last on the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(Vec<ServiceName>);

impl Cycle {
    /// The services of the circle, each once.
    #[must_use]
    pub fn services(&self) -> &[ServiceName] {
        &self.0
    }

    /// The edges of the circle.
    pub fn edges(&self) -> impl Iterator<Item = (&ServiceName, &ServiceName)> {
        self.0.iter().zip(self.0.iter().cycle().skip(1))
    }

    /// Begins with the first of its names, so that it does not depend on where it was found.
    fn new(mut way: Vec<ServiceName>) -> Self {
        let first = way.iter().enumerate().min_by_key(|(_, name)| *name).map_or(0, |(at, _)| at);
        way.rotate_left(first);
        Self(way)
    }
}

impl fmt::Display for Cycle {
    /// Writes `a → b → c → a`; of many services the first few and the way back: `a → b → c → d → e → … → z → a`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIRST: usize = 5;
        // With more than one left out.
        let is_long = self.0.len() > FIRST + 2;
        for name in self.0.iter().take(if is_long { FIRST } else { usize::MAX }) {
            write!(f, "{name} → ")?;
        }
        if let Some(last) = self.0.last().filter(|_| is_long) {
            write!(f, "… → {last} → ")?;
        }
        self.0.first().map_or(Ok(()), |first| write!(f, "{first}"))
    }
}

impl Graph {
    /// Cycles that together hold every edge that lies on one: for each edge that is on none so far a shortest one
    /// through it. At most a hundred; a report holds no more problems.
    #[must_use]
    pub fn cycles(&self) -> Vec<Cycle> {
        const MOST: usize = 100;
        let knots = self.knots();
        let mut covered = BTreeSet::new();
        let mut found = Vec::new();
        for (from, to, _) in self.all() {
            if found.len() == MOST {
                break;
            }
            if knots.get(from) != knots.get(to) || covered.contains(&(from, to)) {
                continue;
            }
            let way = self.way(to, from, &knots);
            covered.extend(way.iter().copied().zip(way.iter().copied().cycle().skip(1)));
            found.push(Cycle::new(way.into_iter().cloned().collect()));
        }
        found
    }

    /// The knot of each service: two are in the same one when each depends on the other, however indirectly
    /// (strongly connected components, by Kosaraju).
    fn knots(&self) -> BTreeMap<&ServiceName, usize> {
        let dependents = self.dependents();
        let mut seen = BTreeSet::new();
        let mut finished = Vec::new();
        for name in self.edges.keys() {
            let next = |name: &ServiceName| self.edges.get(name).into_iter().flat_map(BTreeMap::keys);
            finished.extend(finishing(name, next, &mut seen));
        }
        let mut seen = BTreeSet::new();
        let mut knots = BTreeMap::new();
        for (number, name) in finished.into_iter().rev().enumerate() {
            let next = |name: &ServiceName| dependents.get(name).into_iter().flatten().copied();
            knots.extend(finishing(name, next, &mut seen).into_iter().map(|member| (member, number)));
        }
        knots
    }

    /// The services on a shortest way from one to another within their knot, both of them included.
    fn way<'a>(
        &'a self,
        from: &'a ServiceName,
        to: &'a ServiceName,
        knots: &BTreeMap<&ServiceName, usize>,
    ) -> Vec<&'a ServiceName> {
        let knot = knots.get(from);
        let mut came_from: BTreeMap<&ServiceName, Option<&ServiceName>> = BTreeMap::from([(from, None)]);
        let mut queue = VecDeque::from([from]);
        while let Some(name) = queue.pop_front().filter(|name| *name != to) {
            for other in self.edges.get(name).into_iter().flat_map(BTreeMap::keys) {
                if !came_from.contains_key(other) && knots.get(other) == knot {
                    came_from.insert(other, Some(name));
                    queue.push_back(other);
                }
            }
        }
        let mut way: Vec<&ServiceName> =
            std::iter::successors(Some(to), |at| came_from.get(*at).copied().flatten()).collect();
        way.reverse();
        way
    }
}

/// What can be reached from a service and has not been seen, each after all that is reached from it.
fn finishing<'a, I: Iterator<Item = &'a ServiceName>>(
    start: &'a ServiceName,
    next: impl Fn(&ServiceName) -> I,
    seen: &mut BTreeSet<&'a ServiceName>,
) -> Vec<&'a ServiceName> {
    let mut finished = Vec::new();
    let mut stack = Vec::new();
    if seen.insert(start) {
        stack.push((start, next(start)));
    }
    while let Some((name, rest)) = stack.last_mut() {
        match rest.next() {
            Some(other) if seen.insert(other) => stack.push((other, next(other))),
            Some(_) => {}
            None => {
                finished.push(*name);
                stack.pop();
            }
        }
    }
    finished
}
