//! Files are compared by what they are, not by how they are spelled: before a file is given, it is looked what each path leads
//! to. What the paths of holders led to is kept, since they have it open; it is seen anew of one that was not there, and of a holder
//! that is restarted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::machine::{LeaseMachine, Out};
use crate::cause::{Blocker, Holder, Resource};
use crate::message::lease::{LeaseRequest, Want};
use crate::message::{Action, Effect, OperationId, Outcome};
use mainstay_config::paths::FileIdentity;
use mainstay_hardware::error::NoAnswer;

/// What each path was seen to lead to.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Files(BTreeMap<PathBuf, FileIdentity>);

impl Files {
    /// Takes in what was seen. The paths that lead to another file than before.
    fn learn(&mut self, seen: BTreeMap<PathBuf, FileIdentity>) -> BTreeSet<PathBuf> {
        let has_moved =
            |path: &PathBuf, now: &FileIdentity| self.0.get(path).is_some_and(|before| !before.is_same(now));
        let moved = seen.iter().filter(|(path, now)| has_moved(path, now)).map(|(path, _)| path.clone()).collect();
        self.0.extend(seen);
        moved
    }

    /// Whether two resources are one.
    pub(super) fn are_same(&self, one: &Resource, other: &Resource) -> bool {
        let (Resource::File(a), Resource::File(b)) = (one, other) else { return one == other };
        a == b || self.0.get(a).zip(self.0.get(b)).is_some_and(|(a, b)| a.is_same(b))
    }
}

impl LeaseRequest {
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.wants.iter().filter_map(|want| match want {
            Want::Other(Resource::File(path)) => Some(path),
            Want::Device { .. } | Want::Port { .. } | Want::Other(_) => None,
        })
    }
}

impl LeaseMachine {
    /// Looks what the files of a request are, and those that others hold or come first for.
    pub(super) fn look_at_files(&mut self, request: &LeaseRequest, out: &mut Out) -> Option<OperationId> {
        let mut paths: BTreeSet<PathBuf> = request.files().cloned().collect();
        if paths.is_empty() {
            return None;
        }
        let is_seen = |path: &PathBuf| self.files.0.get(path).is_some_and(FileIdentity::exists);
        paths.extend(self.holders.files().filter_map(as_file).filter(|path| !is_seen(path)).cloned());
        paths.extend(self.queue.kept_files().filter_map(as_file).cloned());
        let operation = self.operation.advance();
        self.looks.insert(operation, request.holder.clone());
        out.push(Effect::Act(Action::LookAtFiles(operation, paths)));
        Some(operation)
    }

    pub(super) fn files_seen(
        &mut self,
        operation: OperationId,
        seen: Result<BTreeMap<PathBuf, FileIdentity>, NoAnswer>,
    ) -> Out {
        let moved = seen.map(|files| self.files.learn(files));
        self.queue.touch(&Resource::File(PathBuf::new()));
        let Some(holder) = self.looks.remove(&operation) else { return vec![Effect::Note(Outcome::Superseded)] };
        let preparation = self.queue.get(&holder).and_then(|queued| queued.preparation.as_ref());
        if preparation.is_none_or(|preparation| preparation.files != Some(operation)) {
            return self.files_seen_for_holder(&holder, operation, moved);
        }
        self.queue.change(&holder, |queued| match moved.err() {
            None => queued.preparation.iter_mut().for_each(|preparation| preparation.files = None),
            // One of them may be somebody's by another name.
            Some(why) => {
                let path = queued.request.files().next().cloned().unwrap_or_default();
                queued.untried = Some(Blocker::UnknownFile { path, why });
                queued.preparation = None;
            }
        });
        self.let_wait_for_files();
        Vec::new()
    }

    /// Whether a file that somebody wants again is another one by now, or is held by somebody else.
    pub(super) fn has_lost_a_file(&self, holder: &Holder, request: &LeaseRequest, moved: &BTreeSet<PathBuf>) -> bool {
        let is_wanted =
            |held: &Resource| request.files().any(|path| self.files.are_same(&Resource::File(path.clone()), held));
        let others = self.holders.iter().filter(|(other, _)| *other != holder);
        request.files().any(|path| moved.contains(path))
            || others.flat_map(|(_, holding)| &holding.grant.named).any(is_wanted)
    }

    /// Of those who want one and the same file the first goes on, and none when somebody holds it.
    fn let_wait_for_files(&mut self) {
        for rank in self.queue.prepared_with_files() {
            let Some(queued) = self.queue.get(&rank.holder) else { continue };
            let wants = |other: &Resource| {
                queued.request.files().any(|path| self.files.are_same(&Resource::File(path.clone()), other))
            };
            if self.holders.files().chain(self.queue.kept_files_before(&rank)).any(wants) {
                self.queue.change(&rank.holder, |queued| queued.preparation = None);
            }
        }
    }
}

fn as_file(resource: &Resource) -> Option<&PathBuf> {
    if let Resource::File(path) = resource { Some(path) } else { None }
}
