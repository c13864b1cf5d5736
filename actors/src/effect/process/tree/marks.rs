//! The marks that processes carry in their environment, each read once and with a bound.
//!
//! An environment is read through the memory of its process: the kernel waits for the lock of that memory (`mmap_lock`, in
//! `environ_read` of fs/proc/base.c), which a process whose disk or driver does not answer may hold for ever. So it is read on a thread
//! that is left behind when it does not come back: one stuck process must not keep all others from being stopped.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::effect::proc::{ProcessId, here};
use crate::effect::process::spawn::environment;
use crate::effect::watched;

/// The thread.
const NAME: &str = "marks";

/// How long an environment is waited for; it takes microseconds.
const PATIENCE: Duration = Duration::from_millis(100);
/// Threads that may hang. With so many, marks are not read any more until one comes back; all other clues are.
const HUNG_MAX: usize = 4;

/// What is known of marks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    known: HashMap<ProcessId, Option<String>>,
    reader: Option<Reader>,
    hung: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Reader {
    asked: Sender<u32>,
    said: Receiver<Option<String>>,
}

impl Marks {
    /// The mark of a process. `None`: it has none, it is not ours to see, or it did not come in time.
    pub(super) fn of(&mut self, id: ProcessId) -> Option<String> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let mark = self.read(id.pid, |pid| here().environment(pid, environment::RUN))?;
        self.known.insert(id, mark.clone());
        mark
    }

    /// Lets the thread end until it is needed again: marks are seldom asked for.
    pub(super) fn rest(&mut self) {
        self.reader = None;
    }

    /// Forgets all but these processes.
    pub(super) fn keep(&mut self, present: impl Iterator<Item = ProcessId>) {
        if !self.known.is_empty() {
            let present: HashSet<ProcessId> = present.collect();
            self.known.retain(|id, _| present.contains(id));
        }
    }

    /// `None`: no thread could be asked. One that does not answer in time counts as having no mark, so that it is asked once.
    fn read(&mut self, pid: u32, how: fn(u32) -> Option<String>) -> Option<Option<String>> {
        if self.reader.is_none() {
            self.reader = Reader::start(Arc::clone(&self.hung), how);
        }
        let reader = self.reader.as_ref()?;
        reader.asked.send(pid).ok()?;
        match reader.said.recv_timeout(PATIENCE) {
            Ok(mark) => Some(mark),
            Err(RecvTimeoutError::Disconnected) => {
                tracing::error!(
                    pid,
                    "reading the environment of a process panicked; the next one is read on another thread"
                );
                self.reader = None;
                Some(None)
            }
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!(pid, "the environment of a process cannot be read: the process hangs in the kernel");
                self.hung.fetch_add(1, Ordering::AcqRel);
                self.reader = None;
                Some(None)
            }
        }
    }
}

impl Reader {
    fn start(hung: Arc<AtomicUsize>, how: fn(u32) -> Option<String>) -> Option<Self> {
        if hung.load(Ordering::Acquire) >= HUNG_MAX {
            return None;
        }
        let ((asked, questions), (answer, said)) = (channel::<u32>(), channel());
        let work = move || {
            while let Ok(pid) = questions.recv() {
                watched::perhaps_panic(NAME);
                if answer.send(how(pid)).is_err() {
                    // Nobody waits any more: it was counted as hung.
                    hung.fetch_sub(1, Ordering::AcqRel);
                    return;
                }
            }
        };
        // Whoever asks sees that no answer comes.
        watched::thread(NAME, work, drop).ok()?;
        Some(Self { asked, said })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a reader that hangs, as the kernel lets it")]
mod tests {
    use super::*;

    fn hangs_at_one(pid: u32) -> Option<String> {
        if pid == 1 {
            std::thread::sleep(PATIENCE * 5);
        }
        Some(format!("s.{pid}"))
    }

    #[test]
    fn a_process_that_hangs_keeps_no_other_from_being_read() {
        let mut marks = Marks::default();
        assert_eq!(marks.read(1, hangs_at_one), Some(None));
        assert_eq!(marks.read(2, hangs_at_one), Some(Some("s.2".to_owned())));
    }

    #[test]
    fn as_many_as_may_hang_are_left_behind_and_then_nobody_waits_any_more() {
        let mut marks = Marks::default();
        for _ in 0..HUNG_MAX {
            assert_eq!(marks.read(1, hangs_at_one), Some(None));
        }
        assert_eq!(marks.read(2, hangs_at_one), None);
    }

    #[test]
    fn a_reader_that_panics_does_not_count_as_one_that_hangs() {
        let mut marks = Marks::default();
        for _ in 0..=HUNG_MAX {
            assert_eq!(marks.read(1, |_| std::panic::resume_unwind(Box::new("planted"))), Some(None));
            assert_eq!(marks.hung.load(Ordering::Acquire), 0);
        }
        assert_eq!(marks.read(2, hangs_at_one), Some(Some("s.2".to_owned())));
    }

    #[test]
    fn a_process_is_asked_once() {
        let id = here().process(std::process::id()).unwrap().id;
        let mut marks = Marks::default();
        let first = marks.of(id);
        assert_eq!(marks.known.get(&id), Some(&first));
        marks.keep(std::iter::empty());
        assert!(marks.known.is_empty());
    }
}
