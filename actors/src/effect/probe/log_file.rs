//! Whether a service's log says a text, from a moment on. All of this blocks.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Most bytes of one look; what a flood leaves over is read in the next.
const LOOK_LIMIT: u64 = 4 * 1024 * 1024;
const READ_BYTES: usize = 64 * 1024;

/// Whether the text has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Yes,
    No,
}

/// Where a log ended at some moment: what a run prints comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd(Option<(Identity, u64)>);

/// Device and inode: a renamed file keeps them.
type Identity = (u64, u64);

impl LogEnd {
    /// Where the log at `path` ends now; at its start while there is none. The log-keeper has the file open, so the
    /// kernel answers from memory.
    pub(super) fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).ok().map(|metadata| (identity(&metadata), metadata.len())))
    }
}

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// Follows a log file through its rotations.
#[derive(Debug)]
pub(super) struct LogReader {
    path: PathBuf,
    text: Vec<u8>,
    /// The file that is read, also after it was renamed; `None` before there is one.
    file: Option<(File, u64)>,
    /// Where reading begins; taken by the first look.
    since: Option<LogEnd>,
    /// The end of what was read before: the text may have begun there.
    tail: Vec<u8>,
}

impl LogReader {
    /// Looks for `text`, in bytes, in what is written to the file at `path` after `since`.
    pub(super) fn new(path: PathBuf, text: &str, since: LogEnd) -> Self {
        Self { path, text: text.as_bytes().to_vec(), file: None, since: Some(since), tail: Vec::new() }
    }

    /// Reads what was written since the last look.
    ///
    /// # Errors
    /// When the file cannot be read. That there is none yet is no error.
    pub(super) fn look(&mut self) -> io::Result<Seen> {
        if let Some(LogEnd(since)) = self.since {
            self.file = self.open()?;
            if let (Some((file, position)), Some((known, length))) = (&mut self.file, since)
                && identity(&file.metadata()?) == known
            {
                *position = length;
            }
            self.since = None;
        }
        let mut budget = LOOK_LIMIT;
        if self.read(&mut budget)? == Seen::Yes {
            return Ok(Seen::Yes);
        }
        // The rest of the old file was read above, unless the budget is used up; then the new one has time.
        if budget > 0 && self.was_rotated()? {
            self.file = self.open()?;
            self.tail.clear();
            return self.read(&mut budget);
        }
        Ok(Seen::No)
    }

