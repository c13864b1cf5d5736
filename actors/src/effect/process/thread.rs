//! A named thread that can be waited for without blocking, and with a bound: it may hang in the kernel.

use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

/// How long a thread may take to end. One that takes longer hangs in the kernel and is left behind.
const PATIENCE: Duration = Duration::from_secs(2);

/// A named thread.
#[derive(Debug)]
pub(super) struct Thread {
    name: &'static str,
    handle: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

impl Thread {
    /// Starts it.
    pub(super) fn start(name: &'static str, work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (alive, ended) = oneshot::channel::<()>();
        let handle = Builder::new().name(name.to_owned()).spawn(move || {
            work();
            drop(alive);
        })?;
        Ok(Self { name, handle, ended })
    }

    /// Waits until it has ended, which whoever calls this has asked it to.
    pub(super) async fn end(self) {
        if tokio::time::timeout(PATIENCE, self.ended).await.is_err() {
            tracing::warn!(thread = self.name, "the thread hangs in the kernel and is left behind");
            return;
        }
        if self.handle.join().is_err() {
            tracing::error!(thread = self.name, "the thread panicked");
        }
    }
}
