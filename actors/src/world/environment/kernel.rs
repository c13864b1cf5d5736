//! What the executor's rules ask for, simulated: late, and in odd order.

use std::os::fd::OwnedFd;
use std::time::Duration;

use mainstay_config::model::StopSignal;
use mainstay_config::names::ServiceName;

use super::table::{Course, Job, MILLISECOND, Member, Parent, SECOND, Table, Thread};
use super::{Happening, Lie, Saying};
use crate::action::process::{Notification, ProcessEvent, RunId, SpawnFailure, SpawnOrder};
use crate::effect::process::driven::{
    Act, Busy, Ended, KeeperTrouble, Kernel, Looked, MainState, Message, News, Place, Populated, ProcessId, Roll,
    Round, Seen, Upbringing, Want, Whom,
};

/// How many threads may hang before further starts have to wait for them, as in production.
const HUNG_MAX: usize = 4;

impl Kernel for Table {
    fn start(&mut self, order: SpawnOrder) -> Result<(), SpawnFailure> {
        if self.is_killed() {
            return Ok(());
        }
        if self.random.happens(self.weather.busy) {
            return Err(SpawnFailure::Busy);
        }
        self.order(&order);
        Ok(())
    }

    fn start_keeper(&mut self) -> Result<(), Busy> {
        if self.is_killed() {
            return Ok(());
        }
        if self.random.happens(self.weather.busy) {
            return Err(Busy);
        }
        self.jobs.push_back(Job::Keeper);
        self.take_jobs();
        Ok(())
    }

    fn upbringing(&self, run: RunId) -> Upbringing {
        match self.births.get(&run).map(|birth| birth.thread) {
            Some(Thread::Awaited) => Upbringing::Queued,
            Some(Thread::AtIt) => Upbringing::Attended,
            Some(Thread::Replaced | Thread::Back) | None => Upbringing::Settled,
        }
    }

    fn newborn(&self, run: RunId) -> Option<u32> {
        self.births.get(&run)?.pid
    }

    fn is_newborn(&self, pid: u32) -> bool {
        self.births.values().any(|birth| birth.pid == Some(pid))
    }

    fn replace(&mut self, run: RunId) {
        if self.is_killed() {
            return;
        }
        let Some(birth) = self.births.get_mut(&run).filter(|birth| birth.thread == Thread::AtIt) else { return };
        if self.hung < HUNG_MAX {
            birth.thread = Thread::Replaced;
            (self.hung, self.idle) = (self.hung + 1, self.idle + 1);
            self.take_jobs();
        }
    }

    fn is_born(&mut self, run: RunId) {
        self.perhaps_panic();
        self.births.remove(&run);
    }

    fn signal(&mut self, pid: u32, signal: StopSignal) {
        if self.is_killed() {
            return;
        }
        if self.keeper == Some(pid) {
            return self.within(Duration::ZERO, MILLISECOND * 5, Course::KeeperEnds(pid));
        }
        self.must_be_ours(pid);
        self.hit(pid, signal);
    }

    fn signal_group(&mut self, leader: u32, left_to_it: &[ProcessId], signal: StopSignal) {
        if self.is_killed() {
            return;
        }
        self.must_be_ours(leader);
        let members = self.trees.values().filter(|tree| tree.pid == leader).flat_map(|tree| &tree.members);
        let meant = members.filter(|member| !member.strays || left_to_it.contains(&member.id));
        let meant: Vec<u32> = meant.map(|member| member.id.pid).collect();
        meant.into_iter().for_each(|pid| self.hit(pid, signal));
    }

    fn signal_process(&mut self, process: ProcessId, signal: StopSignal) {
        if !self.is_killed() && self.process(process.pid) == Some(process) {
            self.hit(process.pid, signal);
        }
    }

