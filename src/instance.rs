//! One daemon per run directory: makes the directory, locks a file in it, and takes names that nobody can remove, for as long as the
//! daemon lives.
//!
//! The file can be removed with its directory, and another made and locked in its place; a name (an abstract socket, unix(7)) cannot.
//! But a name belongs to a network namespace, and the file is seen from all. So both are taken.

mod error;
mod name;

use std::fs::{DirBuilder, DirEntry, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mainstay_config::model::Runtime;
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::places::{Access, NOTIFY, RunDir, SOCKET_NAME};
use crate::trust::{Distrust, Trust};
pub(crate) use error::InstanceError;
use name::{Names, Taken};

/// Whoever can read a file can lock it, and keep everybody else from doing so (fcntl_locking(2)).
const LOCK_MODE: u32 = 0o600;
/// The file that is locked. It stays when the daemon ends: removing it would let two daemons lock two files of one
/// name.
pub(crate) const LOCK_NAME: &str = "mainstay.lock";
/// Digits of the largest process number, and a line end.
const LONGEST_PID: u64 = 11;

/// The right to the run directory. It ends with this value, or with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Instance {
    run_dir: RunDir,
    /// Where that led when it was taken.
    real: PathBuf,
    /// `None`: it is not there, or just being made anew.
    lock: Option<File>,
    names: Names,
}

impl Instance {
    /// Makes the run directory and takes it.
    ///
    /// # Errors
    /// When another daemon has it, or it cannot be made, written or trusted.
    pub(crate) fn claim(run_dir: &RunDir) -> Result<Self, InstanceError> {
        let dir = &run_dir.path;
        if dir.as_os_str().len() > Runtime::LONGEST_RUN_DIR {
            return Err(InstanceError::TooLong { dir: dir.clone() });
        }
        let mut claimed = Self { run_dir: run_dir.clone(), real: PathBuf::new(), lock: None, names: Names::default() };
        claimed.renew()?;
        Ok(claimed)
    }

    /// Makes the directory and the file in it anew, wherever its path leads by now.
    ///
    /// # Errors
    /// As for [`Instance::claim`].
    pub(crate) fn renew(&mut self) -> Result<(), InstanceError> {
        make(&self.run_dir)?;
        let dir = self.run_dir.path.clone();
        let unusable = |source| InstanceError::Unusable { dir: dir.clone(), source };
        let real = dir.canonicalize().map_err(unusable)?;
        if let Taken::ByMainstay(pid) = self.names.take(&dir, &real).map_err(unusable)? {
            return Err(InstanceError::Taken { pid, dir });
        }
        // Before another is locked: letting go of a file lets go of all locks that this process has on it (fcntl_locking(2)).
        self.let_go();
        self.lock = Some(lock(&dir)?);
        self.real = real;
        Ok(())
    }

    /// Nobody has the file any more; the lock itself goes with the descriptor.
    fn let_go(&mut self) {
        if let Some(Err(error)) = self.lock.take().map(|lock| lock.set_len(0)) {
            tracing::debug!(%error, "the lock file could not be emptied");
        }
    }

    /// Whether its path leads to another directory than the one that was taken.
    pub(crate) fn leads_elsewhere(&self) -> bool {
        self.dir().canonicalize().is_ok_and(|real| real != self.real)
    }

    /// Whether the locked file is still where another daemon would look for it.
    pub(crate) fn is_there(&self) -> bool {
        let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
        let locked = self.lock.as_ref().and_then(|lock| lock.metadata().ok()).map(identity);
        let found = std::fs::symlink_metadata(self.dir().join(LOCK_NAME)).ok().map(identity);
        locked.is_some() && locked == found
    }

    /// The run directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.run_dir.path
    }

    /// Where the socket belongs.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir().join(SOCKET_NAME)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Makes the directory, unless it is there and can be trusted.
fn make(run_dir: &RunDir) -> Result<(), InstanceError> {
    match run_dir.access {
        Access::Everybody => make_shared(&run_dir.path, Trust::of(rustix::process::geteuid().as_raw())),
        Access::Owner => make_private(&run_dir.path),
    }
}

