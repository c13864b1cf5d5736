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

use super::call::{Asked, Call};

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

/// A call that runs, or hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct CallId(u64);

/// What a call is about. Of each sort a few run at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) enum Sort {
    /// A look at a device, or a change of a radio. It takes milliseconds.
    Look,
    /// One that tries the speeds of a serial port takes seconds, which no look shall wait for.
    Probe,
    /// Every service with ports asks for one, and a thousand may begin at once. The kernel needs milliseconds to list all sockets there
    /// are, so one looks for all who have asked by then.
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

    /// How many who wait are served by one.
    fn serves(self) -> usize {
        if self == Self::Ports { usize::MAX } else { 1 }
    }
}

/// How a call ends for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was answered, or its thread has died.
    Done,
    /// It was given up, and may go on at any moment.
    OutOfTime,
}

/// What is known of a call that nobody waits for any more: its sort, and the radio that it is about.
type Hung = (Sort, Option<DeviceName>);

/// All calls. Few run or hang; a thousand may wait.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Calls {
    last: u64,
    waiting: BTreeMap<Sort, VecDeque<Asked>>,
    running: BTreeMap<CallId, Vec<Asked>>,
    hung: BTreeMap<CallId, Hung>,
    refused: VecDeque<(Asked, NoAnswer)>,
}

impl Calls {
    /// A call is wanted. [`Calls::begun`] says when it is begun, [`Calls::refused`] that it never is.
    pub(crate) fn ask(&mut self, asked: Asked) {
        self.waiting.entry(asked.call.sort()).or_default().push_back(asked);
    }

    /// What is begun now.
    pub(crate) fn begun(&mut self) -> Vec<(CallId, Vec<Call>)> {
        let mut begun = Vec::new();
        for sort in Sort::ALL {
            while let Some(asked) = self.next(sort) {
                match self.refusal(sort, asked.first().and_then(|asked| asked.call.radio())) {
                    Some(why) => self.refused.extend(asked.into_iter().map(|asked| (asked, why.clone()))),
                    None => begun.push(self.begin(asked)),
                }
            }
        }
        begun
    }

    /// The next one that is never begun: whoever asked is told so.
    pub(crate) fn refused(&mut self) -> Option<(Asked, NoAnswer)> {
        self.refused.pop_front()
    }

    /// Whether somebody is to be told that.
    pub(crate) fn refuses(&self) -> bool {
        !self.refused.is_empty()
    }

    fn begin(&mut self, asked: Vec<Asked>) -> (CallId, Vec<Call>) {
        self.last += 1;
        let (id, calls) = (CallId(self.last), asked.iter().map(|asked| asked.call.clone()).collect());
        self.running.insert(id, asked);
        (id, calls)
    }

    /// The next ones of a sort whose turn it is.
    fn next(&mut self, sort: Sort) -> Option<Vec<Asked>> {
        let running = || self.running.values().filter_map(|asked| asked.first());
        let hung = self.hung.values().filter(|(other, _)| *other == sort).count();
        // Those that run may hang as well. One at a time is always tried, until it is refused.
        let may_run = sort.at_once().saturating_sub(hung).max(1);
        let may_begin = running().filter(|asked| asked.call.sort() == sort).count() < may_run;
        let queue = self.waiting.get(&sort).filter(|_| may_begin)?;
        let is_busy = |radio: &DeviceName| running().any(|asked| asked.call.radio() == Some(radio));
        let is_free = |asked: &Asked| asked.call.radio().is_none_or(|radio| !is_busy(radio));
        // Those of one radio stand in their order, so the first that is free is its next.
        let place = queue.iter().position(is_free)?;
        let queue = self.waiting.get_mut(&sort)?;
        let until = place.saturating_add(sort.serves()).min(queue.len());
        let next = queue.drain(place..until).collect();
        if queue.is_empty() {
            // A thousand may have waited in it.
            self.waiting.remove(&sort);
        }
        Some(next)
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

    /// Those that run.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn running(&self) -> Vec<CallId> {
        self.running.keys().copied().collect()
    }