    fn look(&mut self, round: Round) {
        if self.is_killed() {
            return;
        }
        let late = self.random.happens(self.weather.looks_late);
        let longest = if late { SECOND * 2 } else { MILLISECOND * 20 };
        self.is_looking = true;
        self.within(MILLISECOND, longest, Course::Looks(Box::new(round)));
    }

    fn next_ended(&mut self) -> Option<Ended> {
        if !self.ended.is_empty() && self.is_killed() {
            return None;
        }
        if self.lie == Some(Lie::SilentEnds) {
            self.ended.retain(|_| self.random.happens(900));
        }
        let (ended, _) = self.ended.pop_front()?;
        if self.lie == Some(Lie::LateSignal) {
            self.signal(ended.pid, StopSignal::Term);
        }
        Some(ended)
    }

    fn call_the_roll(&mut self) -> Roll {
        if self.lie == Some(Lie::EmptyRoll) {
            return Roll::default();
        }
        let living = self.trees.values().flat_map(|tree| &tree.members).map(|member| (member.id.pid, member.parent));
        let ended = self.ended.iter().map(|(ended, parent)| (ended.pid, *parent));
        let strange = self.nobodys.iter().map(|pid| (*pid, Parent::Us));
        let children = living.chain(ended).chain(strange).filter(|(_, parent)| parent.is_us());
        let (born, left): (Vec<_>, Vec<_>) = children.partition(|(_, parent)| *parent == Parent::Spawner);
        let numbers = |children: Vec<(u32, Parent)>| children.into_iter().map(|(pid, _)| pid);
        Roll { born: numbers(born).chain(self.keeper).collect(), adopted: numbers(left).collect() }
    }

    fn child_above(&self, pid: u32) -> Option<u32> {
        if self.keeper == Some(pid) {
            return Some(pid);
        }
        let (run, member) = self.owner(pid)?;
        match member.parent {
            Parent::Spawner | Parent::Us => Some(pid),
            Parent::Main => Some(self.trees.get(&run)?.pid),
            Parent::Init => None,
        }
    }

    fn process(&self, pid: u32) -> Option<ProcessId> {
        Some(self.owner(pid)?.1.id)
    }

    fn is_our_child(&self, process: ProcessId) -> bool {
        self.owner(process.pid).is_some_and(|(_, member)| member.id == process && member.parent.is_us())
    }

    fn unheard(&mut self, run: RunId) -> Vec<Message> {
        self.unheard.remove(&run).unwrap_or_default()
    }

    fn listen_to_keeper(&mut self, _reports: Option<OwnedFd>) {}

    fn show_keeper(&mut self, _trouble: Option<KeeperTrouble>) {}

    fn keeper_is_gone(&mut self) {}

    fn close_outputs(&mut self) {}

    fn is_over(&mut self, run: RunId) {
        self.perhaps_panic();
        self.births.remove(&run);
        self.unheard.remove(&run);
        self.unlistened.remove(&run);
    }

    fn say(&mut self, _service: &ServiceName, run: RunId, event: ProcessEvent) {
        self.perhaps_panic();
        if let ProcessEvent::Notified(Notification { main_pid: Some(pid), .. }) = &event {
            self.is_believed(run, *pid);
        }
        self.so.said.push(Saying::Process(run, event));
    }

    fn soon(&mut self, news: News) {
        self.perhaps_panic();
        self.within(Duration::ZERO, Duration::ZERO, Course::News(Box::new(news)));
    }

    fn later(&mut self, wait: Duration, news: News) {
        self.perhaps_panic();
        if self.lie == Some(Lie::NoSecondSweep) && matches!(news, News::SweepAgain(_)) {
            return;
        }
        self.within(wait, wait, Course::News(Box::new(news)));
    }

    fn watch_births(&mut self, within: Option<Duration>) {
        self.perhaps_panic();
        self.watch += 1;
        if let Some(wait) = within {
            self.within(wait, wait, Course::LookAtBirths(self.watch));
        }
    }
}

