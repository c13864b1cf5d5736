//! Work that may block for ever, on a named thread of its own.
//!
//! tokio's own blocking threads would not do: a runtime that ends waits for them, and one that hangs on a dead disk
//! would keep mainstay from ending. These are abandoned instead, and counted. Unlike a call to a driver, which is refused when too many
//! hang, a look waits for its turn: it is taken again and again, and there is no hurry.

use std::sync::Arc;

use tokio::sync::{Semaphore, oneshot};

use crate::action::not_ready::NotReady;
use crate::effect::watched;

/// A bound on threads; shared by clones.
#[derive(Clone)]
pub(super) struct Threads(Arc<Semaphore>);

impl Threads {
    /// At most so many at once; those that hang are among them.
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    async fn start<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, NotReady> {
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(|_closed| NotReady::NoThread(None))?;
        let body = move || {
            let _permit = permit;
            work()
        };
        watched::call("probe-look", body).map_err(|error| NotReady::NoThread(Some(error.into())))
    }
}

/// One kind of blocking work of one probe. It is never done twice at once: when it outlived the look that began it, the
/// next look waits for the same work, so that a dead disk holds one thread of a probe and not one for each look.
pub(super) struct Blocking<T> {
    threads: Threads,
    pending: Option<oneshot::Receiver<T>>,
}

impl<T: Send + 'static> Blocking<T> {
    pub(super) fn new(threads: &Threads) -> Self {
        Self { threads: threads.clone(), pending: None }
    }

    /// Begins the work if it is not under way, and waits for its end.
    ///
    /// # Errors
    /// When no thread could be started, or it panicked.
    pub(super) async fn run(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, NotReady> {
        let pending = match &mut self.pending {
            Some(pending) => pending,
            none => none.insert(self.threads.start(work).await?),
        };
        let answer = pending.await;
        self.pending = None;
        answer.map_err(|_gone| NotReady::NoThread(None))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SHORT: Duration = Duration::from_millis(30);

    #[tokio::test(flavor = "current_thread")]
    async fn work_that_hangs_is_waited_for_and_not_begun_again() {
        let (release, hang) = mpsc::channel::<()>();
        let mut call = Blocking::new(&Threads::new(2));
        let slow = move || {
            let _ = hang.recv();
            "first"
        };
        assert!(timeout(SHORT, call.run(slow)).await.is_err());
        assert!(timeout(SHORT, call.run(|| "second")).await.is_err());
        release.send(()).unwrap();
        assert_eq!(call.run(|| "third").await, Ok("first"));
        assert_eq!(call.run(|| "fourth").await, Ok("fourth"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn threads_that_hang_do_not_grow_in_number() {
        let (release, hang) = mpsc::channel::<()>();
        let threads = Threads::new(1);
        let mut hanging = Blocking::new(&threads);
        assert!(timeout(SHORT, hanging.run(move || hang.recv().is_ok())).await.is_err());
        let mut waiting = Blocking::new(&threads);
        assert!(timeout(SHORT, waiting.run(|| 1)).await.is_err());
        release.send(()).unwrap();
        assert_eq!(waiting.run(|| 2).await, Ok(2));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_panic_in_the_work_is_an_answer() {
        let mut call = Blocking::new(&Threads::new(1));
        let answer: Result<(), _> = call.run(|| std::panic::resume_unwind(Box::new("planted"))).await;
        assert!(matches!(answer, Err(NotReady::NoThread(_))));
        assert_eq!(call.run(|| ()).await, Ok(()));
    }
}
