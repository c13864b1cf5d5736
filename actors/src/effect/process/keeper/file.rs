//! One log file that is rotated by size and says what it had to drop.

use mainstay_config::counted;
use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mainstay_config::model::Logs;

use super::follow::rotated;

/// Log files are for mainstay's user and group.
const MODE: u32 = 0o640;

/// A log file. Nothing it meets is an error: what cannot be written is counted, and said when writing works again.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    limits: Logs,
    open: Option<(File, u64)>,
    dropped: u64,
    reason: String,
    folder: KnownFolder,
}

/// How the folder of all logs was when a file was opened there last.
pub(super) type KnownFolder = Rc<Cell<Option<Folder>>>;

/// Whose group a folder is, and who may do what in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Folder {
    group: u32,
    mode: u32,
}

impl Folder {
    fn of(path: &Path) -> Option<Self> {
        // Something else may be in its place.
        let found = fs::metadata(path.parent()?).ok().filter(fs::Metadata::is_dir)?;
        Some(Self { group: found.gid(), mode: found.mode() & 0o7777 })
    }

    /// Makes the folder anew that a file is in: the group that may read the logs still may.
    fn make(before: Option<Self>, path: &Path) -> io::Result<()> {
        let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
        fs::create_dir(folder)?;
        if let Some(Self { group, mode }) = before {
            let made = File::open(folder)?;
            // What cannot be given, its owner can read all the same.
            let _ = std::os::unix::fs::fchown(&made, None, Some(group));
            let _ = made.set_permissions(fs::Permissions::from_mode(mode));
        }
        Ok(())
    }
}

impl LogFile {
    /// A file that is opened when there is something to write.
    pub(super) fn new(path: PathBuf, limits: Logs, folder: KnownFolder) -> Self {
        if let Some(found) = Folder::of(&path) {
            folder.set(Some(found));
        }
        Self { path, limits, open: None, dropped: 0, reason: String::new(), folder }
    }

    /// Counts bytes that were dropped before they came here.
    pub(super) fn count_dropped(&mut self, bytes: u64, reason: &str) {
        self.dropped = self.dropped.saturating_add(bytes);
        reason.clone_into(&mut self.reason);
    }

    /// What is being lost: bytes so far, and why.
    pub(super) fn loss(&self) -> Option<(u64, &str)> {
        (self.dropped > 0).then_some((self.dropped, &self.reason))
    }

    /// Appends whole lines; `stamp` stands before the note about what was dropped earlier, if anything was.
    pub(super) fn append(&mut self, stamp: &str, lines: &[u8]) {
        if self.dropped > 0 {
            let note =
                format!("{stamp} [mainstay dropped {}: {}]\n", counted(self.dropped, "byte", "bytes"), self.reason);
            if let Err(error) = self.write(note.as_bytes()) {
                self.count_dropped(length(lines), &error.to_string());
                return;
            }
            self.dropped = 0;
        }
        let mut rest = lines;
        while !rest.is_empty() {
            let fitting = self.open().map(|size| self.fitting(size, rest));
            let (now, later) = rest.split_at(fitting.unwrap_or(rest.len()));
            if let Err(error) = self.write(now) {
                self.count_dropped(length(rest), &error.to_string());
                return;
            }
            rest = later;
        }
    }

    /// How many bytes of `lines` go into one file: as many whole lines as there is room for, at least one.
    fn fitting(&self, size: u64, lines: &[u8]) -> usize {
        let first = lines.iter().position(|byte| *byte == b'\n').map_or(lines.len(), |end| end + 1);
        let left = self.limits.max_size.saturating_sub(size);
        // In a file that is full the next line leads to a rotation, after which there is the whole room.
        let room = if left < length(lines.get(..first).unwrap_or(lines)) { self.limits.max_size } else { left };
        let window = lines.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(lines);
        window.iter().rposition(|byte| *byte == b'\n').map_or(first, |end| end + 1)
    }

