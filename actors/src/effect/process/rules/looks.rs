//! Looks at the trees of runs, in rounds, and what follows from them.

use std::collections::{BTreeMap, BTreeSet};

use super::kernel::Kernel;
use super::proof::Since;
use super::{News, RoundState, Rules};
use crate::action::process::RunId;
use crate::effect::process::runs::{Main, RoundNumber, Run, Sweep};
use crate::effect::process::tree::{Act, Looked, Place, Populated, ProcessId, Root, Round, Seen, Want, Whom};

/// How many cgroups are looked at in one round.
const AT_ONCE: usize = 32;

impl<K: Kernel> Rules<K> {
    pub(super) fn want(&mut self, id: RunId, act: Act) {
        if self.runs.get(&id).is_none_or(|run| run.main().is_none()) {
            return;
        }
        let acts = self.wants.entry(id).or_default();
        if !acts.contains(&act) {
            acts.push(act);
        }
    }

    /// Calls for a round of looks that begins a turn later: services that are stopped together share one look at `/proc`.
    pub(super) fn begin_round_soon(&mut self) {
        if self.round_state == RoundState::Idle && !self.wants.is_empty() {
            self.round_state = RoundState::Called;
            self.kernel.soon(News::RoundWanted);
        }
    }

    /// Begins a round of looks, unless one is under way: what is wanted meanwhile goes into the next.
    pub(crate) fn begin_round(&mut self) {
        if self.round_state == RoundState::UnderWay {
            return;
        }
        self.round_state = RoundState::Idle;
        let wants: Vec<_> =
            self.wants_of_a_round().into_iter().filter_map(|(id, acts)| self.as_want(id, acts)).collect();
        if wants.is_empty() {
            return;
        }
        let unknown = self.orphans.ask();
        self.strays.retain(|run| self.runs.contains_key(run));
        let roots = self.to_be_told_apart(&wants, &unknown);
        self.round = self.round.next();
        self.round_state = RoundState::UnderWay;
        self.kernel.look(Round { wants, roots, strays: self.strays.clone(), unknown });
    }

    /// A look at all processes is taken once for everybody. Cgroups are looked at one by one, and while the next of them are, what was
    /// found of the first is acted on.
    fn wants_of_a_round(&mut self) -> BTreeMap<RunId, Vec<Act>> {
        let is_in_cgroup =
            |id: &RunId| self.runs.get(id).and_then(Run::main).is_none_or(|main| main.place != Place::Group);
        let one_by_one =
            self.strays.is_empty() && self.orphans.none_is_unknown() && self.wants.keys().all(is_in_cgroup);
        let rest = match self.wants.keys().nth(AT_ONCE) {
            Some(first) if one_by_one => {
                let first = *first;
                self.wants.split_off(&first)
            }
            _ => BTreeMap::new(),
        };
        std::mem::replace(&mut self.wants, rest)
    }

    /// Which runs a round has to know of. Most often none but those of which something is wanted: a cgroup tells by itself.
    fn to_be_told_apart(&self, wants: &[Want], unknown: &[u32]) -> Vec<(Root, Place)> {
        let everybody = !unknown.is_empty();
        let in_groups = everybody || !self.strays.is_empty() || wants.iter().any(|want| want.place == Place::Group);
        let is_needed = |main: &&Main| everybody || in_groups && main.place == Place::Group;
        let root = |run: &Run| Some((run.main().filter(is_needed)?.place.clone(), run.root()?));
        let root = |run: &Run| root(run).map(|(place, root)| (root, place));
        if in_groups { self.runs.values().filter_map(root).collect() } else { Vec::new() }
    }

    pub(super) fn as_want(&self, id: RunId, acts: Vec<Act>) -> Option<Want> {
        let run = self.runs.get(&id)?;
        Some(Want { run: id, place: run.main()?.place.clone(), acts, root: run.root()? })
    }

