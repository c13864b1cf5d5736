//! What mainstay says to its log-keeper: one packet per pipe, a header in JSON and the pipe itself.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

/// Longest header: a path is at most 4096 bytes.
const MAX_HEADER: usize = 8192;

/// Where the output that comes out of a pipe goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Whose output it is.
    pub service: String,
    /// The file.
    pub path: PathBuf,
    /// Bytes after which it is rotated.
    pub max_size: u64,
    /// How many rotated files are kept.
    pub keep: u32,
}

/// What came out of the socket.
#[derive(Debug)]
pub(super) enum Received {
    /// A pipe to drain.
    Pipe(Header, OwnedFd),
    /// Something that is not understood; passed over.
    Garbage,
    /// Nothing now.
    Nothing,
    /// The other end is closed.
    Closed,
}

/// Sends a pipe. Never blocks: `WouldBlock` when the keeper has not read what was sent before.
pub(super) fn send(socket: impl AsFd, header: &Header, pipe: BorrowedFd<'_>) -> io::Result<()> {
    let text = serde_json::to_vec(header)?;
    let pipes = [pipe];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut room);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&pipes)) {
        return Err(io::Error::other("no room for a descriptor"));
    }
    sendmsg(socket, &[IoSlice::new(&text)], &mut ancillary, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives a pipe; never blocks.
pub(super) fn receive(socket: impl AsFd) -> Received {
    let mut text = [0; MAX_HEADER];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut room);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = match recvmsg(socket, &mut [IoSliceMut::new(&mut text)], &mut ancillary, flags) {
        Ok(received) => received,
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Received::Nothing,
        Err(_) => return Received::Closed,
    };
    let pipes = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(pipes) => Some(pipes),
        _ => None,
    });
    let pipe = pipes.flatten().next();
    if received.bytes == 0 && pipe.is_none() {
        return Received::Closed;
    }
    let header = text.get(..received.bytes).and_then(|text| serde_json::from_slice(text).ok());
    header.zip(pipe).map_or(Received::Garbage, |(header, pipe)| Received::Pipe(header, pipe))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    #[test]
    fn a_pipe_arrives_with_its_header_and_garbage_is_passed_over() {
        let (a, b) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let (read, write) = rustix::pipe::pipe().unwrap();
        let header = Header { service: "gpsd".into(), path: "/x/gpsd.log".into(), max_size: 10, keep: 2 };
        assert!(matches!(receive(&b), Received::Nothing));
        rustix::io::write(&a, b"not json").unwrap();
        send(&a, &header, read.as_fd()).unwrap();
        drop((read, a));
        assert!(matches!(receive(&b), Received::Garbage));
        let Received::Pipe(got, pipe) = receive(&b) else { panic!("no pipe") };
        assert_eq!(got, header);
        rustix::io::write(&write, b"x").unwrap();
        assert_eq!(rustix::io::read(&pipe, &mut [0; 4]), Ok(1));
        assert!(matches!(receive(&b), Received::Closed));
    }
}
