//! Which calls to drivers may run, and which are refused. Pure: the shell with its threads and the world drive it.
//!
//! ```text
//!  ask            a turn is free            answered · died
//! ─────▶ Waiting ───────────────▶ Running ──────────────────▶ (over)
//!           │                        │ out of time               ▲
//!           │ too much hangs         ▼                           │ it comes back
//!           ▼                       Hung ────────────────────────┘
//!        (refused)
//! ```
//! A driver can hang for ever inside the kernel, and nothing can interrupt the caller. Its call is given up, and counts as hung until it
//! comes back. While several hang, no further one is begun. Only a few of a sort run at a time, so that no more can hang, however many
//! devices sit on a hub that does. Operations on a radio never overlap, and while one hangs that may still change it, none is begun.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mainstay_config::names::DeviceName;

use mainstay_hardware::error::NoAnswer;

/// Calls that may hang at the same time before further ones are refused.
pub(crate) const HUNG_MAX: usize = 4;
/// Looks at files that may hang before no further one is begun.
const HUNG_FILES_MAX: usize = 2;
/// Bound on a call that only looks.
pub(crate) const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// Bound on a change of a radio: down, set type, up, each of which a driver may take seconds for.
pub(crate) const CHANGE_WITHIN: Duration = Duration::from_secs(15);
/// What a probe may take beyond its own bound before it counts as hung.
pub(crate) const PROBE_SPARE: Duration = Duration::from_secs(5);

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallId(u64);

/// What a call is about. Of each sort a few run at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    /// A look at a device, or a change of a radio. It takes milliseconds.
    Look,
    /// One that tries the speeds of a serial port takes seconds, which no look shall wait for.
    Probe,
    /// Every service with ports asks for one, and a thousand may begin at once: one looks for all who ask by then.
    Ports,
    /// A dead disk or share can hang it. Hardware has nothing to do with that.
    Files,
}

impl Sort {
    const ALL: [Self; 4] = [Self::Look, Self::Probe, Self::Ports, Self::Files];

    /// How many may run at the same time.
    pub(crate) fn at_once(self) -> usize {
        match self {
            Self::Look | Self::Probe => 4,
            Self::Ports => 1,
            Self::Files => 2,
        }
    }
}

/// What becomes of a call that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is begun.
    Begin(CallId),
    /// It is not, and whoever asked is told so.
    Refuse(CallId, NoAnswer),
}

/// How a call ends for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was answered, its thread has died, or nobody waits for it any more.
    Done,
    /// It was given up, and may go on at any moment.
    OutOfTime,
}

/// A call, and the radio that it is about.
type Call = (Sort, Option<DeviceName>);

/// All calls. Few run or hang; a thousand may wait.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    last: u64,
    waiting: BTreeMap<Sort, VecDeque<(CallId, Option<DeviceName>)>>,
    running: BTreeMap<CallId, Call>,
    hung: BTreeMap<CallId, Call>,
}

impl Calls {
    /// A call is wanted, perhaps of a radio. [`Calls::verdicts`] says when it is begun.
    pub(crate) fn ask(&mut self, sort: Sort, radio: Option<DeviceName>) -> CallId {
        self.last += 1;
        let id = CallId(self.last);
        self.waiting.entry(sort).or_default().push_back((id, radio));
        id
    }

    /// What is begun now, or never.
    pub(crate) fn verdicts(&mut self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for sort in Sort::ALL {
            while let Some((id, radio)) = self.next(sort) {
                verdicts.push(match self.refusal(sort, radio.as_ref()) {
                    Some(why) => Verdict::Refuse(id, why),
                    None => {
                        self.running.insert(id, (sort, radio));
                        Verdict::Begin(id)
                    }
                });
            }
        }
        verdicts
    }

    /// The next one of a sort whose turn it is.
    fn next(&mut self, sort: Sort) -> Option<(CallId, Option<DeviceName>)> {
        let count = |calls: &BTreeMap<CallId, Call>| calls.values().filter(|(other, _)| *other == sort).count();
        // Those that run may hang as well. One at a time is always tried, until it is refused.
        let may_run = sort.at_once().saturating_sub(count(&self.hung)).max(1);
        let may_begin = count(&self.running) < may_run;
        let queue = self.waiting.get_mut(&sort).filter(|_| may_begin)?;
        let is_busy = |radio: &DeviceName| self.running.values().any(|(_, other)| other.as_ref() == Some(radio));
        let is_free = |(_, radio): &(CallId, Option<DeviceName>)| radio.as_ref().is_none_or(|radio| !is_busy(radio));
        // Those of one radio stand in their order, so the first that is free is its next.
        let place = queue.iter().position(is_free)?;
        queue.remove(place)
    }

    fn refusal(&self, sort: Sort, radio: Option<&DeviceName>) -> Option<NoAnswer> {
        if radio.is_some() && self.hung.values().any(|(_, other)| other.as_ref() == radio) {
            return Some(NoAnswer::EarlierHangs);
        }
        let (files, others): (Vec<_>, Vec<_>) = self.hung.values().partition(|(other, _)| *other == Sort::Files);
        if sort == Sort::Files && files.len() >= HUNG_FILES_MAX {
            return Some(NoAnswer::FilesHang);
        }
        (others.len() >= HUNG_MAX).then_some(NoAnswer::OthersHang(others.len()))
    }

