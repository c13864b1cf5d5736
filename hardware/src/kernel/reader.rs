//! Reads the radios on a thread of its own, one reading at a time: a hung Wi-Fi driver hangs whoever asks about it,
//! and USB events must go on meanwhile. Unlike with other calls that may hang, a late answer is still wanted, and what is asked
//! meanwhile is one more reading after it.
#![allow(clippy::disallowed_methods, reason = "a bound on waiting for hardware, on a thread without actors")]

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::radio::read::{Reading, Supported, read};
use super::sysfs::Sysfs;
use crate::error::Error;
use crate::watched;

/// A reading takes milliseconds, somewhat longer while a driver is being loaded; one that takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a reading went.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The radios as they were. When something was announced meanwhile, the next reading has begun.
    Read(Reading),
    /// The kernel refused.
    Failed(Error),
    /// The driver hangs. The thread is left to itself; no other is started while it is there.
    Late,
}

/// At most one reading at a time.
pub(crate) struct Reader {
    sysfs: Sysfs,
    supported: Supported,
    running: Option<Running>,
    /// Something changed since the running reading began.
    again: bool,
}

struct Running {
    answer: oneshot::Receiver<Result<Reading, Error>>,
    /// `None` once its lateness was told.
    deadline: Option<Instant>,
}

impl Reader {
    pub(crate) fn new(sysfs: Sysfs) -> Self {
        Self { sysfs, supported: Supported::new(), running: None, again: false }
    }

    /// Whether a reading is under way; what is asked for meanwhile is another one after it.
    pub(crate) fn is_reading(&self) -> bool {
        self.running.is_some()
    }

    /// Whether the running reading hangs, which was told: nobody knows whether it ever ends.
    pub(crate) fn is_late(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.deadline.is_none())
    }

    /// Asks for a reading that begins now or later.
    pub(crate) fn request(&mut self) {
        if self.running.is_some() {
            self.again = true;
            return;
        }
        let (sysfs, supported) = (self.sysfs.clone(), self.supported.clone());
        let answer = watched::call("wifi-read", move || read(&sysfs, &supported)).unwrap_or_else(|error| {
            tracing::error!(%error, "no thread to read the radios on");
            // Of which the other end is gone.
            oneshot::channel().1
        });
        self.again = false;
        self.running = Some(Running { answer, deadline: Some(Instant::now() + PATIENCE) });
    }

    /// Waits for the running reading; for ever when there is none. May be dropped and called again.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        let Some(running) = &mut self.running else { std::future::pending().await };
        let answer = match running.deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, &mut running.answer).await,
            None => Ok((&mut running.answer).await),
        };
        let Ok(answer) = answer else {
            running.deadline = None;
            return Outcome::Late;
        };
        self.running = None;
        let outcome = self.judge(answer);
        if self.again {
            self.request();
        }
        outcome
    }

    fn judge(&mut self, answer: Result<Result<Reading, Error>, oneshot::error::RecvError>) -> Outcome {
        match answer {
            Ok(Ok(mut reading)) => {
                self.supported = std::mem::take(&mut reading.supported);
                Outcome::Read(reading)
            }
            Ok(Err(error)) => Outcome::Failed(error),
            // The thread ended without an answer: it panicked over what the kernel said, or was never started.
            Err(_) => Outcome::Failed(Error::ReadingPanicked),
        }
    }

    /// A reading begins that hangs until it is answered for, and is late from the beginning.
    #[cfg(test)]
    pub(crate) fn hang(&mut self) -> oneshot::Sender<Result<Reading, Error>> {
        let (sender, answer) = oneshot::channel();
        self.running = Some(Running { answer, deadline: Some(Instant::now()) });
        sender
    }
}
