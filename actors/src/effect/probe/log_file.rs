//! Whether a service's log says a text, from a moment on. All of this blocks.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::log_text::{Search, Seen};

/// Most bytes of one look; what a flood leaves over is read in the next.
const LOOK_LIMIT: u64 = 4 * 1024 * 1024;
const READ_BYTES: usize = 64 * 1024;
/// More older files than a log can have beside it (`logs.keep`).
const OLDER_MAX: u32 = 100;

/// Where a log ended at some moment: what a run prints comes after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogEnd {
    current: Option<(Identity, u64)>,
    /// The latest file that had been rotated away: it and what is older do not count.
    older: Option<Identity>,
}

/// Device and inode: a renamed file keeps them. The inode of a file that was removed is soon given to another one, which is told
/// by its birth where the file system knows that.
type Identity = (u64, u64, Option<SystemTime>);

impl LogEnd {
    /// Where the log at `path` ends now; at its start while there is none.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let current = std::fs::metadata(path).ok().map(|metadata| (identity(&metadata), metadata.len()));
        let older = std::fs::metadata(older(path, 1)).ok().map(|metadata| identity(&metadata));
        Self { current, older }
    }
}

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino(), metadata.created().ok())
}

/// The log itself is number 0.
fn older(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    if number > 0 {
        name.push(format!(".{number}"));
    }
    PathBuf::from(name)
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Follows a log file through its rotations.
#[derive(Debug)]
pub(super) struct LogReader {
    path: PathBuf,
    search: Search,
    /// The file that is read, also after it was renamed, and how far; `None` before there is one.
    file: Option<(File, u64)>,
    since: LogEnd,
}

/// Whether what was opened follows what was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It does.
    Follows,
    /// Something between them may have been rotated away.
    AfterGap,
    /// There is nothing further yet.
    Nothing,
}

impl LogReader {
    /// Looks for `text`, in bytes, in what is written to the file at `path` after `since`.
    pub(super) fn new(path: PathBuf, text: &str, since: LogEnd) -> Self {
        Self { path, search: Search::new(text), file: None, since }
    }

    /// Reads what was written since the last look.
    ///
    /// # Errors
    /// When the file cannot be read. That there is none yet is no error.
    pub(super) fn look(&mut self) -> io::Result<Seen> {
        let mut budget = LOOK_LIMIT;
        loop {
            if self.read(&mut budget)? == Seen::Yes {
                return Ok(Seen::Yes);
            }
            // The file that is open has been read to its end, unless the budget is used up; then others have time.
            if budget == 0 {
                return Ok(Seen::No);
            }
            match self.advance()? {
                Next::Follows => {}
                Next::AfterGap => self.search.begin_anew(),
                Next::Nothing => return Ok(Seen::No),
            }
        }
    }

    /// Goes on to the file that was begun after the one that is read: the log itself, or an older one where it was rotated
    /// more than once since. Looks from the newest to the older ones: a rotation meanwhile shows a file twice and hides none.
    fn advance(&mut self) -> io::Result<Next> {
        let read = match &self.file {
            Some((file, _)) => Some(identity(&file.metadata()?)),
            None => None,
        };
        let (begun, position) = self.since.current.filter(|_| read.is_none()).unzip();
        let mut next = None;
        for number in 0..=OLDER_MAX {
            let Some(file) = open(&older(&self.path, number))? else { break };
            let found = Some(identity(&file.metadata()?));
            if found == read {
                let Some(next) = next else { return Ok(Next::Nothing) };
                self.file = Some((next, 0));
                return Ok(Next::Follows);
            }
            if read.is_none() && found == begun {
                self.file = Some((file, position.unwrap_or(0)));
                return Ok(Next::Follows);
            }
            if number > 0 && found == self.since.older {
                break;
            }
            next = Some(file);
        }
        let Some(next) = next else { return Ok(Next::Nothing) };
        self.file = Some((next, 0));
        Ok(Next::AfterGap)
    }

    fn read(&mut self, budget: &mut u64) -> io::Result<Seen> {
        let Some((file, position)) = &mut self.file else { return Ok(Seen::No) };
        if file.metadata()?.len() < *position {
            *position = 0;
            self.search.begin_anew();
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
            if self.search.feed(piece.get(..count).unwrap_or_default()) == Seen::Yes {
                return Ok(Seen::Yes);
            }
        }
        Ok(Seen::No)
    }
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
    fn what_was_rotated_away_more_than_once_is_read_as_long_as_it_is_kept() {
        for before in ["", "of an earlier run, ready\n"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.log");
            append(&older(&path, 1), b"of a run long ago, ready\n");
            if !before.is_empty() {
                append(&path, before.as_bytes());
            }
            let since = LogEnd::of(&path);
            let rotate = || {
                for number in (0..3).rev() {
                    drop(std::fs::rename(older(&path, number), older(&path, number + 1)));
                }
            };
            let mut looks =
                [LogReader::new(path.clone(), "ready", since), LogReader::new(path.clone(), "steady", since)];
            append(&path, b"a line\n");
            assert!(looks.iter_mut().all(|reader| reader.look().unwrap() == Seen::No), "{before}");
            let late = LogReader::new(path.clone(), "ready", since);
            append(&path, b"this is rea");
            rotate();
            append(&path, b"dy, and stea");
            rotate();
            append(&path, b"dy\n");
            assert!(
                looks.iter_mut().chain([&mut { late }]).all(|reader| reader.look().unwrap() == Seen::Yes),
                "{before}"
            );
        }
    }

    #[test]
    fn a_text_is_not_made_up_of_parts_between_which_something_is_lost() {
        let (folder, path, mut reader) = watched("before\n");
        append(&path, b"rea");
        assert_eq!(reader.look().unwrap(), Seen::No);
        // So that its number is not used again.
        std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        append(&path, b"dy");
        assert_eq!(reader.look().unwrap(), Seen::No);
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
