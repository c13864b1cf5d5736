//! Traces as they are shown.

use super::{ExternalCauseView, MessageView, TraceView};
use crate::clock::Clock;
use crate::trace::{Excerpt, MessageId, Record};

impl Excerpt {
    /// It, as it is shown.
    #[must_use]
    pub fn show(&self, clock: &Clock) -> TraceView {
        let message = |(id, record): &(MessageId, Record)| MessageView {
            id: id.0,
            parent: record.message.parent.map(|id| id.0),
            from: record.message.from.to_string(),
            to: record.message.to.to_string(),
            kind: record.message.kind.to_owned(),
            detail: record.message.detail.to_string(),
            sent: clock.wall_micros(record.message.sent),
            handled: record.handled.map(|at| clock.wall_micros(at)),
            outcome: record.outcome.as_str().to_owned(),
        };
        let cause = ExternalCauseView {
            kind: self.head.cause.kind().to_owned(),
            detail: self.head.cause.to_string(),
            at: Some(clock.wall_micros(self.head.at)),
        };
        let messages = self.messages.iter().map(message).collect();
        TraceView { trace: self.trace.0, cause, messages, forgotten: self.head.forgotten }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::message::{ActorId, Moment, Outside};
    use crate::trace::{Cause, ExternalCause, Keeping, Recorder, Sending};

    #[test]
    fn the_time_of_the_event_is_kept_when_its_first_messages_are_forgotten() {
        let begun = Moment::after_boot(Duration::from_secs(100));
        let mut recorder = Recorder::new(Keeping::On);
        let send = |recorder: &mut Recorder, cause: Cause, now| {
            let (from, to) = (Outside::Kernel.into(), ActorId::Leases.into());
            recorder.sent(now, Sending { cause, from, to, kind: "Gone", detail: &|| "gone".to_owned().into() });
        };
        let trace = recorder.begin(begun, ExternalCause::Started);
        send(&mut recorder, trace, begun);
        let flood = recorder.begin(begun, ExternalCause::Started);
        // As many as are kept, less one.
        (1..8192).for_each(|_| send(&mut recorder, flood, begun));
        send(&mut recorder, trace, begun + Duration::from_secs(50));
        let excerpt = recorder.excerpt(trace.trace).unwrap();
        (0..8192).for_each(|_| send(&mut recorder, flood, begun));
        assert!(recorder.excerpt(trace.trace).is_none(), "it is shown as it was all the same");
        let shown = excerpt.show(&Clock::Boot);
        assert_eq!((shown.messages.len(), shown.forgotten), (1, 1));
        let time = |text: &str| humantime::parse_rfc3339(text).unwrap();
        let between = time(&shown.messages[0].sent).duration_since(time(shown.cause.at.as_ref().unwrap())).unwrap();
        assert_eq!(between.as_secs_f64().round(), 50.0, "{shown:?}");
    }
}
