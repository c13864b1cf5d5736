//! Names that stand for a run directory and cannot be removed: abstract sockets that nobody ever answers at (unix(7)). Its path has one,
//! and where that leads another: a link can be made to lead elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with};

use crate::listener::{Life, Listener};

/// Bytes of an abstract name at most.
const LONGEST: usize = 107;
/// Daemons that found the name taken and asked by whom. Nobody accepts them; more are not told.
const ASKED_MOST: i32 = 64;

/// Names that are taken for as long as this lives.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<Vec<u8>, OwnedFd>);

/// Whose the names are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nobody's who counts: ours now, where they could be had. Anybody may take any name. Whoever is not of this user is no mainstay of
    /// ours, and must not keep it from running; nor must a child of one that has ended.
    Ours,
    /// Another mainstay of this user has one: this process, where it can be seen from here.
    ByMainstay(Option<u32>),
}

impl Names {
    /// Takes those of a run directory that is there, and of where its path leads, and lets go of all others.
    pub(super) fn take(&mut self, dir: &Path, real: &Path) -> io::Result<Taken> {
        let wanted = BTreeSet::from([of(&std::path::absolute(dir)?)?, of(real)?]);
        let mut new = BTreeMap::new();
        for name in wanted.iter().filter(|name| !self.0.contains_key(*name)) {
            let address = SocketAddrUnix::new_abstract_name(name)?;
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
            match bind(&socket, &address) {
                Ok(()) => {
                    listen(&socket, ASKED_MOST)?;
                    new.insert(name.clone(), socket);
                }
                Err(Errno::ADDRINUSE) => match holder(&address) {
                    Taken::Ours => {}
                    taken @ Taken::ByMainstay(_) => return Ok(taken),
                },
                Err(error) => return Err(error.into()),
            }
        }
        self.0.retain(|name, _| wanted.contains(name));
        self.0.append(&mut new);
        Ok(Taken::Ours)
    }
}

/// Another one where the same path is another directory (in a container, say), and the same when a link in it has become a folder: by the
/// device above the first link.
fn of(path: &Path) -> io::Result<Vec<u8>> {
    let first_link = path.ancestors().filter(|above| above.is_symlink()).last();
    let device = first_link.unwrap_or(path).parent().unwrap_or(path).metadata()?.dev();
    let mut name = format!("mainstay {device:x} ").into_bytes();
    let path = path.as_os_str().as_bytes();
    let room = LONGEST.saturating_sub(name.len());
    name.extend_from_slice(path.get(path.len().saturating_sub(room)..).unwrap_or(path));
    Ok(name)
}

/// Who has taken the name: the kernel tells who began to listen.
fn holder(address: &SocketAddrUnix) -> Taken {
    let asked = || -> io::Result<Listener> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&socket, address)?;
        Listener::of(UnixStream::from(socket))
    };
    match asked() {
        Ok(Listener { life: Life::HasEnded, .. }) => Taken::Ours,
        Ok(Listener { uid, pid, .. }) if uid == rustix::process::geteuid().as_raw() => Taken::ByMainstay(pid),
        Ok(Listener { uid, .. }) => {
            tracing::warn!(user = uid, "somebody else has taken the name of the run directory");
            Taken::Ours
        }
        Err(error) => {
            tracing::warn!(%error, "the name of the run directory is taken, and nobody knows by whom");
            Taken::Ours
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_is_taken_once_however_the_path_is_spelled_and_free_again_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        let link = real.join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let (mut ours, mut theirs) = (Names::default(), Names::default());
        let is_taken = Taken::ByMainstay(Some(std::process::id()));
        assert_eq!(ours.take(&real, &real).unwrap(), Taken::Ours);
        assert_eq!(theirs.take(&link, &real).unwrap(), is_taken);
        drop(ours);
        assert_eq!(theirs.take(&link, &real).unwrap(), Taken::Ours);
    }

    #[test]
    fn the_name_of_a_link_stays_taken_when_that_is_gone_and_that_of_where_it_led_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let above = dir.path().canonicalize().unwrap();
        let (link, before) = (above.join("link"), above.join("before"));
        std::fs::create_dir(&before).unwrap();
        std::os::unix::fs::symlink(&before, &link).unwrap();
        let (mut ours, mut theirs) = (Names::default(), Names::default());
        assert_eq!(ours.take(&link, &before).unwrap(), Taken::Ours);
        std::fs::remove_file(&link).unwrap();
        std::fs::create_dir(&link).unwrap();
        assert!(matches!(theirs.take(&link, &link).unwrap(), Taken::ByMainstay(_)));
        assert_eq!(ours.take(&link, &link).unwrap(), Taken::Ours);
        assert_eq!(theirs.take(&before, &before).unwrap(), Taken::Ours);
    }

    #[test]
    fn a_long_path_still_has_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("x".repeat(200));
        std::fs::create_dir(&long).unwrap();
        assert_eq!(of(&long).unwrap().len(), LONGEST);
    }
}