    fn open(&self) -> io::Result<Option<(File, u64)>> {
        match File::open(&self.path) {
            Ok(file) => Ok(Some((file, 0))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether another file stands at the path by now, or the first one appeared.
    fn was_rotated(&self) -> io::Result<bool> {
        let present = match std::fs::metadata(&self.path) {
            Ok(metadata) => identity(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(match &self.file {
            Some((file, _)) => identity(&file.metadata()?) != present,
            None => true,
        })
    }

    fn read(&mut self, budget: &mut u64) -> io::Result<Seen> {
        let Some((file, position)) = &mut self.file else { return Ok(Seen::No) };
        if file.metadata()?.len() < *position {
            *position = 0;
            self.tail.clear();
        }
        file.seek(SeekFrom::Start(*position))?;
        let mut piece = vec![0; READ_BYTES];
        while *budget > 0 {
            let count = file.read(&mut piece)?;
            if count == 0 {
                break;
            }
            *position += count as u64;
            *budget = budget.saturating_sub(count as u64);
            self.tail.extend_from_slice(piece.get(..count).unwrap_or_default());
            if contains(&self.tail, &self.text) {
                return Ok(Seen::Yes);
            }
            let keep = self.text.len().saturating_sub(1);
            self.tail.drain(..self.tail.len().saturating_sub(keep));
        }
        Ok(Seen::No)
    }
}

/// An empty text is in everything.
fn contains(bytes: &[u8], text: &[u8]) -> bool {
    text.is_empty() || bytes.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use proptest::prelude::*;
    use std::io::Write;

    use super::*;

    fn append(path: &Path, text: &[u8]) {
        File::options().create(true).append(true).open(path).unwrap().write_all(text).unwrap();
    }

    /// A folder, the log in it, and a reader for "ready" that has begun to watch.
    fn watched(before: &str) -> (tempfile::TempDir, PathBuf, LogReader) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        if !before.is_empty() {
            append(&path, before.as_bytes());
        }
        let mut reader = LogReader::new(path.clone(), "ready", LogEnd::of(&path));
        assert_eq!(reader.look().unwrap(), Seen::No);
        (folder, path, reader)
    }

    #[test]
    fn what_an_earlier_run_wrote_does_not_count() {
        let (_folder, path, mut reader) = watched("ready\n");
        assert_eq!(reader.look().unwrap(), Seen::No);
        append(&path, b"2026-11-20T08:00:00Z now ready\n");
        assert_eq!(reader.look().unwrap(), Seen::Yes);
    }

    #[test]
    fn what_was_written_before_the_first_look_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        append(&path, b"of an earlier run\n");
        let since = LogEnd::of(&path);
        append(&path, b"now ready\n");
        assert_eq!(LogReader::new(path.clone(), "ready", since).look().unwrap(), Seen::Yes);
        assert_eq!(LogReader::new(path.clone(), "earlier", since).look().unwrap(), Seen::No);
        std::fs::rename(&path, folder.path().join("x.log.1")).unwrap();
        append(&path, b"after rotation: ready\n");
        assert_eq!(LogReader::new(path, "after", since).look().unwrap(), Seen::Yes);
    }

    #[test]
    fn a_log_that_appears_later_is_read_from_its_start() {
        let (_folder, path, mut reader) = watched("");
        assert_eq!(reader.look().unwrap(), Seen::No);
        append(&path, b"\xff\xfe ready");
        assert_eq!(reader.look().unwrap(), Seen::Yes);
    }

    #[test]
    fn a_text_that_was_written_in_two_parts_is_found() {
        let (_folder, path, mut reader) = watched("rea");
        append(&path, b"dy, re");
        assert_eq!(reader.look().unwrap(), Seen::No);
        append(&path, b"ady");
        assert_eq!(reader.look().unwrap(), Seen::Yes);
    }

    #[test]
    fn rotation_loses_neither_the_end_of_the_old_file_nor_the_new_one() {
        for (old, new) in [("ready", ""), ("", "ready")] {
            let (folder, path, mut reader) = watched("much that was written before\n");
            append(&path, old.as_bytes());
            std::fs::rename(&path, folder.path().join("x.log.1")).unwrap();
            append(&path, new.as_bytes());
            assert_eq!(reader.look().unwrap(), Seen::Yes);
        }
    }

    #[test]
    fn a_file_that_shrank_is_read_from_its_start() {
        let (_folder, path, mut reader) = watched("much that was written before\n");
        std::fs::write(&path, "ready").unwrap();
        assert_eq!(reader.look().unwrap(), Seen::Yes);
    }

    #[test]
    fn a_flood_is_read_over_several_looks() {
        let (_folder, path, mut reader) = watched("");
        append(&path, &vec![b'x'; LOOK_LIMIT as usize + 1]);
        append(&path, b"ready");
        assert_eq!(reader.look().unwrap(), Seen::No);
        assert_eq!(reader.look().unwrap(), Seen::Yes);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_text_is_found_exactly_when_it_was_written(pieces in prop::collection::vec("[ready]{0,12}", 1..8)) {
            let (_folder, path, mut reader) = watched("rea");
            let mut seen = Seen::No;
            for piece in &pieces {
                append(&path, piece.as_bytes());
                if seen == Seen::No {
                    seen = reader.look().unwrap();
                }
            }
            prop_assert_eq!(seen == Seen::Yes, pieces.concat().contains("ready"));
        }
    }
}
