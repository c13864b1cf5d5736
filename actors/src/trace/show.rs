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
        let cause = ExternalCauseView {
            kind: head.cause.kind.as_str().to_owned(),
            detail: head.cause.detail.clone(),
            at: Some(clock.wall_micros(head.at)),
        };
        Some(TraceView { trace: trace.0, cause, messages, forgotten: head.forgotten })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use std::time::Duration;

    use super::super::recorder::{Cause, ExternalCause, ExternalKind, Keeping, Sending};
    use super::*;
    use crate::machine::{ActorId, Moment, Outside};

    #[test]
    fn the_time_of_the_event_is_kept_when_its_first_messages_are_forgotten() {
        let begun = Moment::after_boot(Duration::from_secs(100));
        let mut recorder = Recorder::new(Keeping::On);
        let send = |recorder: &mut Recorder, cause: Cause, now| {
            let (from, to) = (Outside::Kernel.into(), ActorId::Leases.into());
            recorder.sent(now, Sending { cause, from, to, kind: "Gone", detail: &|| "gone".to_owned().into() });
        };
        let trace = recorder.begin(begun, ExternalCause::new(ExternalKind::Start, "mainstay started"));
        send(&mut recorder, trace, begun);
        let flood = recorder.begin(begun, ExternalCause::new(ExternalKind::Hardware, "flood"));
        // As many as are kept, less one.
        (1..8192).for_each(|_| send(&mut recorder, flood, begun));
        send(&mut recorder, trace, begun + Duration::from_secs(50));
        let shown = recorder.show(trace.trace, &Clock::Boot).unwrap();
        assert_eq!((shown.messages.len(), shown.forgotten), (1, 1));
        let time = |text: &str| humantime::parse_rfc3339(text).unwrap();
        let between = time(&shown.messages[0].sent).duration_since(time(shown.cause.at.as_ref().unwrap())).unwrap();
        assert_eq!(between.as_secs_f64().round(), 50.0, "{shown:?}");
    }
}
