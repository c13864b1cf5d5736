//! The recorder: a bounded ring of messages in memory.
//!
//! Message ids are given in order without gaps, so the ring is indexed by them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use mainstay_config::names::{DeviceName, ServiceName};

use super::chain::{Chain, link};
use super::external::ExternalCause;
use crate::message::{ActorId, Address, Moment, Outcome, Outside, Words};

/// Messages that are kept.
const MESSAGES_MAX: usize = 8192;
/// Traces of which the cause is kept.
const TRACES_MAX: usize = 2048;

/// One message. Never given twice while the daemon runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct MessageId(pub u64);

/// All messages that one external event caused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct TraceId(pub u64);

/// What a message is sent because of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cause {
    /// The trace it belongs to.
    pub trace: TraceId,
    /// The message that was being handled; `None` for the first of a trace.
    pub message: Option<MessageId>,
}

/// Which traces are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceFilter {
    /// Only those that touch this device.
    pub device: Option<DeviceName>,
    /// Only those that touch this service.
    pub service: Option<ServiceName>,
}

impl TraceFilter {
    fn meets(&self, record: &Record) -> bool {
        let touches = |id: &ActorId| match id {
            ActorId::Device(name) => self.device.as_ref() == Some(name),
            ActorId::Service(name) => self.service.as_ref() == Some(name),
            _ => false,
        };
        let address = |address: &Address| matches!(address, Address::Actor(id) if touches(id));
        (self.device.is_none() && self.service.is_none())
            || address(&record.message.from)
            || address(&record.message.to)
    }
}

/// One message, as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) message: Arc<Sent>,
    /// What those that it causes follow from, where that is cut: made once, however many there are.
    cut: Option<Arc<Sent>>,
    pub(crate) handled: Option<Moment>,
    pub(crate) outcome: Outcome,
}

impl Record {
    /// Whether something new has happened, or was asked, that leads to this.
    fn tells(&self) -> bool {
        let says = matches!(self.message.from, Address::Outside(Outside::Processes));
        let is_news = !says && !matches!(self.outcome, Outcome::Ignored | Outcome::Superseded);
        self.message.parent.is_some() || is_news
    }
}

/// What does not change once it is sent. Chains of causes share it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// What led to it.
    pub(crate) before: Option<Arc<Sent>>,
    /// How many there are in the chain that ends with it.
    pub(crate) steps: usize,
    /// How many steps before those are no longer kept.
    pub(crate) dropped: usize,
    pub(crate) trace: TraceId,
    pub(crate) parent: Option<MessageId>,
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) kind: &'static str,
    pub(crate) detail: Words,
    pub(crate) sent: Moment,
}

/// One trace, as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) cause: Arc<ExternalCause>,
    pub(crate) at: Moment,
    pub(crate) messages: u64,
    pub(crate) forgotten: u64,
    /// When its latest message was sent or handled.
    pub(crate) touched: Moment,
}

/// A message on its way to be kept.
pub struct Sending<'a> {
    /// Why it is sent.
    pub cause: Cause,
    /// By whom.
    pub from: Address,
    /// To whom.
    pub to: Address,
    /// Its name.
    pub kind: &'static str,
    /// What it says; asked only when it is kept.
    pub detail: &'a dyn Fn() -> Words,
}

/// Whether messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// They are.
    On,
    /// Only ids are given; for measuring what keeping costs.
    Off,
}

/// The recorder.
#[derive(Debug)]
pub struct Recorder {
    keeping: Keeping,
    pub(super) ring: VecDeque<Record>,
    pub(super) traces: BTreeMap<TraceId, Head>,
    next_message: u64,
    next_trace: u64,
}

impl Recorder {
    /// An empty recorder.
    #[must_use]
    pub fn new(keeping: Keeping) -> Self {
        Self { keeping, ring: VecDeque::new(), traces: BTreeMap::new(), next_message: 1, next_trace: 1 }
    }

    /// An external event has happened: a new trace begins.
    pub fn begin(&mut self, now: Moment, cause: ExternalCause) -> Cause {
        let trace = TraceId(self.next_trace);
        self.next_trace += 1;
        if self.keeping == Keeping::On {
            self.traces
                .insert(trace, Head { cause: Arc::new(cause), at: now, messages: 0, forgotten: 0, touched: now });
            if self.traces.len() > TRACES_MAX {
                self.traces.pop_first();
            }
        }
        Cause { trace, message: None }
    }

    /// A message is sent.
    pub fn sent(&mut self, now: Moment, sending: Sending<'_>) -> MessageId {
        let id = MessageId(self.next_message);
        if self.keeping == Keeping::Off {
            self.next_message += 1;
            return id;
        }
        let before = sending
            .cause
            .message
            .and_then(|id| self.get_mut(id))
            .map(|parent| Arc::clone(parent.cut.get_or_insert_with(|| link(&parent.message))));
        self.next_message += 1;
        let Sending { cause, from, to, kind, detail } = sending;
        let detail = detail();
        let Cause { trace, message: parent } = cause;
        let steps = before.as_ref().map_or(1, |before| before.steps + 1);
        let dropped = before.as_ref().map_or(0, |before| before.dropped);
        let message = Arc::new(Sent { before, steps, dropped, trace, parent, from, to, kind, detail, sent: now });
        self.ring.push_back(Record { message, cut: None, handled: None, outcome: Outcome::Queued });
        if let Some(head) = self.traces.get_mut(&trace) {
            head.messages += 1;
            head.touched = now;
        }
        if self.ring.len() > MESSAGES_MAX {
            self.forget_oldest();
        }
        id
    }

