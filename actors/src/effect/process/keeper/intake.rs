//! Drains the pipes: the keeper's main thread.
//!
//! ```text
//!          no room            100 ms without room
//! Flowing ─────────▶ Waiting ─────────────────────▶ Dropping
//!    ▲                  │ room                          │ room
//!    └──────────────────┴───────────────────────────────┘
//! ```
//! While a stream waits, its program has the pipe's own 64 KiB; after that it is drained again, into nothing but a count.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::time::Timespec;

use super::queue::{Item, Queue, Room, StreamId};
use super::report::Report;
use super::wire::{self, Header, Parcel, Patience, Received};
use super::writer;
use crate::effect::watched;

/// What this thread, the main one, is called where it is told to panic.
const NAME: &str = "keeper-intake";
/// How long a stream may wait for the disk before what it says is dropped.
const PATIENCE: Duration = Duration::from_millis(100);
/// Bytes read at once.
const CHUNK: usize = 16 * 1024;
/// Where events come from; streams are numbered after these.
const SOCKET: u64 = 0;
const ROOM: u64 = 1;
const FIRST_STREAM: u64 = 2;

#[derive(Debug)]
struct Stream {
    pipe: OwnedFd,
    flow: Flow,
}

#[derive(Debug, Clone, Copy)]
enum Flow {
    Flowing,
    Waiting { until: Instant },
    Dropping { bytes: u64 },
}

struct Intake {
    epoll: OwnedFd,
    queue: Arc<Queue>,
    socket: Option<OwnedFd>,
    streams: BTreeMap<StreamId, Stream>,
    next: u64,
    chunk: Vec<u8>,
}

/// Drains what mainstay sends over `socket` until it is closed and every pipe has ended, and all is written.
///
/// # Errors
/// When the kernel refuses something, or the thread that writes has panicked.
pub(super) fn run(socket: OwnedFd) -> io::Result<()> {
    let queue = Arc::new(Queue::new()?);
    let (for_writer, without_writer) = (Arc::clone(&queue), Arc::clone(&queue));
    let writer =
        watched::thread(writer::NAME, move || writer::run(&for_writer), move |_| without_writer.writer_is_lost())?;

    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &socket, EventData::new_u64(SOCKET), EventFlags::IN)?;
    epoll::add(&epoll, queue.room_again(), EventData::new_u64(ROOM), EventFlags::IN)?;
    let chunk = vec![0; CHUNK];
    let mut intake = Intake { epoll, queue, socket: Some(socket), streams: BTreeMap::new(), next: FIRST_STREAM, chunk };
    let outcome = intake.until_all_have_ended();
    intake.queue.close();
    writer.join().map_err(|_| io::Error::other("the writing thread panicked"))?;
    outcome
}

impl Intake {
    fn until_all_have_ended(&mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(64);
        // Without its writer this process only looks well: it ends, and mainstay gives the pipes to another.
        while self.queue.has_writer() && (self.socket.is_some() || !self.streams.is_empty()) {
            match epoll::wait(&self.epoll, spare_capacity(&mut events), self.patience().as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in events.drain(..) {
                match event.data.u64() {
                    SOCKET => self.take_pipes(),
                    ROOM => self.after_room_was_made(),
                    stream => self.drain(StreamId(stream)),
                }
            }
            self.lose_patience();
            watched::perhaps_panic(NAME);
        }
        Ok(())
    }

    fn take_pipes(&mut self) {
        while let Some(socket) = &self.socket {
            match wire::receive(socket, Patience::None) {
                Received::Output(header, pipe) => {
                    let stream = StreamId(self.next);
                    self.next += 1;
                    // Without this a read after a wake-up for nothing would hold up every other stream.
                    if rustix::io::ioctl_fionbio(&pipe, true).is_err() || self.watch(stream, &pipe).is_err() {
                        continue;
                    }
                    self.queue.put(Item::Begin(stream, header));
                    self.streams.insert(stream, Stream { pipe, flow: Flow::Flowing });
                }
                // mainstay has room for one answer: it asks again only when it has taken that.
                Received::Ask => drop(wire::send(socket, &Parcel::Ask, None, Patience::None)),
                Received::Lost(Header { service, .. }) => {
                    let why = "no descriptor is left for it".to_owned();
                    let _ = Report::Losing { service, why }.send();
                }
                Received::Keeper(..) | Received::Other => {}
                Received::Nothing => return,
                Received::Closed => {
                    let _ = epoll::delete(&self.epoll, socket);
                    self.socket = None;
                }
            }
        }
    }

    fn watch(&self, stream: StreamId, pipe: &OwnedFd) -> rustix::io::Result<()> {
        epoll::add(&self.epoll, pipe, EventData::new_u64(stream.0), EventFlags::IN)
    }

    #[allow(clippy::disallowed_methods, reason = "a process without actors: time of reading, and a bound on waiting")]
    fn drain(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let room = self.queue.room(id);
        match (stream.flow, room) {
            (Flow::Flowing, Room::None) => {
                stream.flow = Flow::Waiting { until: Instant::now() + PATIENCE };
                // Only taking it out silences it: a pipe whose writer is gone is reported whatever is asked for.
                let _ = epoll::delete(&self.epoll, &stream.pipe);
                return;
            }
            (Flow::Dropping { .. }, Room::Enough) => self.end_dropping(id),
            _ => {}
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        match rustix::io::read(stream.pipe.as_fd(), &mut self.chunk) {
            Ok(0) => self.end(id),
            Ok(count) => match &mut stream.flow {
                Flow::Dropping { bytes } => *bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX)),
                Flow::Flowing | Flow::Waiting { .. } => {
                    let bytes = self.chunk.get(..count).unwrap_or_default().to_vec();
                    self.queue.put(Item::Bytes(id, SystemTime::now(), bytes));
                }
            },
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(_) => self.end(id),
        }
    }

