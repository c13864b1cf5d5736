//! Children of mainstay that it did not start: what services left to it, and to whom they belong.

use std::collections::{BTreeMap, BTreeSet};

use crate::action::process::RunId;
use crate::effect::process::tree::Owner;

/// What is known of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Orphan {
    /// It belongs to a run.
    Of(Owner),
    /// Nothing points from it to a run.
    OfNobody,
}

/// All of them. A child keeps its number until it is waited for, so a number is enough to know one by.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Orphans {
    known: BTreeMap<u32, Orphan>,
    /// Whose owners are not known and not asked for yet.
    unknown: BTreeSet<u32>,
    /// Whose owners are being looked for.
    asked: BTreeSet<u32>,
    /// Whether every run was known when that was asked that is known now.
    question: Question,
    /// Of whom it was said that nobody knows them.
    named: BTreeSet<u32>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Question {
    #[default]
    Current,
    Outdated,
}

impl Orphans {
    /// What is known of a child.
    pub(super) fn get(&self, pid: u32) -> Option<Orphan> {
        self.known.get(&pid).copied()
    }

    /// It is to be found out to whom a child belongs.
    pub(super) fn wonder(&mut self, pid: u32) {
        if !self.asked.contains(&pid) {
            self.unknown.insert(pid);
        }
    }

    /// Whether there is nobody of whom it is to be found out.
    pub(super) fn none_is_unknown(&self) -> bool {
        self.unknown.is_empty()
    }

    /// Those of whom that is asked now.
    pub(super) fn ask(&mut self) -> Vec<u32> {
        self.asked = std::mem::take(&mut self.unknown);
        self.question = Question::Current;
        self.asked.iter().copied().collect()
    }

    /// Nobody answers any more: whoever was asked for is asked for again.
    #[cfg(any(test, feature = "world"))]
    pub(super) fn ask_again(&mut self) {
        self.unknown.append(&mut self.asked);
    }

    /// The answer. One that has been waited for meanwhile is not asked for any more: its number may be anybody's.
    pub(super) fn answered(&mut self, owners: &BTreeMap<u32, Owner>) {
        for pid in std::mem::take(&mut self.asked) {
            if self.question == Question::Outdated && !owners.contains_key(&pid) {
                continue;
            }
            let orphan = owners.get(&pid).map_or(Orphan::OfNobody, |owner| Orphan::Of(*owner));
            self.known.insert(pid, orphan);
            if orphan == Orphan::OfNobody && self.named.insert(pid) {
                tracing::warn!(
                    pid,
                    "a process that some service left behind shows nothing of where it comes from; it is left alone"
                );
            }
        }
    }

    /// A run is known from now on that was not before: perhaps it left those to us who seemed to belong to nobody.
    pub(super) fn ask_strangers_again(&mut self) {
        self.known.retain(|_, orphan| *orphan != Orphan::OfNobody);
        self.question = Question::Outdated;
    }

    /// A child was waited for. What was known of it.
    pub(super) fn ended(&mut self, pid: u32) -> Option<Orphan> {
        self.unknown.remove(&pid);
        self.asked.remove(&pid);
        self.named.remove(&pid);
        self.known.remove(&pid)
    }

    /// Nobody is left of a run.
    pub(super) fn run_is_over(&mut self, id: RunId) {
        self.known.retain(|_, orphan| !matches!(orphan, Orphan::Of((run, _)) if *run == id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::process::tree::Evidence;

    const OWNER: Owner = (RunId(1), Evidence::Tag);

    #[test]
    fn an_answer_about_a_child_that_was_waited_for_meanwhile_is_passed_over() {
        let mut orphans = Orphans::default();
        orphans.wonder(7);
        orphans.wonder(8);
        assert_eq!(orphans.ask(), [7, 8]);
        assert_eq!(orphans.ended(7), None);
        orphans.answered(&BTreeMap::from([(7, OWNER), (8, OWNER)]));
        assert_eq!((orphans.get(7), orphans.get(8)), (None, Some(Orphan::Of(OWNER))));
    }

    #[test]
    fn one_that_nobody_knew_is_asked_for_again_when_a_further_run_is_known() {
        let mut orphans = Orphans::default();
        orphans.wonder(7);
        orphans.ask();
        orphans.answered(&BTreeMap::new());
        assert_eq!(orphans.get(7), Some(Orphan::OfNobody));
        orphans.ask_strangers_again();
        assert_eq!(orphans.get(7), None);
    }

    #[test]
    fn that_nobody_knew_one_is_not_believed_when_a_further_run_became_known_meanwhile() {
        let mut orphans = Orphans::default();
        orphans.wonder(7);
        orphans.ask();
        orphans.ask_strangers_again();
        orphans.answered(&BTreeMap::new());
        assert_eq!(orphans.get(7), None);
    }
}
