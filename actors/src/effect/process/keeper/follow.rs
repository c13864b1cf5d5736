//! Reads what is added to a log, over rotation. All of this blocks.
//!
//! On rotation `NAME.log` becomes `NAME.log.1`, that becomes `NAME.log.2`, and so on.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// More older files than a log can have beside it (`logs.keep`).
pub const OLDER_MAX: u32 = 1000;

/// Bytes that are read at once.
const BLOCK: usize = 64 * 1024;

/// The `nth` older file beside a log; 0 is the log itself.
#[must_use]
pub fn rotated(path: &Path, nth: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    if nth > 0 {
        name.push(format!(".{nth}"));
    }
    PathBuf::from(name)
}

/// Opens a file; `None` when there is none.
///
/// # Errors
/// When it is there and cannot be read.
pub fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Device and inode: a renamed file keeps them. The inode of a file that was removed is soon given to another one, which is told
/// by its birth where the file system knows that.
type Identity = (u64, u64, Option<SystemTime>);

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino(), metadata.created().ok())
}

/// Where a log ended at some moment: what is added comes after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogEnd {
    current: Option<(Identity, u64)>,
    /// The latest file that had been rotated away: it and what is older do not count.
    older: Option<Identity>,
}

impl LogEnd {
    /// Where the log at `path` ends now; at its start while there is none.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let current = std::fs::metadata(path).ok().map(|metadata| (identity(&metadata), metadata.len()));
        let older = std::fs::metadata(rotated(path, 1)).ok().map(|metadata| identity(&metadata));
        Self { current, older }
    }
}

/// Why what comes next does not follow what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Somebody emptied the log by hand.
    Emptied,
    /// Files were rotated away before they could be read.
    RotatedAway,
    /// Where no rotated file is kept, it cannot be told how often the log was rotated since the last look.
    Unknown,
}

/// What was added to a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Nobody knows what, before the next bytes.
    Gap(Gap),
}

/// Follows a log through its rotations.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    /// The file that is read, also after it was renamed, and how far; `None` before there is one.
    file: Option<(File, u64)>,
    since: LogEnd,
}

/// What follows what has been read.
enum Next {
    /// Another file, or more of the same.
    Follows,
    /// Another file, and something between them.
    After(Gap),
    /// There is nothing further yet.
    Nothing,
}

impl Follower {
    /// Reads what is written to the log at `path` after `since`.
    #[must_use]
    pub fn since(path: PathBuf, since: LogEnd) -> Self {
        Self { path, file: None, since }
    }

    /// Goes on where the newest file has been read to; without one it waits for the first.
    ///
    /// # Errors
    /// When nobody knows where that is.
    pub fn from(path: PathBuf, newest: Option<File>) -> io::Result<Self> {
        let older = LogEnd::of(&path).older;
        let file = match newest {
            Some(mut file) => {
                let position = file.stream_position()?;
                Some((file, position))
            }
            None => None,
        };
        Ok(Self { path, file, since: LogEnd { current: None, older } })
    }

    /// Passes what was added since the last call to `take`, also what went into files that have been rotated since; at most so many bytes,
    /// what is left over is for the next call.
    ///
    /// # Errors
    /// When a file cannot be read, or `take` fails. That there is none yet is no error.
    pub fn poll<E: From<io::Error>>(
        &mut self,
        most: u64,
        mut take: impl FnMut(Added<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut budget = most;
        loop {
            self.read(&mut budget, &mut take)?;
            // The file that is open has been read to its end, unless the budget is used up; then others have time.
            if budget == 0 {
                return Ok(());
            }
            match self.advance()? {
                Next::Follows => {}
                Next::After(gap) => take(Added::Gap(gap))?,
                Next::Nothing => return Ok(()),
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
        let begun = self.since.current.filter(|_| read.is_none());
        let mut next = None;
        let mut gap = Gap::Unknown;
        for nth in 0..=OLDER_MAX {
            let Some(file) = open(&rotated(&self.path, nth))? else { break };
            let found = identity(&file.metadata()?);
            if Some(found) == read {
                let Some(next) = next else { return Ok(Next::Nothing) };
                self.file = Some((next, 0));
                self.since.older = read;
                return Ok(Next::Follows);
            }
            if let Some((begun, position)) = begun
                && found == begun
            {
                self.file = Some((file, position));
                return Ok(Next::Follows);
            }
            if nth > 0 {
                gap = Gap::RotatedAway;
                if Some(found) == self.since.older {
                    break;
                }
            }
            next = Some(file);
        }
        let Some(next) = next else { return Ok(Next::Nothing) };
        self.file = Some((next, 0));
        // Before the first file there was nothing to miss.
        Ok(if read.or(begun.map(|(begun, _)| begun)).is_some() { Next::After(gap) } else { Next::Follows })
    }

    fn read<E: From<io::Error>>(
        &mut self,
        budget: &mut u64,
        take: &mut impl FnMut(Added<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some((file, position)) = &mut self.file else { return Ok(()) };
        if file.metadata()?.len() < *position {
            *position = 0;
            take(Added::Gap(Gap::Emptied))?;
        }
        file.seek(SeekFrom::Start(*position))?;
        let mut block = vec![0; BLOCK];
        while *budget > 0 {
            let count = match file.read(&mut block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            *position = position.saturating_add(count as u64);
            *budget = budget.saturating_sub(count as u64);
            take(Added::Bytes(block.get(..count).unwrap_or_default()))?;
        }
        Ok(())
    }
}
