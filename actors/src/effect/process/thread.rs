//! A named thread that can be waited for without blocking, and with a bound: it may hang in the kernel.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::effect::watched::{self, Lost, Watched};

/// How long a thread may take to end. One that takes longer hangs in the kernel and is left behind.
const PATIENCE: Duration = Duration::from_secs(2);
/// Looks that are taken one right after the other, before there is a pause between them.
const AT_ONCE: usize = 2000;
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

    /// Waits until all have ended, which whoever calls this has asked them to.
    pub(super) async fn end_all(threads: Vec<Self>) {
        let have_ended = async {
            let is_over = || threads.iter().all(|thread| thread.handle.is_finished());
            // Most often they need less than the shortest sleep there is.
            for _ in 0..AT_ONCE {
                if is_over() {
                    return;
                }
                std::thread::yield_now();
            }
            while !is_over() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, have_ended).await;
        for Self { name, handle } in threads {
            if !handle.is_finished() {
                tracing::warn!(thread = name, "the thread hangs in the kernel and is left behind");
            } else if handle.join().is_err() {
                tracing::error!(thread = name, "the thread panicked");
            }
        }
    }
}
