//! Which process belongs to which run, where its cgroup does not tell. Pure: from one look at all processes.
//!
//! mainstay is a subreaper, so every process of every run descends from mainstay, however often it forked away. Going down from
//! there, a process belongs to a run when, in this order,
//! 1. it is the main process, not yet reaped,
//! 2. it was seen to belong to it before,
//! 3. its parent belongs to it,
//! 4. it is in the main process's session, which nobody can join,
//! 5. it is in the run's control group,
//! 6. it carries the run's tag: a limit that the kernel hands down and nobody needs ([`Tag`]),
//! 7. it is in the main process's process group,
//! 8. it prints into the run's pipe,
//! 9. it carries the run's mark in its environment, which is asked last: it can be slow to read.
//!
//! Who is in the control group of another run, or of one that is over, can only belong to this one by the first four: the others he may
//! have chosen himself.
//!
//! A program that forks away, leaves the session, lowers the limit, clears its environment, lets go of its output and was never seen
//! while its parents lived is not found; cgroups do find it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::action::process::RunId;
use crate::effect::proc::{Life, PipeId, Process, ProcessId};

/// A run that may have processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    /// Which.
    pub run: RunId,
    /// Its value of `MAINSTAY_RUN`. Each look knows every run.
    pub mark: std::sync::Arc<str>,
    /// The pipe it prints into, where that is known.
    pub output: Option<PipeId>,
    /// Its main process.
    pub main: u32,
    /// The number of the process group and the session that its first main process led.
    pub leader: u32,
    /// Whether that number still belongs to it.
    pub main_state: MainState,
    /// Whose it is, where that is known. What a process of another user says of itself is no evidence.
    pub user: Option<u32>,
}

/// Whether a main process is still in the process table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MainState {
    /// It is: it lives, or waits to be reaped.
    There,
    /// It was reaped: its number may be anybody's.
    Reaped,
}

/// The number of a run as a limit on realtime processor time, in microseconds: more than a hundred thousand years, so it limits
/// nobody. Every process of the run inherits it (getrlimit(2)), whatever it executes, whoever it becomes and wherever it moves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tag(pub u64);

impl Tag {
    const SERVICE: u64 = 1 << 62;
    const CHECK: u64 = 1 << 63;

    /// The tag of a run.
    pub(crate) fn of(run: RunId) -> Self {
        let kind = if run.0 & Self::CHECK == 0 { Self::SERVICE } else { Self::CHECK };
        Self(kind | run.0 & (Self::SERVICE - 1))
    }
}

/// How it is known that a process belongs to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Evidence {
    /// It descends from it, or is in its control group: nobody can feign that.
    Descent,
    /// Its tag, which a process can feign by lowering a limit.
    Tag,
    /// What it may have chosen by itself.
    OwnWord,
}

/// To whom a process belongs.
pub(crate) type Owner = (RunId, Evidence);

/// Who was seen to belong to which run.
#[derive(Debug, Default)]
pub(super) struct KnownOwners(HashMap<ProcessId, Owner>);

/// What a process says of where it comes from; asked only where its place does not tell.
pub(super) trait Origin {
    /// The mark that its control group has as its name.
    fn cgroup(&self, pid: u32) -> Option<String>;
    /// Its limit on realtime processor time.
    fn realtime_limit(&self, pid: u32) -> Option<u64>;
    /// The pipes it prints into.
    fn outputs(&self, pid: u32) -> Vec<PipeId>;
    /// Its mark.
    fn mark(&self, id: ProcessId) -> Option<String>;
    /// Its user.
    fn user(&self, pid: u32) -> Option<u32>;
}

/// Says of some children of ours to whom they belong.
pub(super) fn assign(
    children: &[u32],
    roots: &[Root],
    known: &KnownOwners,
    origin: &impl Origin,
    look: impl Fn(u32) -> Option<Process>,
) -> BTreeMap<u32, Owner> {
    let clues = Clues::new(roots);
    let owner = |pid: u32| {
        let process = look(pid)?;
        let seen = known.0.get(&process.id).copied().filter(|(run, _)| clues.is_known(*run));
        Some((pid, seen.or_else(|| clues.owner(&process, None, origin))?))
    };
    children.iter().filter_map(|pid| owner(*pid)).collect()
}

