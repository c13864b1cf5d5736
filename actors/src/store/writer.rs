//! The thread that writes, and what waits for it. Of each thing only the newest word waits, so that what waits is bounded by what there is.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mainstay_hardware::watched::{self, Pauses, Watched, words_of};

use super::database::Kind;
use super::files::{Files, Written};
use super::tables::Subject;
use crate::message::lasting::Lasting;

/// The name of its thread.
const NAME: &str = "store";
/// What was not written is tried again after this time.
const AGAIN: Duration = Duration::from_secs(10);
/// So long what is done to the world waits for what is to be written down before it. A disk that does not answer stops nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// So long the end of mainstay waits for its last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Writes down what outlives mainstay. The default one has nowhere to write, and nobody waits for it.
#[derive(Debug, Clone, Default)]
pub struct Store(Arc<Shared>);

/// Whether there are files to write to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Presence {
    #[default]
    Nowhere,
    There,
}

#[derive(Debug, Default)]
struct Shared {
    files: Presence,
    waiting: Mutex<Waiting>,
    /// Something waits.
    called: Condvar,
    /// Something was written, or could not be.
    tried: Condvar,
}

/// How far the life of the thread is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Life {
    #[default]
    Lives,
    /// It is to end when it has tried once more to write what waits.
    Ends,
    Ended,
}

/// Whether directories lead elsewhere.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Moved {
    #[default]
    No,
    Perhaps,
}

#[derive(Debug, Default)]
struct Waiting {
    life: Life,
    words: BTreeMap<Subject, Lasting>,
    /// Directories lead elsewhere, perhaps, and are our own.
    moved: Moved,
    /// How many words there were.
    said: u64,
    /// How many of them were tried to write where it is quick.
    tried: u64,
    /// The same of all.
    tried_all: u64,
}

impl Store {
    /// Begins the thread.
    ///
    /// # Errors
    /// When the system has no room for another one.
    pub fn begin(files: Files, watched: &Watched) -> std::io::Result<Self> {
        let store = Self(Arc::new(Shared { files: Presence::There, ..Shared::default() }));
        let shared = Arc::clone(&store.0);
        watched.thread(NAME, move || shared.live(files))?;
        Ok(store)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock()
    }

    /// Has something written down soon.
    pub fn remember(&self, lasting: Lasting) {
        if self.0.files == Presence::Nowhere {
            return;
        }
        let mut waiting = self.lock();
        waiting.said += 1;
        waiting.words.insert(Subject::of(&lasting), lasting);
        self.0.called.notify_one();
    }

    /// Something was removed, or leads elsewhere: what is not where the next mainstay looks for it is made anew there.
    pub fn renew(&self) {
        let mut waiting = self.lock();
        waiting.said += 1;
        waiting.moved = Moved::Perhaps;
        self.0.called.notify_one();
    }

    /// Waits until what was said so far of this boot is written down, or was tried to. Blocks; not for the actor thread.
    pub fn settle(&self) {
        let said = self.lock().said;
        self.wait(PATIENCE, |waiting| waiting.tried < said && waiting.life != Life::Ended);
    }

    /// The end: all that was said is written down, or was tried to, and the files are closed.
    pub fn finish(&self) {
        self.lock().life = Life::Ends;
        self.0.called.notify_one();
        self.wait(LAST_WORDS, |waiting| waiting.life != Life::Ended);
    }

    fn wait(&self, within: Duration, is_awaited: impl Fn(&Waiting) -> bool) {
        if self.0.files == Presence::There {
            // Whether it came to that in time or not: it goes on.
            let _ = self.0.tried.wait_timeout_while(self.lock(), within, |waiting| is_awaited(waiting));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic costs what was being written: it is begun anew, and for ever, as no service is to be stopped for it.
    #[allow(clippy::disallowed_methods, reason = "a thread of its own, which may sleep")]
    fn live(&self, mut files: Files) {
        let mut pauses = Pauses::default();
        loop {
            let life = AssertUnwindSafe(|| self.write_to_the_end(&mut files));
            let Err(panic) = catch_unwind(life) else { break };
            tracing::error!("the thread {NAME} panicked: {}; it begins anew", words_of(&*panic));
            std::thread::sleep(pauses.next());
        }
        drop(files);
        self.lock().life = Life::Ended;
        self.tried.notify_all();
    }

    #[allow(clippy::disallowed_methods, reason = "how long it waits is nothing that a machine decides")]
    fn write_to_the_end(&self, files: &mut Files) {
        let mut failed: Option<Instant> = None;
        loop {
            let (words, said, life) = self.next(failed);
            let mut untold = Untold { shared: self, words };
            watched::perhaps_panic(NAME);
            if std::mem::take(&mut self.lock().moved) == Moved::Perhaps {
                files.follow();
            }
            untold.write(files, Kind::Boot);
            self.lock().tried = said;
            self.tried.notify_all();
            untold.write(files, Kind::Lasting);
            failed = (!untold.words.is_empty()).then(Instant::now);
            drop(untold);
            self.lock().tried_all = said;
            if life == Life::Ends {
                return;
            }
        }
    }

    /// All that waits, when there is something that was not tried before, or it is time to try again.
    fn next(&self, failed: Option<Instant>) -> (BTreeMap<Subject, Lasting>, u64, Life) {
        let mut waiting = self.lock();
        while waiting.tried_all == waiting.said && waiting.life == Life::Lives {
            let Some(since) = failed else {
                waiting = self.called.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let Some(pause) = AGAIN.checked_sub(since.elapsed()) else { break };
            (waiting, _) = self.called.wait_timeout(waiting, pause).unwrap_or_else(PoisonError::into_inner);
        }
        (std::mem::take(&mut waiting.words), waiting.said, waiting.life)
    }
}

/// Words that are being written. Those that are not go back to what waits, also in a panic, unless there are newer ones.
struct Untold<'a> {
    shared: &'a Shared,
    words: BTreeMap<Subject, Lasting>,
}

impl Untold<'_> {
    fn write(&mut self, files: &mut Files, kind: Kind) {
        let is_here = |subject: &Subject| subject.kind() == kind;
        if self.words.keys().any(is_here) || !files.is_in_place(kind) {
            let written = files.write(kind, &self.words);
            self.words.retain(|subject, _| written == Written::No || !is_here(subject));
        }
    }
}

impl Drop for Untold<'_> {
    fn drop(&mut self) {
        let mut waiting = self.shared.lock();
        for (subject, lasting) in std::mem::take(&mut self.words) {
            waiting.words.entry(subject).or_insert(lasting);
        }
    }
}
