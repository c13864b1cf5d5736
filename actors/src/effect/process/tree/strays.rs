//! Processes that were moved out of the cgroup of their run.
//!
//! A program that may do so moves itself or another one: `su -l` and `login` do, by way of pam_systemd, which puts every session into
//! a scope of its own. Such a run is followed as one without a cgroup is, besides by its cgroup, until nobody is left of it.

use std::collections::BTreeMap;

use super::owners::{MainState, Root};
use super::table::{self, Life};
use super::{Place, Want, cgroup};
use crate::effect::process::order::RunId;

/// Runs that have processes outside of their cgroups.
#[derive(Debug, Default)]
pub(super) struct Strays(BTreeMap<RunId, Root>);

impl Strays {
    /// Looks for runs whose main process is elsewhere among those of which something is wanted.
    pub(super) fn look(&mut self, wants: &[Want]) {
        for want in wants.iter().filter(|want| main_has_strayed(want)) {
            self.0.insert(want.run, want.root.clone());
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

    /// What is known of them now: a main process ends.
    pub(super) fn refresh(&mut self, wants: &[Want]) {
        for want in wants {
            if let Some(root) = self.0.get_mut(&want.run) {
                root.clone_from(&want.root);
            }
        }
    }

    /// Only these runs are left.
    pub(super) fn keep(&mut self, runs: impl Fn(RunId) -> bool) {
        self.0.retain(|run, _| runs(*run));
    }
}

fn main_has_strayed(want: &Want) -> bool {
    let Place::Cgroup(path) = &want.place else { return false };
    let root = &want.root;
    let lives = |pid| table::read(pid).is_some_and(|process| process.life == Life::Runs);
    root.main_state == MainState::There && !cgroup::members(path).contains(&root.main) && lives(root.main)
}
