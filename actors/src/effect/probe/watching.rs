//! When a run is looked at again, and what is said of it meanwhile. Pure: the shell and the world drive it.
//!
//! What is to be said is decided first, said then, and known to be said only afterwards ([`Watching::said`]): the task that looks may panic
//! in between and begin anew, and says it then.

use std::time::Duration;

use super::pace::Pace;
use crate::action::not_ready::NotReady;
use crate::action::probe::{ProbeEvent, ProbeOrder, Sight};

/// Bounds below which an order makes no sense: a look needs some time, and nobody shall spin.
const SHORTEST: Duration = Duration::from_millis(10);
/// A look that takes longer says what it waits for: the start may be given up before the look is.
pub(crate) const WORTH_A_WORD: Duration = Duration::from_millis(500);

/// The watch on one run.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Watching {
    timeout: Duration,
    pace: Pace,
    /// What was said last.
    last: Option<NotReady>,
}

/// What follows from a look.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Next {
    /// This is said.
    pub say: Option<ProbeEvent>,
    /// After this time it is looked again; `None`: the watch is over.
    pub again: Option<Duration>,
}

impl Watching {
    /// A watch begins. The first look is taken at once.
    pub(crate) fn new(order: &ProbeOrder) -> Self {
        let pace = Pace::new(order.interval.max(SHORTEST));
        Self { timeout: order.timeout.max(SHORTEST), pace, last: None }
    }

    /// The bound on one look.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A look has taken [`WORTH_A_WORD`], and waits for this. What somebody has answered before says more.
    pub(crate) fn is_slow(&self, waits: NotReady) -> Option<ProbeEvent> {
        if self.last.as_ref().is_none_or(NotReady::is_no_contact) { self.not_yet(waits) } else { None }
    }

    /// A look has ended, or was given up.
    pub(crate) fn seen(&mut self, seen: Result<Sight, NotReady>) -> Next {
        match seen {
            Ok(sight) => Next { say: Some(ProbeEvent::Ready(sight)), again: None },
            Err(why) => Next { say: self.not_yet(why), again: Some(self.pace.next_pause()) },
        }
    }

    /// This was said.
    pub(crate) fn said(&mut self, event: &ProbeEvent) {
        match event {
            ProbeEvent::NotYet(why) => self.last = Some(why.clone()),
            ProbeEvent::Ready(_) => {}
        }
    }

    /// The same is not said twice.
    fn not_yet(&self, why: NotReady) -> Option<ProbeEvent> {
        (self.last.as_ref() != Some(&why)).then_some(ProbeEvent::NotYet(why))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;
    use std::net::{Ipv4Addr, SocketAddr};

    use mainstay_config::names::ServiceName;

    use super::*;
    use crate::action::not_ready::Awaited;
    use crate::action::probe::{Own, ProbeTarget};
    use crate::action::process::RunId;

    fn refused() -> NotReady {
        NotReady::Refused(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)))
    }

    fn not_logged() -> NotReady {
        NotReady::NotLogged("ready".to_owned())
    }

    fn waits() -> NotReady {
        NotReady::Waiting(Awaited::default())
    }

    fn watching(interval: Duration, timeout: Duration) -> Watching {
        let own = Own { service: ServiceName::new("gpsd").unwrap(), pid: 7, ports: BTreeSet::new() };
        let target = ProbeTarget::File { path: "/ready".into() };
        Watching::new(&ProbeOrder { run: RunId(1), target, interval, timeout, own })
    }

    #[test]
    fn a_reason_is_said_once_and_again_when_another_has_come_between() {
        let mut watching = watching(Duration::from_secs(1), Duration::from_secs(1));
        let table =
            [(refused(), true), (refused(), false), (not_logged(), true), (not_logged(), false), (refused(), true)];
        for (why, is_said) in table {
            let Next { say, again } = watching.seen(Err(why.clone()));
            assert_eq!((say.is_some(), again.is_some()), (is_said, true), "{why:?}");
            say.iter().for_each(|said| watching.said(said));
        }
        let sight = Sight::FileExists("/ready".into());
        let ready = Next { say: Some(ProbeEvent::Ready(sight.clone())), again: None };
        assert_eq!(watching.seen(Ok(sight)), ready);
    }

    #[test]
    fn a_slow_look_says_what_it_waits_for_unless_somebody_has_answered_before() {
        let said = || Some(ProbeEvent::NotYet(waits()));
        let table = [(None, said()), (Some(refused()), said()), (Some(not_logged()), None)];
        for (before, said) in table {
            let mut watching = watching(Duration::from_secs(1), Duration::from_secs(1));
            if let Some(why) = before.clone() {
                watching.said(&ProbeEvent::NotYet(why));
            }
            assert_eq!(watching.is_slow(waits()), said, "{before:?}");
        }
    }

    #[test]
    fn what_was_decided_and_not_said_is_decided_again() {
        let mut watching = watching(Duration::from_secs(1), Duration::from_secs(1));
        for _ in 0..2 {
            assert!(watching.seen(Err(refused())).say.is_some());
            assert!(watching.is_slow(waits()).is_some());
        }
    }

    #[test]
    fn looks_come_quickly_at_first_and_no_order_makes_them_spin() {
        let mut watching = watching(Duration::ZERO, Duration::ZERO);
        assert_eq!(watching.timeout(), SHORTEST);
        for _ in 0..10 {
            assert_eq!(watching.seen(Err(refused())).again, Some(SHORTEST));
        }
    }
}
