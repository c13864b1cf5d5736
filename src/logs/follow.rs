//! New bytes as they are written, over rotation.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Identity, MOST_ROTATED, open, rotated};

/// Bytes that are read at once.
const BLOCK: usize = 64 * 1024;

/// Whether all was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Everything.
    Nothing,
    /// Files were rotated away before they could be read.
    Some,
    /// Where no rotated file is kept, it cannot be told how often the file was rotated since the last look.
    Unknown,
}

/// Reads what is added to a log.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    file: Option<File>,
}

impl Follower {
    /// Goes on where `file`, the newest one, has been read to; without one it waits for the first.
    pub(crate) fn new(path: &Path, file: Option<File>) -> Self {
        Self { path: path.to_owned(), file }
    }

    /// Passes all that was added since the last call to `take`, also what went into files that have been rotated since.
    ///
    /// # Errors
    /// When a file cannot be read, or `take` fails.
    pub(crate) fn poll<E: From<io::Error>>(&mut self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<Lost, E> {
        let Some(file) = &mut self.file else {
            self.file = open(&self.path)?;
            return match &mut self.file {
                Some(file) => drain(file, &mut take).map(|()| Lost::Nothing),
                None => Ok(Lost::Nothing),
            };
        };
        if file.stream_position()? > file.metadata()?.len() {
            // Somebody emptied it by hand.
            file.seek(SeekFrom::Start(0))?;
        }
        let known = Identity::of(file)?;
        if Identity::at(&self.path).is_none() {
            // It was moved or removed, perhaps with its folder. What follows begins anew, some time.
            return drain(file, &mut take).map(|()| Lost::Nothing);
        }
        let mut lost = Lost::Nothing;
        if Identity::at(&self.path) != Some(known) {
            let newer = newer_than(&self.path, known);
            if newer.is_none() {
                lost = if rotated(&self.path, 1).exists() { Lost::Some } else { Lost::Unknown };
            }
            // Looked up before the rest is read: what is written between the two is in the file that is drained last.
            drain(file, &mut take)?;
            for nth in (0..newer.unwrap_or(1)).rev() {
                if let Some(mut next) = open(&rotated(&self.path, nth))? {
                    drain(&mut next, &mut take)?;
                    self.file = Some(next);
                }
            }
            return Ok(lost);
        }
        drain(file, &mut take)?;
        Ok(lost)
    }
}

/// How many files are newer than the known one: its number among the rotated files. `None` when it is no longer there.
fn newer_than(path: &Path, known: Identity) -> Option<u32> {
    (1..MOST_ROTATED)
        .map_while(|nth| Identity::at(&rotated(path, nth)).map(|at| (nth, at)))
        .find_map(|(nth, at)| (at == known).then_some(nth))
}

fn drain<E: From<io::Error>>(file: &mut File, take: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(read) => take(block.get(..read).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