impl Table {
    /// A child of ours keeps its number until it is waited for; afterwards a signal would hit a stranger.
    fn must_be_ours(&mut self, pid: u32) {
        let is_ours = self.owner(pid).is_some_and(|(_, member)| member.parent.is_us());
        if !is_ours && !self.ended.iter().any(|(ended, _)| ended.pid == pid) {
            self.so.happened.push(Happening::StrangerSignalled(pid));
        }
    }

    /// The thread `trees` looks, and does what it was told to.
    pub(super) fn see(&mut self, round: &Round) {
        self.is_looking = false;
        self.look_at_all(round);
        let seen = round.wants.iter().map(|want| self.see_one(want)).collect();
        let owners = self.find_owners(round);
        let looked = Looked { seen, owners, strays: self.strayed.clone() };
        self.within(Duration::ZERO, MILLISECOND * 30, Course::Seen(Box::new(looked)));
    }

    fn see_one(&mut self, want: &Want) -> Seen {
        let (run, is_listed) = (want.run, matches!(want.place, Place::Cgroup(_)));
        let members = self.trees.get(&run).into_iter().flat_map(|tree| &tree.members);
        let (inside, outside): (Vec<_>, Vec<_>) = members.cloned().partition(|member| is_listed && !member.is_outside);
        let is_looked_for = !is_listed || self.strayed.contains(&run);
        // Whoever forks and ends again and again can be missed.
        let main = want.root.main;
        let is_seen =
            |member: &Member| is_looked_for && (member.id.pid == main || !self.random.happens(self.weather.looks_miss));
        let found: Vec<Member> = outside.into_iter().filter(is_seen).collect();
        // Who is just ending counts, and is not listed any more.
        let is_ending = inside.is_empty() && found.is_empty() && self.random.happens(50);
        let cgroup = if is_listed && (!inside.is_empty() || is_ending) { Populated::Yes } else { Populated::No };
        let is_alone = is_listed && want.root.main_state == MainState::There;
        let is_alone = is_alone && found.is_empty() && inside.iter().all(|member| member.id.pid == main);
        let seen: Vec<(ProcessId, bool)> =
            inside.iter().chain(&found).map(|member| (member.id, member.strays)).collect();
        for act in &want.acts {
            self.act_on(*act, &seen);
        }
        let is_for_group = want.acts.iter().any(|act| matches!(act, Act::Signal(_, Whom::OutsideOf(_))));
        let in_group = seen.iter().filter(|(_, strays)| is_for_group && !strays);
        let left_to_group = in_group.map(|(id, _)| *id).collect();
        let mut members: Vec<ProcessId> = seen.iter().map(|(id, _)| *id).collect();
        members.sort_unstable();
        if is_alone {
            members.clear();
        }
        Seen { run, members, cgroup, left_to_group }
    }

    fn act_on(&mut self, act: Act, seen: &[(ProcessId, bool)]) {
        for (id, strays) in seen {
            if act != Act::Look && self.is_killed() {
                return;
            }
            match act {
                Act::Look => {}
                Act::Kill => self.hit(id.pid, StopSignal::Kill),
                Act::Signal(signal, whom) => match (whom, strays) {
                    (Whom::All, _) | (Whom::OutsideOf(_), true) | (Whom::Within(_), false) => self.hit(id.pid, signal),
                    (Whom::OutsideOf(_), false) | (Whom::Within(_), true) => {}
                },
            }
        }
    }

    /// What follows from what was done.
    pub(super) fn take_consequences(&mut self, so: &mut super::Consequences) {
        let mine = std::mem::take(&mut self.so);
        so.later.extend(mine.later);
        so.happened.extend(mine.happened);
        so.said.extend(mine.said);
    }

    /// Whether a probe finds it ready.
    pub(super) fn is_ready(&self, run: RunId) -> bool {
        self.trees.get(&run).and_then(|tree| tree.ready_at).is_some_and(|at| at <= self.now)
    }
}
