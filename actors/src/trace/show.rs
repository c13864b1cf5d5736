//! Traces as they are shown.

use super::recorder::{Recorder, TraceId};
use crate::runtime::Clock;
use crate::view::{ExternalCauseView, MessageView, TraceView};

impl Recorder {
    /// One trace, if it is still kept.
    #[must_use]
    pub fn show(&self, trace: TraceId, clock: &Clock) -> Option<TraceView> {
        let head = self.traces.get(&trace)?;
        let mine = self.ring.iter().enumerate().filter(|(_, record)| record.said.trace == trace);
        let messages = mine
            .map(|(place, record)| MessageView {
                id: self.id_at(place).0,
                parent: record.said.parent.map(|id| id.0),
                from: record.said.from.to_string(),
                to: record.said.to.to_string(),
                kind: record.said.kind.to_owned(),
                detail: record.said.detail.to_string(),
                sent: clock.wall_micros(record.said.sent),
                handled: record.handled.map(|at| clock.wall_micros(at)),
                outcome: record.outcome.as_str().to_owned(),
            })
            .collect();
        let cause = ExternalCauseView { kind: head.cause.kind.as_str().to_owned(), detail: head.cause.detail.clone() };
        Some(TraceView { trace: trace.0, cause, messages, forgotten: head.forgotten })
    }
}