    fn end(&mut self, id: StreamId) {
        self.end_dropping(id);
        if let Some(stream) = self.streams.remove(&id) {
            // Closing is not enough: mainstay holds the same pipe, and epoll would go on reporting its end.
            let _ = epoll::delete(&self.epoll, &stream.pipe);
            self.queue.put(Item::End(id));
        }
    }

    fn end_dropping(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id)
            && let Flow::Dropping { bytes } = stream.flow
        {
            stream.flow = Flow::Flowing;
            if bytes > 0 {
                self.queue.put(Item::Dropped(id, bytes));
            }
        }
    }

    fn after_room_was_made(&mut self) {
        // It counts wake-ups; reading makes it quiet again.
        let _ = rustix::io::read(self.queue.room_again(), &mut [0; 8]);
        let ids: Vec<_> = self.streams.keys().copied().collect();
        for id in ids {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            match stream.flow {
                Flow::Flowing => {}
                Flow::Waiting { .. } if self.queue.room(id) == Room::Enough => self.resume(id, Flow::Flowing),
                Flow::Dropping { .. } if self.queue.room(id) == Room::Enough => self.end_dropping(id),
                Flow::Waiting { .. } | Flow::Dropping { .. } => {}
            }
        }
    }

    fn resume(&mut self, id: StreamId, flow: Flow) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.flow = flow;
        if epoll::add(&self.epoll, &stream.pipe, EventData::new_u64(id.0), EventFlags::IN).is_err() {
            // No memory in the kernel. Its program goes on without a log rather than being held up.
            self.end(id);
        }
    }

    fn deadlines(&self) -> impl Iterator<Item = (StreamId, Instant)> {
        self.streams.iter().filter_map(|(id, stream)| match stream.flow {
            Flow::Waiting { until } => Some((*id, until)),
            Flow::Flowing | Flow::Dropping { .. } => None,
        })
    }

    /// How long to wait for events; `None`: for ever.
    #[allow(clippy::disallowed_methods, reason = "a process without actors: a bound on waiting")]
    fn patience(&self) -> Option<Timespec> {
        let until = self.deadlines().map(|(_, until)| until).min()?;
        Timespec::try_from(until.saturating_duration_since(Instant::now())).ok()
    }

    #[allow(clippy::disallowed_methods, reason = "a process without actors: a bound on waiting")]
    fn lose_patience(&mut self) {
        let now = Instant::now();
        let late: Vec<_> = self.deadlines().filter(|(_, until)| *until <= now).map(|(id, _)| id).collect();
        late.into_iter().for_each(|id| self.resume(id, Flow::Dropping { bytes: 0 }));
    }
}

// Only a debug build can be poisoned.
#[cfg(all(test, debug_assertions))]
#[allow(clippy::unwrap_used)]
mod tests {
    use mainstay_config::model::Logs;

    use super::*;
    use crate::action::process::RunId;

    #[test]
    fn without_the_thread_that_writes_the_log_keeper_ends_though_there_are_pipes_to_drain() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = wire::pair().unwrap();
        let path = folder.path().join("test.log");
        let header =
            Header { run: RunId(1), service: "test".to_owned(), path, logs: Logs { max_size: 1 << 20, keep: 1 } };
        let (pipe, end) = rustix::pipe::pipe().unwrap();
        wire::send(&ours, &wire::Parcel::Output(header), Some(pipe.as_fd()), Patience::Wait).unwrap();
        watched::poison(writer::NAME);
        rustix::io::write(&end, b"one line\n").unwrap();
        let ended = run(theirs);
        assert!(ended.is_err_and(|error| error.to_string().contains("panicked")));
        // Both are open until here.
        drop((ours, end));
    }
}
