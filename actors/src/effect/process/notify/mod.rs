//! Notification sockets: where services say `READY=1` (sd_notify(3)).
//!
//! Anybody may write to one, because services run as other users; the kernel says which process did, and only a process that is known
//! to be of the run is believed. One that has ended before it could be looked up is not: nobody can say any more whose it was. A
//! client that sends a barrier (sd_notify_barrier(3), as `systemd-notify` does) is let go when its messages have been dealt with.

mod message;

use std::cell::RefCell;
use std::fs;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use mainstay_config::names::ServiceName;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SocketFlags, SocketType};
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use super::rules::News;
use crate::action::process::{Notification, RunId};
use crate::effect::socket_file::{SocketName, bind_closed};
use crate::effect::watched::Watched;

/// Longest path of a socket without its final zero byte (unix(7)).
const MAX_PATH: usize = 107;
/// Longest datagram; a longer one is passed over.
const MAX_DATAGRAM: usize = 4096;
/// Datagrams read in one go.
const BATCH: usize = 32;
/// Barriers of one sender that are kept. A client sends one at a time.
const BARRIERS: usize = 2;
/// Pause after each go, so that a service that says something all the time does not keep mainstay busy. What it says meanwhile waits
/// in the kernel's short queue, and then the service waits.
const PAUSE: Duration = Duration::from_millis(20);

/// What was received and is not dealt with yet. It is kept with the socket, and not on the way to the executor's task: what a main
/// process has said must be at hand when its end is, whichever of the two is heard of first.
type Received = Rc<RefCell<Vec<Message>>>;

/// A bound socket. It is closed and removed when this is dropped.
#[derive(Debug)]
pub(super) struct NotifySocket {
    name: SocketName,
    socket: Rc<UnixDatagram>,
    received: Received,
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
        (watched, news): (&Watched, &UnboundedSender<News>),
    ) -> io::Result<Self> {
        Self::bind_at(path_of(run_dir, service), run, (watched, news))
    }

    /// Binds it anew if it was removed, its folder too.
    pub(super) fn renew(&mut self, run: RunId, (watched, news): (&Watched, &UnboundedSender<News>)) -> io::Result<()> {
        if !self.name.is_there() {
            *self = Self::bind_at(self.name.path().to_owned(), run, (watched, news))?;
        }
        Ok(())
    }

    fn bind_at(path: PathBuf, run: RunId, (watched, news): (&Watched, &UnboundedSender<News>)) -> io::Result<Self> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (socket, file) = bind_closed(&path, SocketType::DGRAM, SocketFlags::NONBLOCK)?;
        rustix::net::sockopt::set_socket_passcred(&socket, true)?;
        file.permit(0o666)?;
        let (socket, received) = (Rc::new(UnixDatagram::from_std(socket.into())?), Received::default());
        let listener = {
            let (socket, received, news) = (Rc::clone(&socket), Rc::clone(&received), news.clone());
            let begin = move || listen(Rc::clone(&socket), Rc::clone(&received), run, news.clone());
            watched.task_again("notify", begin)
        };
        Ok(Self { name: file.named(path), socket, received, listener })
    }

    /// What was received.
    pub(super) fn take(&self) -> Vec<Message> {
        self.received.take()
    }

    /// All that was said, received or not.
    pub(super) fn drain(&self) -> Vec<Message> {
        let unreceived = (0..BATCH).map_while(|_| receive(&*self.socket).ok()).flatten();
        self.take().into_iter().chain(unreceived).collect()
    }

    /// What stands in `NOTIFY_SOCKET`.
    pub(super) fn path(&self) -> &Path {
        self.name.path()
    }
}

impl Drop for NotifySocket {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Who said something, by the kernel's word (`SCM_CREDENTIALS` of unix(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sender {
    /// Its process.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
}

/// A message, and who waits for it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Message {
    /// By whom.
    pub sender: Sender,
    /// What.
    pub said: Notification,
    #[serde(skip)]
    barriers: Barriers,
}

