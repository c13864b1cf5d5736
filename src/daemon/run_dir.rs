//! The run directory under a living daemon: that it, or what the daemon has in it, was removed, or that its path leads elsewhere, is
//! noticed, and all is made anew.
//!
//! Something that clears `/run` or `/tmp` would otherwise leave a daemon that nobody can reach. The kernel says when something is
//! removed (inotify(7)), and when something is mounted (`/proc/self/mountinfo`, proc(5)): nothing wakes up for this while nothing happens.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;

use mainstay_actors::effect::Carrier;
use mainstay_actors::effect::process::groups::operators;
use mainstay_actors::effect::watched;
use mainstay_actors::store::Store;
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init, remove_watch};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

use super::log_folder;
use crate::cli::Trusted;
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::instance::{Instance, LOCK_NAME};
use crate::places::{NOTIFY, SOCKET_NAME};
use crate::server::Server;
use crate::trust::MOST_LINKS;

/// A directory is removed file by file; it is waited for until that is over. The wait doubles for as long as not all is there.
const SETTLE: Duration = Duration::from_millis(100);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Between two looks while mainstay is stopping.
const LOOK: Duration = Duration::from_secs(1);
/// Room for some dozens of events.
const EVENTS: usize = 4096;

/// What is kept there.
pub(super) struct Kept {
    pub(super) instance: Rc<RefCell<Instance>>,
    pub(super) server: Server,
    pub(super) carrier: Weak<Carrier>,
    pub(super) store: Store,
    /// The demo's is in there.
    pub(super) log_dir: PathBuf,
    pub(super) state: Trusted,
    /// Told when mainstay begins to stop.
    pub(super) stopping: Rc<Notify>,
}

/// Keeps it for as long as it is polled.
pub(super) async fn keep(kept: Kept) {
    if let Err(error) = listen_until_it_stops(&kept).await {
        tracing::warn!(%error, "mainstay would not notice if its run directory were removed");
        kept.stopping.notified().await;
    }
    // What is awake anyhow may look.
    loop {
        tokio::time::sleep(LOOK).await;
        if !kept.is_whole() {
            kept.make_anew().await;
        }
    }
}

async fn listen_until_it_stops(kept: &Kept) -> std::io::Result<()> {
    let events = listen()?;
    let heard = tokio::select! {
        never = notice(kept, &events) => never.map(|never| match never {}),
        () = kept.stopping.notified() => Ok(()),
    };
    // The kernel lets whoever closes it wait until nobody looks at what was watched (14 ms were seen), and services are stopping.
    let events = events.into_inner();
    // Without a thread it is closed here.
    let _ = watched::call("run-dir-end", move || drop(events));
    heard
}

/// Where the kernel says what was removed.
#[allow(
    deprecated,
    reason = "what replaces it is unsafe, for types that lie about their descriptor; an OwnedFd does not"
)]
fn listen() -> std::io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?)
}

/// Where the kernel says that something was mounted, or is not any more. `None`: it does not say so.
#[allow(deprecated, reason = "as above")]
fn mounts() -> Option<AsyncFd<File>> {
    AsyncFd::with_interest(File::open("/proc/self/mountinfo").ok()?, Interest::PRIORITY).ok()
}

/// Waits until something was mounted: it may lie over what leads here.
async fn wait_for_a_mount(mounts: Option<&AsyncFd<File>>) {
    if let Some(mounts) = mounts
        && let Ok(mut changed) = mounts.ready(Interest::PRIORITY).await
    {
        changed.clear_ready();
        return;
    }
    std::future::pending().await
}

/// Makes it anew whenever something is lost.
async fn notice(kept: &Kept, events: &AsyncFd<OwnedFd>) -> std::io::Result<Infallible> {
    let dir = kept.dir();
    let (mut watched, mut wait, mounts) = (Vec::new(), SETTLE, mounts());
    loop {
        // Watched before it is looked at: what is removed between the two is heard of.
        for old in watched.drain(..) {
            // That of a directory that is gone went with it.
            let _ = remove_watch(events.get_ref(), old);
        }
        watched = watches(events.get_ref(), &dir)?;
        if kept.is_whole() && !watched.is_empty() {
            wait = SETTLE;
            tokio::select! {
                biased;
                lost = wait_for_a_loss(events) => lost?,
                () = wait_for_a_mount(mounts.as_ref()) => {}
            }
            tokio::time::sleep(SETTLE).await;
            continue;
        }
        kept.make_anew().await;
        tokio::time::sleep(wait).await;
        wait = wait.saturating_mul(2).min(LONGEST_WAIT);
    }
}

