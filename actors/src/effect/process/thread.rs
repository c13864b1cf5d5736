//! A named thread that can be waited for without blocking, and with a bound: it may hang in the kernel.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::effect::watched::{self, Lost, Watched};

/// How long a thread may take to end. One that takes longer hangs in the kernel and is left behind.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks. A thread cannot tell by a tokio channel that it has ended: one with descriptors of its own would wake its reader by
/// a number that means nothing there.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A named thread.
#[derive(Debug)]
pub(super) struct Thread {
    name: &'static str,
    handle: JoinHandle<()>,
}

impl Thread {
    /// Starts it.
    pub(super) fn start(
        watched: &Watched,
        name: &'static str,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        Ok(Self { name, handle: watched.thread(name, work)? })
    }

    /// Starts one with descriptors of its own, which can wake no task: it tells of its panic in another way.
    pub(super) fn start_apart(
        name: &'static str,
        work: impl FnOnce() + Send + 'static,
        tell: impl FnOnce(Lost) + Send + 'static,
    ) -> io::Result<Self> {
        Ok(Self { name, handle: watched::thread(name, work, tell)? })
    }

    /// Waits until it has ended, which whoever calls this has asked it to.
    pub(super) async fn end(self) {
        let ended = async {
            while !self.handle.is_finished() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            tracing::warn!(thread = self.name, "the thread hangs in the kernel and is left behind");
            return;
        }
        if self.handle.join().is_err() {
            tracing::error!(thread = self.name, "the thread panicked");
        }
    }
}
