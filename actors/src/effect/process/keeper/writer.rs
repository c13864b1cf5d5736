//! The keeper's writing thread.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::SystemTime;

use super::file::{Limits, LogFile};
use super::line::Lines;
use super::queue::{Item, Queue, StreamId};

/// Writes until the queue is closed and empty.
pub(super) fn run(queue: &Queue) {
    let mut writer = Writer::default();
    while let Some(item) = queue.take() {
        writer.write(item);
    }
}

#[derive(Debug, Default)]
struct Writer {
    streams: HashMap<StreamId, Stream>,
    /// One per path: the last processes of one run and the first of the next write into the same file.
    files: HashMap<PathBuf, Shared>,
    block: Vec<u8>,
}

#[derive(Debug)]
struct Stream {
    path: PathBuf,
    lines: Lines,
}

#[derive(Debug)]
struct Shared {
    file: LogFile,
    streams: usize,
}

impl Writer {
    fn write(&mut self, item: Item) {
        match item {
            Item::Begin(stream, header) => {
                let limits = Limits { max_size: header.max_size, keep: header.keep };
                let new = || Shared { file: LogFile::new(header.path.clone(), limits), streams: 0 };
                self.files.entry(header.path.clone()).or_insert_with(new).streams += 1;
                self.streams.insert(stream, Stream { path: header.path, lines: Lines::default() });
            }
            Item::Bytes(stream, at, bytes) => {
                let stamp = stamp(at);
                self.append(stream, &stamp, |lines, block| lines.add(&stamp, &bytes, block));
            }
            Item::Dropped(stream, bytes) => {
                let Some(Stream { path, .. }) = self.streams.get(&stream) else { return };
                if let Some(shared) = self.files.get_mut(path) {
                    shared.file.count_dropped(bytes, "the disk is too slow");
                }
                self.append(stream, &stamp_now(), |lines, block| lines.finish(block));
            }
            Item::End(stream) => self.end(stream),
        }
    }

    fn append(&mut self, stream: StreamId, stamp: &str, add: impl FnOnce(&mut Lines, &mut Vec<u8>)) {
        let Some(Stream { path, lines }) = self.streams.get_mut(&stream) else { return };
        let Some(shared) = self.files.get_mut(path) else { return };
        self.block.clear();
        add(lines, &mut self.block);
        shared.file.append(stamp, &self.block);
    }

    fn end(&mut self, stream: StreamId) {
        self.append(stream, &stamp_now(), |lines, block| lines.finish(block));
        let Some(Stream { path, .. }) = self.streams.remove(&stream) else { return };
        if let Some(shared) = self.files.get_mut(&path) {
            shared.streams = shared.streams.saturating_sub(1);
            if shared.streams == 0 {
                self.files.remove(&path);
            }
        }
    }
}

/// `2026-11-20T22:56:33.123Z`.
fn stamp(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at).to_string()
}

#[allow(clippy::disallowed_methods, reason = "a stamp for people to read, in a process that has no actors")]
fn stamp_now() -> String {
    stamp(SystemTime::now())
}
