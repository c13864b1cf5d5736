//! Threads and tasks that somebody owns: when one of them panics, its owner hears of it.
//!
//! A thread or a task that is gone leaves a daemon that looks well and does nothing. Therefore all of them are begun here, each in
//! the way that says who its owner is (clippy refuses every other way):
//!
//! - [`Watched::thread`] and [`Watched::task`]: the daemon's first task is told of a panic, and mainstay ends for it;
//! - [`Watched::task_again`]: it is begun anew, and the same is told when that does not help;
//! - [`thread`]: whoever starts it is told in a way of its own;
//! - [`call`], [`serve`], [`serve_here`], [`serve_in`]: it answers one question, and whoever asked sees that no answer comes.
#![allow(clippy::disallowed_methods, reason = "the one place where threads and tasks are begun")]

mod poison;

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;
use std::thread::Builder;
use std::time::Duration;
use std::{fmt, io, thread};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use self::poison::perhaps_panic_and_wake;
pub use self::poison::*;

/// Stack of a thread for one call; sysfs, netlink, libusb and the look-up of a name in the C library need little.
const CALL_STACK: usize = 512 * 1024;

/// A thread or a task that is gone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lost {
    /// Its name.
    pub part: String,
    /// How.
    pub how: Panicked,
}

/// How often something has panicked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Panicked {
    /// Once: what it said.
    Once(String),
    /// So many times, one soon after the other.
    Often(u32),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            Panicked::Once(said) => write!(f, "its part `{}` panicked: {said}", self.part),
            Panicked::Often(times) => {
                write!(f, "its part `{}` panicked {times} times, one soon after the other", self.part)
            }
        }
    }
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
    pub fn task(&self, name: &'static str, work: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
        let watched = self.clone();
        tokio::task::spawn_local(async move {
            if let Err(lost) = guarded(name, work).await {
                watched.tell(lost);
            }
        })
    }

    /// Starts a task on this thread that holds nothing which a panic could leave half done: it is begun anew then.
    ///
    /// # Panics
    /// As [`Watched::task`] does.
    pub fn task_again<F: Future<Output = ()>>(
        &self,
        name: &'static str,
        mut begin: impl FnMut() -> F + 'static,
    ) -> JoinHandle<()> {
        let watched = self.clone();
        tokio::task::spawn_local(async move {
            let mut lives = Lives::begin();
            while let Err(lost) = guarded(name, begin()).await {
                if lives.next().is_none() {
                    return watched.tell(lost);
                }
                tracing::error!("{lost}; it begins anew");
                tokio::time::sleep(PAUSE).await;
            }
        })
    }

    /// Tells that something is gone.
    pub fn tell(&self, lost: Lost) {
        // Nobody listens any more when mainstay ends.
        let _ = self.0.send(lost);
    }
}

/// How often something that ends early is begun anew.
const RESTARTS: u32 = 3;
/// What lived this long did not end early.
const GOOD_LIFE: Duration = Duration::from_secs(60);
/// Before something is begun anew.
pub const PAUSE: Duration = Duration::from_millis(200);

/// The lives of something that is begun anew when it ends.
#[derive(Debug)]
pub struct Lives {
    early_ends: u32,
    since: Instant,
}

impl Lives {
    /// The first one begins.
    #[must_use]
    pub fn begin() -> Self {
        Self { early_ends: 0, since: Instant::now() }
    }

    /// One is over and the next begins. `None`: too many were short, one after the other.
    #[allow(clippy::should_implement_trait, reason = "these lives are nothing to iterate over")]
    pub fn next(&mut self) -> Option<()> {
        self.early_ends = if self.since.elapsed() < GOOD_LIFE { self.early_ends + 1 } else { 1 };
        self.since = Instant::now();
        (self.early_ends <= RESTARTS).then_some(())
    }

    /// How many ended early, one soon after the other.
    #[must_use]
    pub fn early_ends(&self) -> u32 {
        self.early_ends
    }
}

