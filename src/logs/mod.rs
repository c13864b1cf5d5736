//! The log files of a service as the command line reads them: the last lines, then new ones, over rotation.
//!
//! The log-keeper writes `NAME.log` and on rotation renames it to `NAME.log.1`, `NAME.log.1` to `NAME.log.2`, and so
//! on.

mod follow;
mod pieces;
mod tail;

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub(crate) use follow::{Follower, Lost};
pub(crate) use pieces::{Piece, Pieces};
pub(crate) use tail::last_lines;

/// Rotated files that are looked for at most.
const MOST_ROTATED: u32 = 1000;

/// The `nth` older file beside `path`; 0 is `path` itself.
fn rotated(path: &Path, nth: u32) -> PathBuf {
    if nth == 0 {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{nth}"));
    PathBuf::from(name)
}

/// What makes a file the same file after it was renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|meta| Self { device: meta.dev(), inode: meta.ino() })
    }

    /// Of what stands at a path now, if anything does.
    fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|meta| Self { device: meta.dev(), inode: meta.ino() })
    }
}

/// Opens a file; `None` when there is none.
fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
