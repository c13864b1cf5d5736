//! Threads and tasks that somebody owns: when one of them panics, its owner hears of it.
//!
//! A thread or a task that is gone leaves a daemon that looks well and does nothing. What works for mainstay beside the actors is
//! therefore begun here, and its end by a panic is told to the root supervisor, which decides what follows. What answers one call only
//! (a call to a driver, a look of a probe) tells its end by the answer that does not come, and needs no other owner.

use crate::action::lost::Lost;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;
use std::thread::Builder;
use std::{io, thread};

use crate::message::words_of;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How often something has panicked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Panicked {
    /// Once: what it said.
    Once(String),
    /// So many times, one soon after the other.
    Often(u32),
}

/// Begins threads and tasks, and tells of those that panic.
#[derive(Debug, Clone)]
pub struct Watched(UnboundedSender<Lost>);

impl Watched {
    /// The way to whoever is told.
    #[must_use]
    pub fn new() -> (Self, UnboundedReceiver<Lost>) {
        let (lost, heard) = unbounded_channel();
        (Self(lost), heard)
    }

    /// Starts a thread.
    ///
    /// # Errors
    /// When the system has no room for another one.
    pub fn thread(&self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<thread::JoinHandle<()>> {
        let watched = self.clone();
        thread(name, work, move |lost| watched.tell(lost))
    }

    /// Starts a task on this thread.
    ///
    /// # Panics
    /// Outside of a tokio `LocalSet` or local runtime, like every `spawn_local`.
    pub fn task(&self, name: &'static str, work: impl Future<Output = ()> + 'static) -> tokio::task::JoinHandle<()> {
        let watched = self.clone();
        tokio::task::spawn_local(async move {
            let mut work = pin!(work);
            let guarded = poll_fn(|context| {
                let step = catch_unwind(AssertUnwindSafe(|| {
                    perhaps_panic_and_wake(name, context.waker());
                    work.as_mut().poll(context)
                }));
                match step {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(())) => Poll::Ready(None),
                    Err(panic) => Poll::Ready(Some(panic)),
                }
            });
            if let Some(panic) = guarded.await {
                watched.tell(Lost { part: name.to_owned(), how: Panicked::Once(words_of(&*panic)) });
            }
        })
    }

    /// Tells that something is gone.
    pub fn tell(&self, lost: Lost) {
        // Nobody listens any more when mainstay ends.
        let _ = self.0.send(lost);
    }
}

/// Starts a thread that tells of its panic in a way of its own.
pub(super) fn thread(
    name: &str,
    work: impl FnOnce() + Send + 'static,
    tell: impl FnOnce(Lost) + Send + 'static,
) -> io::Result<thread::JoinHandle<()>> {
    let part = name.to_owned();
    Builder::new().name(name.to_owned()).spawn(move || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            tell(Lost { part, how: Panicked::Once(words_of(&*panic)) });
            resume_unwind(panic);
        }
    })
}

/// The threads and tasks that can be told to panic, in debug builds.
pub const PARTS: [&str; 11] = [
    "timekeeper",
    "watchdog",
    "drive",
    "deliver",
    "trees",
    "spawner-1",
    "spawner-2",
    "outputs",
    "control",
    "hardware-events",
    "driver-call",
];

#[cfg(debug_assertions)]
mod poison {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};
    use std::task::Waker;

    static POISONED: Mutex<BTreeMap<String, ()>> = Mutex::new(BTreeMap::new());
    static WAKERS: Mutex<BTreeMap<&'static str, Waker>> = Mutex::new(BTreeMap::new());

    /// Makes a part of mainstay panic: a task at once, a thread at the next thing it does.
    pub fn poison(part: &str) {
        POISONED.lock().unwrap_or_else(PoisonError::into_inner).insert(part.to_owned(), ());
        let waker = WAKERS.lock().unwrap_or_else(PoisonError::into_inner).remove(part);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Panics when this part was told to.
    #[allow(clippy::panic, reason = "that is what it is for")]
    pub fn perhaps_panic(part: &str) {
        let told = POISONED.lock().unwrap_or_else(PoisonError::into_inner).remove(part).is_some();
        assert!(!told, "`mainstay panic {part}`");
    }

    pub(super) fn perhaps_panic_and_wake(part: &'static str, waker: &Waker) {
        perhaps_panic(part);
        WAKERS.lock().unwrap_or_else(PoisonError::into_inner).insert(part, waker.clone());
    }
}

#[cfg(not(debug_assertions))]
mod poison {
    use std::task::Waker;

    /// Only a debug build can be told to panic.
    #[inline]
    pub fn perhaps_panic(_part: &str) {}

    #[inline]
    pub(super) fn perhaps_panic_and_wake(_part: &'static str, _waker: &Waker) {}
}

pub use poison::*;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn lost(part: &str, why: &str) -> Lost {
        Lost { part: part.to_owned(), how: Panicked::Once(why.to_owned()) }
    }

    #[tokio::test(flavor = "local")]
    async fn a_thread_and_a_task_that_panic_are_told_of_and_those_that_end_are_not() {
        let (watched, mut heard) = Watched::new();
        watched.thread("quiet", || ()).unwrap().join().unwrap();
        watched.task("quiet", async {}).await.unwrap();
        assert!(watched.thread("loud", || panic!("planted {}", 1)).unwrap().join().is_err());
        assert_eq!(heard.recv().await, Some(lost("loud", "planted 1")));
        let task = async {
            tokio::task::yield_now().await;
            panic!("planted");
        };
        watched.task("loud task", task).await.unwrap();
        assert_eq!(heard.recv().await, Some(lost("loud task", "planted")));
        drop(watched);
        assert_eq!(heard.recv().await, None);
    }

    #[tokio::test(flavor = "local")]
    async fn a_task_that_waits_can_be_told_to_panic() {
        let (watched, mut heard) = Watched::new();
        let task = watched.task("waiting", std::future::pending());
        tokio::task::yield_now().await;
        poison("waiting");
        task.await.unwrap();
        assert_eq!(heard.recv().await, Some(lost("waiting", "`mainstay panic waiting`")));
    }
}
