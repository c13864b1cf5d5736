//! Where a program may be. Which of these it is, the child finds out by executing them: as the service's user, in its directory.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::environment::PATH;
use crate::action::process::SpawnFailure;

/// The files that a program may be: what is written when it has a slash, else one in each folder of `path` that has something of this
/// name. Relative ones count from `directory`. It is looked up for every spawn: that is a few system calls against some hundred
/// microseconds for the spawn, and a program that moved is found.
pub(super) fn candidates(program: &str, path: Option<&OsStr>, directory: &Path) -> Result<Vec<PathBuf>, SpawnFailure> {
    if program.contains('/') {
        return Ok(vec![PathBuf::from(program)]);
    }
    let not_empty = |text: &Path| !text.as_os_str().is_empty();
    // An empty entry would be the working directory (environ(7)); a colon too many is far more often a slip.
    let folders = std::env::split_paths(path.unwrap_or(OsStr::new(PATH))).filter(|folder| not_empty(folder));
    let files = folders.map(|folder| folder.join(program)).filter(|file| may_be_a_program(&directory.join(file)));
    let found: Vec<PathBuf> = if program.is_empty() { Vec::new() } else { files.collect() };
    if found.is_empty() { Err(SpawnFailure::NotFound(program.to_owned())) } else { Ok(found) }
}

/// Whether the child need not try: what is surely not there costs it more than us. What mainstay cannot see the user perhaps can.
fn may_be_a_program(file: &Path) -> bool {
    match file.metadata() {
        Ok(metadata) => !metadata.is_dir(),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn folder_with(name: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), "#!/bin/sh\n").unwrap();
        folder
    }

    #[test]
    fn each_file_of_that_name_in_the_path_may_be_the_program() {
        let (one, two, other) = (folder_with("tool"), folder_with("tool"), folder_with("other"));
        std::fs::create_dir(other.path().join("tool")).unwrap();
        let path = std::env::join_paths([one.path(), other.path(), Path::new("/etc/passwd"), two.path()]).unwrap();
        let found = candidates("tool", Some(&path), Path::new("/")).unwrap();
        assert_eq!(found, [one.path().join("tool"), two.path().join("tool")]);
    }

    #[test]
    fn a_relative_folder_of_the_path_counts_from_the_services_directory_and_an_empty_one_is_passed_over() {
        let folder = folder_with("tool");
        let name = folder.path().file_name().unwrap();
        let path = std::env::join_paths([OsStr::new(""), name]).unwrap();
        let found = candidates("tool", Some(&path), folder.path().parent().unwrap()).unwrap();
        assert_eq!(found, [Path::new(name).join("tool")]);
        let there = candidates("tool", Some(OsStr::new("")), folder.path());
        assert_eq!(there, Err(SpawnFailure::NotFound("tool".into())));
    }

    #[test]
    fn a_program_that_is_nowhere_is_missing() {
        let path = std::env::join_paths([folder_with("tool").path()]).unwrap();
        for program in ["other", ""] {
            let missing = Err(SpawnFailure::NotFound(program.into()));
            assert_eq!(candidates(program, Some(&path), Path::new("/")), missing);
        }
    }

    #[test]
    fn a_program_with_a_slash_is_left_to_the_kernel() {
        assert_eq!(candidates("./tool", None, Path::new("/")), Ok(vec![PathBuf::from("./tool")]));
    }
}
