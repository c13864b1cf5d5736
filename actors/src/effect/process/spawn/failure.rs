//! Why a program could not be started. Looked into only after the fact: a good start pays for nothing.

use std::io;
use std::path::{Path, PathBuf};

use crate::action::process::{Needed, NotAs, NotRunnable, SpawnFailure, SpawnOrder};
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
        Step::Directory => SpawnFailure::Directory {
            path: attempt.directory.to_owned(),
            user: attempt.order.program.user.clone(),
            error: error.into(),
        },
        Step::Identity if error.raw_os_error() == Some(libc::EPERM) => {
            SpawnFailure::NotAs(NotAs::NotCapable(program(attempt)))
        }
        Step::Program(place) => trouble_with_program(error, place, attempt),
        Step::Birth | Step::Identity => other(error, attempt),
    }
}

fn program(attempt: &Attempt<'_>) -> String {
    attempt.order.program.argv.first().cloned().unwrap_or_default()
}

fn trouble_with_program(error: &io::Error, place: usize, attempt: &Attempt<'_>) -> SpawnFailure {
    let program = program(attempt);
    // A relative path counts from the working directory, in the child.
    let path = attempt.directory.join(attempt.programs.get(place).map_or(Path::new(""), PathBuf::as_path));
    let why = match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) if !path.exists() => return SpawnFailure::NotFound(program),
        Some(libc::ENOENT) => NotRunnable::NoInterpreter,
        Some(libc::EACCES) if path.is_dir() => NotRunnable::Directory,
        Some(libc::EACCES | libc::EPERM) => return SpawnFailure::NotExecutable(program),
        Some(libc::ENOEXEC) => NotRunnable::Format,
        _ => return other(error, attempt),
    };
    SpawnFailure::NotRunnable { program, why }
}

fn other(error: &io::Error, attempt: &Attempt<'_>) -> SpawnFailure {
    SpawnFailure::Refused { what: Needed::Process(program(attempt)), error: error.into() }
}
