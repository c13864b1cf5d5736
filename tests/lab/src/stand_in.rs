//! Small programs that stand in for services which Debian has no package of. They are scripts in the scenario's
//! folder, so that nothing in them has to be hidden from mainstay's templates.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Runs until it is told to end, as Kismet does.
pub(crate) const UNTIL_TERMINATED: &str = "trap 'exit 0' TERM\nwhile :; do sleep 3600 & wait $!; done";

/// Writes a program and makes it executable.
pub(crate) fn write(folder: &Path, name: &str, script: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/bash\n{script}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}
