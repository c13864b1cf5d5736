//! What is asked of all needs after every message, counted.

use std::collections::BTreeSet;

use mainstay_config::model::Dependency;
use mainstay_config::names::ServiceName;

use super::{Loss, Need, Urgency, Wait};
use crate::cause::Standing;

/// The needs by what matters of them.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Tally {
    /// Those that are not met, the most pressing first.
    pub(super) unmet: BTreeSet<(Urgency, ServiceName)>,
    /// How many of them are required.
    pub(super) required: usize,
    /// How many that are required are neither there nor just being restarted.
    pub(super) away: usize,
    /// Those of which the wait has not begun.
    pub(super) unbegun: BTreeSet<ServiceName>,
    /// Those of which it has.
    pub(super) begun: BTreeSet<ServiceName>,
    /// Those that are down and will count as lost.
    pub(super) counting: BTreeSet<ServiceName>,
    /// Those that are lost.
    pub(super) lost: BTreeSet<ServiceName>,
    /// Optional ones that are not up.
    pub(super) absent: BTreeSet<ServiceName>,
}

impl Tally {
    pub(super) fn add(&mut self, name: &ServiceName, need: &Need) {
        let facts = Facts::of(need);
        if !facts.met {
            self.unmet.insert((need.urgency(), name.clone()));
            self.required += usize::from(need.is_required());
        }
        self.away += usize::from(need.is_required() && !need.is_returning());
        for set in self.sets(&facts).into_iter().flatten() {
            set.insert(name.clone());
        }
    }

    pub(super) fn remove(&mut self, name: &ServiceName, need: &Need) {
        let facts = Facts::of(need);
        if !facts.met {
            self.unmet.remove(&(need.urgency(), name.clone()));
            self.required -= usize::from(need.is_required());
        }
        self.away -= usize::from(need.is_required() && !need.is_returning());
        for set in self.sets(&facts).into_iter().flatten() {
            set.remove(name);
        }
    }

    /// The sets that a need is in.
    fn sets(&mut self, facts: &Facts) -> [Option<&mut BTreeSet<ServiceName>>; 5] {
        [
            facts.unbegun.then_some(&mut self.unbegun),
            facts.begun.then_some(&mut self.begun),
            facts.counting.then_some(&mut self.counting),
            facts.lost.then_some(&mut self.lost),
            facts.absent.then_some(&mut self.absent),
        ]
    }
}

/// In which sets a need is.
struct Facts {
    met: bool,
    unbegun: bool,
    begun: bool,
    counting: bool,
    lost: bool,
    absent: bool,
}

impl Facts {
    fn of(need: &Need) -> Self {
        let is_up = need.standing == Standing::Up;
        let is_soft = matches!(need.dependency, Dependency::Soft);
        Self {
            met: need.is_met(),
            unbegun: !is_up && !is_soft && need.wait == Wait::NotBegun,
            begun: need.wait != Wait::NotBegun,
            counting: matches!(need.loss, Loss::Counting(_)),
            lost: need.loss == Loss::Lost,
            absent: !is_up && matches!(need.dependency, Dependency::Optional { .. }),
        }
    }
}
