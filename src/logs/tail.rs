//! Where the last lines begin.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use mainstay_actors::effect::process::keeper::{OLDER_MAX, open, rotated};

/// Bytes that are read at once.
const BLOCK: u64 = 64 * 1024;

/// The files, oldest first, that hold the last `wanted` lines, the first of them positioned where they begin. The
/// newest is always the last one, if there is any.
///
/// # Errors
/// When a file is there and cannot be read.
pub(crate) fn last_lines(path: &Path, wanted: u64) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut missing = wanted;
    for nth in 0..=OLDER_MAX {
        if nth > 0 && missing == 0 {
            break;
        }
        let Some(mut file) = open(&rotated(path, nth))? else { break };
        let (start, found) = begin(&mut file, missing)?;
        file.seek(SeekFrom::Start(start))?;
        files.push(file);
        missing = missing.saturating_sub(found);
    }
    files.reverse();
    Ok(files)
}

/// Where the last `wanted` lines of one file begin, and how many there are. An unfinished line at the end counts as
/// one.
fn begin(file: &mut File, wanted: u64) -> io::Result<(u64, u64)> {
    let mut end = file.metadata()?.len();
    if wanted == 0 {
        return Ok((end, 0));
    }
    let length = end;
    let mut found = 0;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        Read::by_ref(file).take(end - start).read_to_end(&mut block)?;
        for (nth, _) in block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            let after = start.saturating_add(u64::try_from(nth).unwrap_or(u64::MAX)).saturating_add(1);
            // The line end at the very end of the file closes the last line; it does not open another.
            if after < length {
                found += 1;
                if found == wanted {
                    return Ok((after, found));
                }
            }
        }
        end = start;
    }
    let first = u64::from(length > 0);
    Ok((0, found + first))
}
