//! Processes that were moved out of the cgroup of their run.
//!
//! A program that may do so moves itself or another one: `su -l` and `login` do, by way of pam_systemd, which puts every session into
//! a scope of its own. Such a run is followed as one without a cgroup is, besides by its cgroup, until nobody is left of it.

use std::collections::{BTreeMap, BTreeSet};

use super::owners::{MainState, Root};
use super::{Inside, Place, Want};
use crate::action::process::RunId;
use crate::effect::proc::{Life, here};

/// Runs that have processes outside of their cgroups.
#[derive(Debug, Default)]
pub(super) struct Strays(BTreeMap<RunId, Root>);

impl Strays {
    /// Looks for runs whose main process is elsewhere among those of which something is wanted; what is known of the others may be
    /// new.
    pub(super) fn look(&mut self, wants: &[Want], insides: &[Inside]) {
        for (want, inside) in wants.iter().zip(insides) {
            if self.0.contains_key(&want.run) || main_has_strayed(want, inside) {
                self.0.insert(want.run, want.root.clone());
            }
        }
    }

    /// A child that was left to us is of this run, and not in its cgroup.
    pub(super) fn found(&mut self, root: &Root) {
        self.0.insert(root.run, root.clone());
    }

    /// Their roots, for a look at all processes.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Root> {
        self.0.values()
    }

    /// Which they are.
    pub(super) fn runs(&self) -> BTreeSet<RunId> {
        self.0.keys().copied().collect()
    }

    /// Only these runs are left.
    pub(super) fn keep(&mut self, runs: &BTreeSet<RunId>) {
        self.0.retain(|run, _| runs.contains(run));
    }
}

fn main_has_strayed(want: &Want, inside: &Inside) -> bool {
    let root = &want.root;
    let lives = |pid| here().process(pid).is_some_and(|process| process.life == Life::Runs);
    want.place != Place::Group && root.main_state == MainState::There && !inside.lists(root.main) && lives(root.main)
}
