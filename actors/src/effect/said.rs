//! What services say of themselves (`STATUS=`), told at a bounded pace: some say something new all the time, and every telling stands
//! in the trace, where it would soon have pushed everything else out.

use std::time::Duration;

use super::process::order::Notification;

/// Between two tellings of a status. What is said meanwhile is told afterwards, the last of it.
pub(super) const REST: Duration = Duration::from_secs(5);

/// The pace of one run.
#[derive(Debug, Default)]
pub(super) enum Pace {
    /// The next status is told at once.
    #[default]
    Free,
    /// One was told; this is what was said since.
    Resting(Option<String>),
}

/// What is to be done with a notification.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Tell it.
    Tell(Notification),
    /// Tell it, and call [`Pace::rested`] when [`REST`] is over.
    TellAndRest(Notification),
    /// It is kept until then.
    Keep,
}

impl Pace {
    /// A service has said something. That it is ready or stops never waits.
    pub(super) fn heard(&mut self, said: Notification) -> Turn {
        match (self, said) {
            (Self::Resting(kept), said @ Notification { ready: None, stopping: None, .. }) => {
                *kept = said.status.or(kept.take());
                Turn::Keep
            }
            (Self::Resting(kept), said) => {
                let earlier = kept.take();
                Turn::Tell(Notification { status: said.status.or(earlier), ..said })
            }
            (pace @ Self::Free, said) if said.status.is_some() => {
                *pace = Self::Resting(None);
                Turn::TellAndRest(said)
            }
            (Self::Free, said) => Turn::Tell(said),
        }
    }

    /// [`REST`] is over. What was kept is told, and another rest begins.
    pub(super) fn rested(&mut self) -> Option<Notification> {
        let kept = match self {
            Self::Resting(kept) => kept.take(),
            Self::Free => None,
        };
        if kept.is_none() {
            *self = Self::Free;
        }
        kept.map(|status| Notification { status: Some(status), ..Notification::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::process::order::Said;

    fn status(words: &str) -> Notification {
        Notification { status: Some(words.to_owned()), ..Notification::default() }
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
    fn that_it_is_ready_or_stops_is_told_at_once_with_the_last_status() {
        let ready = Notification { ready: Some(Said), ..Notification::default() };
        let stopping = Notification { stopping: Some(Said), ..status("bye") };
        let mut pace = Pace::default();
        assert_eq!(pace.heard(ready.clone()), Turn::Tell(ready.clone()));
        pace.heard(status("1"));
        pace.heard(status("2"));
        assert_eq!(pace.heard(ready), Turn::Tell(Notification { ready: Some(Said), ..status("2") }));
        assert_eq!(pace.heard(stopping.clone()), Turn::Tell(stopping));
        assert_eq!(pace.rested(), None, "what was told is not kept");
    }
}
