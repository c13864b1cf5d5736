//! Where the daemon's own log goes: through a bounded queue to standard error, written by a thread of its own.
//!
//! Standard error may be a full disk, a terminal that is gone, or a pipe that nobody reads. A log that nobody can read must
//! never harm the station: whoever logs never waits, a line that cannot be written is counted, and the count is told when
//! writing works again.

use mainstay_config::counted;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mainstay_actors::effect::watched::{self, Lives, Lost};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use crate::exit::ExitStatus;

/// The thread.
const NAME: &str = "log";
/// Lines that come within this time are written together.
const REST: Duration = Duration::from_millis(1);
/// Bytes that wait to be written at most: some thousand lines.
const WAITING_MAX: usize = 256 * 1024;

/// The way to the log. Threads share it.
#[derive(Debug, Clone)]
pub(super) struct LogOutput {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Entry>,
    /// Bytes of what waits.
    bytes: usize,
    missing: Missing,
    writer: Writer,
}

#[derive(Debug)]
enum Entry {
    Text(Vec<u8>),
    /// What is missing at this place.
    Gap(Missing),
}

/// Lines that nobody will read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Missing {
    /// There was no room for them.
    unread: u64,
    /// They could not be written. When that is tried again, it is with a line that comes later.
    unwritten: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Writer {
    /// It is to be woken.
    #[default]
    Waits,
    Writes,
    /// It has written all there was, and looks again by itself in a moment.
    Rests,
}

impl LogOutput {
    /// Starts the thread `log`, which writes to `sink` for as long as the process lives. One that panics again and again ends it.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn start(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        watched::thread(NAME, move || of_thread.write_to(sink), |lost| give_up(&lost))?;
        Ok(Self { shared })
    }

    /// Logs one or more whole lines. Never waits for whoever reads them.
    pub(super) fn say(&self, text: &[u8]) {
        let mut state = self.shared.lock();
        if state.bytes.saturating_add(text.len()) > WAITING_MAX {
            state.missing.unread = state.missing.unread.saturating_add(lines(text));
            return self.shared.wake(state);
        }
        if state.missing != Missing::default() {
            let missing = std::mem::take(&mut state.missing);
            state.waiting.push_back(Entry::Gap(missing));
        }
        state.bytes = state.bytes.saturating_add(text.len());
        state.waiting.push_back(Entry::Text(text.to_owned()));
        self.shared.wake(state);
    }

    /// Waits until all is written, or it has taken `bound`.
    pub(super) fn finish(&self, bound: Duration) {
        let busy = |state: &mut State| !state.waiting.is_empty() || state.writer == Writer::Writes;
        // What has not been written by then, nobody reads.
        let _ = self.shared.emptied.wait_timeout_while(self.shared.lock(), bound, busy);
    }
}

