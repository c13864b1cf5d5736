//! What services say of themselves (`STATUS=`), told at a bounded pace: some say something new all the time, and every telling stands
//! in the trace, where it would soon have pushed everything else out.

use std::time::Duration;

use crate::action::process::{Notification, SHORTEST_EXTENSION};

/// Between two tellings of a status. What is said meanwhile is told afterwards, the last of it.
pub(super) const REST: Duration = Duration::from_secs(5);
/// The same for the first [`SHORT_RESTS`] of a run: what it says while it starts is the reason shown, should it not become ready.
const SHORT_REST: Duration = Duration::from_secs(1);
const SHORT_RESTS: u32 = 5;
/// How often within one rest it is told at once that a service says how it ends, or who its main process is. What is said more often
/// is told afterwards.
const AT_ONCE: u8 = 8;

/// The pace of one run.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Pace {
    /// `None`: the next status is told at once. Otherwise something was told, and this is what was said since.
    kept: Option<Notification>,
    /// How often something was told at once since a rest began.
    at_once: u8,
    /// Whether more time was told of as the rest began: then it ends before that time does.
    is_extended: bool,
    /// How many rests there were.
    rests: u32,
}

/// A pause between two tellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Which of its run it is. The next one takes its place, even before it is over.
    pub number: u32,
    /// How long it lasts.
    pub lasts: Duration,
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
    /// A service has said something. That it is ready or stops does not wait. That it needs more time waits only as long as it has time
    /// left by what was told before.
    pub(super) fn heard(&mut self, said: Notification) -> Turn {
        let status = &said.status;
        let presses = status.errno.is_some() || status.exit.is_some() || said.main_pid.is_some();
        let Some(kept) = &mut self.kept else {
            if status.words.is_none() && !presses && said.extend.is_none() {
                return Turn::Tell(said);
            }
            self.kept = Some(Notification::default());
            return Turn::TellAndRest(said);
        };
        let is_urgent = said.ready || said.stopping || said.extend.is_some() && !self.is_extended;
        let is_told = is_urgent || presses && self.at_once < AT_ONCE;
        self.at_once += u8::from(is_told && !is_urgent);
        kept.merge(said);
        if !is_told {
            return Turn::Keep;
        }
        let told = std::mem::take(kept);
        if told.extend.is_some() { Turn::TellAndRest(told) } else { Turn::Tell(told) }
    }

    /// The rest that begins now, after this was told. It is over before the time is that the service was given with it.
    pub(super) fn rest(&mut self, told: &Notification) -> Rest {
        let usual = if self.rests < SHORT_RESTS { SHORT_REST } else { REST };
        let lasts = told.extend.map_or(usual, |more| usual.min(more.max(SHORTEST_EXTENSION) / 2));
        self.rests = self.rests.wrapping_add(1);
        self.is_extended = told.extend.is_some();
        Rest { number: self.rests, lasts }
    }

    /// It was told to stop, in another time than that of its start: what it was given for that does not count any more.
    pub(super) fn is_to_stop(&mut self) {
        self.is_extended = false;
        if let Some(kept) = &mut self.kept {
            kept.extend = None;
        }
    }

    /// The rest that lasts.
    #[cfg(any(test, feature = "world"))]
    pub(super) fn resting(&self) -> u32 {
        self.rests
    }

    /// Nothing more is said: what was kept.
    pub(super) fn last(&mut self) -> Option<Notification> {
        self.at_once = if self.is_extended { self.at_once } else { 0 };
        self.kept.take().filter(|kept| *kept != Notification::default())
    }

    /// This rest is over. What was kept is told, and another rest begins.
    pub(super) fn rested(&mut self, rest: u32) -> Option<Notification> {
        // Another one has taken its place.
        if rest != self.rests {
            return None;
        }
        let kept = self.last();
        self.kept = kept.as_ref().map(|_| Notification::default());
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

    fn asks_for(more: Duration) -> Notification {
        Notification { extend: Some(more), ..Notification::default() }
    }

    /// Hears something that is told, and rests.
    #[track_caller]
    fn told_and_rested(pace: &mut Pace, said: Notification) -> Rest {
        let Turn::TellAndRest(told) = pace.heard(said) else { panic!("it is told, and a rest begins") };
        pace.rest(&told)
    }

    /// The rest that lasts is over.
    fn rested(pace: &mut Pace) -> Option<Notification> {
        let kept = pace.rested(pace.resting())?;
        pace.rest(&kept);
        Some(kept)
    }

    #[test]
    fn the_last_status_is_told_after_a_rest_and_none_is_told_twice() {
        let mut pace = Pace::default();
        told_and_rested(&mut pace, status("1"));
        assert_eq!(pace.heard(status("2")), Turn::Keep);
        assert_eq!(pace.heard(status("3")), Turn::Keep);
        assert_eq!(rested(&mut pace), Some(status("3")));
        assert_eq!(pace.heard(status("4")), Turn::Keep, "another rest has begun");
        assert_eq!(rested(&mut pace), Some(status("4")));
        assert_eq!(rested(&mut pace), None);
        told_and_rested(&mut pace, status("5"));
    }

    #[test]
    fn that_it_needs_more_time_is_told_before_the_time_is_over_that_it_had() {
        const SECOND: Duration = Duration::from_secs(1);
        let rests = [
            (Duration::ZERO, SECOND / 2),
            (Duration::from_micros(1), SECOND / 2),
            (SECOND, SECOND / 2),
            (SECOND * 3 / 2, SECOND * 3 / 4),
            (SECOND * 60, SECOND),
        ];
        for (more, lasts) in rests {
            let mut pace = Pace::default();
            let of_status = told_and_rested(&mut pace, status("1"));
            let rest = told_and_rested(&mut pace, asks_for(more));
            assert_eq!(rest.lasts, lasts, "{more:?}");
            for _ in 0..100 {
                assert_eq!(pace.heard(asks_for(more)), Turn::Keep, "not without end");
            }
            assert_eq!(pace.rested(of_status.number), None, "another one has taken its place");
            assert_eq!(pace.rested(rest.number), Some(asks_for(more)));
        }
        let mut pace = Pace { rests: SHORT_RESTS, ..Pace::default() };
        assert_eq!(pace.rest(&asks_for(SECOND * 2)).lasts, SECOND);
        assert_eq!(pace.rest(&asks_for(SECOND * 60)).lasts, REST);
    }

    #[test]
    fn more_time_to_stop_is_told_at_once_whatever_it_was_given_to_start() {
        let (long, short) = (asks_for(Duration::from_secs(600)), asks_for(Duration::from_secs(2)));
        let mut pace = Pace::default();
        told_and_rested(&mut pace, long.clone());
        assert_eq!(pace.heard(long), Turn::Keep);
        pace.is_to_stop();
        told_and_rested(&mut pace, short);
        assert_eq!(rested(&mut pace), None, "what it asked for before is not about its stop");
    }

    #[test]
    fn how_it_ends_is_told_at_once_but_not_without_end() {
        let ends = |words: &str| Notification { main_pid: Some(7), ..status(words) };
        let mut pace = Pace::default();
        told_and_rested(&mut pace, ends("0"));
        for _ in 0..AT_ONCE {
            assert_eq!(pace.heard(ends("1")), Turn::Tell(ends("1")));
        }
        assert_eq!(pace.heard(ends("2")), Turn::Keep);
        assert_eq!(rested(&mut pace), Some(ends("2")));
        assert_eq!(pace.heard(ends("3")), Turn::Tell(ends("3")));
    }

    #[test]
    fn that_it_is_ready_or_stops_is_told_at_once_with_the_last_status() {
        let ready = Notification { ready: true, ..Notification::default() };
        let stopping = Notification { stopping: true, ..status("bye") };
        let mut pace = Pace::default();
        assert_eq!(pace.heard(ready.clone()), Turn::Tell(ready.clone()));
        told_and_rested(&mut pace, status("1"));
        pace.heard(status("2"));
        assert_eq!(pace.heard(ready), Turn::Tell(Notification { ready: true, ..status("2") }));
        assert_eq!(pace.heard(stopping.clone()), Turn::Tell(stopping));
        assert_eq!(rested(&mut pace), None, "what was told is not kept");
    }
}
