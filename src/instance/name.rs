//! A name that stands for a run directory and cannot be removed: an abstract socket that nobody ever answers at (unix(7)).

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

/// The name is taken for as long as this lives.
#[derive(Debug)]
pub(super) struct Name {
    _socket: OwnedFd,
}

/// Whose the name is.
#[derive(Debug)]
pub(super) enum Taken {
    /// Ours now.
    Ours(Name),
    /// Another mainstay of this user has it: this process, where it can be seen from here.
    ByMainstay(Option<u32>),
    /// Anybody may take any name. Whoever is not of this user is no mainstay of ours, and must not keep it from running; nor must a
    /// child of one that has ended.
    ByOthers,
}

impl Name {
    /// Takes the name of a run directory that is there.
    pub(super) fn take(dir: &Path) -> io::Result<Taken> {
        let address = SocketAddrUnix::new_abstract_name(&of(dir)?)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match bind(&socket, &address) {
            Ok(()) => {
                listen(&socket, ASKED_MOST)?;
                Ok(Taken::Ours(Self { _socket: socket }))
            }
            Err(Errno::ADDRINUSE) => Ok(holder(&address)),
            Err(error) => Err(error.into()),
        }
    }
}

/// The same for every spelling of the path, and another one where the same path is another directory (in a container, say).
fn of(dir: &Path) -> io::Result<Vec<u8>> {
    let path = dir.canonicalize()?;
    let device = path.parent().unwrap_or(&path).metadata()?.dev();
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
        Ok(Listener { life: Life::HasEnded, .. }) => Taken::ByOthers,
        Ok(Listener { uid, pid, .. }) if uid == rustix::process::geteuid().as_raw() => Taken::ByMainstay(pid),
        Ok(Listener { uid, .. }) => {
            tracing::warn!(user = uid, "somebody else has taken the name of the run directory");
            Taken::ByOthers
        }
        Err(error) => {
            tracing::warn!(%error, "the name of the run directory is taken, and nobody knows by whom");
            Taken::ByOthers
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
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path(), &link).unwrap();
        let Taken::Ours(name) = Name::take(dir.path()).unwrap() else { panic!("it is taken") };
        assert!(matches!(Name::take(&link).unwrap(), Taken::ByMainstay(Some(pid)) if pid == std::process::id()));
        drop(name);
        assert!(matches!(Name::take(&link).unwrap(), Taken::Ours(_)));
    }

    #[test]
    fn a_long_path_still_has_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("x".repeat(200));
        std::fs::create_dir(&long).unwrap();
        assert_eq!(of(&long).unwrap().len(), LONGEST);
    }
}