/// Locks the file. The lock is this process's own: a child that hangs before it executes its program does not have it, as it would have
/// one of flock(2).
fn lock(dir: &Path) -> Result<File, InstanceError> {
    let unusable = |source| InstanceError::Unusable { dir: dir.to_owned(), source };
    // A link in its place is not followed: it could point at any file that root can write.
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(LOCK_MODE)
        .custom_flags(flags)
        .open(dir.join(LOCK_NAME))
        .map_err(unusable)?;
    // Of an earlier version, or made with another mode.
    lock.set_permissions(Permissions::from_mode(LOCK_MODE)).map_err(unusable)?;
    match fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        // Either may be said (fcntl_locking(2)).
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => {
            return Err(InstanceError::Taken { pid: written_pid(&mut lock), dir: dir.to_owned() });
        }
        Err(error) => return Err(unusable(error.into())),
    }
    let written = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
    written.map_err(unusable)?;
    Ok(lock)
}

/// Makes it unless it is there. It must be ours; where root's lies, nobody else may have a say.
fn make_shared(dir: &Path, trust: Trust) -> Result<(), InstanceError> {
    let unusable = |source| InstanceError::Unusable { dir: dir.to_owned(), source };
    let not_trusted = |why| InstanceError::NotTrusted { dir: dir.to_owned(), why };
    if rustix::process::geteuid().is_root() {
        // What else is wrong, making it says better.
        if let Err(why @ (Distrust::BelongsTo { .. } | Distrust::Writable { .. } | Distrust::TooManyLinks { .. })) =
            trust.check_folder(dir)
        {
            return Err(not_trusted(why));
        }
    }
    check_is_no_other(dir)?;
    if !dir.is_dir() {
        DirBuilder::new().recursive(true).mode(0o755).create(dir).map_err(unusable)?;
        // Whatever the umask: others must be able to reach the socket.
        std::fs::set_permissions(dir, Permissions::from_mode(0o755)).map_err(unusable)?;
    }
    trust.check_own(dir).map_err(not_trusted)
}

/// What a link leads to need not have been meant for mainstay: where there is something else, and nothing of ours, we put nothing.
fn check_is_no_other(dir: &Path) -> Result<(), InstanceError> {
    // What is not there is made.
    let Some(real) = dir.canonicalize().ok().filter(|real| real != dir && real.is_dir()) else { return Ok(()) };
    let unusable = |source| InstanceError::Unusable { dir: dir.to_owned(), source };
    let entries =
        std::fs::read_dir(&real).and_then(|entries| entries.collect::<Result<Vec<_>, _>>()).map_err(unusable)?;
    let is_ours = |entry: &DirEntry| [LOCK_NAME, SOCKET_NAME, NOTIFY].iter().any(|name| entry.file_name() == *name);
    if entries.is_empty() || entries.iter().any(is_ours) {
        return Ok(());
    }
    Err(InstanceError::Foreign { dir: dir.to_owned(), real })
}

fn make_private(dir: &Path) -> Result<(), InstanceError> {
    let not_private = |why| InstanceError::NotPrivate { dir: dir.to_owned(), why };
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(InstanceError::Unusable { dir: dir.to_owned(), source: error });
        }
        _ => {}
    }
    Trust::of(rustix::process::geteuid().as_raw()).check_private(dir).map_err(not_private)?;
    std::fs::set_permissions(dir, Permissions::from_mode(0o700))
        .map_err(|source| InstanceError::Unusable { dir: dir.to_owned(), source })
}

