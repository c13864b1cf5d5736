//! The bounded queue between draining pipes and writing files.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustix::event::{EventfdFlags, eventfd};

use super::wire::Header;

/// Bytes that may wait for all streams together. With the files' own buffers this keeps the keeper below 1.5 MiB.
const MAX_ALL: usize = 512 * 1024;
/// Bytes that may wait for one stream, so that one that floods leaves room for others.
const MAX_ONE: usize = 64 * 1024;

/// One pipe, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StreamId(pub u64);

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Item {
    /// A new stream.
    Begin(StreamId, Header),
    /// Bytes of a stream, and when they were read.
    Bytes(StreamId, SystemTime, Vec<u8>),
    /// Bytes of a stream that were dropped for want of room.
    Dropped(StreamId, u64),
    /// A stream has ended.
    End(StreamId),
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    all: usize,
    one: HashMap<StreamId, usize>,
    waits_for: WaitsFor,
    writer: Writer,
}

/// Whether somebody waits for room.
#[derive(Debug, Default, PartialEq, Eq)]
enum WaitsFor {
    #[default]
    Nothing,
    Room,
}

/// Whether more will come.
#[derive(Debug, Default, PartialEq, Eq)]
enum Writer {
    #[default]
    GoesOn,
    EndsWhenEmpty,
    /// It panicked: nobody takes anything out any more.
    IsGone,
}

/// Whether there is room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// There is.
    Enough,
    /// There is not; the room's descriptor becomes readable when there may be.
    None,
}

/// What there was to take.
#[derive(Debug)]
pub(super) enum Taken {
    /// The oldest.
    Item(Item),
    /// Nothing in time.
    Nothing,
    /// It is closed and empty.
    Closed,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    room: OwnedFd,
}

impl Queue {
    /// An empty queue.
    pub(super) fn new() -> io::Result<Self> {
        let room = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { state: Mutex::default(), filled: Condvar::new(), room })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing below can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether more bytes of a stream may be put in.
    pub(super) fn room(&self, stream: StreamId) -> Room {
        let mut state = self.lock();
        let one = state.one.get(&stream).copied().unwrap_or(0);
        if state.all < MAX_ALL && one < MAX_ONE {
            return Room::Enough;
        }
        state.waits_for = WaitsFor::Room;
        Room::None
    }

    /// Becomes readable when there may be room again.
    pub(super) fn room_again(&self) -> BorrowedFd<'_> {
        self.room.as_fd()
    }

    /// Puts something in. Only bytes are bounded, by asking for room first; of the rest there are a few per stream.
    pub(super) fn put(&self, item: Item) {
        let mut state = self.lock();
        if let Item::Bytes(stream, _, bytes) = &item {
            state.all += bytes.len();
            *state.one.entry(*stream).or_default() += bytes.len();
        }
        // A stream that has said nothing yet is no work: hundreds of services can start before the first one speaks.
        let is_work = !matches!(item, Item::Begin(..));
        state.items.push_back(item);
        drop(state);
        if is_work {
            self.filled.notify_one();
        }
    }

    /// Nothing more will be put in.
    pub(super) fn close(&self) {
        self.lock().writer = Writer::EndsWhenEmpty;
        self.filled.notify_one();
    }

    /// Nobody will take anything out any more. Whoever waits for room is woken.
    pub(super) fn writer_is_lost(&self) {
        self.lock().writer = Writer::IsGone;
        let _ = rustix::io::write(&self.room, &1u64.to_ne_bytes());
    }

    /// Whether somebody takes out what is put in.
    pub(super) fn has_writer(&self) -> bool {
        self.lock().writer != Writer::IsGone
    }

    /// Takes the oldest, waiting for it, until this moment at most.
    #[allow(clippy::disallowed_methods, reason = "a process without actors: a bound on waiting")]
    pub(super) fn take(&self, until: Option<Instant>) -> Taken {
        let mut state = self.lock();
        let item = loop {
            if let Some(item) = state.items.pop_front() {
                break item;
            }
            if state.writer == Writer::EndsWhenEmpty {
                return Taken::Closed;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => return Taken::Nothing,
                Some(left) => self.filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.filled.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        };
        if let Item::Bytes(stream, _, bytes) = &item {
            self.taken(&mut state, *stream, bytes.len());
        }
        Taken::Item(item)
    }

    fn taken(&self, state: &mut State, stream: StreamId, bytes: usize) {
        state.all = state.all.saturating_sub(bytes);
        let one = state.one.remove(&stream).unwrap_or(0).saturating_sub(bytes);
        if one > 0 {
            state.one.insert(stream, one);
        }
        // Not at the first free byte: waking up for each chunk would cost more than the chunk. Both come down to nothing as the queue is
        // emptied, so nobody is forgotten.
        if state.waits_for == WaitsFor::Room && one <= MAX_ONE / 2 && state.all <= MAX_ALL / 2 {
            state.waits_for = WaitsFor::Nothing;
            // Full only after 2^64 wake-ups that nobody took.
            let _ = rustix::io::write(&self.room, &1u64.to_ne_bytes());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bytes(stream: u64) -> Item {
        Item::Bytes(StreamId(stream), SystemTime::UNIX_EPOCH, vec![0; 16 * 1024])
    }

    fn is_woken(queue: &Queue) -> bool {
        rustix::io::read(queue.room_again(), &mut [0; 8]).is_ok()
    }

    #[test]
    fn one_stream_fills_its_share_and_leaves_room_for_others() {
        let queue = Queue::new().unwrap();
        while queue.room(StreamId(1)) == Room::Enough {
            queue.put(bytes(1));
        }
        assert_eq!(queue.lock().all, MAX_ONE);
        assert_eq!(queue.room(StreamId(2)), Room::Enough);
    }

    #[test]
    fn all_streams_together_are_bounded() {
        let queue = Queue::new().unwrap();
        for stream in 0..100 {
            while queue.room(StreamId(stream)) == Room::Enough {
                queue.put(bytes(stream));
            }
        }
        assert_eq!(queue.lock().all, MAX_ALL);
    }

    #[test]
    fn who_found_no_room_is_woken_when_half_of_it_is_free() {
        let queue = Queue::new().unwrap();
        (0..4).for_each(|_| queue.put(bytes(1)));
        assert_eq!(queue.room(StreamId(1)), Room::None);
        queue.take(None);
        assert!(!is_woken(&queue), "a quarter is free");
        queue.take(None);
        assert!(is_woken(&queue), "half of it is free");
        (0..2).for_each(|_| drop(queue.take(None)));
        assert!(!is_woken(&queue), "it has been told");
        queue.close();
        assert!(matches!(queue.take(None), Taken::Closed));
        assert!(queue.lock().one.is_empty());
    }
}