    /// Whoever asked need not wait any longer.
    pub(crate) fn over(&mut self, id: CallId, end: End) {
        match self.running.remove(&id) {
            // Its thread goes on.
            Some(call) if end == End::OutOfTime => drop(self.hung.insert(id, call)),
            Some(_) => {}
            None => self.waiting.values_mut().for_each(|queue| queue.retain(|(waiting, _)| *waiting != id)),
        }
    }

    /// A call that was given up has come back after all. Whatever it brings, it brings too late.
    pub(crate) fn came_back(&mut self, id: CallId) {
        self.hung.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn radio(name: &str) -> Option<DeviceName> {
        Some(DeviceName::new(name).unwrap())
    }

    fn begun(calls: &mut Calls) -> Vec<CallId> {
        let verdicts = calls.verdicts().into_iter();
        verdicts.filter_map(|verdict| if let Verdict::Begin(id) = verdict { Some(id) } else { None }).collect()
    }

    fn refused(calls: &mut Calls) -> Vec<(CallId, NoAnswer)> {
        let whom = |verdict| if let Verdict::Refuse(id, why) = verdict { Some((id, why)) } else { None };
        calls.verdicts().into_iter().filter_map(whom).collect()
    }

    /// So many of a sort that hang.
    fn with_hung(sort: Sort, count: usize) -> (Calls, Vec<CallId>) {
        let mut calls = Calls::default();
        let hung = (0..count).map(|_| {
            let id = calls.ask(sort, None);
            assert_eq!(begun(&mut calls), [id]);
            calls.over(id, End::OutOfTime);
            id
        });
        let hung = hung.collect();
        (calls, hung)
    }

    #[test]
    fn operations_on_a_radio_never_overlap_and_hold_up_nobody_else() {
        let mut calls = Calls::default();
        let [first, second, other, look] =
            [radio("wlan1"), radio("wlan1"), radio("wlan2"), None].map(|radio| calls.ask(Sort::Look, radio));
        assert_eq!(begun(&mut calls), [first, other, look]);
        calls.over(first, End::Done);
        assert_eq!(begun(&mut calls), [second]);
    }

    #[test]
    fn while_a_call_hangs_no_other_is_begun_on_that_radio() {
        let mut calls = Calls::default();
        let [first, second] = [(); 2].map(|()| calls.ask(Sort::Look, radio("wlan1")));
        assert_eq!(begun(&mut calls), [first]);
        calls.over(first, End::OutOfTime);
        assert_eq!(refused(&mut calls), [(second, NoAnswer::EarlierHangs)]);
        let other = calls.ask(Sort::Look, radio("wlan2"));
        assert_eq!(begun(&mut calls), [other]);
        calls.came_back(first);
        let third = calls.ask(Sort::Look, radio("wlan1"));
        assert_eq!(begun(&mut calls), [third]);
    }

    #[test]
    fn no_more_of_a_sort_run_than_may_hang_and_who_has_ended_makes_room() {
        for sort in Sort::ALL {
            let mut calls = Calls::default();
            let all: Vec<_> = (0..20).map(|_| calls.ask(sort, None)).collect();
            let first = begun(&mut calls);
            assert_eq!(first, all.iter().copied().take(sort.at_once()).collect::<Vec<_>>());
            calls.over(*first.first().unwrap(), End::Done);
            assert_eq!(begun(&mut calls).len(), 1);
            assert_eq!(begun(&mut calls), []);
        }
    }

    #[test]
    fn of_many_that_are_asked_for_at_once_no_more_can_hang_than_may_run() {
        let mut calls = Calls::default();
        let _asked: Vec<_> = (0..20).map(|_| calls.ask(Sort::Look, None)).collect();
        let first = begun(&mut calls);
        for id in &first {
            calls.over(*id, End::OutOfTime);
            assert_eq!(begun(&mut calls), [], "they are given up one after the other");
        }
        assert_eq!(first.len(), HUNG_MAX);
    }

    #[test]
    fn while_several_hang_no_further_one_is_begun_until_one_comes_back() {
        for sort in [Sort::Look, Sort::Probe, Sort::Ports] {
            let (mut calls, hung) = with_hung(sort, HUNG_MAX);
            let late = calls.ask(Sort::Look, radio("wlan1"));
            assert_eq!(refused(&mut calls), [(late, NoAnswer::OthersHang(HUNG_MAX))]);
            calls.came_back(*hung.first().unwrap());
            let again = calls.ask(Sort::Look, None);
            assert_eq!(begun(&mut calls), [again]);
        }
    }

    #[test]
    fn looks_at_files_that_hang_hold_up_other_looks_at_files_but_no_driver() {
        let (mut calls, _) = with_hung(Sort::Files, HUNG_FILES_MAX);
        let [file, look] = [Sort::Files, Sort::Look].map(|sort| calls.ask(sort, None));
        let verdicts = calls.verdicts();
        assert!(verdicts.contains(&Verdict::Begin(look)));
        assert!(verdicts.contains(&Verdict::Refuse(file, NoAnswer::FilesHang)));
    }

    #[test]
    fn one_that_is_wanted_no_more_makes_room_and_is_never_begun() {
        let mut calls = Calls::default();
        let all: Vec<_> = (0..4).map(|_| calls.ask(Sort::Files, None)).collect();
        let first = begun(&mut calls);
        calls.over(*all.last().unwrap(), End::Done);
        first.iter().for_each(|id| calls.over(*id, End::Done));
        assert_eq!(begun(&mut calls), all.get(2..3).unwrap());
    }
}
