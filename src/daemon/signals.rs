//! The signals that the daemon hears.
//!
//! They are caught, not ignored: a program that is started inherits what is ignored, and would be deaf to it.

use std::io;

use mainstay_actors::effect::process::is_ignored;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
