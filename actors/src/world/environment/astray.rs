//! Simulated processes that go astray: out of the control group of their run, or without what shows whose they are, or with what shows
//! that they are another's.
//!
//! Whose a process is as long as it descends from a main process, nobody can hide. One that is left to us by its parent is whose it shows
//! to be. Who shows nothing is nobody's: it is left alone, and holds up nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Happening;
use super::table::{Course, Life, Member, Parent, SECOND, Table, Tree};
#[cfg(test)]
use super::{Consequences, Environment};
use crate::action::process::{Exit, RunId};
use crate::effect::process::driven::{Ended, Evidence, MainState, Round, Want};

/// What a process shows of where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// That it is of its run.
    Own,
    /// Nothing.
    Lost,
    /// That it is of this run.
    Forged(RunId),
}

impl Member {
    /// What points from it to its run.
    pub(super) fn evidence(&self, has_cgroups: bool) -> Option<Evidence> {
        if !self.strays || has_cgroups && !self.is_outside || self.is_known {
            return Some(Evidence::Descent);
        }
        (self.mark == Mark::Own).then_some(Evidence::Tag)
    }
}

impl Tree {
    /// Whether a process of it was killed, and is there. It may hide others: whose parent lives is nobody's whom we know.
    pub(in crate::world) fn hangs(&self) -> bool {
        self.members.is_empty() || self.members.iter().any(|member| member.is_being_killed)
    }
}

#[cfg(test)]
impl Environment {
    /// A process is left to us that shows nothing of where it comes from.
    pub(in crate::world) fn leave_stranger(&mut self, lives: Duration, so: &mut Consequences) {
        let table = self.executor.kernel_mut();
        let pid = table.next_pid().pid;
        table.is_nobodys(pid, lives);
        table.take_consequences(so);
    }
}

impl Table {
    /// What a process of a run shows that has just begun.
    pub(super) fn some_mark(&mut self, run: RunId) -> Mark {
        if !self.random.happens(self.weather.unmarked) {
            return Mark::Own;
        }
        let is_heard_of = |other: &RunId| *other != run && !self.births.contains_key(other);
        let living = self.trees.iter().filter(|(other, tree)| tree.life == Life::Alive && is_heard_of(other));
        let others: Vec<RunId> = living.map(|(other, _)| *other).collect();
        match self.random.choose(&others) {
            Some(other) if self.random.happens(500) => Mark::Forged(*other),
            _ => Mark::Lost,
        }
    }

    /// Those that were left to us by a run and do not show that they are of it are another run's, or nobody's.
    pub(super) fn disown(&mut self, run: RunId) {
        let has_cgroups = self.has_cgroups;
        let Some(tree) = self.trees.get_mut(&run) else { return };
        let is_strange = |member: &Member| member.parent == Parent::Us && member.evidence(has_cgroups).is_none();
        let (strange, own): (Vec<_>, Vec<_>) = tree.members.drain(..).partition(is_strange);
        tree.members = own;
        let is_over = tree.members.is_empty() && !strange.is_empty();
        if is_over {
            self.trees.remove(&run);
            self.so.happened.push(Happening::Gone(run));
        }
        strange.into_iter().for_each(|member| self.goes_over(member));
    }

    fn goes_over(&mut self, member: Member) {
        let other = if let Mark::Forged(other) = member.mark { self.trees.get_mut(&other) } else { None };
        if let Some(tree) = other.filter(|tree| !tree.members.is_empty()) {
            // Whoever tells them apart by their control groups finds it outside of that.
            tree.members.push(Member { is_outside: true, mark: Mark::Own, forks: 0, ..member });
            return;
        }
        let wait = self.random.wait(SECOND * 30);
        self.is_nobodys(member.id.pid, wait);
    }

    fn is_nobodys(&mut self, pid: u32, lives: Duration) {
        self.nobodys.insert(pid);
        self.within(lives, lives, Course::NobodyEnds(pid));
    }

    pub(super) fn nobody_ends(&mut self, pid: u32) {
        if self.nobodys.remove(&pid) {
            self.has_ended(Ended { pid, exit: Exit::Code(0) }, Parent::Us);
        }
    }

    /// One that is believed to be the main process was known to be of its run when that was said: it descended from it, or was
    /// inside of its control group. That stays known.
    pub(super) fn is_believed(&mut self, run: RunId, pid: u32) {
        let mut members = self.trees.get_mut(&run).into_iter().flat_map(|tree| &mut tree.members);
        if let Some(member) = members.find(|member| member.id.pid == pid) {
            member.is_known = true;
        }
    }

    /// Takes in who is seen to belong to whom when all processes are looked at: that stays known.
    pub(super) fn look_at_all(&mut self, round: &Round) {
        self.strayed.retain(|run| round.strays.contains(run));
        if self.has_cgroups {
            // Its main process may be another one by now than at first.
            let is_main = |want: &Want, member: &Member| {
                want.root.main_state == MainState::There && member.id.pid == want.root.main
            };
            let has_left = |want: &&Want| {
                let mut members = self.trees.get(&want.run).into_iter().flat_map(|tree| &tree.members);
                members.any(|member| is_main(want, member) && member.is_outside)
            };
            let strayed: Vec<RunId> = round.wants.iter().filter(has_left).map(|want| want.run).collect();
            self.strayed.extend(strayed);
        }
        for (run, tree) in &mut self.trees {
            let is_looked_for = round.roots.iter().any(|(root, _)| root.run == *run);
            if self.strayed.contains(run) || !self.has_cgroups && is_looked_for {
                tree.members.iter_mut().for_each(|member| member.is_known = true);
            }
        }
    }

    /// To whom those belong that are asked for. Whoever is not in the control group of its run has strayed.
    pub(super) fn find_owners(&mut self, round: &Round) -> BTreeMap<u32, (RunId, Evidence)> {
        let mut owners = BTreeMap::new();
        for pid in &round.unknown {
            let Some((run, member)) = self.owner(*pid) else { continue };
            let is_root = round.roots.iter().any(|(root, _)| root.run == run);
            let (evidence, is_outside) = (member.evidence(self.has_cgroups), member.is_outside);
            let Some(evidence) = evidence.filter(|_| is_root) else { continue };
            owners.insert(*pid, (run, evidence));
            if self.has_cgroups && is_outside {
                self.strayed.insert(run);
            }
        }
        owners
    }
}
