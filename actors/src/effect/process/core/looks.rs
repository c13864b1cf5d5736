//! Looks at the trees of runs, in rounds, and what follows from them.

use rustix::process::kill_process_group;

use super::proof::Since;
use super::{Core, News, RoundState, send};
use crate::effect::process::order::RunId;
use crate::effect::process::runs::{RoundNumber, Run, Sweep};
use crate::effect::process::tree::{Act, Looked, Populated, ProcessId, Round, Seen, Want, Whom};

impl Core {
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
            // Nobody listens any more when mainstay ends.
            let _ = self.news.send(News::RoundWanted);
        }
    }

    /// Begins a round of looks, unless one is under way: what is wanted meanwhile goes into the next.
    pub(in crate::effect::process) fn begin_round(&mut self) {
        if self.round_state == RoundState::UnderWay {
            return;
        }
        self.round_state = RoundState::Idle;
        let wants: Vec<_> =
            std::mem::take(&mut self.wants).into_iter().filter_map(|(id, acts)| self.as_want(id, acts)).collect();
        if wants.is_empty() {
            return;
        }
        let roots = self.runs.values().filter_map(|run| Some((run.root()?, run.main()?.place.clone()))).collect();
        self.round = self.round.next();
        self.round_state = RoundState::UnderWay;
        self.trees.begin(Round { wants, roots, unknown: self.orphans.ask() });
    }

    pub(super) fn as_want(&self, id: RunId, acts: Vec<Act>) -> Option<Want> {
        let run = self.runs.get(&id)?;
        Some(Want { run: id, place: run.main()?.place.clone(), acts, root: run.root()? })
    }

    pub(super) fn looked(&mut self, looked: Looked) {
        self.round_state = RoundState::Idle;
        self.orphans.answered(&looked.owners);
        let round = self.round;
        for Seen { run, members, cgroup } in looked.seen {
            self.check_senders(run, &members);
            self.signal_group(run);
            self.apply(run, round, &members, cgroup);
        }
    }

    /// Sends a group what waited for the look that has just been made.
    fn signal_group(&mut self, id: RunId) {
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
                send(leader, kill_process_group, signal);
            } else {
                self.want(id, Act::Signal(signal, Whom::Within(leader)));
            }
        }
    }

    fn apply(&mut self, id: RunId, round: RoundNumber, members: &[ProcessId], cgroup: Populated) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let service = run.service().clone();
        let event = run.seen(round, members);
        let may_be_over = run.has_lost_main() && cgroup == Populated::No;
        // Who is just ending counts for its cgroup and is not listed any more. Nobody says when that is over.
        let is_ending = run.has_lost_main() && cgroup == Populated::Yes && members.is_empty();
        event.into_iter().for_each(|event| self.say(&service, id, event));
        if may_be_over {
            self.to_prove.insert(id, Since::ALook);
        } else {
            self.sweep_again(id);
        }
        if is_ending {
            self.later(self.settings.sweep_interval, News::LookAgain(id));
        }
    }

    /// Somebody is left of a run, or may be: if everybody is to be killed, then again.
    pub(super) fn sweep_again(&mut self, id: RunId) {
        let sweep = self.runs.get(&id).map_or(Sweep::No, Run::sweep);
        if sweep == Sweep::UntilGone && self.to_be_swept.insert(id) {
            self.later(self.settings.sweep_interval, News::SweepAgain(id));
        }
    }

    pub(super) fn forget(&mut self, id: RunId) {
        self.runs.remove(&id);
        self.sockets.remove(&id);
        self.wants.remove(&id);
        self.to_groups.remove(&id);
        self.to_prove.remove(&id);
        self.orphans.run_is_over(id);
        self.holder.over(id);
    }
}