/// Whether the last of a line that leads down from us is of a run; `None`: nobody can tell whose it is.
pub(super) fn is_below(line: &[Process], run: &Root, origin: &impl Origin) -> Option<bool> {
    let clues = Clues::new(std::slice::from_ref(run));
    let is_of_its_user = || {
        let user = line.last().and_then(|last| origin.user(last.id.pid));
        user.zip(run.user).is_none_or(|(user, its)| user == its)
    };
    match line.iter().fold(None, |parents, process| clues.owner(process, parents, origin)) {
        Some((_, Evidence::Descent | Evidence::Tag)) => return Some(true),
        Some((_, Evidence::OwnWord)) => return Some(is_of_its_user()),
        None => {}
    }
    // What one of them says of itself goes for all below it.
    line.iter().any(|one| origin.cgroup(one.id.pid).is_some() || origin.mark(one.id).is_some()).then_some(false)
}

/// Finds the members of runs, oldest first: of all of them, or of those that are `wanted`, from a look at all places where their
/// processes can be. What is known of the others stays.
pub(super) fn members(
    looked_at: &[Process],
    us: u32,
    roots: &[Root],
    wanted: Option<&BTreeSet<RunId>>,
    known: &mut KnownOwners,
    origin: &impl Origin,
) -> BTreeMap<RunId, Vec<ProcessId>> {
    let mut children: HashMap<u32, Vec<&Process>> = HashMap::new();
    for process in looked_at {
        children.entry(process.parent).or_default().push(process);
    }
    let clues = Clues::new(roots);
    let mut found = BTreeMap::<RunId, Vec<ProcessId>>::new();
    let mut seen = HashMap::new();
    let mut todo = VecDeque::from([(us, None)]);
    while let Some((parent, parents)) = todo.pop_front() {
        for process in children.remove(&parent).unwrap_or_default() {
            let seen_before = known.0.get(&process.id).copied().filter(|(run, _)| clues.is_known(*run));
            let owner = seen_before.or_else(|| clues.owner(process, parents, origin));
            if let Some(owner) = owner {
                seen.insert(process.id, owner);
                if process.life == Life::Runs {
                    found.entry(owner.0).or_default().push(process.id);
                }
            }
            todo.push_back((process.id.pid, owner));
        }
    }
    known.0.retain(|_, (run, _)| clues.is_known(*run) && wanted.is_some_and(|wanted| !wanted.contains(run)));
    known.0.extend(seen);
    found.values_mut().for_each(|members| members.sort_unstable());
    found
}

/// What points from a process to a run.
struct Clues<'a> {
    mains: HashMap<u32, RunId>,
    groups: HashMap<u32, RunId>,
    marks: HashMap<&'a str, RunId>,
    tags: HashMap<Tag, RunId>,
    outputs: HashMap<PipeId, RunId>,
    runs: std::collections::HashSet<RunId>,
}

impl<'a> Clues<'a> {
    fn new(roots: &'a [Root]) -> Self {
        let there = || roots.iter().filter(|root| root.main_state == MainState::There);
        let reaped = roots.iter().filter(|root| root.main_state == MainState::Reaped);
        let mains = there().map(|root| (root.main, root.run)).collect();
        // A main process that is there has the right to its number; an earlier run that had the same one has lost it.
        let groups = reaped.chain(there()).map(|root| (root.leader, root.run)).collect();
        let marks = roots.iter().map(|root| (&*root.mark, root.run)).collect();
        let tags = roots.iter().map(|root| (Tag::of(root.run), root.run)).collect();
        let outputs = roots.iter().filter_map(|root| Some((root.output?, root.run))).collect();
        Self { mains, groups, marks, tags, outputs, runs: roots.iter().map(|root| root.run).collect() }
    }

    fn is_known(&self, run: RunId) -> bool {
        self.runs.contains(&run)
    }

