//! Whether a service's log says a text, from a moment on. All of this blocks.

use std::io;
use std::path::PathBuf;

use super::log_text::{Search, Seen};
use crate::effect::process::keeper::{Added, Follower, LogEnd};

/// Most bytes of one look; what a flood leaves over is read in the next.
const LOOK_LIMIT: u64 = 4 * 1024 * 1024;

/// Searches a log for a text.
#[derive(Debug)]
pub(super) struct LogReader {
    log: Follower,
    search: Search,
}

impl LogReader {
    /// Looks for `text`, in bytes, in what is written to the file at `path` after `since`.
    pub(super) fn new(path: PathBuf, text: &str, since: LogEnd) -> Self {
        Self { log: Follower::since(path, since), search: Search::new(text) }
    }

    /// Reads what was written since the last look.
    ///
    /// # Errors
    /// When the file cannot be read. That there is none yet is no error.
    pub(super) fn look(&mut self) -> io::Result<Seen> {
        let mut all = Seen::No;
        self.log.poll(LOOK_LIMIT, |added| {
            match added {
                Added::Gap(_) => self.search.begin_anew(),
                Added::Bytes(bytes) if self.search.feed(bytes) == Seen::Yes => all = Seen::Yes,
                Added::Bytes(_) => {}
            }
            Ok::<(), io::Error>(())
        })?;
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use proptest::prelude::*;
    use std::fs::File;
    use std::io::Write;
    use std::path::Path;

    use super::*;
    use crate::effect::process::keeper::rotated;

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
            append(&rotated(&path, 1), b"of a run long ago, ready\n");
            if !before.is_empty() {
                append(&path, before.as_bytes());
            }
            let since = LogEnd::of(&path);
            let rotate = || {
                for number in (0..3).rev() {
                    drop(std::fs::rename(rotated(&path, number), rotated(&path, number + 1)));
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