    pub(super) fn looked(&mut self, looked: Looked) {
        self.round_state = RoundState::Idle;
        // Who had ended when it was looked shows nothing of where he came from: of him no answer is believed.
        self.reap();
        self.orphans.answered(&looked.owners);
        self.signal_strays(&looked.strays);
        self.strays = looked.strays;
        let round = self.round;
        // The thread goes on with what is left to look at meanwhile.
        self.begin_round();
        for Seen { run, members, cgroup, left_to_group } in looked.seen {
            self.check_senders(run, &members);
            self.signal_group(run, &left_to_group);
            self.apply(run, round, &members, cgroup);
        }
    }

    /// Whoever is found outside of the cgroup of a run was not found by the look that followed the signal to its group.
    fn signal_strays(&mut self, strays: &BTreeSet<RunId>) {
        for id in strays.difference(&self.strays).copied().collect::<Vec<_>>() {
            if let Some((signal, group)) = self.runs.get(&id).and_then(Run::not_sent_to_strays) {
                self.want(id, Act::Signal(signal, Whom::OutsideOf(group)));
            }
        }
    }

    /// Sends a group what waited for the look that has just been made.
    fn signal_group(&mut self, id: RunId, left_to_it: &[ProcessId]) {
        // A signal that came after the look began waits for the next one.
        if self.wants.get(&id).is_some_and(|acts| acts.iter().any(|act| matches!(act, Act::Signal(..)))) {
            return;
        }
        let Some(run) = self.runs.get(&id) else { return };
        let Some(main) = run.main() else { return };
        // As long as the leader is not waited for, nobody else can have its number.
        let (leader, is_there) = (main.leader, main.pid == main.leader && !run.has_lost_main());
        for signal in self.to_groups.remove(&id).unwrap_or_default() {
            if is_there {
                self.kernel.signal_group(leader, left_to_it, signal);
            } else {
                self.want(id, Act::Signal(signal, Whom::Within(leader)));
            }
        }
    }

    fn apply(&mut self, id: RunId, round: RoundNumber, members: &[ProcessId], cgroup: Populated) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let service = run.service().clone();
        // One is named first whose end will be heard: not one that was waited for since the look.
        let is_there = |member: &ProcessId| self.kernel.process(member.pid) == Some(*member);
        let first = run.lacks_a_name().then(|| members.iter().position(is_there)).flatten();
        let event = match first.and_then(|first| members.get(first..)) {
            Some(there) => run.seen(round, there),
            None if run.is_to_be_looked_at() => run.seen(round, members),
            None => None,
        };
        let may_be_over = run.has_lost_main() && cgroup == Populated::No;
        // Who is just ending counts for its cgroup and is not listed any more. Nobody says when that is over.
        let is_ending = run.is_judged_by(round) && cgroup == Populated::Yes && members.is_empty();
        event.into_iter().for_each(|event| self.kernel.say(&service, id, event));
        if may_be_over {
            self.to_prove.insert(id, Since::ALook);
        } else {
            self.sweep_again(id);
        }
        if is_ending {
            self.kernel.later(self.sweep_interval, News::LookAgain(id));
        }
    }

    /// Somebody is left of a run, or may be: if everybody is to be killed, then again.
    pub(super) fn sweep_again(&mut self, id: RunId) {
        let sweep = self.runs.get(&id).map_or(Sweep::No, |run| run.sweep);
        if sweep == Sweep::UntilGone && self.to_be_swept.insert(id) {
            self.kernel.later(self.sweep_interval, News::SweepAgain(id));
        }
    }

    pub(super) fn forget(&mut self, id: RunId) {
        if let Some(run) = self.runs.remove(&id) {
            self.note_over(run.service().clone(), id);
        }
        self.wants.remove(&id);
        self.to_groups.remove(&id);
        self.to_prove.remove(&id);
        self.suspects.remove(&id);
        self.orphans.run_is_over(id);
        self.kernel.is_over(id);
    }
}
