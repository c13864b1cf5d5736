//! Notices from outside when an actor does not return from what it handles: all actors share one thread, and nothing else would be
//! said by a daemon whose thread stands still.
//!
//! The thread that watches sleeps while actors do nothing, and costs them one uncontended lock for each message.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::effect::watched::{self, Watched};
use crate::message::ActorId;

/// An actor that does not return from what it handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The actor.
    pub actor: ActorId,
    /// What kind of message it handles.
    pub kind: &'static str,
    /// It has handled it for longer than this.
    pub time: Duration,
}

impl fmt::Display for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actor, kind, time } = self;
        let time = humantime::format_duration(*time);
        write!(
            f,
            "{actor} has not returned from `{kind}` for more than {time}; until it does, nothing is started, stopped or answered"
        )
    }
}

/// What the actor thread does.
#[derive(Default)]
struct Turn {
    /// One more with each message.
    number: u64,
    /// What is handled.
    handled: Option<(ActorId, &'static str)>,
    /// Which of them was told of.
    told: Option<u64>,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    turn: Mutex<Turn>,
    begins: Condvar,
    /// The watcher waits for a beginning.
    asleep: AtomicBool,
}

impl Shared {
    fn begin(&self, what: impl FnOnce(&mut Option<(ActorId, &'static str)>)) {
        let mut turn = self.turn();
        turn.number = turn.number.wrapping_add(1);
        what(&mut turn.handled);
        drop(turn);
        if self.asleep.load(Ordering::SeqCst) {
            self.begins.notify_one();
        }
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows other threads whether an actor is frozen.
#[derive(Clone)]
pub struct Lookout(Arc<Shared>, Duration);

impl Lookout {
    /// The actor that was told of and has not returned since.
    #[must_use]
    pub fn frozen(&self) -> Option<Frozen> {
        let turn = self.0.turn();
        let (actor, kind) = turn.handled.clone().filter(|_| turn.told == Some(turn.number))?;
        Some(Frozen { actor, kind, time: self.1 })
    }
}

/// Watches the actor thread for as long as it is there.
pub struct Watchdog(Arc<Shared>, Duration);

impl Watchdog {
    /// Begins to watch. `tell` is told of what lasts longer than `patience`, once each time.
    pub fn begin(watched: &Watched, patience: Duration, tell: impl Fn(Frozen) + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let looked_at = Arc::clone(&shared);
        let begun = watched.thread("watchdog", move || watch(&looked_at, patience, &tell));
        if let Err(error) = begun {
            tracing::warn!(%error, "nobody will say so if an actor does not return");
        }
        Self(shared, patience)
    }

    /// For other threads.
    #[must_use]
    pub fn lookout(&self) -> Lookout {
        Lookout(Arc::clone(&self.0), self.1)
    }

    /// Whether an actor is known to handle something.
    pub(super) fn watches(&self) -> bool {
        self.0.turn().handled.is_some()
    }

    /// An actor begins to handle something. It has returned when what is answered is dropped.
    pub(super) fn handling(&self, actor: &ActorId, kind: &'static str) -> Handling<'_> {
        self.0.begin(|handled| *handled = Some((actor.clone(), kind)));
        Handling(&self.0)
    }
}

/// An actor handles something.
pub(super) struct Handling<'a>(&'a Shared);

impl Handling<'_> {
    /// What it does next.
    pub(super) fn goes_on_with(&self, kind: &'static str) {
        self.0.begin(|handled| handled.iter_mut().for_each(|(_, handled)| *handled = kind));
    }
}

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        self.0.turn().handled = None;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.turn().ended = true;
        self.0.begins.notify_one();
    }
}

fn watch(shared: &Shared, patience: Duration, tell: &impl Fn(Frozen)) {
    let mut turn = shared.turn();
    while !turn.ended {
        watched::perhaps_panic("watchdog");
        if turn.handled.is_none() || turn.told == Some(turn.number) {
            // Written under the lock that whoever begins takes first, so that no beginning is missed.
            shared.asleep.store(true, Ordering::SeqCst);
            turn = shared.begins.wait(turn).unwrap_or_else(PoisonError::into_inner);
            shared.asleep.store(false, Ordering::SeqCst);
            continue;
        }
        let number = turn.number;
        turn = shared.begins.wait_timeout(turn, patience).unwrap_or_else(PoisonError::into_inner).0;
        if turn.number == number
            && !turn.ended
            && let Some((actor, kind)) = turn.handled.clone()
        {
            turn.told = Some(number);
            tell(Frozen { actor, kind, time: patience });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn begin() -> (Watchdog, std::sync::mpsc::Receiver<Frozen>) {
        let (told, heard) = channel();
        let tell = move |frozen| told.send(frozen).unwrap();
        (Watchdog::begin(&Watched::new().0, Duration::from_millis(20), tell), heard)
    }

    #[test]
    fn what_does_not_return_is_told_once_and_the_next_again() {
        let (watchdog, heard) = begin();
        for actor in [ActorId::Leases, ActorId::Root] {
            let handling = watchdog.handling(&actor, "Request");
            let frozen = heard.recv().unwrap();
            assert_eq!((&frozen.actor, frozen.kind), (&actor, "Request"));
            assert_eq!(watchdog.lookout().frozen(), Some(frozen), "it is shown for as long as it lasts");
            drop(handling);
            assert_eq!(watchdog.lookout().frozen(), None);
        }
        drop(watchdog);
        assert!(heard.recv().is_err(), "told once, and the watcher has ended");
    }

    #[test]
    fn what_returns_is_not_told_however_much_there_is() {
        let (watchdog, heard) = begin();
        for _ in 0..100_000 {
            drop(watchdog.handling(&ActorId::Leases, "Request"));
        }
        drop(watchdog);
        // Ends: the watcher ends with what it watches.
        assert_eq!(heard.iter().filter(|frozen| frozen.kind != "Request").count(), 0);
    }
}
