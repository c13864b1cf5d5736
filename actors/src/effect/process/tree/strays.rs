//! Processes that were moved out of the cgroup of their run.
//!
//! A program that may do so moves itself or another one: `su -l` and `login` do, by way of pam_systemd, which puts every session into
//! a scope of its own. Such a run is followed as one without a cgroup is, besides by its cgroup, until nobody is left of it.

use std::collections::BTreeMap;

use super::owners::{MainState, Origin, Root};
use super::table::{self, Life, PipeId};
use super::{Place, Want, cgroup};
use crate::effect::process::order::RunId;

/// Runs that have processes outside of their cgroups.
#[derive(Debug, Default)]
pub(super) struct Strays(BTreeMap<RunId, Root>);

/// An orphan that was left to us, and what it says of where it comes from.
struct Orphan {
    pid: u32,
    mark: Option<String>,
    outputs: Vec<PipeId>,
}

impl Strays {
    /// Looks for such runs among those of which something is wanted.
    pub(super) fn look(&mut self, wants: &[Want], origin: &impl Origin) {
        let mut in_cgroups = wants.iter().filter(|want| want.place != Place::Group).peekable();
        if in_cgroups.peek().is_none() {
            return;
        }
        let orphans: Vec<Orphan> =
            table::adopted().unwrap_or_default().into_iter().map(|pid| Orphan::of(pid, origin)).collect();
        for want in in_cgroups {
            if self.0.contains_key(&want.run) || has_strayed(want, &orphans) {
                self.0.insert(want.run, want.root.clone());
            }
        }
    }

    /// Their roots, for a look at all processes.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Root> {
        self.0.values()
    }

    /// Nobody is left of a run.
    pub(super) fn over(&mut self, run: RunId) {
        self.0.remove(&run);
    }
}

impl Orphan {
    fn of(pid: u32, origin: &impl Origin) -> Self {
        Self { pid, mark: origin.mark(pid), outputs: origin.outputs(pid) }
    }

    fn belongs_to(&self, root: &Root) -> bool {
        self.mark.as_ref() == Some(&root.mark) || self.outputs.contains(&root.output)
    }
}

/// Whether the main process is elsewhere, or somebody who was left to us comes from this run.
fn has_strayed(want: &Want, orphans: &[Orphan]) -> bool {
    let Place::Cgroup(path) = &want.place else { return false };
    let root = &want.root;
    if root.main_state == MainState::Reaped && orphans.is_empty() {
        // The usual end: nobody is left who could be elsewhere.
        return false;
    }
    let inside = cgroup::members(path);
    let lives = |pid| table::read(pid).is_some_and(|process| process.life == Life::Runs);
    let main_is_outside = root.main_state == MainState::There && !inside.contains(&root.main) && lives(root.main);
    main_is_outside || orphans.iter().any(|orphan| !inside.contains(&orphan.pid) && orphan.belongs_to(root))
}
