//! The dependency graph of services: start order, cycles, and who depends on whom.
//!
//! An edge leads from a service to one it requires, wants or comes after. Everything here is deterministic: names are
//! taken in their order.

mod cycles;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Dependency, Service};
use crate::names::ServiceName;

pub use cycles::Cycle;

/// How strong an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// It cannot run without the other.
    Required,
    /// It uses the other when it is there.
    Optional,
    /// It only starts after the other.
    Soft,
}

impl From<&Dependency> for Edge {
    fn from(dependency: &Dependency) -> Self {
        match dependency {
            Dependency::Required { .. } => Self::Required,
            Dependency::Optional { .. } => Self::Optional,
            Dependency::Soft => Self::Soft,
        }
    }
}

/// Which service depends on which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    edges: BTreeMap<ServiceName, BTreeMap<ServiceName, Edge>>,
}

impl Graph {
    /// The graph of these services. Dependencies on services that are not among them are left out.
    #[must_use]
    pub fn new(services: &BTreeMap<ServiceName, Arc<Service>>) -> Self {
        let edges = services.iter().map(|(name, service)| {
            let known = service.dependencies.iter().filter(|(other, _)| services.contains_key(*other));
            (name.clone(), known.map(|(other, dependency)| (other.clone(), dependency.into())).collect())
        });
        Self { edges: edges.collect() }
    }

    /// The start order: every service stands in a later layer than all it has an edge to, and as early as that allows.
    ///
    /// # Errors
    /// The cycles that make an order impossible.
    pub fn layers(&self) -> Result<Vec<Vec<ServiceName>>, Vec<Cycle>> {
        let mut waiting_for: BTreeMap<&ServiceName, usize> =
            self.edges.iter().map(|(name, edges)| (name, edges.len())).collect();
        let dependents = self.dependents();
        let mut layers = Vec::new();
        let mut layer: Vec<&ServiceName> =
            waiting_for.iter().filter(|(_, n)| **n == 0).map(|(name, _)| *name).collect();
        let mut placed = 0;
        while !layer.is_empty() {
            placed += layer.len();
            let mut next = BTreeSet::new();
            for dependent in layer.iter().filter_map(|name| dependents.get(name)).flatten() {
                if let Some(left) = waiting_for.get_mut(dependent) {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        next.insert(*dependent);
                    }
                }
            }
            layers.push(layer.into_iter().cloned().collect());
            layer = next.into_iter().collect();
        }
        if placed == self.edges.len() { Ok(layers) } else { Err(self.cycles()) }
    }

    /// The same without the edges of these cycles.
    #[must_use]
    pub(crate) fn without(&self, cycles: &[Cycle]) -> Self {
        let mut rest = self.clone();
        for (from, to) in cycles.iter().flat_map(Cycle::edges) {
            if let Some(edges) = rest.edges.get_mut(from) {
                edges.remove(to);
            }
        }
        rest
    }

    /// Every edge: from which service, to which.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&ServiceName, &ServiceName, Edge)> {
        self.edges.iter().flat_map(|(from, edges)| edges.iter().map(move |(to, edge)| (from, to, *edge)))
    }

    fn dependents(&self) -> BTreeMap<&ServiceName, Vec<&ServiceName>> {
        let mut dependents: BTreeMap<&ServiceName, Vec<&ServiceName>> = BTreeMap::new();
        for (from, to, _) in self.all() {
            dependents.entry(to).or_default().push(from);
        }
        dependents
    }
}

#[cfg(test)]
mod tests;