    fn owner(&self, process: &Process, parents: Option<Owner>, origin: &impl Origin) -> Option<Owner> {
        let pid = process.id.pid;
        let by_mark = |mark: String| self.marks.get(mark.as_str()).copied();
        let session = || self.groups.get(&process.session).copied();
        let by_place = self.mains.get(&pid).map(|run| (*run, Evidence::Descent)).or(parents);
        if let Some(owner) = by_place.or_else(|| Some((session()?, Evidence::Descent))) {
            return Some(owner);
        }
        if let Some(name) = origin.cgroup(pid) {
            return Some((by_mark(name)?, Evidence::Descent));
        }
        let tag = || Some((*self.tags.get(&Tag(origin.realtime_limit(pid)?))?, Evidence::Tag));
        let own_word = || {
            let group = self.groups.get(&process.group).copied();
            let output = || origin.outputs(pid).iter().find_map(|pipe| self.outputs.get(pipe).copied());
            let mark = || origin.mark(process.id).and_then(by_mark);
            Some((group.or_else(output).or_else(mark)?, Evidence::OwnWord))
        };
        tag().or_else(own_word)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const US: u32 = 100;

    fn process(pid: u32, parent: u32, group: u32) -> Process {
        Process { id: ProcessId { started: u64::from(pid), pid }, parent, group, session: 1, life: Life::Runs }
    }

    fn root(run: u64, main: u32, main_state: MainState) -> Root {
        Root {
            run: RunId(run),
            mark: format!("s.{run}").into(),
            output: Some(PipeId(run)),
            main,
            leader: main,
            main_state,
            user: None,
        }
    }

    /// What one process has in its environment, what one prints into, and so on.
    #[derive(Default)]
    struct Says {
        mark: Option<(u32, &'static str)>,
        output: Option<(u32, u64)>,
        tag: Option<(u32, u64)>,
        cgroup: Option<(u32, &'static str)>,
    }

    impl Origin for Says {
        fn cgroup(&self, pid: u32) -> Option<String> {
            self.cgroup.filter(|(whose, _)| *whose == pid).map(|(_, mark)| mark.to_owned())
        }

        fn realtime_limit(&self, pid: u32) -> Option<u64> {
            self.tag.filter(|(whose, _)| *whose == pid).map(|(_, run)| Tag::of(RunId(run)).0)
        }

        fn mark(&self, id: ProcessId) -> Option<String> {
            self.mark.filter(|(whose, _)| *whose == id.pid).map(|(_, mark)| mark.to_owned())
        }

        fn user(&self, _pid: u32) -> Option<u32> {
            None
        }

        fn outputs(&self, pid: u32) -> Vec<PipeId> {
            self.output.filter(|(whose, _)| *whose == pid).map(|(_, pipe)| PipeId(pipe)).into_iter().collect()
        }
    }

    fn pids(found: &BTreeMap<RunId, Vec<ProcessId>>, run: u64) -> Vec<u32> {
        found.get(&RunId(run)).map(|members| members.iter().map(|m| m.pid).collect()).unwrap_or_default()
    }

    #[test]
    fn who_is_in_the_control_group_of_another_run_is_not_of_the_one_whose_marks_he_carries() {
        let all = [process(10, US, 10), process(20, US, 21)];
        let carries = |cgroup| Says { mark: Some((20, "s.1")), output: Some((20, 1)), tag: Some((20, 1)), cgroup };
        let found = |says: &Says| {
            let roots = [root(1, 10, MainState::There)];
            pids(&members(&all, US, &roots, None, &mut KnownOwners::default(), says), 1)
        };
        assert_eq!(found(&carries(None)), [10, 20]);
        assert_eq!(found(&carries(Some((20, "other.2")))), [10]);
        assert_eq!(found(&carries(Some((20, "s.1")))), [10, 20]);
    }

    #[test]
    fn children_in_sessions_of_their_own_belong_to_the_run_of_their_parent() {
        let all =
            [process(10, US, 10), process(11, 10, 11), process(12, 11, 12), process(20, US, 20), process(30, 1, 30)];
        let roots = [root(1, 10, MainState::There), root(2, 20, MainState::There)];
        let found = members(&all, US, &roots, None, &mut KnownOwners::default(), &Says::default());
        assert_eq!((pids(&found, 1), pids(&found, 2)), (vec![10, 11, 12], vec![20]));
    }

    #[test]
    fn an_orphan_is_known_by_each_of_the_clues() {
        let mut in_session = process(17, US, 17);
        in_session.session = 10;
        let orphan = |pid| process(pid, US, pid);
        let all = [process(11, US, 10), orphan(12), orphan(13), orphan(14), orphan(15), orphan(16), in_session];
        let (mark, output, tag) = (Some((12, "s.1")), Some((13, 1)), Some((14, 1)));
        let says = Says { mark, output, tag, cgroup: Some((15, "s.1")) };
        let found = members(&all, US, &[root(1, 10, MainState::Reaped)], None, &mut KnownOwners::default(), &says);
        assert_eq!(pids(&found, 1), [11, 12, 13, 14, 15, 17]);
    }

    #[test]
    fn a_child_that_was_left_to_us_is_assigned_with_how_that_is_known() {
        let (tag, mark) = (Some((14, 1)), Some((12, "s.1")));
        let says = Says { mark, tag, ..Says::default() };
        let look = |pid| Some(process(pid, US, pid));
        let owners = assign(&[12, 14, 16], &[root(1, 10, MainState::Reaped)], &KnownOwners::default(), &says, look);
        assert_eq!(owners, BTreeMap::from([(12, (RunId(1), Evidence::OwnWord)), (14, (RunId(1), Evidence::Tag))]));
    }

    #[test]
    fn no_two_runs_have_the_same_tag_and_none_limits_anybody() {
        let runs = [0, 1, (1 << 62) - 1, 1 << 63, 1 << 63 | 1];
        let tags: std::collections::BTreeSet<u64> = runs.into_iter().map(|run| Tag::of(RunId(run)).0).collect();
        assert_eq!(tags.len(), runs.len());
        assert!(tags.iter().all(|tag| *tag >= 1 << 62 && *tag < u64::MAX));
    }

    #[test]
    fn what_was_seen_under_its_parent_is_still_known_when_the_parent_is_gone() {
        let mut known = KnownOwners::default();
        let roots = |state| [root(1, 10, state)];
        let both = [process(10, US, 10), process(11, 10, 11)];
        members(&both, US, &roots(MainState::There), None, &mut known, &Says::default());
        let found = members(&[process(11, US, 11)], US, &roots(MainState::Reaped), None, &mut known, &Says::default());
        assert_eq!(pids(&found, 1), [11]);
        let mut another = process(11, US, 11);
        another.id.started = 999;
        let found = members(&[another], US, &roots(MainState::Reaped), None, &mut known, &Says::default());
        assert_eq!(pids(&found, 1), [0; 0], "the same number, another process");
    }

    #[test]
    fn what_was_seen_of_a_run_stays_known_while_others_are_looked_for_and_not_longer_than_it_lasts() {
        let mut known = KnownOwners::default();
        let roots = [root(1, 10, MainState::There), root(2, 20, MainState::There)];
        let all = [process(10, US, 10), process(11, 10, 11), process(20, US, 20)];
        members(&all, US, &roots, None, &mut known, &Says::default());
        let wanted = BTreeSet::from([RunId(2)]);
        members(&[process(20, US, 20)], US, &roots, Some(&wanted), &mut known, &Says::default());
        let orphan = [process(11, US, 11)];
        let found = members(&orphan, US, &roots, None, &mut known, &Says::default());
        assert_eq!(pids(&found, 1), [11]);
        members(&[], US, &roots[1..], Some(&wanted), &mut known, &Says::default());
        let found = members(&orphan, US, &roots, None, &mut known, &Says::default());
        assert!(found.is_empty());
    }

    #[test]
    fn processes_outside_of_mainstay_are_never_members() {
        let all = [process(10, US, 10), process(50, 1, 10)];
        let says = Says { mark: Some((50, "s.1")), output: Some((50, 1)), ..Says::default() };
        let found = members(&all, US, &[root(1, 10, MainState::Reaped)], None, &mut KnownOwners::default(), &says);
        assert_eq!(pids(&found, 1), [10]);
    }

    #[test]
    fn a_number_that_was_given_out_again_belongs_to_the_living_run() {
        let all = [process(10, US, 10), process(11, US, 10)];
        let roots = [root(2, 10, MainState::There), root(1, 10, MainState::Reaped)];
        let found = members(&all, US, &roots, None, &mut KnownOwners::default(), &Says::default());
        assert_eq!((pids(&found, 1), pids(&found, 2)), (vec![], vec![10, 11]));
    }

    #[test]
    fn a_zombie_is_no_member() {
        let mut main = process(10, US, 10);
        main.life = Life::Ended;
        let found =
            members(&[main], US, &[root(1, 10, MainState::There)], None, &mut KnownOwners::default(), &Says::default());
        assert!(found.is_empty());
    }

    proptest! {
        #[test]
        fn no_process_belongs_to_two_runs_even_in_a_torn_look(links in proptest::collection::vec((1u32..40, 0u32..40, 1u32..40), 0..60)) {
            let all: Vec<_> = links.into_iter().map(|(pid, parent, group)| process(pid, parent, group)).collect();
            let roots = [root(1, 10, MainState::There), root(2, 20, MainState::Reaped)];
            let found = members(&all, 5, &roots, None, &mut KnownOwners::default(), &Says::default());
            let both = pids(&found, 1).into_iter().filter(|pid| pids(&found, 2).contains(pid)).count();
            let twice = all.iter().enumerate().any(|(i, p)| all[..i].iter().any(|q| q.id == p.id));
            prop_assert!(both == 0 || twice);
        }
    }
}
