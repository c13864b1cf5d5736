//! One trace, taken out of the ring.

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
        let head = self.traces.get(&trace)?.clone();
        let mine = self.ring.iter().enumerate().filter(|(_, record)| record.said.trace == trace);
        let messages = mine.map(|(place, record)| (self.id_at(place), record.clone())).collect();
        Some(Excerpt { trace, head, messages })
    }
}
