//! A running watch: its threads, and how they are told things.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc};

use super::libusb::{SharedContext, UsbWitness};
use super::radio::events;
use super::sysfs::Sysfs;
use super::uevent;
use super::watcher::{Sources, Watcher};
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

/// The threads `hardware-events` and `usb-events`. Both are joined when this is dropped.
pub(crate) struct KernelWatch {
    usb: Option<UsbWitness>,
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
        let mut troubles = Vec::new();
        let stop = Arc::new(Notify::new());
        let usb = UsbWitness::start(context, wishes.clone(), Arc::clone(&stop));
        let usb = usb.map_err(|why| troubles.push((Source::Libusb, why))).ok();
        let sources = subscribe(&runtime, &mut troubles);
        if usb.is_none() && sources.uevents.is_none() {
            return Err(Error::NothingWatched(troubles));
        }
        let watcher = Watcher::new(sysfs, sink, wishes.clone(), sources);
        let run = {
            let stop = Arc::clone(&stop);
            move || runtime.block_on(watched::wakeful(NAME, watcher.run(queue, &stop, troubles)))
        };
        // Whoever is told of hardware sees the end of it: with the thread goes the sink.
        let thread = watched::thread(NAME, run, drop).map_err(starting)?;
        Ok(Self { usb, wishes, stop, thread: Some(thread) })
    }
}

fn subscribe(runtime: &Runtime, troubles: &mut Vec<(Source, Trouble)>) -> Sources {
    let _within = runtime.enter();
    let mut unheard = |source, why: io::Error| {
        let no_wifi = source == Source::RadioNews && why.kind() == io::ErrorKind::NotFound;
        troubles.push((source, if no_wifi { Trouble::NoWifi } else { Trouble::Unheard(why.into()) }));
    };
    let uevents = uevent::socket().map_err(|why| unheard(Source::Uevents, why)).ok();
    let links = events::link_socket().map_err(|why| unheard(Source::Links, why)).ok();
    let radios = events::subscribe().map_err(|why| unheard(Source::RadioNews, why)).ok();
    Sources { uevents, links, radios }
}

impl Watch for KernelWatch {
    fn rescan(&self) {
        self.wishes.send(Wish::Rescan);
    }
}

impl Drop for KernelWatch {
    fn drop(&mut self) {
        drop(self.usb.take());
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there was its own end; there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}
