//! The socket file: made with its final permissions, replacing a dead one, removed at the end.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use mainstay_actors::effect::socket_file::{SocketFile, SocketName, bind_closed};
use rustix::net::{SocketFlags, SocketType};

use crate::listener::{Life, Listener};

/// For root, the owner and the group `mainstay`.
const MODE_WITH_GROUP: u32 = 0o660;
/// Callers who wait to be accepted; the kernel takes `net.core.somaxconn` when that is less.
const BACKLOG: i32 = 4096;
/// Without such a group, for root and the owner: the owner's own group is not asked for.
const MODE_ALONE: u32 = 0o600;

/// Why the server could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// Somebody answers there.
    #[error("another daemon already listens on {}", .0.display())]
    InUse(PathBuf),
    /// Something that is no socket has its name.
    #[error("{} is in the way: it is not a socket", .0.display())]
    InTheWay(PathBuf),
    /// The kernel allows 107 bytes (unix(7)).
    #[error("the path of the socket is longer than the kernel allows (107 bytes): {}", .0.display())]
    TooLong(PathBuf),
    /// Anything else with the file.
    #[error("the socket {} cannot be made: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The thread or its runtime.
    #[error("the thread that answers the command line cannot be started: {0}")]
    Thread(io::Error),
}

impl From<ServerError> for crate::error::Told {
    fn from(error: ServerError) -> Self {
        let help = match &error {
            ServerError::InUse(_) => "use `mainstay status` to see it, or choose another [runtime] run_dir",
            ServerError::InTheWay(_) => "remove it, or choose another [runtime] run_dir",
            ServerError::TooLong(_) => "choose a shorter [runtime] run_dir",
            ServerError::Io { source, .. } => crate::error::cure_of(source)
                .unwrap_or("make the directory writable for this user, or choose another [runtime] run_dir"),
            ServerError::Thread(_) => "see the limits on threads and open files of this user (`ulimit -a`)",
        };
        Self::new(crate::exit::ExitStatus::Failed, error.to_string()).help(help)
    }
}

/// Binds under another name, sets owner and permissions, then renames: nobody can connect before they are right, and a
/// dead socket is replaced in one step.
pub(super) fn bind(path: &Path, group: Option<u32>) -> Result<(UnixListener, SocketName), ServerError> {
    let io = |source| ServerError::Io { path: path.to_owned(), source };
    refuse_a_live_one(path)?;
    let mut name = OsString::from(path);
    name.push(".new");
    let new = PathBuf::from(name);
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let (socket, file) =
        bind_closed(&new, SocketType::STREAM, SocketFlags::NONBLOCK).map_err(|error| match error.raw_os_error() {
            Some(libc::ENAMETOOLONG) => ServerError::TooLong(path.to_owned()),
            _ => io(error),
        })?;
    let finish = || {
        set_permissions(&file, group)?;
        rustix::net::listen(&socket, BACKLOG)?;
        std::fs::rename(&new, path)
    };
    match finish() {
        Ok(()) => Ok((socket.into(), file.named(path.to_owned()))),
        Err(error) => {
            // The error that matters is the first.
            let _ = std::fs::remove_file(&new);
            Err(io(error))
        }
    }
}

fn refuse_a_live_one(path: &Path) -> Result<(), ServerError> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if !meta.file_type().is_socket() => Err(ServerError::InTheWay(path.to_owned())),
        Ok(_) if UnixStream::connect(path).is_ok_and(is_alive) => Err(ServerError::InUse(path.to_owned())),
        _ => Ok(()),
    }
}

/// Whether somebody may yet answer.
fn is_alive(stream: UnixStream) -> bool {
    !Listener::of(stream).is_ok_and(|listener| listener.life == Life::HasEnded)
}

/// The group may connect only if the file really belongs to it: a daemon that is neither root nor a member cannot give
/// it.
fn set_permissions(file: &SocketFile, group: Option<u32>) -> io::Result<()> {
    let given = group.is_some_and(|gid| file.give_to(gid).is_ok());
    file.permit(if given { MODE_WITH_GROUP } else { MODE_ALONE })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(UnixListener::bind(&path).unwrap());
        let (_listener, _file) = bind(&path, None).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, MODE_ALONE);
        assert!(matches!(bind(&path, None), Err(ServerError::InUse(_))));
    }

    #[test]
    fn the_group_may_connect_when_the_socket_belongs_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let group = rustix::process::getegid().as_raw();
        let (_listener, _file) = bind(&path, Some(group)).unwrap();
        let meta = std::fs::metadata(&path).unwrap();
        assert_eq!((meta.mode() & 0o777, meta.gid()), (MODE_WITH_GROUP, group));
    }

    #[test]
    fn a_file_in_the_way_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        std::fs::write(&path, "precious").unwrap();
        assert!(matches!(bind(&path, None), Err(ServerError::InTheWay(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn the_socket_is_removed_at_the_end_but_not_its_successor() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let (listener, file) = bind(&path, None).unwrap();
        drop((listener, file));
        assert!(!path.exists());
        let (listener, file) = bind(&path, None).unwrap();
        drop(listener);
        let (_successor, _its_file) = bind(&path, None).unwrap();
        drop(file);
        assert!(path.exists());
    }

    #[test]
    fn a_path_that_is_too_long_says_so() {
        let path = PathBuf::from(format!("/tmp/{}/s", "x".repeat(120)));
        assert!(matches!(bind(&path, None), Err(ServerError::TooLong(_))));
    }
}
