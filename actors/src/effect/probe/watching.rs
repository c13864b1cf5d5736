//! When a run is looked at again, and what is said of it meanwhile. Pure: the shell and the world drive it.

use std::fmt::Display;
use std::time::Duration;

use super::pace::Pace;
use crate::action::probe::{ProbeEvent, ProbeOrder};

/// Bounds below which an order makes no sense: a look needs some time, and nobody shall spin.
const SHORTEST: Duration = Duration::from_millis(10);
/// A look that takes longer says what it waits for: the start may be given up before the look is.
pub(crate) const WORTH_A_WORD: Duration = Duration::from_millis(500);

/// Why a look did not see a ready service.
pub(crate) trait Why: PartialEq + Display {
    /// Whether nobody was there to answer, which a look that waits for an answer has overtaken.
    fn is_no_contact(&self) -> bool;
}

/// The watch on one run.
#[derive(Debug)]
pub(crate) struct Watching<W> {
    timeout: Duration,
    pace: Pace,
    /// What was said last.
    last: Option<W>,
}

/// What follows from a look.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Next {
    /// This is said.
    pub say: Option<ProbeEvent>,
    /// After this time it is looked again; `None`: the watch is over.
    pub again: Option<Duration>,
}

impl<W: Why> Watching<W> {
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
    pub(crate) fn is_slow(&mut self, waits: W) -> Option<ProbeEvent> {
        if self.last.as_ref().is_none_or(W::is_no_contact) { self.not_yet(waits) } else { None }
    }

    /// A look has ended, or was given up.
    pub(crate) fn seen(&mut self, seen: Result<String, W>) -> Next {
        match seen {
            Ok(words) => Next { say: Some(ProbeEvent::Ready(words)), again: None },
            Err(why) => Next { say: self.not_yet(why), again: Some(self.pace.next_pause()) },
        }
    }

    /// The same is not said twice.
    fn not_yet(&mut self, why: W) -> Option<ProbeEvent> {
        if self.last.as_ref() == Some(&why) {
            return None;
        }
        let said = ProbeEvent::NotYet(why.to_string());
        self.last = Some(why);
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use mainstay_config::names::ServiceName;

    use super::*;
    use crate::action::probe::{Own, ProbeTarget};
    use crate::action::process::RunId;

    #[derive(Debug, Clone, PartialEq)]
    struct Reason(&'static str);

    impl Display for Reason {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Why for Reason {
        fn is_no_contact(&self) -> bool {
            self.0 == "refused"
        }
    }

    fn watching(interval: Duration, timeout: Duration) -> Watching<Reason> {
        let own = Own { service: ServiceName::new("gpsd").unwrap(), pid: 7, ports: BTreeSet::new() };
        let target = ProbeTarget::File { path: "/ready".into() };
        Watching::new(&ProbeOrder { run: RunId(1), target, interval, timeout, own })
    }

    fn not_yet(words: &str) -> Option<ProbeEvent> {
        Some(ProbeEvent::NotYet(words.to_owned()))
    }

    #[test]
    fn a_reason_is_said_once_and_again_when_another_has_come_between() {
        let mut watching = watching(Duration::from_secs(1), Duration::from_secs(1));
        let table = [("refused", true), ("refused", false), ("404", true), ("404", false), ("refused", true)];
        for (why, is_said) in table {
            let Next { say, again } = watching.seen(Err(Reason(why)));
            assert_eq!((say.is_some(), again.is_some()), (is_said, true), "{why}");
        }
        let ready = Next { say: Some(ProbeEvent::Ready("200".to_owned())), again: None };
        assert_eq!(watching.seen(Ok("200".to_owned())), ready);
    }

    #[test]
    fn a_slow_look_says_what_it_waits_for_unless_somebody_has_answered_before() {
        let table = [(None, not_yet("waits")), (Some("refused"), not_yet("waits")), (Some("404"), None)];
        for (before, said) in table {
            let mut watching = watching(Duration::from_secs(1), Duration::from_secs(1));
            if let Some(why) = before {
                watching.seen(Err(Reason(why)));
            }
            assert_eq!(watching.is_slow(Reason("waits")), said, "{before:?}");
        }
    }

    #[test]
    fn looks_come_quickly_at_first_and_no_order_makes_them_spin() {
        let mut watching = watching(Duration::ZERO, Duration::ZERO);
        assert_eq!(watching.timeout(), SHORTEST);
        for _ in 0..10 {
            assert_eq!(watching.seen(Err(Reason("refused"))).again, Some(SHORTEST));
        }
    }
}