    /// Whether a call runs, or waits for its turn.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn knows(&self, call: &Call) -> bool {
        self.running.values().flatten().chain(self.waiting.values().flatten()).any(|asked| asked.call == *call)
    }

    /// Whoever asked need not wait any longer. Those who did.
    pub(crate) fn over(&mut self, id: CallId, end: End) -> Vec<Asked> {
        let asked = self.running.remove(&id).unwrap_or_default();
        if let Some(first) = asked.first().filter(|_| end == End::OutOfTime) {
            // Its thread goes on.
            self.hung.insert(id, (first.call.sort(), first.call.radio().cloned()));
        }
        asked
    }

    /// A call that was given up has come back after all. Whatever it brings, it brings too late.
    pub(crate) fn came_back(&mut self, id: CallId) {
        self.hung.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use mainstay_config::model::DeviceKind;
    use mainstay_hardware::bus::Depth;
    use mainstay_hardware::simulated::SimulatedBus;

    use super::*;
    use crate::action::ports::Places;
    use crate::message::OperationId;
    use crate::trace::{Cause, TraceId};

    fn asked(number: u64, sort: Sort) -> Asked {
        let (operation, device) = (OperationId(number), DeviceName::new("some").unwrap());
        let call = match sort {
            Sort::Look => Call::Supply(operation, device),
            Sort::Probe => {
                let listed = SimulatedBus::demo().list().into_iter().next().unwrap();
                let sighting = listed.sightings.into_iter().next().unwrap();
                Call::Probe(operation, device, sighting, DeviceKind::Usb, Depth::Identity, LOOK_WITHIN)
            }
            Sort::Ports => Call::Ports(operation, Places::new()),
            Sort::Files => Call::Files(operation, BTreeSet::new()),
        };
        Asked { call, cause: Cause { trace: TraceId(number), message: None } }
    }

    fn of_radio(number: u64, name: &str) -> Asked {
        let call = Call::ReadRadio(OperationId(number), DeviceName::new(name).unwrap(), 1);
        Asked { call, ..asked(number, Sort::Look) }
    }

    /// What is begun, with the numbers of those for whom.
    fn begun(calls: &mut Calls) -> Vec<(CallId, Vec<u64>)> {
        let begun: Vec<CallId> = calls.begun().into_iter().map(|(id, _)| id).collect();
        let numbers = |id: &CallId| calls.running.get(id).unwrap().iter().map(|asked| asked.cause.trace.0).collect();
        begun.into_iter().map(|id| (id, numbers(&id))).collect()
    }

    fn numbers(begun: Vec<(CallId, Vec<u64>)>) -> Vec<u64> {
        begun.into_iter().flat_map(|(_, numbers)| numbers).collect()
    }

    fn refused(calls: &mut Calls) -> Vec<(u64, NoAnswer)> {
        assert!(calls.begun().is_empty());
        std::iter::from_fn(|| calls.refused()).map(|(asked, why)| (asked.cause.trace.0, why)).collect()
    }

    fn ask_and_begin(calls: &mut Calls, asked: Asked) -> CallId {
        calls.ask(asked);
        begun(calls).first().unwrap().0
    }

    /// So many of a sort that hang.
    fn with_hung(sort: Sort, count: u64) -> (Calls, Vec<CallId>) {
        let mut calls = Calls::default();
        let hung = (0..count).map(|number| {
            let id = ask_and_begin(&mut calls, asked(number, sort));
            calls.over(id, End::OutOfTime);
            id
        });
        let hung = hung.collect();
        (calls, hung)
    }

    const MANY: u64 = HUNG_MAX as u64;

    #[test]
    fn operations_on_a_radio_never_overlap_and_keep_their_order() {
        let mut calls = Calls::default();
        for number in 1..=3 {
            calls.ask(of_radio(number, "wlan1"));
        }
        calls.ask(of_radio(4, "wlan2"));
        let mut now = begun(&mut calls);
        assert_eq!(numbers(now.clone()), [1, 4]);
        for next in [2, 3] {
            calls.over(now.first().unwrap().0, End::Done);
            now = begun(&mut calls);
            assert_eq!(numbers(now.clone()), [next]);
        }
    }

    #[test]
    fn while_an_abandoned_operation_may_still_change_a_radio_none_is_begun_on_it() {
        let mut calls = Calls::default();
        let first = ask_and_begin(&mut calls, of_radio(1, "wlan1"));
        calls.over(first, End::OutOfTime);
        calls.ask(of_radio(2, "wlan1"));
        assert_eq!(refused(&mut calls), [(2, NoAnswer::EarlierHangs)]);
        calls.ask(of_radio(3, "wlan2"));
        assert_eq!(numbers(begun(&mut calls)), [3]);
        calls.came_back(first);
        calls.ask(of_radio(4, "wlan1"));
        assert_eq!(numbers(begun(&mut calls)), [4]);
    }

    #[test]
    fn no_more_of_a_sort_run_than_may_hang_and_who_has_ended_makes_room() {
        for sort in [Sort::Look, Sort::Probe, Sort::Files] {
            let mut calls = Calls::default();
            (0..20).for_each(|number| calls.ask(asked(number, sort)));
            let first = begun(&mut calls);
            assert_eq!(first.len(), sort.at_once());
            calls.over(first.first().unwrap().0, End::Done);
            assert_eq!(begun(&mut calls).len(), 1);
            assert_eq!(begun(&mut calls), []);
        }
    }

    #[test]
    fn one_looks_at_ports_for_all_who_have_asked_by_then() {
        let mut calls = Calls::default();
        let first = ask_and_begin(&mut calls, asked(0, Sort::Ports));
        (1..20).for_each(|number| calls.ask(asked(number, Sort::Ports)));
        assert_eq!(begun(&mut calls), [], "one at a time");
        assert_eq!(calls.over(first, End::Done).len(), 1);
        let all = begun(&mut calls);
        assert_eq!((all.len(), numbers(all)), (1, (1..20).collect()));
        assert!(calls.waiting.is_empty(), "room for all who waited is not kept");
    }

    #[test]
    fn of_many_that_are_asked_for_at_once_no_more_can_hang_than_may_run() {
        let mut calls = Calls::default();
        (0..20).for_each(|number| calls.ask(asked(number, Sort::Look)));
        let first = begun(&mut calls);
        for (id, _) in &first {
            calls.over(*id, End::OutOfTime);
            assert_eq!(begun(&mut calls), [], "they are given up one after the other");
        }
        assert_eq!(first.len(), HUNG_MAX);
    }

    #[test]
    fn while_several_hang_no_further_one_is_begun_until_one_comes_back() {
        for sort in [Sort::Look, Sort::Probe, Sort::Ports] {
            let (mut calls, hung) = with_hung(sort, MANY);
            calls.ask(of_radio(100, "wlan1"));
            assert_eq!(refused(&mut calls), [(100, NoAnswer::OthersHang(HUNG_MAX))]);
            calls.came_back(*hung.first().unwrap());
            calls.ask(asked(101, Sort::Look));
            assert_eq!(numbers(begun(&mut calls)), [101]);
        }
    }

    #[test]
    fn looks_at_files_that_hang_hold_up_other_looks_at_files_but_no_driver() {
        let (mut calls, _) = with_hung(Sort::Files, HUNG_FILES_MAX as u64);
        for (number, sort) in [(100, Sort::Files), (101, Sort::Look)] {
            calls.ask(asked(number, sort));
        }
        assert_eq!(numbers(begun(&mut calls)), [101]);
        assert_eq!(refused(&mut calls), [(100, NoAnswer::FilesHang)]);
    }
}
