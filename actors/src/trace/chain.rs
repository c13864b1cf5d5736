//! Chains of causes: kept with every published state, and put into words when somebody asks why.

use std::fmt::Display;
use std::sync::Arc;

use mainstay_config::counted;

use super::external::ExternalCause;
use super::recorder::Sent;
use crate::message::{Address, Moment, Outside};

/// Steps after which a chain is cut.
const STEPS_MAX: usize = 64;
/// The latest steps that are left when it is cut.
const STEPS_KEPT: usize = 32;

/// So many steps at most are a round: what is tried again and again takes so many each time.
const ROUND_MAX: usize = 4;
/// With more rounds than this, those between the first and the last are only counted.
const ROUNDS_MAX: usize = 3;

/// One step of a chain of causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Moment,
    /// What happened, a sentence without a full stop.
    pub what: String,
}

/// What led to a message. It holds on to what was said, so it can be told when the recorder has long forgotten it; states that
/// were reached one through another share it.
#[derive(Debug, Clone)]
pub struct Chain {
    event: Option<(Moment, Arc<ExternalCause>)>,
    latest: Option<Arc<Sent>>,
}

impl Chain {
    pub(super) fn new(event: Option<(Moment, Arc<ExternalCause>)>, latest: Option<Arc<Sent>>) -> Self {
        Self { event, latest }
    }

    /// The steps in words, the external event first. Of a very long chain the event and the latest steps.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut messages: Vec<&Sent> = self.latest.iter().flat_map(|latest| latest.backwards()).collect();
        messages.reverse();
        // The first message often only repeats what happened outside.
        let repeats =
            |first: &Sent| self.event.as_ref().is_some_and(|(_, event)| first.detail.to_string() == event.to_string());
        if messages.first().is_some_and(|first| first.parent.is_none() && repeats(first)) {
            messages.remove(0);
        }
        let event = self.event.iter().map(|(at, cause)| Step { at: *at, what: format!("{}: {cause}", cause.kind()) });
        let dropped = self.latest.as_ref().map_or(0, |latest| latest.dropped);
        let gap = messages.first().filter(|_| dropped > 0).map(|first| {
            let what = counted(dropped, "step between is no longer kept", "steps between are no longer kept");
            Step { at: first.sent, what }
        });
        let steps = messages.into_iter().map(|message| Step { at: message.sent, what: message.sentence() });
        event.chain(gap).chain(folded(steps.collect())).collect()
    }
}

/// Of steps that come round again and again, as when something is tried until it succeeds, the first and the last round and how many
/// were between.
fn folded(mut steps: Vec<Step>) -> Vec<Step> {
    let mut at = 0;
    while let Some(rest) = steps.get(at..).filter(|rest| !rest.is_empty()) {
        let rounds = |length: usize| {
            let again = rest.iter().zip(rest.iter().skip(length));
            again.take_while(|(one, next)| one.what == next.what).count() / length + 1
        };
        let round = (1..=ROUND_MAX).map(|length| (length, rounds(length))).find(|(_, rounds)| *rounds > ROUNDS_MAX);
        if let Some((length, rounds)) = round {
            let (first, last) = (at + length, at + length * (rounds - 1));
            let began = rest.get(length).map_or(Moment::default(), |step| step.at);
            let what = format!("the same {} more times", rounds - 2);
            steps.splice(first..last, [Step { at: began, what }]);
            at = first;
        }
        at += 1;
    }
    steps
}

/// What was said before a message that this one causes. A chain without end, as a timer makes that is set again and again, is cut:
/// its latest steps are copied, so that it lets go of the others.
pub(super) fn link(parent: &Arc<Sent>) -> Arc<Sent> {
    if parent.steps < STEPS_MAX {
        return Arc::clone(parent);
    }
    let mut kept: Vec<&Sent> = parent.backwards().take(STEPS_KEPT).collect();
    let mut before = None;
    let mut steps = 0;
    while let Some(message) = kept.pop() {
        steps += 1;
        let dropped = parent.dropped + parent.steps - STEPS_KEPT;
        before = Some(Arc::new(Sent { before, steps, dropped, ..message.clone() }));
    }
    before.unwrap_or_else(|| Arc::clone(parent))
}

impl Sent {
    /// This, and what led to it, the latest first.
    fn backwards(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |message| message.before.as_deref())
    }

    /// What happened, for a chain of causes.
    fn sentence(&self) -> String {
        let words: &dyn Display = if self.detail.is_empty() { &self.kind } else { &self.detail };
        match (&self.from, &self.to) {
            (Address::Outside(Outside::Clock), Address::Actor(to)) => format!("{to}: {words}"),
            (Address::Actor(from), Address::Outside(to)) => format!("{from} had {to} do: {words}"),
            (from, to) => format!("{from} told {to}: {words}"),
        }
    }
}
