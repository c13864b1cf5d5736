//! Control groups, version 2, by plain files (the kernel's Documentation/admin-guide/cgroup-v2.rst).
//!
//! A run in a cgroup of its own loses no process but one that is moved by somebody who may, and one write kills all of them at once.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use mainstay_config::model::StopSignal;
use rustix::fs::{Access, FlockOperation, access, flock, statfs};
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};

use super::{ProcessId, Whom, mounted, with_continue};
use crate::effect::proc::here;

/// `CGROUP2_SUPER_MAGIC` of the kernel's include/uapi/linux/magic.h.
const CGROUP2_MAGIC: u64 = 0x6367_7270;
/// A service may make cgroups inside its own; deeper than this is not looked at (the kernel kills deeper ones too).
const MAX_DEPTH: usize = 16;
/// Our folder is called this and our process id.
const FOLDER: &str = "mainstay.";

/// The folder that holds one cgroup per run.
#[derive(Debug, Clone)]
pub(crate) struct Cgroups {
    folder: PathBuf,
    /// Says that the folder belongs to somebody who lives.
    _in_use: Option<Arc<Flock>>,
}

/// A folder that is locked as long as this is there.
type Flock = OwnedFd;

/// A new cgroup for a child to be born in.
#[derive(Debug)]
pub(crate) struct Cradle {
    /// The cgroup.
    pub path: PathBuf,
    /// The same, open.
    pub folder: OwnedFd,
}

impl Cgroups {
    /// Makes the folder below the cgroup this process is in. `None`: there is no version 2 here, the kernel is older than 5.14
    /// (no `cgroup.kill`), or this cgroup was not delegated to our user.
    pub(crate) fn detect() -> Option<Self> {
        let [mounts, own] = ["/proc/self/mountinfo", "/proc/self/cgroup"].map(fs::read_to_string);
        // What is mounted over another thing hides it: the table of mounts alone does not tell.
        let own = mounted::own_cgroup(&mounts.ok()?, &own.ok()?).into_iter().find(|folder| is_version_2(folder))?;
        Self::below(&own)
    }

    fn below(own: &Path) -> Option<Self> {
        // Moving a process needs this right at the common ancestor.
        access(own.join("cgroup.procs"), Access::WRITE_OK).ok()?;
        clear_after_others(own);
        let folder = own.join(folder_name(std::process::id()));
        let lock = make_and_lock(&folder)?;
        let cgroups = Self { folder, _in_use: lock.map(Arc::new) };
        if access(cgroups.folder.join("cgroup.kill"), Access::WRITE_OK).is_err() {
            cgroups.remove();
            return None;
        }
        Some(cgroups)
    }

    /// Makes the cgroup of one run.
    pub(crate) fn create(&self, name: &str) -> io::Result<Cradle> {
        let path = self.folder.join(name);
        fs::create_dir(&path).or_else(|error| match error.kind() {
            // Somebody has removed the folder, which an empty one allows.
            io::ErrorKind::NotFound => fs::create_dir(&self.folder).and_then(|()| fs::create_dir(&path)),
            _ => Err(error),
        })?;
        match fs::File::open(&path) {
            Ok(folder) => Ok(Cradle { path, folder: folder.into() }),
            Err(error) => {
                let _ = fs::remove_dir(&path);
                Err(error)
            }
        }
    }

    /// Removes the folder if no run is left in it.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The name of our folder, when this is our number.
pub(super) fn folder_name(us: u32) -> String {
    format!("{FOLDER}{us}")
}

fn is_version_2(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| kind == CGROUP2_MAGIC))
}

/// How often a folder is made that another mainstay, which has just begun as well, takes for one that was left.
const ATTEMPTS: usize = 3;

/// Makes our folder, and says that it is in use. One that has our name already was left by one with our number, or is that of another in a
/// pid namespace of its own; then the lock is his.
fn make_and_lock(folder: &Path) -> Option<Option<Flock>> {
    for _ in 0..ATTEMPTS {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return None,
            _ => {}
        }
        let lock = lock(folder);
        if folder.exists() {
            return Some(lock);
        }
    }
    None
}

/// Locks a folder. `None`: whoever has it lives.
fn lock(folder: &Path) -> Option<Flock> {
    let opened = OwnedFd::from(fs::File::open(folder).ok()?);
    flock(&opened, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(opened)
}

/// A mainstay that was killed could not clean up. Its number tells nothing: in a pid namespace of its own it was 1. Only empty cgroups can be
/// removed, so this harms nobody.
fn clear_after_others(own: &Path) {
    for entry in fs::read_dir(own).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(FOLDER)) else { continue };
        if pid.parse::<u32>().is_ok() && lock(&entry.path()).is_some() {
            remove(&entry.path());
        }
    }
}

