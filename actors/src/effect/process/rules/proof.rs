//! That a run is over is proved, not seen: by the roll of our children (`tree::roll` says why that is a proof).

use std::collections::{BTreeMap, BTreeSet};

use super::kernel::Kernel;
use super::orphans::Orphan;
use super::{News, Rules};
use crate::action::process::RunId;
use crate::effect::process::runs::Run;
use crate::effect::process::tree::roll::Roll;
use crate::effect::process::tree::{Act, Place};

/// Since when it may be that a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Since {
    /// A process has ended.
    AnEnd,
    /// Nobody was found by a look.
    ALook,
}

/// Runs that may be over.
pub(super) type ToProve = BTreeMap<RunId, Since>;

/// Of each run that has lost its main process, the children of whom it was not known to whom they belong when the roll was called: any of
/// its processes is one of these or descends from one. Whoever is left to us later is of somebody else, until one of these ends.
/// Otherwise a service that leaves us children all the time would keep it open of every other service whether it is over.
pub(super) type Suspects = BTreeMap<RunId, BTreeSet<u32>>;

/// What is not known of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    /// Whether it is a program, or a log-keeper, of which it is not heard yet that it has started.
    Newborn,
    /// To whom it belongs.
    Owner,
}

impl<K: Kernel> Rules<K> {
    /// A process of a run that has lost its main process has ended, or one of which nothing was known.
    pub(super) fn perhaps_over(&mut self, id: RunId) {
        match self.runs.get(&id).filter(|run| run.has_lost_main()).and_then(Run::main).map(|main| &main.place) {
            Some(Place::Group) => drop(self.to_prove.insert(id, Since::AnEnd)),
            // Its cgroup is asked first.
            Some(Place::Cgroup(_)) => self.want(id, Act::Look),
            None => {}
        }
    }

    /// A child has ended: it may have left others to us, of its run, or of any that it was perhaps of.
    pub(super) fn suspect_anew(&mut self, pid: u32, owner: Option<RunId>) {
        let is_perhaps_of = |suspects: &BTreeSet<u32>| owner.is_none() && suspects.contains(&pid);
        self.suspects.retain(|id, suspects| Some(*id) != owner && !is_perhaps_of(suspects));
    }

    /// Says of each run that may be over that it is, when that is proved. This thread waits for children, so it may call the roll.
    pub(crate) fn prove(&mut self) {
        if self.to_prove.is_empty() {
            return;
        }
        let roll = self.kernel.call_the_roll();
        let (held, doubts) = self.account_for(&roll);
        for (id, since) in std::mem::take(&mut self.to_prove) {
            let suspects = self.suspects.entry(id).or_insert_with(|| doubts.keys().copied().collect());
            let in_doubt: BTreeMap<u32, Doubt> =
                suspects.iter().filter_map(|pid| Some((*pid, *doubts.get(pid)?))).collect();
            self.conclude(id, since, held.contains(&id), &in_doubt);
        }
    }

    /// The runs of which somebody is left; and of whom it is not known.
    fn account_for(&self, roll: &Roll) -> (BTreeSet<RunId>, BTreeMap<u32, Doubt>) {
        let is_coming = self.starting > 0 || self.keeper.is_coming();
        let (mut held, mut doubts) = (BTreeSet::new(), BTreeMap::new());
        let born = roll.born.iter().map(|pid| (*pid, is_coming));
        for (pid, may_be_newborn) in born.chain(roll.adopted.iter().map(|pid| (*pid, false))) {
            if self.by_pid.contains_key(&pid) || self.keeper.is(pid) {
                continue;
            }
            match self.orphans.get(pid) {
                Some(Orphan::Of((run, _))) => drop(held.insert(run)),
                Some(Orphan::OfNobody) => {}
                None if may_be_newborn && self.kernel.is_newborn(pid) => {}
                None if may_be_newborn => drop(doubts.insert(pid, Doubt::Newborn)),
                None => drop(doubts.insert(pid, Doubt::Owner)),
            }
        }
        (held, doubts)
    }

    fn conclude(&mut self, id: RunId, since: Since, is_held: bool, in_doubt: &BTreeMap<u32, Doubt>) {
        let Some(run) = self.runs.get(&id).filter(|run| run.has_lost_main()) else { return };
        if is_held {
            match since {
                // It is to be said who is left. When that was said, the end of the next one brings us here.
                Since::AnEnd if run.lacks_a_name() => self.want(id, Act::Look),
                Since::ALook if run.is_to_be_looked_at() => {
                    self.kernel.later(self.sweep_interval, News::LookAgain(id));
                }
                Since::AnEnd | Since::ALook => {}
            }
        } else {
            let of_somebody = in_doubt.iter().filter(|(_, doubt)| **doubt == Doubt::Owner);
            of_somebody.for_each(|(pid, _)| self.orphans.wonder(*pid));
            match in_doubt.values().max() {
                None => return self.is_over(id),
                // What has started is heard of soon.
                Some(Doubt::Newborn) => drop(self.to_prove.insert(id, since)),
                Some(Doubt::Owner) => self.want(id, Act::Look),
            }
        }
        self.sweep_again(id);
    }

    fn is_over(&mut self, id: RunId) {
        let Some(run) = self.runs.get(&id) else { return };
        let (service, events) = (run.service().clone(), run.nobody_is_left());
        events.into_iter().for_each(|event| self.kernel.say(&service, id, event));
        self.forget(id);
    }
}
