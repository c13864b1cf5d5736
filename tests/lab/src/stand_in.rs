//! Small programs that stand in for services which Debian has no package of. They are shell scripts in the scenario's
//! folder: a script has no braces to hide from mainstay's templates.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Writes a program and makes it executable.
pub(crate) fn write(folder: &Path, name: &str, script: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/bash\n{script}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}
