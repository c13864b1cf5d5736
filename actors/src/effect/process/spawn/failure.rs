//! Why a program could not be started. Looked into only after the fact: a good start pays for nothing.

use std::io;
use std::path::Path;

use super::search::is_executable;
use crate::effect::process::order::{SpawnFailure, SpawnOrder};

/// What was tried.
pub(super) struct Attempt<'a> {
    /// What was ordered.
    pub order: &'a SpawnOrder,
    /// The program as it was found.
    pub program: &'a Path,
    /// The working directory.
    pub directory: &'a Path,
}

/// Finds the cause of a failed start. The kernel gives one number for the folder, the program and its interpreter alike.
pub(super) fn classify(error: &io::Error, attempt: &Attempt<'_>) -> SpawnFailure {
    if let Some(why) = trouble_with_directory(attempt.directory) {
        return SpawnFailure::Directory { path: attempt.directory.to_owned(), why };
    }
    let program = attempt.order.argv.first().cloned().unwrap_or_default();
    // A relative path counts from the working directory, in the child.
    let path = attempt.directory.join(attempt.program);
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) if !path.exists() => SpawnFailure::NotFound { program },
        Some(libc::ENOENT) => SpawnFailure::NotRunnable(format!(
            "`{program}` is there, but what should run it is not: look at its first line (`#!`), or whether it was built for this machine"
        )),
        Some(libc::EACCES) if path.is_dir() => {
            SpawnFailure::NotRunnable(format!("`{program}` is a directory; name the program in it"))
        }
        Some(libc::EACCES) => SpawnFailure::NotExecutable { program },
        Some(libc::EPERM) if !is_executable(&path) => SpawnFailure::NotExecutable { program },
        Some(libc::EPERM) if attempt.order.user.is_some() || attempt.order.group.is_some() => {
            SpawnFailure::User(format!(
                "mainstay may not change to the user or group that `{program}` shall run as; it needs CAP_SETUID and CAP_SETGID"
            ))
        }
        Some(libc::ENOEXEC) => SpawnFailure::NotRunnable(format!(
            "`{program}` is neither a program for this machine nor a script that begins with `#!`"
        )),
        Some(libc::EAGAIN) => SpawnFailure::Other(format!(
            "`{program}` could not be started: too many processes; see `ulimit -u` and the cgroup's pids.max"
        )),
        _ => SpawnFailure::Other(format!("`{program}` could not be started: {error}")),
    }
}

fn trouble_with_directory(directory: &Path) -> Option<String> {
    match std::fs::metadata(directory) {
        Err(error) => Some(error.to_string()),
        Ok(metadata) if !metadata.is_dir() => Some("it is not a directory".to_owned()),
        Ok(_) if !is_executable(directory) => Some("permission denied".to_owned()),
        Ok(_) => None,
    }
}