/// The first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Pauses before something that does not succeed is tried again, for ever.
#[derive(Debug)]
pub struct Pauses {
    next: Duration,
    last_over: Instant,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { next: PAUSES.0, last_over: Instant::now() }
    }
}

impl Pauses {
    /// How long the pause is that begins now: twice as long as the last one, unless what was tried has gone well for a while since.
    #[allow(clippy::should_implement_trait, reason = "they never end, and each depends on when it is asked for")]
    pub fn next(&mut self) -> Duration {
        let pause = if self.last_over.elapsed() > GOOD_LIFE { PAUSES.0 } else { self.next };
        self.last_over = Instant::now() + pause;
        self.next = pause.saturating_mul(2).min(PAUSES.1);
        pause
    }
}

/// Starts a thread that tells of its panic in a way of its own.
///
/// # Errors
/// When the system has no room for another one.
pub fn thread(
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

/// Starts a thread for one call, which may block for ever. When it panics, the answer does not come.
///
/// # Errors
/// When the system has no room for another one.
pub fn call<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (answer, answered) = oneshot::channel();
    let call = move || {
        perhaps_panic(name);
        // Nobody may be waiting any more.
        let _ = answer.send(work());
    };
    Builder::new().name(name.to_owned()).stack_size(CALL_STACK).spawn(call)?;
    Ok(answered)
}

/// Starts a task that answers somebody. When it panics, what it answers with is dropped.
///
/// # Panics
/// Outside of a tokio runtime, like every `tokio::spawn`.
pub fn serve(name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(guarded(name, work)));
}

/// The same on this thread.
///
/// # Panics
/// Outside of a tokio `LocalSet` or local runtime, like every `spawn_local`.
pub fn serve_here(name: &'static str, work: impl Future<Output = ()> + 'static) {
    drop(tokio::task::spawn_local(guarded(name, work)));
}

/// The same as one of a set.
///
/// # Panics
/// As [`serve`] does.
pub fn serve_in(
    set: &mut JoinSet<Result<(), Lost>>,
    name: &'static str,
    work: impl Future<Output = ()> + Send + 'static,
) {
    set.spawn(guarded(name, work));
}

/// What this thread does with `block_on` can be told to panic as a task can. A panic goes on its way.
///
/// # Panics
/// When `work` does.
pub async fn wakeful<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        perhaps_panic_and_wake(name, context.waker());
        work.as_mut().poll(context)
    })
    .await
}

/// Runs a task to its end, or to its panic.
async fn guarded(name: &'static str, work: impl Future<Output = ()>) -> Result<(), Lost> {
    let mut work = pin!(wakeful(name, work));
    let step = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
        Err(panic) => Poll::Ready(Err(Lost { part: name.to_owned(), how: Panicked::Once(words_of(&*panic)) })),
    });
    step.await
}

/// What was said in panic.
#[must_use]
pub fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

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

    #[tokio::test(flavor = "local", start_paused = true)]
    async fn a_task_is_begun_anew_until_it_has_panicked_too_often_in_a_short_time() {
        let (watched, mut heard) = Watched::new();
        let lives = Rc::new(Cell::new(0));
        let counted = Rc::clone(&lives);
        let begin = move || {
            counted.set(counted.get() + 1);
            let life = counted.get();
            async move {
                // The third one lives for long.
                tokio::time::sleep(if life == 3 { GOOD_LIFE } else { Duration::ZERO }).await;
                panic!("planted {life}");
            }
        };
        watched.task_again("again", begin).await.unwrap();
        assert_eq!(heard.recv().await, Some(lost("again", "planted 6")));
        assert_eq!(lives.get(), 6);
    }

    #[tokio::test(flavor = "local")]
    async fn who_asked_sees_that_a_panic_has_taken_the_answer() {
        let answer = call("asked", || -> u8 { panic!("planted") }).unwrap();
        assert!(answer.await.is_err());
        assert_eq!(call("asked", || 1).unwrap().await, Ok(1));
        let (sender, answer) = oneshot::channel::<u8>();
        serve_here("served", async move {
            let _answers = sender;
            panic!("planted");
        });
        assert!(answer.await.is_err());
    }
}