impl Write for LogOutput {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.say(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is something to write.
    fn wake(&self, state: MutexGuard<'_, State>) {
        let waits = state.writer == Writer::Waits;
        drop(state);
        if waits {
            self.filled.notify_one();
        }
    }

    fn write_to(&self, mut sink: impl Write) {
        let mut lives = Lives::begin();
        loop {
            let entry = self.take();
            // Without the lock: this is what may block for ever.
            let written = catch_unwind(AssertUnwindSafe(|| {
                watched::perhaps_panic(NAME);
                entry.write(&mut sink)
            }));
            if !matches!(written, Ok(Ok(()))) {
                let mut state = self.lock();
                state.missing.unwritten = state.missing.unwritten.saturating_add(entry.lines());
            }
            // A panic costs what was to be written, and is written about itself: that must not go on for ever.
            if let Err(panic) = written
                && lives.next().is_none()
            {
                resume_unwind(panic);
            }
        }
    }

    /// The next thing to write, waiting for it.
    fn take(&self) -> Entry {
        let mut state = self.lock();
        loop {
            if let Some(entry) = state.waiting.pop_front() {
                state.writer = Writer::Writes;
                if let Entry::Text(text) = &entry {
                    state.bytes = state.bytes.saturating_sub(text.len());
                }
                return entry;
            }
            // After a failure it is not tried again before there is something new: the disk may be full for days.
            if state.missing.unread > 0 {
                state.writer = Writer::Writes;
                return Entry::Gap(std::mem::take(&mut state.missing));
            }
            self.emptied.notify_all();
            state = match state.writer {
                Writer::Writes => self.rest(state),
                Writer::Rests | Writer::Waits => {
                    state.writer = Writer::Waits;
                    self.filled.wait(state).unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// Many lines come at once when services start and stop together. Waking this thread for each would cost whoever logs them
    /// more than the lines themselves.
    #[allow(clippy::disallowed_methods, reason = "a thread of its own that has nothing else to do")]
    fn rest<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.writer = Writer::Rests;
        drop(state);
        std::thread::sleep(REST);
        self.lock()
    }
}

impl Entry {
    fn write(&self, sink: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Text(text) => sink.write_all(text)?,
            Self::Gap(missing) => sink.write_all(missing.to_string().as_bytes())?,
        }
        sink.flush()
    }

    fn lines(&self) -> u64 {
        match self {
            Self::Text(text) => lines(text),
            Self::Gap(missing) => missing.unread.saturating_add(missing.unwritten),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unread > 0 {
            let lines = counted(self.unread, "line of the log was", "lines of the log were");
            writeln!(f, "[{lines} dropped: nobody reads them]")?;
        }
        if self.unwritten > 0 {
            writeln!(f, "[{} could not be written]", counted(self.unwritten, "line of the log", "lines of the log"))?;
        }
        Ok(())
    }
}

/// Nobody writes the log any more. Why, is written to standard error only if that takes no wait.
fn give_up(lost: &Lost) {
    let stderr = rustix::stdio::stderr();
    let takes_it = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], Some(&Timespec::default()));
    if takes_it.is_ok_and(|ready| ready > 0) {
        let _ = rustix::io::write(stderr, format!("mainstay gave up: {lost}\n").as_bytes());
    }
    std::process::exit(ExitStatus::GaveUp.code().into());
}

fn lines(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Gives each piece to the test, which takes them one by one.
    struct Handed(SyncSender<String>);

    impl Write for Handed {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.send(String::from_utf8(text.to_owned()).unwrap()).map_err(io::Error::other)?;
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn handed() -> (LogOutput, Receiver<String>) {
        let (sender, receiver) = sync_channel(0);
        (LogOutput::start(Handed(sender)).unwrap(), receiver)
    }

    #[test]
    fn a_flood_that_nobody_reads_is_dropped_and_counted_where_it_is_missing() {
        let (log, reader) = handed();
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        for _ in 0..2 * WAITING_MAX / line.len() {
            log.say(&line);
        }
        let read = |count: usize| -> Vec<String> { (0..count).map(|_| reader.recv().unwrap()).collect() };
        // Now there is room again.
        let mut all = read(2);
        log.say(b"afterwards\n");
        while all.last().is_none_or(|last| last != "afterwards\n") {
            all.extend(read(1));
        }
        // The thread may have made room for a line between two that were dropped.
        let (gaps, rest): (Vec<&String>, Vec<&String>) = all.iter().partition(|piece| piece.starts_with('['));
        let dropped = |gap: &String| -> usize {
            let words = " lines of the log were dropped: nobody reads them]\n";
            gap.strip_prefix('[').and_then(|gap| gap.strip_suffix(words)).unwrap().parse().unwrap()
        };
        let dropped: usize = gaps.into_iter().map(dropped).sum();
        assert_eq!(rest.len() - 1 + dropped, 2 * WAITING_MAX / line.len());
        assert!(dropped > 0);
    }

    #[test]
    fn what_was_dropped_is_told_also_when_nothing_follows() {
        let (log, reader) = handed();
        log.say(b"first\n");
        log.say(&b"\n".repeat(WAITING_MAX + 1));
        assert_eq!(reader.recv().unwrap(), "first\n");
        assert_eq!(
            reader.recv().unwrap(),
            format!("[{} lines of the log were dropped: nobody reads them]\n", WAITING_MAX + 1)
        );
        log.finish(LONG);
    }

    #[test]
    fn the_end_is_not_held_up_by_a_log_that_nobody_reads() {
        let (log, reader) = handed();
        log.say(b"never taken\n");
        log.finish(Duration::from_millis(1));
        assert_eq!(reader.recv().unwrap(), "never taken\n");
    }

    /// Refuses what it is told to refuse.
    struct Refusing(Handed);

    impl Write for Refusing {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            if text.starts_with(b"refused") { Err(io::ErrorKind::StorageFull.into()) } else { self.0.write(text) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Panics over what it is told to panic over.
    struct Panicking(Handed);

    impl Write for Panicking {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            if text.starts_with(b"panic") {
                resume_unwind(Box::new("planted"));
            }
            self.0.write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn after_a_panic_over_a_line_the_next_ones_are_written() {
        let (sender, reader) = sync_channel(0);
        let log = LogOutput::start(Panicking(Handed(sender))).unwrap();
        log.say(b"panic\n");
        log.finish(LONG);
        log.say(b"taken\n");
        assert_eq!(reader.recv().unwrap(), "[1 line of the log could not be written]\n");
        assert_eq!(reader.recv().unwrap(), "taken\n");
    }

    #[test]
    fn what_could_not_be_written_is_counted_and_told_with_the_next_line() {
        let (sender, reader) = sync_channel(0);
        let log = LogOutput::start(Refusing(Handed(sender))).unwrap();
        log.say(b"refused\nof two lines\n");
        log.finish(LONG);
        log.say(b"taken\n");
        assert_eq!(reader.recv().unwrap(), "[2 lines of the log could not be written]\n");
        assert_eq!(reader.recv().unwrap(), "taken\n");
    }
}