/// The sender's barriers, closed when what it said has been dealt with. A copy of what was said holds up nobody.
#[derive(Debug, Default)]
struct Barriers(Vec<OwnedFd>);

impl Clone for Barriers {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Message {
    /// What a process has said that waits for no answer, and whose user does not matter.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn of(pid: u32, said: Notification) -> Self {
        Self { sender: Sender { pid, uid: 0 }, said, barriers: Barriers::default() }
    }

    /// As if a process had said that it is the main one.
    pub(super) fn about_main(sender: Sender) -> Self {
        let said = Notification { main_pid: Some(sender.pid), ..Notification::default() };
        Self { sender, said, barriers: Barriers::default() }
    }

    fn merge(&mut self, later: Self) {
        self.said.merge(later.said);
        self.barriers.0.extend(later.barriers.0.into_iter().take(BARRIERS.saturating_sub(self.barriers.0.len())));
    }
}

async fn listen(socket: Rc<UnixDatagram>, received: Received, run: RunId, news: UnboundedSender<News>) {
    // By one that has panicked meanwhile.
    let mut is_news = !received.borrow().is_empty();
    loop {
        if std::mem::take(&mut is_news) {
            if news.send(News::Notified(run)).is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if socket.readable().await.is_err() {
            return;
        }
        for _ in 0..BATCH {
            match socket.try_io(Interest::READABLE, || receive(&*socket)) {
                Ok(Some(message)) => keep(message, &mut received.borrow_mut()),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    tracing::warn!(%error, "a notification could not be received");
                    break;
                }
            }
        }
        is_news = true;
    }
}

/// Keeps a message at once: whatever comes after it, it is not lost.
fn keep(message: Message, received: &mut Vec<Message>) {
    if message.said == Notification::default() && message.barriers.0.is_empty() {
        return;
    }
    match received.iter_mut().find(|earlier| earlier.sender == message.sender) {
        Some(earlier) => earlier.merge(message),
        None => received.push(message),
    }
}

/// Receives one datagram. `None`: it was too long, or the kernel does not say who sent it.
fn receive(socket: impl AsFd) -> io::Result<Option<Message>> {
    let mut bytes = [0; MAX_DATAGRAM];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16), ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut room);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, flags)?;
    let (mut sender, mut barriers) = (None, Vec::new());
    for message in ancillary.drain() {
        match message {
            RecvAncillaryMessage::ScmCredentials(who) => {
                let pid = u32::try_from(who.pid.as_raw_nonzero().get()).ok();
                sender = pid.map(|pid| Sender { pid, uid: who.uid.as_raw() });
            }
            // Further ones are closed here.
            RecvAncillaryMessage::ScmRights(descriptors) => barriers.extend(descriptors.take(BARRIERS)),
            _ => {}
        }
    }
    let whole = !received.flags.contains(ReturnFlags::TRUNC);
    let said = sender.filter(|_| whole).zip(bytes.get(..received.bytes));
    Ok(said.map(|(sender, text)| Message { sender, said: message::parse(text), barriers: Barriers(barriers) }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_listener_received_that_has_panicked_is_told_of_by_the_next() {
        let (socket, _other) = UnixDatagram::pair().unwrap();
        let (news, mut heard) = unbounded_channel();
        let said = Notification { main_pid: Some(7), ..Notification::default() };
        let received = Received::default();
        keep(Message::of(7, said), &mut received.borrow_mut());
        keep(Message::of(7, Notification::default()), &mut received.borrow_mut());
        let listener = listen(Rc::new(socket), Rc::clone(&received), RunId(1), news);
        assert!(tokio::time::timeout(PAUSE * 2, listener).await.is_err(), "it goes on listening");
        assert!(matches!(heard.try_recv(), Ok(News::Notified(RunId(1)))));
        assert!(heard.try_recv().is_err(), "it is told once");
        assert_eq!(received.borrow().len(), 1);
    }

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