    /// Writes all or nothing.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let size = self.open()?;
        if size > 0 && size.saturating_add(length(bytes)) > self.limits.max_size {
            rotate(&self.path, self.limits.keep)?;
            self.open = None;
            self.open()?;
        }
        let Some((file, size)) = &mut self.open else { return Ok(()) };
        let written = file.write_all(bytes);
        match written {
            Ok(()) => *size = size.saturating_add(length(bytes)),
            // Half a line is worse than a counted one. Nobody else writes here.
            Err(_) => drop(file.set_len(*size)),
        }
        written
    }

    /// Opens the file unless it is open, and answers its size. One that was removed or moved away meanwhile is made anew.
    fn open(&mut self) -> io::Result<u64> {
        if let Some((file, size)) = &self.open
            && is_at(file, &self.path)
        {
            return Ok(*size);
        }
        self.open = None;
        let open = || OpenOptions::new().append(true).create(true).mode(MODE).open(&self.path);
        let file = match open() {
            // Not what that is in: a state folder that is gone is a disk that is not mounted, say.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Folder::make(self.folder.get(), &self.path)?;
                open()?
            }
            opened => opened?,
        };
        self.folder.set(Folder::of(&self.path).or(self.folder.get()));
        let size = file.metadata()?.len();
        self.open = Some((file, size));
        Ok(size)
    }
}

