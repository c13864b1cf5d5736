//! How pipes travel: one packet each, over a socket that keeps packets apart, with the descriptor beside its description in JSON.
//!
//! From the threads that start programs to the [table of outputs](super::outputs), and from there to the log-keeper.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};

use mainstay_config::model::Logs;

use crate::action::process::RunId;
#[cfg(debug_assertions)]
use crate::effect::watched;

/// Longest text of a parcel: a path is at most 4096 bytes.
const MAX_TEXT: usize = 8192;

/// Where the output that comes out of a pipe goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Which run's output it is.
    pub run: RunId,
    /// Which service's.
    pub service: String,
    /// The file.
    pub path: PathBuf,
    /// How it is kept.
    pub logs: Logs,
}

/// What a packet says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Parcel {
    /// With a pipe: what comes out of it goes there.
    Output(Header),
    /// With a socket: the log-keeper that is given the pipes from now on, and its process id.
    Keeper(u32),
    /// With nothing: whoever reads this sends it back.
    Ask,
    /// The same, to a log-keeper of which this part is to panic.
    #[cfg(debug_assertions)]
    Panic(String),
    /// With nothing: orders wait elsewhere.
    Look,
}

impl Parcel {
    /// The question to a log-keeper.
    pub(super) fn question() -> Self {
        #[cfg(debug_assertions)]
        if let Some(part) = watched::KEEPER_PARTS.into_iter().find(|part| watched::was_told(part)) {
            return Self::Panic(part.to_owned());
        }
        Self::Ask
    }
}

/// What came out of a socket.
#[derive(Debug)]
pub(super) enum Received {
    /// A pipe to drain.
    Output(Header, OwnedFd),
    /// There was no descriptor left for the pipe: nobody reads it here.
    Lost(Header),
    /// The socket of a log-keeper, and its process id.
    Keeper(u32, OwnedFd),
    /// The question whether it is read, or the answer.
    Ask,
    /// Something without a descriptor, or something that is not understood; passed over.
    Other,
    /// Nothing now.
    Nothing,
    /// The other end is closed.
    Closed,
}

/// Whether a full socket is waited for, or an empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// No: what cannot be sent is `WouldBlock`, and nothing is received.
    None,
    /// Yes.
    Wait,
}

/// Both ends of a new socket.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends a packet.
pub(super) fn send(
    socket: impl AsFd,
    parcel: &Parcel,
    descriptor: Option<BorrowedFd<'_>>,
    patience: Patience,
) -> io::Result<()> {
    let text = serde_json::to_vec(parcel)?;
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut room);
    let descriptors = descriptor.as_slice();
    if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("no room for a descriptor"));
    }
    let flags = match patience {
        Patience::None => SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
        Patience::Wait => SendFlags::NOSIGNAL,
    };
    sendmsg(socket, &[IoSlice::new(&text)], &mut ancillary, flags)?;
    Ok(())
}

/// Receives a packet.
pub(super) fn receive(socket: impl AsFd, patience: Patience) -> Received {
    let mut text = [0; MAX_TEXT];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut room);
    let flags = match patience {
        Patience::None => RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
        Patience::Wait => RecvFlags::CMSG_CLOEXEC,
    };
    let received = match recvmsg(socket, &mut [IoSliceMut::new(&mut text)], &mut ancillary, flags) {
        Ok(received) => received,
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Received::Nothing,
        Err(_) => return Received::Closed,
    };
    let descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptor = descriptors.flatten().next();
    if received.bytes == 0 && descriptor.is_none() {
        return Received::Closed;
    }
    let parcel = text.get(..received.bytes).and_then(|text| serde_json::from_slice(text).ok());
    match (parcel, descriptor) {
        (Some(Parcel::Output(header)), Some(pipe)) => Received::Output(header, pipe),
        (Some(Parcel::Output(header)), None) => Received::Lost(header),
        (Some(Parcel::Keeper(pid)), Some(socket)) => Received::Keeper(pid, socket),
        (Some(Parcel::Ask), None) => Received::Ask,
        #[cfg(debug_assertions)]
        (Some(Parcel::Panic(part)), None) => {
            watched::poison(&part);
            Received::Ask
        }
        _ => Received::Other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_arrives_with_its_header_and_what_is_not_understood_is_passed_over() {
        let (a, b) = pair().unwrap();
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let header = Header {
            run: RunId(3),
            service: "gpsd".into(),
            path: "/x/gpsd.log".into(),
            logs: Logs { max_size: 10, keep: 2 },
        };
        assert!(matches!(receive(&b, Patience::None), Received::Nothing));
        rustix::io::write(&a, b"not json").unwrap();
        send(&a, &Parcel::Keeper(7), None, Patience::None).unwrap();
        send(&a, &Parcel::Output(header.clone()), Some(read.as_fd()), Patience::Wait).unwrap();
        drop((read, a));
        assert!(matches!(receive(&b, Patience::None), Received::Other));
        assert!(matches!(receive(&b, Patience::None), Received::Other), "a keeper without its socket");
        let Received::Output(got, pipe) = receive(&b, Patience::None) else { panic!("no pipe") };
        assert_eq!(got, header);
        rustix::io::write(&write, b"x").unwrap();
        assert_eq!(rustix::io::read(&pipe, &mut [0; 4]), Ok(1));
        assert!(matches!(receive(&b, Patience::None), Received::Closed));
    }
}
