//! What signals mean to the daemon, and how long it is waited until its actors have taken that in. Pure.

use std::time::{Duration, Instant};

use mainstay_actors::message::supervision::Haste;
use mainstay_actors::runtime::Frozen;

/// Signals of programs that come this shortly after one another are one wish: GNU timeout signals the daemon and then its whole
/// process group, a shell script does so in two commands, and neither means to hurry.
const ONE_WISH: Duration = Duration::from_secs(2);
/// The same for Ctrl-C: whoever presses it twice means it, but what started the daemon may hand it on once more.
const ONE_KEYSTROKE: Duration = Duration::from_millis(200);
/// Between two looks at whether the wish was taken in. Two in a row must have seen that it was not: a daemon that was stopped for a
/// while, and its actors with it, gets time once it goes on.
const LOOK: Duration = Duration::from_secs(5);

/// How urgently the daemon should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// In order.
    InOrder,
    /// Without grace.
    Hurry,
    /// At once, and what has not stopped is left running.
    Leave,
}

/// The wishes that it should end.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    last: Option<(Instant, Urgency)>,
    next_look: Option<Instant>,
    doubts: u32,
}

/// What can be seen of the actors from another thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// What the root supervisor has taken in.
    pub(super) closing: Option<Haste>,
    /// Who does not return from what it handles.
    pub(super) frozen: Option<Frozen>,
}

/// Why the daemon ends without its actors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deaf {
    /// The root supervisor has not taken in that it should.
    Unheard,
    /// An actor does not return, and nothing is stopped any more.
    Frozen(Frozen),
}

impl Wishes {
    /// One more signal, by name; what it means, when it is not the same wish once more.
    pub(super) fn heard(&mut self, name: &str, now: Instant) -> Option<Urgency> {
        let window = if name == "SIGINT" { ONE_KEYSTROKE } else { ONE_WISH };
        let urgency = match self.last {
            None => Urgency::InOrder,
            Some((at, _)) if now.duration_since(at) < window => return None,
            Some((_, Urgency::InOrder)) => Urgency::Hurry,
            Some((_, Urgency::Hurry | Urgency::Leave)) => Urgency::Leave,
        };
        self.last = Some((now, urgency));
        (self.next_look, self.doubts) = (self.next_look.or(Some(now + LOOK)), 0);
        Some(urgency)
    }

    /// How long nothing has to be looked at. `None`: as long as nothing more is heard.
    pub(super) fn rest(&self, now: Instant) -> Option<Duration> {
        self.next_look.map(|next| next.saturating_duration_since(now))
    }

    /// Looks whether the last wish is being fulfilled, when it is time to: why the daemon must end without its actors, when it must.
    pub(super) fn look(&mut self, now: Instant, seen: impl FnOnce() -> Seen) -> Option<Deaf> {
        let (_, urgency) = self.last?;
        if self.next_look.is_none_or(|next| now < next) {
            return None;
        }
        self.next_look = Some(now + LOOK);
        let Seen { closing, frozen } = seen();
        let is_taken = match urgency {
            Urgency::InOrder => closing.is_some(),
            Urgency::Hurry => closing == Some(Haste::Hurried),
            // The daemon has ended then.
            Urgency::Leave => false,
        };
        let Some(deaf) = frozen.map(Deaf::Frozen).or((!is_taken).then_some(Deaf::Unheard)) else {
            self.doubts = 0;
            return None;
        };
        self.doubts = self.doubts.saturating_add(1);
        (self.doubts > 1).then_some(deaf)
    }
}

#[cfg(test)]
mod tests {
    use mainstay_actors::message::ActorId;

    use super::*;

    /// What each signal means, at so many milliseconds.
    fn wishes(heard: &[(&str, u64)]) -> Vec<Option<Urgency>> {
        let (begun, mut wishes) = (Instant::now(), Wishes::default());
        heard.iter().map(|(name, at)| wishes.heard(name, begun + Duration::from_millis(*at))).collect()
    }

