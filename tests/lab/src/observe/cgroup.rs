//! Control groups (cgroup v2), which the machine has only where a scenario asks for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::mount::{MountFlags, UnmountFlags};

use crate::wait;

const MOUNT: &str = "/sys/fs/cgroup";

/// The hierarchy while it is mounted; dropping it takes it away.
#[derive(Debug)]
pub(crate) struct Mounted(());

/// Mounts the hierarchy.
pub(crate) fn mount() -> Result<Mounted> {
    rustix::mount::mount("cgroup2", MOUNT, "cgroup2", MountFlags::empty(), None)
        .context("cgroup2 cannot be mounted")?;
    Ok(Mounted(()))
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(error) = rustix::mount::unmount(MOUNT, UnmountFlags::DETACH) {
            eprintln!("lab: {MOUNT} stays mounted: {error}");
        }
    }
}

/// All groups below the root, deepest first; none where the hierarchy is not mounted.
pub(crate) fn groups() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if Path::new(MOUNT).join("cgroup.procs").exists() {
        collect(Path::new(MOUNT), &mut found)?;
    }
    Ok(found)
}

/// Takes away all groups below the root, as soon as nobody is in them any more.
pub(crate) fn remove_all() -> Result<()> {
    wait::until("the control groups to be empty", wait::STEP, || {
        // One in which a process is still ending cannot be removed yet.
        groups()?.iter().for_each(|group| drop(fs::remove_dir(group)));
        Ok(groups()?.is_empty())
    })
}

/// The group a process is in, relative to the root, such as `/mainstay/gpsd`.
pub(crate) fn of_process(pid: u32) -> Result<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    Ok(text.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default().to_owned())
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), found)?;
            found.push(entry.path());
        }
    }
    Ok(())
}
