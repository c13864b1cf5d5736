//! The keeper's writing thread.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use super::file::{KnownFolder, LogFile};
use super::line::{Lines, Unended};
use super::queue::{Item, Queue, StreamId, Taken};
use super::report::Report;
use crate::effect::watched;

/// The thread.
pub(super) const NAME: &str = "keeper-writer";

/// What has been said of a line is written when nothing more comes for so long: a prompt may never be ended.
const PAUSE: Duration = Duration::from_millis(300);
/// A line that comes byte by byte is not waited for longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Writes until the queue is closed and empty.
pub(super) fn run(queue: &Queue) {
    let mut writer = Writer::default();
    loop {
        let taken = queue.take(writer.next_pause());
        watched::perhaps_panic(NAME);
        match taken {
            Taken::Item(item) => writer.write(item),
            Taken::Nothing => {}
            Taken::Closed => return,
        }
        writer.write_what_pauses();
    }
}

#[derive(Debug, Default)]
struct Writer {
    streams: HashMap<StreamId, Stream>,
    /// One per path: the last processes of one run and the first of the next write into the same file.
    files: HashMap<PathBuf, Shared>,
    /// Streams in the middle of a line, and when that is written.
    unended: BTreeSet<(Instant, StreamId)>,
    block: Vec<u8>,
    folder: KnownFolder,
}

#[derive(Debug)]
struct Stream {
    path: PathBuf,
    lines: Lines,
    unended: Option<Wait>,
}

/// For the rest of a line.
#[derive(Debug, Clone, Copy)]
struct Wait {
    since: Instant,
    until: Instant,
}

#[derive(Debug)]
struct Shared {
    service: String,
    file: LogFile,
    streams: usize,
    /// mainstay knows that so many bytes, or more, are lost.
    told: Option<u64>,
}

impl Shared {
    /// Tells mainstay when something begins to be lost, and when no more is.
    fn tell(&mut self) {
        let service = || self.service.clone();
        match (self.file.loss(), self.told) {
            (Some((lost, why)), None) => {
                let report = Report::Losing { service: service(), why: why.to_owned() };
                self.told = report.send().is_ok().then_some(lost);
            }
            (Some((lost, _)), Some(_)) => self.told = Some(lost),
            (None, Some(lost)) => {
                if (Report::Writing { service: service(), lost }).send().is_ok() {
                    self.told = None;
                }
            }
            (None, None) => {}
        }
    }
}

impl Writer {
    fn write(&mut self, item: Item) {
        match item {
            Item::Begin(stream, header) => {
                let file = || LogFile::new(header.path.clone(), header.logs, Rc::clone(&self.folder));
                let new = || Shared { service: header.service.clone(), file: file(), streams: 0, told: None };
                self.files.entry(header.path.clone()).or_insert_with(new).streams += 1;
                self.streams.insert(stream, Stream { path: header.path, lines: Lines::default(), unended: None });
            }
            Item::Bytes(stream, at, bytes) => {
                let stamp = stamp(at);
                self.append(stream, &stamp, |lines, block| lines.add(&stamp, &bytes, block));
                self.wait_for_the_rest(stream);
            }
            Item::Dropped(stream, bytes) => {
                let Some(Stream { path, .. }) = self.streams.get(&stream) else { return };
                if let Some(shared) = self.files.get_mut(path) {
                    shared.file.count_dropped(bytes, "the disk is too slow");
                }
                self.append(stream, &stamp_now(), |lines, block| lines.finish(block));
                self.wait_for_the_rest(stream);
            }
            Item::End(stream) => self.end(stream),
        }
    }

    fn append(&mut self, stream: StreamId, stamp: &str, add: impl FnOnce(&mut Lines, &mut Vec<u8>)) {
        let Some(Stream { path, lines, .. }) = self.streams.get_mut(&stream) else { return };
        let Some(shared) = self.files.get_mut(path) else { return };
        self.block.clear();
        add(lines, &mut self.block);
        shared.file.append(stamp, &self.block);
        shared.tell();
    }

    /// Notes how long the rest of a line is waited for; nothing, when the last one has ended.
    fn wait_for_the_rest(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let before = stream.unended.take();
        if let Some(wait) = before {
            self.unended.remove(&(wait.until, id));
        }
        if stream.lines.unended() == Unended::Something {
            let now = now();
            // Something was written: this is another line.
            let same_line = before.filter(|_| self.block.is_empty());
            let since = same_line.map_or(now, |wait| wait.since);
            let until = (now + PAUSE).min(since + LONGEST_WAIT);
            stream.unended = Some(Wait { since, until });
            self.unended.insert((until, id));
        }
    }

    /// When the next stream has paused for long enough, if one is in the middle of a line.
    fn next_pause(&self) -> Option<Instant> {
        self.unended.first().map(|(until, _)| *until)
    }

    fn write_what_pauses(&mut self) {
        while self.next_pause().is_some_and(|until| until <= now()) {
            let Some((_, id)) = self.unended.pop_first() else { return };
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.unended = None;
            }
            self.append(id, &stamp_now(), Lines::pause);
        }
    }

    fn end(&mut self, stream: StreamId) {
        self.append(stream, &stamp_now(), |lines, block| lines.finish(block));
        self.wait_for_the_rest(stream);
        let Some(Stream { path, .. }) = self.streams.remove(&stream) else { return };
        if let Some(shared) = self.files.get_mut(&path) {
            shared.streams = shared.streams.saturating_sub(1);
            if shared.streams == 0
                && let Some(Shared { service, told: Some(told), file, .. }) = self.files.remove(&path)
            {
                let report = match file.loss() {
                    Some((lost, _)) => Report::Ended { service, lost },
                    None => Report::Writing { service, lost: told },
                };
                // Nobody prints any more. Should this not arrive, the next output of the service tells how it is.
                let _ = report.send();
            }
        }
    }
}

/// `2026-11-20T22:56:33.123Z`.
fn stamp(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at).to_string()
}

#[allow(clippy::disallowed_methods, reason = "a process without actors: a bound on waiting")]
fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods, reason = "a stamp for people to read, in a process that has no actors")]
fn stamp_now() -> String {
    stamp(SystemTime::now())
}