    #[test]
    fn two_signals_at_once_are_one_wish_and_a_later_one_is_another() {
        let term = "SIGTERM";
        let meant = wishes(&[(term, 0), (term, 0), (term, 1999), (term, 2000), (term, 2001), (term, 9000)]);
        let expected = [Some(Urgency::InOrder), None, None, Some(Urgency::Hurry), None, Some(Urgency::Leave)];
        assert_eq!(meant, expected);
    }

    #[test]
    fn whoever_presses_ctrl_c_again_need_not_wait() {
        let meant = wishes(&[("SIGINT", 0), ("SIGINT", 10), ("SIGINT", 300), ("SIGINT", 600)]);
        assert_eq!(meant, [Some(Urgency::InOrder), None, Some(Urgency::Hurry), Some(Urgency::Leave)]);
        assert_eq!(wishes(&[("SIGTERM", 0), ("SIGINT", 300)]), [Some(Urgency::InOrder), Some(Urgency::Hurry)]);
    }

    fn frozen() -> Frozen {
        Frozen { actor: ActorId::Leases, kind: "Request", time: LOOK }
    }

    fn closing(haste: Haste) -> Seen {
        Seen { closing: Some(haste), frozen: None }
    }

    /// What comes of looking at each of these, one after the other, once the signals were heard.
    fn looks(signals: &[&str], seen: &[Seen]) -> Vec<Option<Deaf>> {
        let (mut now, mut wishes) = (Instant::now(), Wishes::default());
        for signal in signals {
            now += ONE_WISH;
            wishes.heard(signal, now);
        }
        let mut look = |seen: &Seen| {
            now += wishes.rest(now).unwrap_or_default();
            wishes.look(now, || seen.clone())
        };
        seen.iter().map(&mut look).collect()
    }

    #[test]
    fn nothing_is_looked_at_before_somebody_wants_it_to_end() {
        let mut wishes = Wishes::default();
        let now = Instant::now();
        assert_eq!(wishes.rest(now), None);
        assert_eq!(wishes.look(now + LOOK * 9, || Seen { closing: None, frozen: Some(frozen()) }), None);
    }

    #[test]
    fn a_wish_that_is_being_fulfilled_is_waited_for_however_long_that_takes() {
        assert_eq!(looks(&["SIGTERM"], &vec![closing(Haste::InOrder); 100]), vec![None; 100]);
        assert_eq!(looks(&["SIGTERM", "SIGTERM"], &vec![closing(Haste::Hurried); 100]), vec![None; 100]);
    }

    #[test]
    fn the_daemon_ends_without_its_actors_when_two_looks_have_seen_that_they_do_not_hear() {
        let unheard = Seen::default();
        assert_eq!(looks(&["SIGTERM"], &[unheard.clone(), unheard.clone()]), [None, Some(Deaf::Unheard)]);
        let in_order = closing(Haste::InOrder);
        assert_eq!(looks(&["SIGTERM", "SIGTERM"], &[in_order.clone(), in_order.clone()]), [None, Some(Deaf::Unheard)]);
        assert_eq!(looks(&["SIGTERM"], &[unheard.clone(), in_order.clone(), unheard, in_order]), vec![None; 4]);
        let stuck = Seen { frozen: Some(frozen()), ..closing(Haste::InOrder) };
        let deaf = Some(Deaf::Frozen(frozen()));
        assert_eq!(looks(&["SIGTERM"], &[closing(Haste::InOrder), stuck.clone(), stuck]), [None, None, deaf]);
    }

    #[test]
    fn a_further_signal_does_not_put_off_the_look_at_the_first() {
        let (begun, mut wishes) = (Instant::now(), Wishes::default());
        wishes.heard("SIGTERM", begun);
        wishes.heard("SIGTERM", begun + ONE_WISH);
        assert_eq!(wishes.rest(begun), Some(LOOK));
    }
}
