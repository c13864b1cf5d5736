//! A running watch: its threads, and how they are told things.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use futures::stream::BoxStream;
use netlink_sys::TokioSocket;
use tokio::sync::{Notify, mpsc};

use super::libusb::{SharedContext, UsbWitness};
use super::radio::events::{self, Announcement};
use super::sysfs::Sysfs;
use super::uevent;
use super::watcher::Watcher;
use crate::bus::{Sink, Watch};
use crate::error::{Attempt, Error};
use crate::sighting::Source;
use crate::trouble::Trouble;
use crate::watched;

/// The thread that hears of everything.
const NAME: &str = "hardware-events";

/// More than a hub full of devices says at once; what does not fit leads to a rescan.
const WISHES: usize = 256;

/// What other threads tell the watcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// libusb saw a device come.
    UsbArrived {
        /// Bus number.
        bus: u8,
        /// Device number.
        address: u8,
    },
    /// libusb saw a device leave.
    UsbLeft {
        /// Bus number.
        bus: u8,
        /// Device number.
        address: u8,
    },
    /// Somebody wants everything to be looked at.
    Rescan,
    /// A source cannot be heard any more.
    Trouble(Source, Trouble),
}

/// The bounded way to the watcher.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    queue: mpsc::Sender<Wish>,
    lost: Arc<AtomicBool>,
}

impl Wishes {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Wish>) {
        let (queue, receiver) = mpsc::channel(WISHES);
        (Self { queue, lost: Arc::new(AtomicBool::new(false)) }, receiver)
    }

    /// Never blocks. When the queue is full a rescan makes up for what is lost.
    pub(crate) fn send(&self, wish: Wish) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(wish) {
            self.lost.store(true, Ordering::Release);
        }
    }

    /// Whether something was lost since this was last asked.
    pub(crate) fn lost_some(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }
}

/// What is listened to; what is `None` cannot be.
pub(crate) struct Sources {
    pub(crate) usb: Option<UsbWitness>,
    pub(crate) begin_usb: Box<dyn Fn() -> Result<UsbWitness, Trouble> + Send>,
    pub(crate) uevents: Option<TokioSocket>,
    pub(crate) links: Option<TokioSocket>,
    pub(crate) radios: Option<BoxStream<'static, Announcement>>,
}

impl Sources {
    /// Opens one, anew when it was open.
    pub(crate) fn open(&mut self, source: Source) -> Result<(), Trouble> {
        let unheard = |why: io::Error| match (source, why.kind()) {
            (Source::RadioNews, io::ErrorKind::NotFound) => Trouble::NoWifi,
            _ => Trouble::Unheard(why.into()),
        };
        match source {
            Source::Libusb => {
                self.usb = None;
                self.usb = Some((self.begin_usb)()?);
            }
            Source::Uevents => self.uevents = Some(uevent::socket().map_err(unheard)?),
            Source::Links => self.links = Some(events::link_socket().map_err(unheard)?),
            Source::RadioNews => self.radios = Some(events::subscribe().map_err(unheard)?),
            Source::All | Source::RadioFacts => {}
        }
        Ok(())
    }
}

/// The thread `hardware-events`, which has `usb-events`. Both are joined when this is dropped.
pub(crate) struct KernelWatch {
    wishes: Wishes,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl KernelWatch {
    /// Subscribes to everything there is, then starts the threads.
    ///
    /// # Errors
    /// When nothing at all can be watched.
    pub(crate) fn start(sysfs: Sysfs, context: &SharedContext, sink: Sink) -> Result<Self, Error> {
        let starting = |e: io::Error| Attempt::Watch.failed(e);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(starting)?;
        let (wishes, queue) = Wishes::new();
        let stop = Arc::new(Notify::new());
        let begin_usb = {
            let (context, wishes, stop) = (context.clone(), wishes.clone(), Arc::clone(&stop));
            Box::new(move || UsbWitness::start(&context, wishes.clone(), Arc::clone(&stop)))
        };
        let mut sources = Sources { usb: None, begin_usb, uevents: None, links: None, radios: None };
        let within = runtime.enter();
        let all = [Source::Libusb, Source::Uevents, Source::Links, Source::RadioNews];
        let troubles: Vec<_> = all.into_iter().filter_map(|one| Some((one, sources.open(one).err()?))).collect();
        drop(within);
        if sources.usb.is_none() && sources.uevents.is_none() {
            return Err(Error::NothingWatched(troubles));
        }
        let watcher = Watcher::new(sysfs, sink, wishes.clone(), sources);
        let run = {
            let stop = Arc::clone(&stop);
            move || runtime.block_on(watched::wakeful(NAME, watcher.run(queue, &stop, troubles)))
        };
        // Whoever is told of hardware sees the end of it: with the thread goes the sink.
        let thread = watched::thread(NAME, run, drop).map_err(starting)?;
        Ok(Self { wishes, stop, thread: Some(thread) })
    }
}

impl Watch for KernelWatch {
    fn rescan(&self) {
        self.wishes.send(Wish::Rescan);
    }
}

impl Drop for KernelWatch {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there was its own end; there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}
