//! What services say of themselves (`STATUS=`), told at a bounded pace: some say something new all the time, and every telling stands
//! in the trace, where it would soon have pushed everything else out.

use std::time::Duration;

use crate::action::process::Notification;

/// Between two tellings of a status. What is said meanwhile is told afterwards, the last of it.
pub(super) const REST: Duration = Duration::from_secs(5);
/// The same for the first [`SHORT_RESTS`] of a run: what it says while it starts is the reason shown, should it not become ready.
const SHORT_REST: Duration = Duration::from_secs(1);
const SHORT_RESTS: u8 = 5;
/// How often within one rest it is told at once that a service asks for more time, or says how it ends. What is said more often is told
/// afterwards.
const AT_ONCE: u8 = 8;

/// The pace of one run.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Pace {
    state: State,
    /// How many short rests there were.
    rests: u8,
}

#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
enum State {
    /// The next status is told at once.
    #[default]
    Free,
    /// Something was told; this is what was said since, and how often more time was told of at once.
    Resting(Notification, u8),
}

/// What is to be done with a notification.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Tell it.
    Tell(Notification),
    /// Tell it, and call [`Pace::rested`] when the [`Pace::rest`] is over.
    TellAndRest(Notification),
    /// It is kept until then.
    Keep,
}

impl Pace {
    /// A service has said something. That it is ready, stops, needs more time or has failed does not wait.
    pub(super) fn heard(&mut self, said: Notification) -> Turn {
        let status = &said.status;
        let is_urgent = said.ready || said.stopping;
        let presses =
            said.extend.is_some() || status.errno.is_some() || status.exit.is_some() || said.main_pid.is_some();
        match &mut self.state {
            State::Free if status.words.is_some() || presses => {
                self.state = State::Resting(Notification::default(), 0);
                Turn::TellAndRest(said)
            }
            State::Free => Turn::Tell(said),
            State::Resting(kept, times) => {
                let is_told = is_urgent || presses && *times < AT_ONCE;
                *times += u8::from(is_told && !is_urgent);
                kept.merge(said);
                if is_told { Turn::Tell(std::mem::take(kept)) } else { Turn::Keep }
            }
        }
    }

    /// How long the rest is that begins now.
    pub(super) fn rest(&mut self) -> Duration {
        if self.rests >= SHORT_RESTS {
            return REST;
        }
        self.rests += 1;
        SHORT_REST
    }

    /// Nothing more is said: what was kept.
    pub(super) fn last(&mut self) -> Option<Notification> {
        match std::mem::take(&mut self.state) {
            State::Resting(kept, _) => Some(kept).filter(|kept| *kept != Notification::default()),
            State::Free => None,
        }
    }

    /// The rest is over. What was kept is told, and another rest begins.
    pub(super) fn rested(&mut self) -> Option<Notification> {
        let kept = self.last();
        if kept.is_some() {
            self.state = State::Resting(Notification::default(), 0);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::process::Status;

    fn status(words: &str) -> Notification {
        let status = Status::from(words);
        Notification { status, ..Notification::default() }
    }

    #[test]
    fn the_last_status_is_told_after_a_rest_and_none_is_told_twice() {
        let mut pace = Pace::default();
        assert_eq!(pace.heard(status("1")), Turn::TellAndRest(status("1")));
        assert_eq!(pace.heard(status("2")), Turn::Keep);
        assert_eq!(pace.heard(status("3")), Turn::Keep);
        assert_eq!(pace.rested(), Some(status("3")));
        assert_eq!(pace.heard(status("4")), Turn::Keep, "another rest has begun");
        assert_eq!(pace.rested(), Some(status("4")));
        assert_eq!(pace.rested(), None);
        assert_eq!(pace.heard(status("5")), Turn::TellAndRest(status("5")));
    }

    #[test]
    fn that_it_needs_more_time_is_told_at_once_but_not_without_end() {
        let more = |words: &str| Notification { extend: Some(Duration::from_secs(2)), ..status(words) };
        let mut pace = Pace::default();
        assert_eq!(pace.heard(more("0")), Turn::TellAndRest(more("0")));
        for _ in 0..AT_ONCE {
            assert_eq!(pace.heard(more("1")), Turn::Tell(more("1")));
        }
        assert_eq!(pace.heard(more("2")), Turn::Keep);
        assert_eq!(pace.rested(), Some(more("2")));
        assert_eq!(pace.heard(more("3")), Turn::Tell(more("3")));
    }

    #[test]
    fn that_it_is_ready_or_stops_is_told_at_once_with_the_last_status() {
        let ready = Notification { ready: true, ..Notification::default() };
        let stopping = Notification { stopping: true, ..status("bye") };
        let mut pace = Pace::default();
        assert_eq!(pace.heard(ready.clone()), Turn::Tell(ready.clone()));
        pace.heard(status("1"));
        pace.heard(status("2"));
        assert_eq!(pace.heard(ready), Turn::Tell(Notification { ready: true, ..status("2") }));
        assert_eq!(pace.heard(stopping.clone()), Turn::Tell(stopping));
        assert_eq!(pace.rested(), None, "what was told is not kept");
    }
}
