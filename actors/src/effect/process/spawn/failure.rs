//! Why a program could not be started. Looked into only after the fact: a good start pays for nothing.

use std::io;
use std::path::{Path, PathBuf};

use crate::action::process::{SpawnFailure, SpawnOrder};
use crate::effect::process::sys::newborn::{Step, Unborn};

/// What was tried.
pub(super) struct Attempt<'a> {
    /// What was ordered.
    pub order: &'a SpawnOrder,
    /// The files that the program may be.
    pub programs: &'a [PathBuf],
    /// The working directory.
    pub directory: &'a Path,
}

/// Finds the cause of a failed start. The kernel gives one number for the program and its interpreter alike.
pub(super) fn classify(unborn: &Unborn, attempt: &Attempt<'_>) -> SpawnFailure {
    let error = &unborn.error;
    match unborn.step {
        Step::Directory => trouble_with_directory(error, attempt),
        Step::Identity if error.raw_os_error() == Some(libc::EPERM) => SpawnFailure::User(format!(
            "mainstay may not change to the user or group that `{}` shall run as; it needs CAP_SETUID and CAP_SETGID",
            program(attempt)
        )),
        Step::Program(place) => trouble_with_program(error, place, attempt),
        Step::Birth | Step::Identity => other(error, attempt),
    }
}

fn program(attempt: &Attempt<'_>) -> String {
    attempt.order.argv.first().cloned().unwrap_or_default()
}

fn trouble_with_directory(error: &io::Error, attempt: &Attempt<'_>) -> SpawnFailure {
    let why = match (error.raw_os_error(), &attempt.order.user) {
        (Some(libc::EACCES), Some(user)) => format!("`{user}` may not"),
        (Some(libc::EACCES), None) => "permission denied".to_owned(),
        (Some(libc::ENOTDIR), _) => "it is not a directory".to_owned(),
        _ => error.to_string(),
    };
    SpawnFailure::Directory { path: attempt.directory.to_owned(), why }
}

fn trouble_with_program(error: &io::Error, place: usize, attempt: &Attempt<'_>) -> SpawnFailure {
    let program = program(attempt);
    // A relative path counts from the working directory, in the child.
    let path = attempt.directory.join(attempt.programs.get(place).map_or(Path::new(""), PathBuf::as_path));
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) if !path.exists() => SpawnFailure::NotFound { program },
        Some(libc::ENOENT) => SpawnFailure::NotRunnable(format!(
            "`{program}` is there, but what should run it is not: look at its first line (`#!`), or whether it was built for this machine"
        )),
        Some(libc::EACCES) if path.is_dir() => {
            SpawnFailure::NotRunnable(format!("`{program}` is a directory; name the program in it"))
        }
        Some(libc::EACCES | libc::EPERM) => SpawnFailure::NotExecutable { program },
        Some(libc::ENOEXEC) => SpawnFailure::NotRunnable(format!(
            "`{program}` is neither a program for this machine nor a script that begins with `#!`"
        )),
        _ => other(error, attempt),
    }
}

fn other(error: &io::Error, attempt: &Attempt<'_>) -> SpawnFailure {
    let program = program(attempt);
    SpawnFailure::Other(match error.raw_os_error() {
        Some(libc::EAGAIN) => {
            format!("`{program}` could not be started: too many processes; see `ulimit -u` and the cgroup's pids.max")
        }
        _ => format!("`{program}` could not be started: {error}"),
    })
}
