//! Traces, taken out of the ring.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::recorder::{Head, MessageId, Record, Recorder, TraceId};

/// One trace as it was at one moment. Every message that is sent waits for the recorder, so what takes long is done with this.
#[derive(Debug)]
pub struct Excerpt {
    pub(crate) trace: TraceId,
    pub(crate) head: Head,
    pub(crate) messages: Vec<(MessageId, Record)>,
}

impl Recorder {
    /// One trace, if it is still kept.
    #[must_use]
    pub fn excerpt(&self, trace: TraceId) -> Option<Excerpt> {
        self.excerpts(&[trace]).pop()
    }

    /// Those of these traces that are still kept, each once and in this order. The ring is gone through once, however many they are.
    #[must_use]
    pub fn excerpts(&self, traces: &[TraceId]) -> Vec<Excerpt> {
        let mut places = BTreeMap::new();
        let mut excerpts: Vec<Excerpt> = Vec::new();
        for trace in traces.iter().copied() {
            if let (Entry::Vacant(place), Some(head)) = (places.entry(trace), self.traces.get(&trace)) {
                place.insert(excerpts.len());
                excerpts.push(Excerpt { trace, head: head.clone(), messages: Vec::new() });
            }
        }
        if excerpts.is_empty() {
            return excerpts;
        }
        for (at, record) in self.ring.iter().enumerate() {
            let mine = places.get(&record.message.trace).and_then(|place| excerpts.get_mut(*place));
            if let Some(excerpt) = mine {
                excerpt.messages.push((self.id_at(at), record.clone()));
            }
        }
        excerpts
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::message::{ActorId, Moment, Outside};
    use crate::trace::{Cause, ExternalCause, Keeping, Sending};

    /// A recorder of so many traces, whose messages lie between each other's.
    fn recorder(traces: u64, messages: u64) -> (Recorder, Vec<TraceId>) {
        let mut recorder = Recorder::new(Keeping::On);
        let event = || ExternalCause::Started;
        let causes: Vec<Cause> = (0..traces).map(|_| recorder.begin(Moment::default(), event())).collect();
        for number in 0..messages {
            for cause in causes.iter().copied() {
                let detail = || format!("{} of {}", number, cause.trace.0).into();
                let (from, to) = (Outside::Kernel.into(), ActorId::Leases.into());
                recorder.sent(Moment::default(), Sending { cause, from, to, kind: "Gone", detail: &detail });
            }
        }
        (recorder, causes.into_iter().map(|cause| cause.trace).collect())
    }

    #[test]
    fn many_traces_that_are_taken_out_at_once_are_as_each_is_that_is_taken_out_by_itself() {
        let (recorder, mut traces) = recorder(20, 30);
        traces.reverse();
        traces.extend([TraceId(1), TraceId(1_000_000)]);
        let together = recorder.excerpts(&traces);
        assert_eq!(together.len(), 20, "each once, and none that is not kept");
        for (excerpt, trace) in together.iter().zip(traces) {
            let alone = recorder.excerpt(trace).map(|alone| format!("{alone:?}"));
            assert_eq!(alone, Some(format!("{excerpt:?}")));
            let said: Vec<String> =
                excerpt.messages.iter().map(|(_, record)| record.message.detail.to_string()).collect();
            assert_eq!(said, (0..30).map(|number| format!("{number} of {}", trace.0)).collect::<Vec<_>>());
        }
    }
}
