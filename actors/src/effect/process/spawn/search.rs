//! Where a program is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::environment::PATH;
use crate::effect::process::order::SpawnFailure;

/// Finds a program: as it is when it has a slash, else in the absolute folders of `path`. It is looked up for every spawn: that is
/// a few system calls against some hundred microseconds for the spawn, and a program that moved is found.
pub(super) fn find(program: &str, path: Option<&OsStr>) -> Result<PathBuf, SpawnFailure> {
    if program.contains('/') {
        return Ok(PathBuf::from(program));
    }
    let mut closed = false;
    // A relative entry would mean a different program for every working directory.
    for folder in std::env::split_paths(path.unwrap_or(OsStr::new(PATH))).filter(|f| f.is_absolute()) {
        let candidate = folder.join(program);
        if program.is_empty() || !candidate.is_file() {
            continue;
        }
        if is_executable(&candidate) {
            return Ok(candidate);
        }
        closed = true;
    }
    let program = program.to_owned();
    Err(if closed { SpawnFailure::NotExecutable { program } } else { SpawnFailure::NotFound { program } })
}

/// Whether mainstay itself may execute it.
pub(super) fn is_executable(path: &Path) -> bool {
    access(path, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder_with(name: &str, mode: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
        folder
    }

    #[test]
    fn the_first_executable_file_of_the_path_is_taken() {
        let (closed, open) = (folder_with("tool", 0o644), folder_with("tool", 0o755));
        let path = std::env::join_paths([Path::new("relative"), closed.path(), open.path()]).unwrap();
        assert_eq!(find("tool", Some(&path)), Ok(open.path().join("tool")));
    }

    #[test]
    fn a_program_that_is_there_but_not_executable_is_told_from_one_that_is_missing() {
        let closed = folder_with("tool", 0o644);
        let path = std::env::join_paths([closed.path()]).unwrap();
        assert_eq!(find("tool", Some(&path)), Err(SpawnFailure::NotExecutable { program: "tool".into() }));
        assert_eq!(find("other", Some(&path)), Err(SpawnFailure::NotFound { program: "other".into() }));
        assert_eq!(find("", Some(&path)), Err(SpawnFailure::NotFound { program: String::new() }));
    }

    #[test]
    fn a_program_with_a_slash_is_left_to_the_kernel() {
        assert_eq!(find("./tool", None), Ok(PathBuf::from("./tool")));
    }
}