fn written_pid(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(LONGEST_PID).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Told;
    use crate::exit::ExitStatus;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_second_instance_is_told_the_pid_of_the_first_until_that_ends() {
        let temp = tempfile::tempdir().unwrap();
        let run_dir = RunDir::configured(temp.path().join("a/b"));
        let first = Instance::claim(&run_dir).unwrap();
        assert_eq!(mode(first.dir()), 0o755);
        assert_eq!(first.socket(), temp.path().join("a/b/mainstay.sock"));
        let refused = Instance::claim(&run_dir).unwrap_err();
        assert!(matches!(refused, InstanceError::Taken { pid: Some(pid), .. } if pid == std::process::id()));
        assert_eq!(Told::from(refused).status, ExitStatus::Refused);
        drop(first);
        Instance::claim(&run_dir).unwrap();
    }

    #[test]
    fn a_private_directory_is_closed_to_others_and_a_link_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("mine");
        std::fs::create_dir(&path).unwrap();
        let run_dir = RunDir { path: path.clone(), access: Access::Owner };
        drop(Instance::claim(&run_dir).unwrap());
        assert_eq!(mode(&path), 0o700);
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let trap = RunDir { path: link, access: Access::Owner };
        assert!(matches!(Instance::claim(&trap), Err(InstanceError::NotPrivate { .. })));
    }

    #[test]
    fn a_run_directory_that_cannot_be_made_says_what_to_do() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        std::fs::write(&file, "").unwrap();
        let told = Told::from(Instance::claim(&RunDir::configured(file.join("run"))).unwrap_err());
        assert!(told.message.contains("cannot be used"), "{}", told.message);
        assert!(
            told.help.unwrap().contains("is a file or a link to nothing: name another directory as [runtime] run_dir")
        );
    }

    #[test]
    fn no_second_instance_begins_beside_one_whose_directory_was_removed() {
        let temp = tempfile::tempdir().unwrap();
        let run_dir = RunDir::configured(temp.path().join("run"));
        let mut first = Instance::claim(&run_dir).unwrap();
        assert!(first.is_there());
        std::fs::remove_dir_all(first.dir()).unwrap();
        assert!(!first.is_there());
        assert!(matches!(Instance::claim(&run_dir), Err(InstanceError::Taken { .. })));
        first.renew().unwrap();
        assert!(first.is_there());
        std::fs::rename(first.dir(), temp.path().join("elsewhere")).unwrap();
        assert!(matches!(Instance::claim(&run_dir), Err(InstanceError::Taken { .. })));
        drop(first);
        Instance::claim(&run_dir).unwrap();
    }

    #[test]
    fn a_directory_that_a_link_leads_to_is_taken_only_where_there_is_nothing_or_something_of_ours() {
        let temp = tempfile::tempdir().unwrap();
        let (theirs, link) = (temp.path().join("theirs"), RunDir::configured(temp.path().join("link/run")));
        std::fs::create_dir_all(theirs.join("run")).unwrap();
        std::os::unix::fs::symlink(&theirs, temp.path().join("link")).unwrap();
        std::fs::write(theirs.join("run/precious"), "").unwrap();
        let refused = Instance::claim(&link).unwrap_err();
        assert!(matches!(refused, InstanceError::Foreign { .. }), "{refused}");
        assert_eq!(Told::from(refused).status, ExitStatus::Refused);
        assert_eq!(std::fs::read_dir(theirs.join("run")).unwrap().count(), 1);
        std::fs::remove_file(theirs.join("run/precious")).unwrap();
        drop(Instance::claim(&link).unwrap());
        std::fs::write(theirs.join("run/precious"), "").unwrap();
        Instance::claim(&link).unwrap();
    }

    #[test]
    fn a_run_directory_that_others_may_write_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temp.path(), Permissions::from_mode(0o777)).unwrap();
        let refused = Instance::claim(&RunDir::configured(temp.path().to_owned())).unwrap_err();
        assert!(matches!(refused, InstanceError::NotTrusted { .. }), "{refused}");
        let told = Told::from(refused);
        assert_eq!(told.status, ExitStatus::Refused);
        assert!(told.help.unwrap().contains("chmod go-w"));
        std::fs::set_permissions(temp.path(), Permissions::from_mode(0o755)).unwrap();
        Instance::claim(&RunDir::configured(temp.path().to_owned())).unwrap();
    }

    #[test]
    fn a_run_directory_of_somebody_else_is_refused_and_so_is_one_in_his_folder() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        let (theirs, inside) = (temp.path().join("theirs"), temp.path().join("theirs/run"));
        std::fs::create_dir(&theirs).unwrap();
        std::os::unix::fs::chown(&theirs, Some(4711), None).unwrap();
        for run_dir in [theirs, inside] {
            let refused = Instance::claim(&RunDir::configured(run_dir)).unwrap_err();
            assert!(refused.to_string().contains("belongs to user 4711"), "{refused}");
        }
    }

    #[test]
    fn a_lock_file_that_is_a_link_is_not_followed() {
        let temp = tempfile::tempdir().unwrap();
        let victim = temp.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, temp.path().join(LOCK_NAME)).unwrap();
        assert!(Instance::claim(&RunDir::configured(temp.path().to_owned())).is_err());
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn nobody_else_can_lock_the_lock_file_not_even_one_of_an_earlier_version() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join(LOCK_NAME);
        for earlier in [false, true] {
            if earlier {
                std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            }
            let _instance = Instance::claim(&RunDir::configured(temp.path().to_owned())).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, LOCK_MODE);
        }
    }
}