/// The cgroups in a cgroup. Most have none, which the number of links tells (`kernfs_refresh_inode` of the kernel's fs/kernfs/inode.c);
/// its two dozen files need not be listed then.
fn below(path: &Path) -> impl Iterator<Item = PathBuf> {
    let has_some = fs::metadata(path).is_ok_and(|folder| folder.nlink() > 2);
    let entries = has_some.then(|| fs::read_dir(path)).into_iter().flatten().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

/// The processes in a cgroup and in those below it, in no order. Processes that have ended are not among them.
pub(super) fn members(path: &Path) -> Vec<u32> {
    let mut all = Vec::new();
    collect(path, MAX_DEPTH, &mut all);
    all
}

fn collect(path: &Path, depth: usize, all: &mut Vec<u32>) {
    let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    // A process outside of our pid namespace is shown as 0.
    all.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()).filter(|pid| *pid != 0));
    if let Some(depth) = depth.checked_sub(1) {
        below(path).for_each(|child| collect(&child, depth, all));
    }
}

/// Whether any process is left in a cgroup or below it. One that cannot be read is gone.
pub(super) fn is_populated(path: &Path) -> bool {
    let text = fs::read_to_string(path.join("cgroup.events")).unwrap_or_default();
    text.lines().any(|line| line == "populated 1")
}

/// Whether a `cgroup.events` says that no process is in the cgroup or below it.
pub(crate) fn says_empty(events: &str) -> bool {
    events.lines().any(|line| line == "populated 0")
}

/// Kills every process in a cgroup and below it.
pub(super) fn kill(path: &Path) {
    if let Err(error) = fs::write(path.join("cgroup.kill"), "1") {
        tracing::warn!(cgroup = %path.display(), %error, "the cgroup could not be killed");
    }
}

/// Sends a signal to these processes, as far as they are in the cgroup, or below it, still. Those who are, and are not meant.
pub(super) fn signal(path: &Path, pids: impl Iterator<Item = u32>, signal: StopSignal, whom: Whom) -> Vec<ProcessId> {
    let open = |pid: u32| {
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        Some((pid, pidfd_open(raw, PidfdFlags::empty()).ok()?))
    };
    let held: Vec<_> = pids.filter_map(open).collect();
    let mut not_meant = Vec::new();
    if held.is_empty() {
        return not_meant;
    }
    // A descriptor holds on to the process; whose number is still listed now, that process is a member.
    let still: std::collections::HashSet<u32> = members(path).into_iter().collect();
    for (pid, process) in held.into_iter().filter(|(pid, _)| still.contains(pid)) {
        if whom != Whom::All {
            let Some(now) = here().process(pid) else { continue };
            if !whom.includes(now.group) {
                not_meant.push(now.id);
                continue;
            }
        }
        for signal in with_continue(signal) {
            let _ = pidfd_send_signal(&process, signal);
        }
    }
    not_meant
}

/// Whether a cgroup is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removed {
    /// It is: nobody was in it.
    Yes,
    /// Somebody is in it.
    No,
}

/// Removes a cgroup and those below it, if nobody is in them.
pub(crate) fn remove(path: &Path) -> Removed {
    remove_below(path, MAX_DEPTH)
}

fn remove_below(path: &Path, depth: usize) -> Removed {
    match fs::remove_dir(path) {
        Ok(()) => return Removed::Yes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Removed::Yes,
        Err(_) => {}
    }
    if let Some(depth) = depth.checked_sub(1) {
        for child in below(path) {
            let _ = remove_below(&child, depth);
        }
    }
    if fs::remove_dir(path).is_ok() { Removed::Yes } else { Removed::No }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_one_who_was_killed_has_left_is_removed_whatever_his_number_was_and_nothing_of_one_who_lives() {
        let own = tempfile::tempdir().unwrap();
        let folder = |name: &str| own.path().join(name);
        fs::create_dir_all(folder("mainstay.1/a.7")).unwrap();
        fs::create_dir(folder("mainstay.other")).unwrap();
        let living = make_and_lock(&folder("mainstay.2")).unwrap();
        clear_after_others(own.path());
        assert_eq!(
            ["mainstay.1", "mainstay.2", "mainstay.other"].map(|name| folder(name).exists()),
            [false, true, true]
        );
        drop(living);
        clear_after_others(own.path());
        assert!(!folder("mainstay.2").exists());
    }

    #[test]
    fn a_folder_that_is_not_on_a_cgroup_file_system_is_refused() {
        assert!(!is_version_2(Path::new("/proc")));
        assert!(Cgroups::below(Path::new("/proc")).is_none());
    }
}