/// Watches the directory, and all that leads to it, which may be moved or removed. None: it is not there.
fn watches(events: &OwnedFd, dir: &Path) -> std::io::Result<Vec<i32>> {
    let gone = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
    match add_watch(events, dir, gone | WatchFlags::ONLYDIR | WatchFlags::DELETE | WatchFlags::MOVED_FROM) {
        Ok(own) => {
            let itself = gone | WatchFlags::DONT_FOLLOW | WatchFlags::MASK_ADD;
            let watch = |entry: PathBuf| add_watch(events, entry, itself).ok();
            Ok([own].into_iter().chain(on_the_way(dir).into_iter().filter_map(watch)).collect())
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(Vec::new()),
        // More watches than the user may have, say.
        Err(error) => Err(error.into()),
    }
}

/// The folders and links that lead to a directory, itself among them.
fn on_the_way(dir: &Path) -> BTreeSet<PathBuf> {
    let (mut way, mut ends, mut links) = (BTreeSet::new(), vec![dir.to_owned()], 0);
    while let Some(end) = ends.pop() {
        for entry in end.ancestors().filter(|entry| entry.parent().is_some()) {
            let is_new = way.insert(entry.to_owned());
            // What has just been changed may lead in a circle.
            if is_new
                && links < MOST_LINKS
                && let Ok(target) = std::fs::read_link(entry)
            {
                links += 1;
                ends.push(entry.with_file_name(target));
            }
        }
    }
    way
}

/// Waits until something was removed that should be there.
async fn wait_for_a_loss(events: &AsyncFd<OwnedFd>) -> std::io::Result<()> {
    loop {
        let mut ready = events.readable().await?;
        let mut room = [MaybeUninit::uninit(); EVENTS];
        let mut reader = Reader::new(events.get_ref(), &mut room);
        loop {
            match reader.next() {
                Ok(event) => {
                    let of_itself = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT;
                    let name = event.file_name().and_then(|name| name.to_str().ok());
                    if event.events().intersects(of_itself | ReadFlags::QUEUE_OVERFLOW)
                        || name.is_some_and(|name| [SOCKET_NAME, LOCK_NAME, NOTIFY].contains(&name))
                    {
                        return Ok(());
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        ready.clear_ready();
    }
}

impl Kept {
    fn dir(&self) -> PathBuf {
        self.instance.borrow().dir().to_owned()
    }

    fn is_whole(&self) -> bool {
        let dir = self.dir();
        self.instance.borrow().is_there() && dir.join(SOCKET_NAME).exists() && dir.join(NOTIFY).is_dir()
    }

    /// Makes anew what was lost, and tells of it.
    async fn make_anew(&self) {
        let lost = self.lost();
        match self.renew().await {
            Ok(()) => tracing::warn!("{lost}; it is made anew"),
            Err(told) => tracing::error!("{lost}, and cannot be made anew: {told}"),
        }
    }

    /// What has happened, in words.
    fn lost(&self) -> String {
        let dir = self.dir();
        let parts =
            [(LOCK_NAME, "the lock"), (SOCKET_NAME, "the socket"), (NOTIFY, "the folder of notification sockets")];
        let missing: Vec<&str> =
            parts.iter().filter(|(name, _)| !dir.join(name).exists()).map(|(_, words)| *words).collect();
        let (dir, leads_elsewhere) = (dir.display(), self.instance.borrow().leads_elsewhere());
        if leads_elsewhere {
            return format!("the run directory {dir} leads elsewhere now");
        }
        if missing.is_empty() || missing.len() == parts.len() {
            return format!("the run directory {dir} was removed");
        }
        format!("{} in the run directory {dir} was removed", missing.join(" and "))
    }

    async fn renew(&self) -> Result<(), Told> {
        if !self.instance.borrow().is_there() {
            self.instance.borrow_mut().renew()?;
        }
        if let Some(carrier) = self.carrier.upgrade() {
            let failed = |error| Told::new(ExitStatus::Failed, format!("notification sockets: {error}"));
            carrier.renew_sockets().map_err(failed)?;
        }
        self.store.renew();
        self.server.renew().await?;
        if self.log_dir.starts_with(self.instance.borrow().dir()) {
            log_folder::prepare(&self.log_dir, operators(), self.state)?;
        }
        Ok(())
    }
}