/// Whether the open file is still the one of this name.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let both = file.metadata().and_then(|open| Ok((identity(open), identity(fs::metadata(path)?))));
    both.is_ok_and(|(open, named)| open == named)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// `x.log` becomes `x.log.1`, that `x.log.2`, and so on; the last is removed.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    if !path.try_exists()? {
        // Somebody has moved it away just now; the older ones stay as they are.
        return Ok(());
    }
    if keep == 0 {
        return fs::remove_file(path);
    }
    for number in (1..keep).rev() {
        match fs::rename(rotated(path, number), rotated(path, number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, rotated(path, 1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(folder: &Path, max_size: u64, keep: u32) -> LogFile {
        LogFile::new(folder.join("a.log"), Logs { max_size, keep }, KnownFolder::default())
    }

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap_or_default()
    }

    #[test]
    fn a_full_file_is_rotated_at_the_end_of_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(folder.path(), 10, 2);
        log.append("t", b"1111\n2222\n3333\n4444\n5555\n");
        assert_eq!(read(folder.path(), "a.log"), "5555\n");
        assert_eq!(read(folder.path(), "a.log.1"), "3333\n4444\n");
        assert_eq!(read(folder.path(), "a.log.2"), "1111\n2222\n");
        log.append("t", b"6666\n7777\n");
        assert_eq!(read(folder.path(), "a.log.2"), "3333\n4444\n", "the oldest is gone");
        assert!(!folder.path().join("a.log.3").exists());
    }

    #[test]
    fn nothing_is_kept_beside_the_file_when_nothing_shall_be() {
        let folder = tempfile::tempdir().unwrap();
        log(folder.path(), 6, 0).append("t", b"1111\n2222\n");
        assert_eq!(read(folder.path(), "a.log"), "2222\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_existing_file_is_continued_and_its_size_counts() {
        let folder = tempfile::tempdir().unwrap();
        log(folder.path(), 10, 1).append("t", b"1111\n");
        log(folder.path(), 10, 1).append("t", b"2222\n3333\n");
        assert_eq!(
            (read(folder.path(), "a.log"), read(folder.path(), "a.log.1")),
            ("3333\n".into(), "1111\n2222\n".into())
        );
    }

    #[test]
    fn what_could_not_be_written_is_counted_and_said_when_writing_works_again() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("unmounted/later");
        let mut log = log(&missing, 1000, 1);
        log.append("t", b"1111\n");
        log.append("t", b"2222\n");
        fs::create_dir(folder.path().join("unmounted")).unwrap();
        log.append("t", b"3333\n");
        let text = read(&missing, "a.log");
        assert!(text.starts_with("t [mainstay dropped 10 bytes: No such file or directory"), "{text}");
        assert!(text.ends_with("]\n3333\n"), "{text}");
    }

    #[test]
    fn a_folder_that_was_removed_is_made_anew() {
        let state = tempfile::tempdir().unwrap();
        let logs = state.path().join("logs");
        let mut log = log(&logs, 1000, 1);
        log.append("t", b"1111\n");
        fs::set_permissions(&logs, fs::Permissions::from_mode(0o2750)).unwrap();
        let mut next = LogFile::new(logs.join("b.log"), Logs { max_size: 1000, keep: 1 }, Rc::clone(&log.folder));
        fs::rename(&logs, state.path().join("elsewhere")).unwrap();
        next.append("t", b"2222\n");
        log.append("t", b"2222\n");
        assert_eq!(fs::metadata(&logs).unwrap().mode() & 0o7777, 0o2750, "who could read it still can");
        assert_eq!(read(&logs, "a.log"), "2222\n");
        assert_eq!(log.dropped, 0);
    }

    #[test]
    fn a_folder_that_was_a_file_meanwhile_is_made_as_any_other() {
        let state = tempfile::tempdir().unwrap();
        let logs = state.path().join("logs");
        fs::write(&logs, "in the way").unwrap();
        let mut log = log(&logs, 1000, 1);
        log.append("t", b"1111\n");
        fs::remove_file(&logs).unwrap();
        log.append("t", b"2222\n");
        assert_eq!(fs::metadata(&logs).unwrap().mode() & 0o700, 0o700, "its owner can enter it");
    }

    #[test]
    fn a_full_disk_costs_lines_that_are_counted() {
        let mut log = LogFile::new("/dev/full".into(), Logs { max_size: 1000, keep: 1 }, KnownFolder::default());
        log.append("t", b"1111\n");
        log.append("t", b"2222\n");
        assert_eq!(log.dropped, 10);
        assert!(log.reason.contains("No space left"), "{}", log.reason);
    }

    #[test]
    fn a_file_that_was_removed_is_made_anew_for_its_user_and_group() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(folder.path(), 1000, 1);
        log.append("t", b"1111\n");
        fs::remove_file(folder.path().join("a.log")).unwrap();
        log.append("t", b"2222\n");
        assert_eq!(read(folder.path(), "a.log"), "2222\n");
        let mode = fs::metadata(folder.path().join("a.log")).unwrap().permissions().mode();
        assert_eq!(mode & 0o137, 0, "{mode:o}");
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew_and_what_was_rotated_before_stays() {
        for keep in [0, 2] {
            let folder = tempfile::tempdir().unwrap();
            let mut log = log(folder.path(), 10, keep);
            log.append("t", b"1111\n2222\n3333\n");
            fs::rename(folder.path().join("a.log"), folder.path().join("elsewhere")).unwrap();
            log.append("t", b"4444\n");
            log.append("t", b"5555\n");
            assert_eq!(read(folder.path(), "elsewhere"), "3333\n");
            assert_eq!(read(folder.path(), "a.log"), "4444\n5555\n");
            assert_eq!(read(folder.path(), "a.log.1"), if keep == 0 { "" } else { "1111\n2222\n" });
            assert_eq!(log.dropped, 0);
        }
    }

    proptest! {
        // Each case makes some dozens of files.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_file_is_larger_than_allowed_unless_one_line_is(lines in proptest::collection::vec("[a-z]{0,30}", 1..40), max_size in 1u64..100) {
            let folder = tempfile::tempdir().unwrap();
            let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            log(folder.path(), max_size, 1000).append("t", text.as_bytes());
            let mut all = String::new();
            for number in (0..=fs::read_dir(folder.path()).unwrap().count()).rev() {
                let part = read(folder.path(), &if number == 0 { "a.log".into() } else { format!("a.log.{number}") });
                prop_assert!(length(part.as_bytes()) <= max_size || part.lines().count() == 1);
                all.push_str(&part);
            }
            prop_assert_eq!(all, text);
        }
    }
}
