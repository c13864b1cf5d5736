//! The signals that the daemon hears.
//!
//! They are caught, not ignored: a program that is started inherits what is ignored, and would be deaf to it.

use std::io;
use std::time::Duration;

use mainstay_actors::effect::process::is_ignored;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// Signals of programs that come this shortly after one another are one wish: GNU timeout signals the daemon and then its whole
/// process group, a shell script does so in two commands, and neither means to hurry.
const ONE_WISH: Duration = Duration::from_secs(2);
/// The same for Ctrl-C: whoever presses it twice means it, but what started the daemon may hand it on once more.
const ONE_KEYSTROKE: Duration = Duration::from_millis(200);

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
        Some(urgency)
    }
}

/// All of them.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user1: Signal,
    user2: Signal,
    alarm: Signal,
    on_hangup: OnHangup,
}

/// What SIGHUP means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnHangup {
    Stop,
    /// mainstay was started to ignore it, by nohup(1) for one: it is to outlive its terminal.
    Stay,
}

/// A signal, by name, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It should end.
    Stop(&'static str),
    /// Nothing. Left to the kernel, it would end the daemon at once and leave every service behind.
    Nothing(&'static str),
    /// Nothing, by the wish of whoever started the daemon.
    Ignored(&'static str),
}

impl Signals {
    /// From now on they are heard.
    ///
    /// # Errors
    /// When the kernel or the runtime refuses.
    pub(super) fn listen() -> io::Result<Self> {
        // Asked before it is caught.
        let hangup = SignalKind::hangup();
        let on_hangup = if is_ignored(hangup.as_raw_value()) { OnHangup::Stay } else { OnHangup::Stop };
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(hangup)?,
            user1: signal(SignalKind::user_defined1())?,
            user2: signal(SignalKind::user_defined2())?,
            alarm: signal(SignalKind::alarm())?,
            on_hangup,
        })
    }

    /// Waits for the next one. None is lost when this is dropped before.
    pub(super) async fn next(&mut self) -> Heard {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Heard::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Heard::Stop("SIGINT"),
            _ = self.hangup.recv() => match self.on_hangup {
                OnHangup::Stop => Heard::Stop("SIGHUP"),
                OnHangup::Stay => Heard::Ignored("SIGHUP"),
            },
            _ = self.user1.recv() => Heard::Nothing("SIGUSR1"),
            _ = self.user2.recv() => Heard::Nothing("SIGUSR2"),
            _ = self.alarm.recv() => Heard::Nothing("SIGALRM"),
        }
    }
}

#[cfg(test)]
mod tests {
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
}