    fn forget_oldest(&mut self) {
        let Some(record) = self.ring.pop_front() else { return };
        if let Some(head) = self.traces.get_mut(&record.message.trace) {
            head.forgotten += 1;
            if head.forgotten == head.messages {
                self.traces.remove(&record.message.trace);
            }
        }
    }

    /// A message has been handled, or disposed of in another way.
    pub fn handled(&mut self, id: MessageId, now: Moment, outcome: Outcome) {
        let Some(record) = self.get_mut(id) else { return };
        record.handled = Some(now);
        record.outcome = outcome;
        let trace = record.message.trace;
        if let Some(head) = self.traces.get_mut(&trace) {
            head.touched = now;
        }
    }

    /// The chain of causes that ends with a message.
    #[must_use]
    pub fn chain(&self, cause: Cause) -> Chain {
        let head = self.traces.get(&cause.trace).map(|head| (head.at, Arc::clone(&head.cause)));
        let latest = cause.message.and_then(|id| self.get(id)).map(|record| Arc::clone(&record.message));
        Chain::new(head, latest)
    }

    /// The trace of the latest event that matches, whatever is still said because of earlier ones. One that only repeats what was
    /// known, or is no more than what a service says of itself, does not count where there is another.
    #[must_use]
    pub fn latest(&self, filter: &TraceFilter) -> Option<TraceId> {
        let matching = || self.ring.iter().rev().filter(|record| filter.meets(record));
        let telling = matching().filter(|record| record.tells()).map(|record| record.message.trace).max();
        telling.or_else(|| matching().map(|record| record.message.trace).max())
    }

    /// Traces that match, were touched after `after` and have been quiet since `before`, oldest first.
    #[must_use]
    pub fn quiet_between(&self, after: Moment, before: Moment, filter: &TraceFilter) -> Vec<TraceId> {
        let quiet = |head: &Head| head.touched > after && head.touched <= before;
        let quiet = self.traces.iter().filter(|(_, head)| quiet(head));
        let mut found: Vec<(Moment, TraceId)> = quiet.map(|(trace, head)| (head.touched, *trace)).collect();
        // Followers ask again and again while actors wait for the lock: the ring is gone through once, and only for this.
        if !found.is_empty() && *filter != TraceFilter::default() {
            let met = self.ring.iter().filter(|record| filter.meets(record));
            let met: BTreeSet<TraceId> = met.map(|record| record.message.trace).collect();
            found.retain(|(_, trace)| met.contains(trace));
        }
        found.sort();
        found.into_iter().map(|(_, trace)| trace).collect()
    }

    fn first_id(&self) -> u64 {
        self.next_message - self.ring.len() as u64
    }

    pub(super) fn id_at(&self, place: usize) -> MessageId {
        MessageId(self.first_id() + place as u64)
    }

    fn get(&self, id: MessageId) -> Option<&Record> {
        let place = id.0.checked_sub(self.first_id())?;
        self.ring.get(usize::try_from(place).ok()?)
    }

