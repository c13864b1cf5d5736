//! The first place where a daemon answers.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};

use super::{ClientError, Looked, Place};
use crate::listener::{Life, Listener};
use crate::places::Access;
use crate::trust::{Distrust, Trust};

/// Connects to the first of the places where somebody listens. A place that may not be used is passed over: the user's
/// own demo answers beside a station that is not theirs to operate.
pub(super) fn first(places: &[Place], uid: u32, patience: Duration) -> Result<UnixStream, ClientError> {
    let mut looked = Vec::new();
    for place in places {
        if let Some(why) = untrusted(place, uid) {
            looked.push((place.socket.clone(), why));
            continue;
        }
        match connect(&place.socket, patience) {
            Ok(stream) => return Ok(stream),
            Err(error) => looked.push((place.socket.clone(), found(&place.socket, error))),
        }
    }
    let denied = looked.iter().find(|(_, why)| matches!(why, Looked::Denied));
    Err(match denied {
        Some((socket, _)) => ClientError::denied(socket.clone()),
        None => ClientError::NoDaemon { looked, unread: None },
    })
}

fn found(socket: &Path, error: io::Error) -> Looked {
    let is_something_else = || std::fs::metadata(socket).is_ok_and(|found| !found.file_type().is_socket());
    match Looked::from(error) {
        Looked::Gone if is_something_else() => Looked::NoSocket,
        other => other,
    }
}

/// Whether a daemon takes connections at this socket.
pub(crate) fn answers(socket: &Path, patience: Duration) -> bool {
    connect(socket, patience).is_ok()
}

/// In a place where anybody can write, only the user's own directory is used.
fn untrusted(place: &Place, uid: u32) -> Option<Looked> {
    let dir = place.socket.parent().filter(|_| place.access == Access::Owner)?;
    match Trust::of(uid).check_private(dir) {
        Ok(()) => None,
        Err(Distrust::Io { source: error, .. }) => Some(Looked::from(error)),
        Err(why) => Some(Looked::NotTrusted(why.to_string())),
    }
}

/// Connects, with a bound: a daemon that is stopped with its queue full would otherwise block its callers for ever
/// (`SO_SNDTIMEO` bounds `connect` too, unix(7)).
fn connect(socket: &Path, patience: Duration) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(socket)?;
    let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&fd, sockopt::Timeout::Send, Some(patience))?;
    rustix::net::connect(&fd, &address)?;
    let stream = UnixStream::from(fd);
    // One that was killed would be waited for: a child of it that hangs before it executes its program holds the socket.
    let is_dead = Listener::of(stream.try_clone()?).is_ok_and(|listener| listener.life == Life::HasEnded);
    stream.set_nonblocking(false)?;
    if is_dead { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(stream) }
}
