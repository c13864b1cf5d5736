//! The marks that processes carry in their environment, each read once and with a bound.
//!
//! An environment is read through the memory of its process: the kernel waits for the lock of that memory (`mmap_lock`, in
//! `environ_read` of fs/proc/base.c), which a process whose disk or driver does not answer may hold for ever. So it is read on a thread
//! that is left behind when it does not come back: one stuck process must not keep all others from being stopped.

//!
//! It is asked for on a thread without tokio, so the calls that hang are counted here and not by a semaphore as in `probe/blocking.rs`.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::Duration;

use crate::effect::proc::{ProcessId, here};
use crate::effect::process::spawn::environment;
use crate::effect::watched;

/// How long an environment is waited for; it takes microseconds.
const PATIENCE: Duration = Duration::from_millis(100);
/// Threads that may hang. With so many, marks are not read any more until one comes back; all other clues are.
const HUNG_MAX: usize = 4;
/// So many marks may be kept of processes that may have ended.
const MANY: usize = 1024;

/// What is known of marks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    known: HashMap<ProcessId, Option<String>>,
    /// What nobody waits for any more.
    hung: Vec<Receiver<Option<String>>>,
}

impl Marks {
    /// Whether so many are known that those of processes that have ended should be forgotten.
    pub(super) fn are_many(&self) -> bool {
        self.known.len() > MANY
    }

    /// The mark of a process. `None`: it has none, it is not ours to see, or it did not come in time.
    pub(super) fn of(&mut self, id: ProcessId) -> Option<String> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let pid = id.pid;
        let mark = self.read(pid, PATIENCE, move || here().environment(pid, environment::RUN))?;
        self.known.insert(id, mark.clone());
        mark
    }

    /// Forgets all but these processes.
    pub(super) fn keep(&mut self, present: impl Iterator<Item = ProcessId>) {
        if !self.known.is_empty() {
            let present: HashSet<ProcessId> = present.collect();
            self.known.retain(|id, _| present.contains(id));
        }
    }

    /// `None`: no thread could be asked. One that does not answer in time counts as having no mark, so that it is asked once.
    fn read(
        &mut self,
        pid: u32,
        patience: Duration,
        how: impl FnOnce() -> Option<String> + Send + 'static,
    ) -> Option<Option<String>> {
        self.hung.retain(|late| late.try_recv() == Err(TryRecvError::Empty));
        if self.hung.len() >= HUNG_MAX {
            return None;
        }
        let (answer, said) = channel();
        // Nobody may be waiting any more.
        watched::call("marks", move || drop(answer.send(how()))).ok()?;
        let mark = said.recv_timeout(patience);
        match mark {
            Err(RecvTimeoutError::Disconnected) => {
                tracing::error!(pid, "reading the environment of a process panicked");
            }
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!(pid, "the environment of a process cannot be read: the process hangs in the kernel");
                self.hung.push(said);
            }
            Ok(_) => {}
        }
        Some(mark.ok().flatten())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(3600);

    /// Asks for a mark that does not come before the sender is dropped.
    fn hang(marks: &mut Marks) -> Sender<()> {
        let (release, hangs) = channel::<()>();
        let how = move || hangs.recv().ok().map(|()| String::new());
        assert_eq!(marks.read(1, SHORT, how), Some(None));
        release
    }

    fn ask(marks: &mut Marks) -> Option<Option<String>> {
        marks.read(2, LONG, || Some("s.2".to_owned()))
    }

    #[test]
    fn a_process_that_hangs_keeps_no_other_from_being_read() {
        let mut marks = Marks::default();
        let _hangs = hang(&mut marks);
        assert_eq!(ask(&mut marks), Some(Some("s.2".to_owned())));
    }

    #[test]
    fn as_many_as_may_hang_are_left_behind_and_then_nobody_waits_until_one_comes_back() {
        let mut marks = Marks::default();
        let mut hanging: Vec<_> = (0..HUNG_MAX).map(|_| hang(&mut marks)).collect();
        assert_eq!(ask(&mut marks), None);
        hanging.pop();
        while ask(&mut marks).is_none() {
            std::thread::yield_now();
        }
        assert_eq!(marks.hung.len(), HUNG_MAX - 1);
    }

    #[test]
    fn a_reading_that_panics_does_not_count_as_one_that_hangs() {
        let mut marks = Marks::default();
        let panics = || std::panic::resume_unwind(Box::new("planted"));
        assert_eq!(marks.read(1, LONG, panics), Some(None));
        assert!(marks.hung.is_empty());
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
