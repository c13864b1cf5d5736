//! Notification sockets: where services say `READY=1` (sd_notify(3)).
//!
//! Anybody may write to one, because services run as other users; the kernel says which process did, and only a process of
//! the run is believed. One that has ended before it could be looked up, as `systemd-notify` without a barrier does, is believed when it
//! was of the run's own user.

mod message;

use std::fs;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_config::names::ServiceName;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SocketFlags, SocketType};
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, spawn_local};

use super::core::News;
use super::order::{Notification, RunId};
use crate::effect::socket_file::bind_closed;

/// Longest path of a socket without its final zero byte (unix(7)).
const MAX_PATH: usize = 107;
/// Longest datagram; a longer one is passed over.
const MAX_DATAGRAM: usize = 4096;
/// Datagrams read in one go.
const BATCH: usize = 32;
/// Pause after each go, so that a service that says something all the time does not keep mainstay busy. What it says meanwhile waits
/// in the kernel's short queue, and then the service waits.
const PAUSE: Duration = Duration::from_millis(20);

/// A bound socket. It is closed and removed when this is dropped.
#[derive(Debug)]
pub(super) struct NotifySocket {
    path: PathBuf,
    inode: Option<u64>,
    listener: JoinHandle<()>,
}

/// Makes the folder for the sockets: anybody may enter it, only mainstay may list or change it.
pub(super) fn make_folder(run_dir: &Path) -> io::Result<()> {
    let folder = run_dir.join("notify");
    fs::DirBuilder::new().mode(0o711).recursive(true).create(&folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711))
}

/// Where the socket of a service is: always at the same place.
fn path_of(run_dir: &Path, service: &ServiceName) -> PathBuf {
    let path = run_dir.join("notify").join(format!("{service}.sock"));
    if path.as_os_str().len() <= MAX_PATH {
        return path;
    }
    // FNV-1a, 64 bits: short, and the same in every version of mainstay.
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = service.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, step);
    run_dir.join("notify").join(format!("{hash:016x}"))
}

impl NotifySocket {
    /// Binds the socket of a service, in place of one that was left there, and listens for one run.
    pub(super) fn bind(
        run_dir: &Path,
        service: &ServiceName,
        run: RunId,
        news: UnboundedSender<News>,
    ) -> io::Result<Self> {
        Self::bind_at(path_of(run_dir, service), run, news)
    }

    /// Binds it anew if it was removed, its folder too.
    pub(super) fn renew(&mut self, run: RunId, news: UnboundedSender<News>) -> io::Result<()> {
        let is_there = fs::symlink_metadata(&self.path).ok().map(|metadata| metadata.ino()) == self.inode;
        if !is_there {
            *self = Self::bind_at(self.path.clone(), run, news)?;
        }
        Ok(())
    }

    fn bind_at(path: PathBuf, run: RunId, news: UnboundedSender<News>) -> io::Result<Self> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (socket, file) = bind_closed(&path, SocketType::DGRAM, SocketFlags::NONBLOCK)?;
        rustix::net::sockopt::set_socket_passcred(&socket, true)?;
        file.permit(0o666)?;
        let (_, inode) = file.identity();
        let inode = Some(inode);
        let socket = UnixDatagram::from_std(socket.into())?;
        Ok(Self { path, inode, listener: spawn_local(listen(socket, run, news)) })
    }

    /// What stands in `NOTIFY_SOCKET`.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for NotifySocket {
    fn drop(&mut self) {
        self.listener.abort();
        // The next run of the service may have put its own there.
        if fs::symlink_metadata(&self.path).ok().map(|metadata| metadata.ino()) == self.inode {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Who said something, by the kernel's word (`SCM_CREDENTIALS` of unix(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sender {
    /// Its process.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
}

async fn listen(socket: UnixDatagram, run: RunId, news: UnboundedSender<News>) {
    while socket.readable().await.is_ok() {
        let mut said: Vec<(Sender, Notification)> = Vec::new();
        for _ in 0..BATCH {
            match socket.try_io(Interest::READABLE, || receive(&socket)) {
                Ok(Some((sender, notification))) => match said.iter_mut().find(|(who, _)| *who == sender) {
                    Some((_, earlier)) => message::merge(earlier, notification),
                    None => said.push((sender, notification)),
                },
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    tracing::warn!(%error, "a notification could not be received");
                    break;
                }
            }
        }
        for (sender, notification) in said.into_iter().filter(|(_, said)| *said != Notification::default()) {
            if news.send(News::Notified { run, sender, notification }).is_err() {
                return;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Receives one datagram. `None`: it was too long, or the kernel does not say who sent it.
fn receive(socket: impl AsFd) -> io::Result<Option<(Sender, Notification)>> {
    let mut bytes = [0; MAX_DATAGRAM];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16), ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut room);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, flags)?;
    let mut sender = None;
    for message in ancillary.drain() {
        match message {
            RecvAncillaryMessage::ScmCredentials(who) => {
                let pid = u32::try_from(who.pid.as_raw_nonzero().get()).ok();
                sender = pid.map(|pid| Sender { pid, uid: who.uid.as_raw() });
            }
            // Descriptors are closed here, which is what a client waits for that sends `BARRIER=1`.
            RecvAncillaryMessage::ScmRights(descriptors) => descriptors.for_each(drop),
            _ => {}
        }
    }
    let whole = !received.flags.contains(ReturnFlags::TRUNC);
    Ok(sender.filter(|_| whole).zip(bytes.get(..received.bytes)).map(|(sender, text)| (sender, message::parse(text))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_too_long_for_a_socket_is_shortened() {
        let service = ServiceName::new(&"s".repeat(64)).unwrap();
        let short = path_of(Path::new("/run/mainstay"), &service);
        assert_eq!(short, Path::new("/run/mainstay/notify").join(format!("{service}.sock")));
        let longest = mainstay_config::model::Runtime::LONGEST_RUN_DIR;
        let run_dir = PathBuf::from(format!("/{}", "r".repeat(longest - 1)));
        assert_eq!(path_of(&run_dir, &service).as_os_str().len(), MAX_PATH, "`check` allows just so much");
    }
}