    fn get_mut(&mut self, id: MessageId) -> Option<&mut Record> {
        let place = id.0.checked_sub(self.first_id())?;
        self.ring.get_mut(usize::try_from(place).ok()?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::after_boot(Duration::from_millis(millis))
    }

    fn send(recorder: &mut Recorder, cause: Cause, now: u64, words: &str) -> MessageId {
        let detail = || words.to_owned().into();
        let (from, to) = (Outside::Kernel.into(), ActorId::Leases.into());
        recorder.sent(at(now), Sending { cause, from, to, kind: "Gone", detail: &detail })
    }

    #[test]
    fn a_chain_leads_back_to_the_external_event() {
        let mut recorder = Recorder::new(Keeping::On);
        let root = recorder.begin(at(0), ExternalCause::Signal("SIGTERM".to_owned()));
        let first = send(&mut recorder, root, 1, "one");
        let second = send(&mut recorder, Cause { message: Some(first), ..root }, 2, "two");
        let steps = recorder.chain(Cause { message: Some(second), ..root }).steps();
        let what: Vec<&str> = steps.iter().map(|step| step.what.as_str()).collect();
        assert_eq!(what, ["signal: SIGTERM to mainstay", "kernel told leases: one", "kernel told leases: two"]);
    }

    #[test]
    fn the_ring_is_bounded_and_forgets_the_oldest_first() {
        let mut recorder = Recorder::new(Keeping::On);
        let first = recorder.begin(at(0), ExternalCause::Started);
        let gone = send(&mut recorder, first, 0, "first");
        let cause = recorder.begin(at(1), ExternalCause::Started);
        let last = (0..MESSAGES_MAX as u64 + 10).map(|n| send(&mut recorder, cause, n, "again")).last().unwrap();
        assert_eq!(recorder.ring.len(), MESSAGES_MAX);
        assert!(recorder.get(gone).is_none());
        assert!(recorder.get(last).is_some());
        assert_eq!(recorder.traces.len(), 1, "a trace without messages is forgotten as well");
        recorder.handled(gone, at(3), Outcome::Handled);
        recorder.handled(last, at(3), Outcome::Handled);
        assert_eq!(recorder.get(last).unwrap().handled, Some(at(3)));
    }

    #[test]
    fn a_chain_without_end_keeps_the_event_and_the_latest_steps() {
        let mut recorder = Recorder::new(Keeping::On);
        let root = recorder.begin(at(0), ExternalCause::Started);
        let mut cause = root;
        for n in 0..1000 {
            let id = send(&mut recorder, cause, n, &format!("step {n}"));
            cause = Cause { message: Some(id), ..root };
            let steps = recorder.chain(cause).steps();
            assert_eq!(steps[0].what, "start: mainstay started");
            let latest: Vec<String> = (0..=n).rev().take(30).map(|n| format!("kernel told leases: step {n}")).collect();
            let between = format!("{} steps between are no longer kept", n + 3 - steps.len() as u64);
            assert!(n < 64 || steps[1].what == between, "{}", steps[1].what);
            assert!(steps.iter().skip(1).rev().map(|step| &step.what).take(30).eq(&latest));
            assert!(steps.len() <= 70, "{} steps", steps.len());
        }
    }

    #[test]
    fn what_was_tried_again_and_again_is_told_with_its_first_and_last_round_and_how_many_were_between() {
        let mut recorder = Recorder::new(Keeping::On);
        let root = recorder.begin(at(0), ExternalCause::Started);
        let mut cause = root;
        let rounds = (0..10).flat_map(|_| ["it cannot be opened", "time to try again"]);
        for (n, detail) in ["seen"].into_iter().chain(rounds).chain(["it is faulted"]).enumerate() {
            cause = Cause { message: Some(send(&mut recorder, cause, n as u64, detail)), ..root };
        }
        let steps = recorder.chain(cause).steps();
        let what: Vec<_> = steps.iter().map(|step| step.what.trim_start_matches("kernel told leases: ")).collect();
        let round = ["it cannot be opened", "time to try again"];
        let told =
            [&["start: mainstay started", "seen"][..], &round, &["the same 8 more times"], &round, &["it is faulted"]];
        assert_eq!(what, told.concat());
        assert_eq!(steps[4].at, at(3), "the first of those between");
    }

    #[test]
    fn many_messages_that_follow_from_one_share_the_chain_that_led_to_it() {
        let mut recorder = Recorder::new(Keeping::On);
        let root = recorder.begin(at(0), ExternalCause::Started);
        let mut cause = root;
        for n in 0..64 {
            cause = Cause { message: Some(send(&mut recorder, cause, n, "step")), ..root };
        }
        let before = |recorder: &Recorder, id| recorder.get(id).unwrap().message.before.clone().unwrap();
        let [first, second] = [(); 2].map(|()| send(&mut recorder, cause, 64, "news"));
        assert!(Arc::ptr_eq(&before(&recorder, first), &before(&recorder, second)));
        assert!(recorder.get(first).unwrap().message.steps < 64, "it was cut");
    }

    #[test]
    fn the_latest_trace_is_that_of_the_latest_event_whatever_is_still_said_because_of_earlier_ones() {
        let mut recorder = Recorder::new(Keeping::On);
        let causes = [0, 1].map(|second| recorder.begin(at(second), ExternalCause::Started));
        for cause in causes {
            let first = send(&mut recorder, cause, 1, "gone");
            send(&mut recorder, Cause { message: Some(first), ..cause }, 1, "stop");
        }
        let [earlier, latest] = causes;
        send(&mut recorder, Cause { message: Some(MessageId(2)), ..earlier }, 9, "the grace period is over");
        assert_eq!(recorder.latest(&TraceFilter::default()), Some(latest.trace));
    }

    #[test]
    fn the_latest_trace_is_one_in_which_something_was_done() {
        let mut recorder = Recorder::new(Keeping::On);
        let told = recorder.begin(at(0), ExternalCause::Started);
        let first = send(&mut recorder, told, 0, "gone");
        send(&mut recorder, Cause { message: Some(first), ..told }, 1, "stop");
        let echo = recorder.begin(at(2), ExternalCause::Started);
        let repeated = send(&mut recorder, echo, 2, "gone");
        recorder.handled(repeated, at(2), Outcome::Ignored);
        assert_eq!(recorder.latest(&TraceFilter::default()), Some(told.trace));
        let asked = recorder.begin(at(3), ExternalCause::Started);
        let request = send(&mut recorder, asked, 3, "stop it, which is stopped");
        recorder.handled(request, at(3), Outcome::Handled);
        assert_eq!(recorder.latest(&TraceFilter::default()), Some(asked.trace));
    }
}
