//! Whether the log-keeper reads: it may be stopped (SIGSTOP) or hang in the kernel, and then every service that prints stands still when
//! its pipe is full.
//!
//! ```text
//!          something is printed        it answers            REST is over
//! Quiet ────────────────────▶ Asked ──────────────▶ Resting ──────────────▶ Quiet
//!                               │ PATIENCE is over
//!                               └───────────────────▶ Silent, until there is another keeper
//! ```
//! Nobody is woken while nothing is printed; while much is, once in [`REST`].

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::time::Timespec;

use crate::action::process::RunId;

/// How long it may take to answer. One that reads does so within milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it is believed to go on reading when it has answered.
const REST: Duration = Duration::from_secs(5);
/// Who looks so much too late has been held up himself, and the keeper perhaps as well.
const LATE: Duration = Duration::from_secs(1);
/// Pipes that are looked at at once.
const AT_ONCE: usize = 64;

/// What is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing has been printed since it rested.
    Quiet,
    /// It was asked whether it reads, and has so long to say so.
    Asked { until: Instant },
    /// It has said so. What is printed until then is taken for read.
    Resting { until: Instant },
    /// It has not said so, and that was told.
    Silent,
}

impl State {
    /// It has answered.
    pub(super) fn answered(&mut self, now: Instant) {
        if matches!(self, Self::Asked { .. }) {
            *self = Self::Resting { until: now + REST };
        }
    }

    /// It is asked.
    pub(super) fn asked(&mut self, now: Instant) {
        *self = Self::Asked { until: now + PATIENCE };
    }

    /// Time has passed. Whether it does not read, which is said once.
    pub(super) fn falls_silent(&mut self, now: Instant) -> bool {
        match *self {
            Self::Resting { until } if now >= until => *self = Self::Quiet,
            Self::Asked { until } if now >= until + LATE => self.asked(now),
            Self::Asked { until } if now >= until => {
                *self = Self::Silent;
                return true;
            }
            Self::Quiet | Self::Asked { .. } | Self::Resting { .. } | Self::Silent => {}
        }
        false
    }

    /// When it is to be looked at again, whatever else happens.
    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Asked { until } | Self::Resting { until } => Some(until),
            Self::Quiet | Self::Silent => None,
        }
    }
}

/// The pipes: readable when there is something in one of them that nobody has read yet.
#[derive(Debug)]
pub(super) struct Pipes(Option<OwnedFd>);

impl Pipes {
    /// None yet. Where the kernel has no room for it, nothing is noticed.
    pub(super) fn new() -> Self {
        Self(epoll::create(epoll::CreateFlags::CLOEXEC).ok())
    }

    /// One more.
    pub(super) fn add(&self, run: RunId, pipe: &OwnedFd) {
        if let Some(all) = &self.0 {
            // Without it, that one service is not noticed.
            let _ = epoll::add(all, pipe, EventData::new_u64(run.0), EventFlags::IN);
        }
    }

    /// One less. Closing it is not enough: the keeper has the same pipe.
    pub(super) fn remove(&self, pipe: &OwnedFd) {
        if let Some(all) = &self.0 {
            // It may have been taken out already.
            let _ = epoll::delete(all, pipe);
        }
    }

    /// What becomes readable.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }

    /// Runs whose pipe has something in it, and runs whose pipe is closed and empty for good, which would be told of for ever.
    pub(super) fn look(&self) -> (Vec<RunId>, Vec<RunId>) {
        let mut events: Vec<Event> = Vec::with_capacity(AT_ONCE);
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        if let Some(all) = &self.0 {
            // Interrupted, it is done again.
            let _ = epoll::wait(all, spare_capacity(&mut events), Some(&now));
        }
        let (full, closed): (Vec<Event>, Vec<Event>) = events.iter().partition(|event| {
            let flags = event.flags;
            flags.contains(EventFlags::IN)
        });
        let runs = |events: Vec<Event>| events.iter().map(|event| RunId(event.data.u64())).collect();
        (runs(full), runs(closed))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "moments that are counted from one")]
mod tests {
    use super::*;

    #[test]
    fn one_that_answers_is_asked_again_after_a_rest_and_one_that_does_not_is_told_of_once() {
        let begin = Instant::now();
        let mut state = State::Quiet;
        state.asked(begin);
        state.answered(begin);
        assert_eq!((state.falls_silent(begin), state.deadline()), (false, Some(begin + REST)));
        assert_eq!((state.falls_silent(begin + REST), state), (false, State::Quiet));
        state.asked(begin);
        assert!(!state.falls_silent(begin + PATIENCE / 2));
        assert!(state.falls_silent(begin + PATIENCE));
        state.answered(begin + PATIENCE);
        assert_eq!((state.falls_silent(begin + 2 * PATIENCE), state.deadline()), (false, None));
    }

    #[test]
    fn whoever_was_held_up_himself_gives_it_its_time_again() {
        let begin = Instant::now();
        let mut state = State::Quiet;
        state.asked(begin);
        let late = begin + PATIENCE + LATE;
        assert_eq!((state.falls_silent(late), state.deadline()), (false, Some(late + PATIENCE)));
    }

    #[test]
    fn what_is_printed_is_noticed_and_what_is_closed_is_told_apart() {
        let pipes = Pipes::new();
        let ((read, write), (other, closed)) = (rustix::pipe::pipe().unwrap(), rustix::pipe::pipe().unwrap());
        pipes.add(RunId(1), &read);
        pipes.add(RunId(2), &other);
        assert_eq!(pipes.look(), (vec![], vec![]));
        rustix::io::write(&write, b"x").unwrap();
        drop(closed);
        assert_eq!(pipes.look(), (vec![RunId(1)], vec![RunId(2)]));
        pipes.remove(&other);
        assert_eq!(pipes.look(), (vec![RunId(1)], vec![]));
    }
}
