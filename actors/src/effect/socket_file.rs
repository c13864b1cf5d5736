//! The file of a bound socket: opened to others by its descriptor, so that what stands at its path meanwhile does not matter.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, chmod, chownat, fchmod, fstat, open};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with};

/// What only the owner may do with a socket, and root: connect.
const OWNER_ONLY: Mode = Mode::RUSR.union(Mode::WUSR);

/// The file that a socket was bound to.
#[derive(Debug)]
pub struct SocketFile {
    file: OwnedFd,
    device: u64,
    inode: u64,
}

/// Makes a socket and binds it to a new file, to which nobody but its owner can connect yet: the kernel takes the permissions of the
/// socket itself for those of the file, less the umask.
///
/// # Errors
/// When something stands there already, or the kernel refuses.
pub fn bind_closed(path: &Path, kind: SocketType, flags: SocketFlags) -> io::Result<(OwnedFd, SocketFile)> {
    let address = SocketAddrUnix::new(path)?;
    let socket = socket_with(AddressFamily::UNIX, kind, flags | SocketFlags::CLOEXEC, None)?;
    fchmod(&socket, OWNER_ONLY)?;
    bind(&socket, &address)?;
    let file = open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let found = fstat(&file)?;
    let is_ours = FileType::from_raw_mode(found.st_mode) == FileType::Socket
        && found.st_uid == rustix::process::geteuid().as_raw();
    if !is_ours {
        return Err(io::Error::other("somebody put something else in the place of the socket"));
    }
    Ok((socket, SocketFile { file, device: found.st_dev, inode: found.st_ino }))
}

impl SocketFile {
    /// Its name, when it stands at this path by now.
    #[must_use]
    pub fn named(&self, path: PathBuf) -> SocketName {
        let real = std::fs::read_link(self.itself()).ok().filter(|real| *real != path);
        SocketName { path, real, device: self.device, inode: self.inode }
    }

    /// Gives it to a group.
    ///
    /// # Errors
    /// When this user is neither root nor a member.
    pub fn give_to(&self, group: u32) -> io::Result<()> {
        Ok(chownat(&self.file, "", None, Some(Gid::from_raw(group)), AtFlags::EMPTY_PATH)?)
    }

    /// Sets who may connect, whatever the umask.
    ///
    /// # Errors
    /// When the kernel refuses: without `/proc`, say.
    pub fn permit(&self, mode: u32) -> io::Result<()> {
        // Of a descriptor like this one fchmod(2) wants to know nothing (open(2), `O_PATH`); this leads to the same file, not to its name.
        Ok(chmod(self.itself(), Mode::from_raw_mode(mode))?)
    }

    fn itself(&self) -> String {
        format!("/proc/self/fd/{}", self.file.as_fd().as_raw_fd())
    }
}

/// A socket's name in the file system. Dropping it removes it, if it is still that of this socket.
#[derive(Debug)]
pub struct SocketName {
    path: PathBuf,
    /// Where the path led, where that is another one: it may lead elsewhere by now.
    real: Option<PathBuf>,
    device: u64,
    inode: u64,
}

impl SocketName {
    /// Where.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is still there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.is_at(&self.path)
    }

    fn is_at(&self, path: &Path) -> bool {
        std::fs::symlink_metadata(path).is_ok_and(|found| found.dev() == self.device && found.ino() == self.inode)
    }
}

impl Drop for SocketName {
    fn drop(&mut self) {
        let is_there = [Some(&self.path), self.real.as_ref()].into_iter().flatten().find(|path| self.is_at(path));
        if let Some(path) = is_there
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(%error, path = %path.display(), "the socket could not be removed");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nobody_else_can_connect_before_it_is_permitted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let (_socket, file) = bind_closed(&path, SocketType::STREAM, SocketFlags::empty()).unwrap();
        let mode = || std::fs::symlink_metadata(&path).unwrap().mode() & 0o777;
        assert_eq!(mode() & 0o177, 0, "{:o}", mode());
        file.permit(0o666).unwrap();
        assert_eq!(mode(), 0o666);
    }

    #[test]
    fn a_socket_is_removed_also_when_the_link_that_led_to_it_is_gone_or_it_was_moved_and_the_link_too() {
        let dir = tempfile::tempdir().unwrap();
        let (before, after, link) = (dir.path().join("before"), dir.path().join("after"), dir.path().join("link"));
        std::fs::create_dir(&before).unwrap();
        for is_moved in [false, true] {
            symlink(&before, &link).unwrap();
            let (_socket, file) = bind_closed(&link.join("s"), SocketType::DGRAM, SocketFlags::empty()).unwrap();
            let name = file.named(link.join("s"));
            std::fs::remove_file(&link).unwrap();
            if is_moved {
                std::fs::rename(&before, &after).unwrap();
                symlink(&after, &link).unwrap();
            }
            drop(name);
            assert_eq!(std::fs::read_dir(if is_moved { &after } else { &before }).unwrap().count(), 0);
        }
    }

    #[test]
    fn what_stands_at_its_path_meanwhile_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (path, victim) = (dir.path().join("s"), dir.path().join("victim"));
        let (_socket, file) = bind_closed(&path, SocketType::DGRAM, SocketFlags::empty()).unwrap();
        std::fs::write(&victim, "").unwrap();
        let before = std::fs::metadata(&victim).unwrap();
        std::fs::rename(&path, dir.path().join("moved")).unwrap();
        symlink(&victim, &path).unwrap();
        file.permit(0o666).unwrap();
        file.give_to(rustix::process::getegid().as_raw()).unwrap();
        let after = std::fs::metadata(&victim).unwrap();
        assert_eq!((before.mode(), before.gid()), (after.mode(), after.gid()));
        assert_eq!(std::fs::metadata(dir.path().join("moved")).unwrap().mode() & 0o777, 0o666);
    }
}
