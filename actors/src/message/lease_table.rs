//! What the lease registry shows: who holds what, and who waits for what.

use std::collections::BTreeMap;

use mainstay_config::model::Sharing;
use mainstay_hardware::sighting::Generation;

use super::Moment;
use super::lease::{LeaseRequest, Token};
use crate::cause::{Blocker, Holder, Resource};

/// One lease that is held.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeldLease {
    /// What.
    pub resource: Resource,
    /// By whom.
    pub holder: Holder,
    /// Exclusive or shared.
    pub sharing: Sharing,
    /// Its token.
    pub token: Token,
    /// Since when.
    pub since: Moment,
    /// The arrival of the device it is bound to.
    pub generation: Option<Generation>,
}

/// One request in the queue.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waiter {
    /// The request.
    pub request: LeaseRequest,
    /// What it waits for.
    pub blockers: Vec<Blocker>,
    /// Since when it waits, whenever it took its place in the queue.
    pub since: Moment,
}

/// What one holder has and waits for, for showing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HolderSnapshot {
    /// Who.
    pub holder: Holder,
    /// What it holds.
    pub held: Box<[HeldLease]>,
    /// What it waits for.
    pub waits: Option<Box<Waiter>>,
}

/// What has changed of what is leased.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum LeaseNews {
    /// Somebody holds other things than before, or waits for others.
    Of(HolderSnapshot),
    /// These are all who hold anything, or wait.
    All(Vec<HolderSnapshot>),
}

/// What all hold and wait for, as it was shown last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaseTable(BTreeMap<Holder, HolderSnapshot>);

impl LeaseTable {
    /// Takes in what has changed.
    pub fn take_in(&mut self, news: LeaseNews) {
        let changed = match news {
            LeaseNews::Of(one) => vec![one],
            LeaseNews::All(all) => {
                self.0.clear();
                all
            }
        };
        for shown in changed {
            if shown.held.is_empty() && shown.waits.is_none() {
                self.0.remove(&shown.holder);
            } else {
                self.0.insert(shown.holder.clone(), shown);
            }
        }
    }

    /// All of it, in order.
    #[must_use]
    pub fn snapshot(&self) -> LeaseSnapshot {
        let mut held: Vec<HeldLease> = self.0.values().flat_map(|shown| shown.held.iter()).cloned().collect();
        held.sort_by(|a, b| (&a.resource, &a.holder).cmp(&(&b.resource, &b.holder)));
        let mut queue: Vec<Waiter> = self.0.values().filter_map(|shown| shown.waits.as_deref().cloned()).collect();
        queue.sort_by_key(|waiter| waiter.request.rank());
        LeaseSnapshot { held, queue }
    }
}

/// All leases and all who wait, for showing.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeaseSnapshot {
    /// What is held, by resource.
    pub held: Vec<HeldLease>,
    /// Who waits, first in line first.
    pub queue: Vec<Waiter>,
}
