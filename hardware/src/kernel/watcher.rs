//! The thread `hardware-events`: hears every source, looks at what is there, and tells what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use futures::StreamExt;
use futures::stream::BoxStream;
use netlink_sys::{AsyncSocketExt, TokioSocket};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use super::last_told::LastTold;
use super::radio::events::{self, Announcement};
use super::radio::read::Reading;
use super::radio::{wifi_key, without_interface};
use super::reader::{Outcome, Reader};
use super::sysfs::{self, Sysfs};
use super::uevent::{self, Change, MESSAGE_BYTES, Numbered};
use super::watch::{Sources, Wish, Wishes};
use super::{tty, usb};
use crate::bus::Sink;
use crate::sighting::{HardwareEvent, Key, ScanReason, Sighting, Sort, Source, Witness};
use crate::trouble::Trouble;
use crate::watched::Pauses;

/// `ENOBUFS`: the socket was full and the kernel dropped messages.
const ENOBUFS: i32 = 105;

/// What is known, and whom to tell.
pub(crate) struct Watcher {
    sysfs: Sysfs,
    sink: Sink,
    wishes: Wishes,
    sources: Sources,
    pub(super) reader: Reader,
    known: LastTold,
    /// A scan that waits for the radios to be read. Single changes are part of it.
    scanning: Option<Scanning>,
    /// Uevents up to this one happened before the last scan looked.
    scanned_at: u64,
    /// Radios that were announced as gone; their numbers never come back, but sysfs shows them a little longer.
    departed: BTreeSet<u32>,
    /// Sources whose trouble was told and is not over.
    troubles: BTreeMap<Source, Trouble>,
    /// When those of them are opened anew that may be heard again by then.
    pub(super) anew: Option<Instant>,
    pauses: Pauses,
}

/// A scan that is under way.
struct Scanning {
    why: ScanReason,
    /// The reading of the radios that is under way began before the scan was asked for, and does not count.
    old_reading: bool,
}

/// One thing heard.
pub(super) enum Heard {
    Stop,
    Wish(Wish),
    Uevent(io::Result<Option<Numbered>>),
    Link(io::Result<Option<(u32, Option<String>)>>),
    Radio(Option<Announcement>),
    Reading(Outcome),
    PauseOver,
}

impl Watcher {
    pub(crate) fn new(sysfs: Sysfs, sink: Sink, wishes: Wishes, sources: Sources) -> Self {
        let reader = Reader::new(sysfs.clone());
        Self {
            sysfs,
            sink,
            wishes,
            sources,
            reader,
            known: LastTold::default(),
            scanning: None,
            scanned_at: 0,
            departed: BTreeSet::new(),
            troubles: BTreeMap::new(),
            anew: None,
            pauses: Pauses::default(),
        }
    }

    /// Runs until told to stop.
    pub(crate) async fn run(
        mut self,
        mut queue: mpsc::Receiver<Wish>,
        stop: &Notify,
        troubles: Vec<(Source, Trouble)>,
    ) {
        troubles.into_iter().for_each(|(source, why)| self.trouble(source, why));
        self.begin_scan(ScanReason::Start);
        let (mut uevent_buffer, mut link_buffer) =
            (Vec::with_capacity(MESSAGE_BYTES), Vec::with_capacity(MESSAGE_BYTES));
        loop {
            let heard = tokio::select! {
                biased;
                () = stop.notified() => Heard::Stop,
                Some(wish) = queue.recv() => Heard::Wish(wish),
                message = receive(self.sources.uevents.as_ref(), &mut uevent_buffer) =>
                    Heard::Uevent(message.map(|sender| uevent::parse(&uevent_buffer, sender))),
                message = receive(self.sources.links.as_ref(), &mut link_buffer) =>
                    Heard::Link(message.map(|_| events::link_of(&link_buffer))),
                announcement = next(self.sources.radios.as_mut()) => Heard::Radio(announcement),
                outcome = self.reader.outcome() => Heard::Reading(outcome),
                () = sleep_until(self.anew.unwrap_or_else(Instant::now)), if self.anew.is_some() => Heard::PauseOver,
            };
            if matches!(heard, Heard::Stop) {
                return;
            }
            self.handle(heard);
            if self.wishes.lost_some() {
                self.begin_scan(ScanReason::LostMessages);
            }
        }
    }

    pub(super) fn handle(&mut self, heard: Heard) {
        match heard {
            Heard::Stop | Heard::Uevent(Ok(None)) | Heard::Link(Ok(None)) => {}
            Heard::Wish(wish) => self.wish(wish),
            Heard::Uevent(Ok(Some(uevent))) => self.uevent(uevent),
            Heard::Uevent(Err(error)) => {
                if self.lost(&error, Source::Uevents) {
                    self.sources.uevents = None;
                }
            }
            Heard::Link(Ok(Some((ifindex, name)))) => self.link(ifindex, name.as_deref()),
            Heard::Link(Err(error)) => {
                if self.lost(&error, Source::Links) {
                    self.sources.links = None;
                }
            }
            Heard::Radio(announcement) => self.radio(announcement),
            Heard::Reading(outcome) => self.reading(outcome),
            Heard::PauseOver => self.open_anew(),
        }
    }

    fn wish(&mut self, wish: Wish) {
        match wish {
            Wish::Rescan => self.begin_scan(ScanReason::Asked),
            Wish::Trouble(source, why) => self.trouble(source, why),
            Wish::UsbArrived { .. } | Wish::UsbLeft { .. } if self.scanning.is_some() => {}
            // The uevent was quicker, as it mostly is: there is nothing to search sysfs for.
            Wish::UsbArrived { bus, address } if self.known.has_usb(&usb::generation(bus, address)) => {}
            Wish::UsbArrived { bus, address } => {
                if let Some(sighting) = usb::numbered(&self.sysfs, bus, address) {
                    self.present(sighting, Witness::Libusb);
                }
            }
            Wish::UsbLeft { bus, address } => {
                let event = self.known.usb_left(&usb::generation(bus, address), Witness::Libusb);
                self.tell_all(event);
            }
        }
    }

    fn uevent(&mut self, Numbered { change, seqnum }: Numbered) {
        match change {
            Change::Radios => self.radios_changed(),
            // udev's message has the number of the kernel's, and comes later: a scan does not make it old.
            Change::UsbSettled(name) => self.settled(&usb::key(&name), usb::at(&self.sysfs, &name)),
            Change::TtySettled(name) => self.settled(&tty::key(&name), tty::at(&self.sysfs, &name)),
            // The scan that is under way, or was made since, saw it.
            _ if self.scanning.is_some() || seqnum <= self.scanned_at => {}
            // Of what is known there is no news in it, and somebody waits to be started, or to be told that it leaves.
            Change::UsbBound(_, Some(which)) if self.known.has_usb(&which) => {}
            Change::UsbBound(name, _) | Change::UsbChanged(name) => self.look(usb::at(&self.sysfs, &name)),
            Change::TtyChanged(name) => self.look(tty::at(&self.sysfs, &name)),
            Change::UsbLeft(name, which) => {
                let event = self.known.left(&usb::key(&name), which.as_ref(), Witness::Uevent);
                self.tell_all(event);
            }
            Change::TtyLeft(name) => {
                let event = self.known.left(&tty::key(&name), None, Witness::Uevent);
                self.tell_all(event);
                // The message does not say which arrival left: the next one may be there already.
                self.look(tty::at(&self.sysfs, &name));
            }
        }
    }

    /// udev is done with a node: it may be open now. What is known is said once more in any case, for who waits for that.
    fn settled(&mut self, key: &Key, found: Option<Sighting>) {
        let known = self.known.again(key);
        let news = found.filter(|_| known.is_some()).map(|found| self.known.present(found, Witness::Uevent));
        match news {
            Some(news) if !news.is_empty() => self.tell_all(news),
            _ => self.tell_all(known),
        }
    }

    fn look(&mut self, found: Option<Sighting>) {
        if let Some(sighting) = found {
            self.present(sighting, Witness::Uevent);
        }
    }

    fn present(&mut self, sighting: Sighting, witness: Witness) {
        let events = self.known.present(sighting, witness);
        self.tell_all(events);
    }

    fn link(&mut self, ifindex: u32, name: Option<&str>) {
        let is_wifi = || name.is_some_and(|name| self.sysfs.path("class/net").join(name).join("phy80211").exists());
        if self.known.is_radio_interface(ifindex) || is_wifi() {
            self.reader.request();
        }
    }

    fn radios_changed(&mut self) {
        if self.sources.radios.is_none() {
            // nl80211 has come with the first radio; until it can be subscribed to, uevents alone tell of radios.
            if self.sources.open(Source::RadioNews).is_ok() {
                self.works(Source::RadioNews);
            }
        }
        self.reader.request();
    }

    fn radio(&mut self, announcement: Option<Announcement>) {
        match announcement {
            Some(Announcement::Changed) => self.reader.request(),
            Some(Announcement::Lost) => self.begin_scan(ScanReason::LostMessages),
            Some(Announcement::Left(wiphy)) => {
                self.departed.insert(wiphy);
                let event = self.known.left(&wifi_key(wiphy), None, Witness::Netlink);
                self.tell_all(event);
                self.reader.request();
            }
            None => {
                self.sources.radios = None;
                self.trouble(Source::RadioNews, Trouble::RadiosSilent);
            }
        }
    }

    fn reading(&mut self, outcome: Outcome) {
        if matches!(outcome, Outcome::Read(_)) {
            self.works(Source::RadioFacts);
        }
        if let (Some(scanning), Outcome::Read(_)) = (&mut self.scanning, &outcome)
            && std::mem::take(&mut scanning.old_reading)
        {
            return;
        }
        let radios = match outcome {
            Outcome::Read(reading) => self.radios_of(reading),
            Outcome::Failed(error) => {
                self.trouble(Source::RadioFacts, Trouble::Failed(error));
                self.known.known_radios().cloned().collect()
            }
            Outcome::Late => {
                self.trouble(Source::RadioFacts, Trouble::DriverHangs);
                self.known.known_radios().cloned().collect()
            }
        };
        if radios.is_empty() && self.sources.uevents.is_some() {
            // nl80211 may leave with the last radio's driver, and what comes back under that name is another: with the next radio
            // it is subscribed to anew.
            self.sources.radios = None;
        }
        match self.scanning.take() {
            Some(Scanning { why, .. }) => self.end_scan(radios, why),
            None => {
                let events = self.known.radios(radios);
                self.tell_all(events);
            }
        }
    }

    /// The radios of a reading: those that left while it was made are no longer there, and one whose only interface
    /// was deleted still is.
    fn radios_of(&mut self, reading: Reading) -> Vec<Sighting> {
        let Reading { mut radios, bare, .. } = reading;
        let bare: Vec<_> = bare.into_iter().map(wifi_key).collect();
        radios.extend(self.known.known_radios().filter(|s| bare.contains(&s.key)).map(without_interface));
        let departed: BTreeSet<_> = self.departed.iter().map(|wiphy| wifi_key(*wiphy)).collect();
        let shown: BTreeSet<_> = radios.iter().map(|s| s.key.clone()).chain(bare).collect();
        self.departed.retain(|wiphy| shown.contains(&wifi_key(*wiphy)));
        radios.extend(self.unread(&radios, |known| matches!(known.sort, Sort::Wifi(_))));
        radios.retain(|sighting| !departed.contains(&sighting.key));
        radios
    }

    /// What is known and was not found in a look, though the kernel still lists it: it could not be read, for want of descriptors or
    /// memory, say. That is no reason to call it gone, which would stop whoever uses it.
    fn unread(&self, found: &[Sighting], sort: impl Fn(&Sighting) -> bool) -> Vec<Sighting> {
        let is_missing = |known: &&Sighting| sort(known) && !found.iter().any(|there| there.key == known.key);
        self.known.all().filter(is_missing).filter(|known| self.sysfs.lists(&known.key)).cloned().collect()
    }

    pub(super) fn begin_scan(&mut self, why: ScanReason) {
        let why = self.scanning.take().map_or(why, |former| former.why);
        let old_reading = self.reader.is_reading();
        self.reader.request();
        if self.reader.is_late() {
            // While a scan is under way single changes are not heard; a hung driver must not keep it so.
            self.end_scan(self.known.known_radios().cloned().collect(), why);
            return;
        }
        self.scanning = Some(Scanning { why, old_reading });
    }

    fn end_scan(&mut self, radios: Vec<Sighting>, why: ScanReason) {
        self.scanned_at = sysfs::value(&self.sysfs.path("kernel/uevent_seqnum")).unwrap_or(0);
        let mut present = usb::scan(&self.sysfs);
        present.extend(tty::scan(&self.sysfs));
        present.extend(self.unread(&present, |known| !matches!(known.sort, Sort::Wifi(_))));
        present.extend(radios);
        self.known.scanned(&present);
        self.tell(HardwareEvent::Scanned { present, why, troubles: self.troubles.clone() });
    }

    /// After an error of a socket: a rescan when messages were lost, else true, and the socket is given up.
    fn lost(&mut self, error: &io::Error, what: Source) -> bool {
        if error.raw_os_error() == Some(ENOBUFS) {
            self.begin_scan(ScanReason::LostMessages);
            return false;
        }
        self.trouble(what, Trouble::NoLongerHeard(error.into()));
        true
    }

    fn trouble(&mut self, source: Source, why: Trouble) {
        if why.may_pass() && self.anew.is_none() {
            self.anew = Some(Instant::now() + self.pauses.next());
        }
        if self.troubles.insert(source, why.clone()).as_ref() != Some(&why) {
            self.tell(HardwareEvent::Trouble(source, why));
        }
    }

    /// What was not heard meanwhile, a scan finds.
    fn open_anew(&mut self) {
        self.anew = None;
        let troubles = self.troubles.iter().filter(|(_, why)| why.may_pass());
        for source in troubles.map(|(source, _)| *source).collect::<Vec<_>>() {
            match self.sources.open(source) {
                Ok(()) => {
                    self.works(source);
                    self.begin_scan(ScanReason::LostMessages);
                }
                Err(why) => self.trouble(source, why),
            }
        }
    }

    fn works(&mut self, source: Source) {
        if self.troubles.remove(&source).is_some() {
            self.tell(HardwareEvent::Works(source));
        }
    }

    fn tell(&self, event: HardwareEvent) {
        (self.sink)(event);
    }

    fn tell_all(&self, events: impl IntoIterator<Item = HardwareEvent>) {
        events.into_iter().for_each(|event| self.tell(event));
    }
}

/// The next message and the port of who sent it; for ever nothing without a socket. What does not fit is cut off.
async fn receive(socket: Option<&TokioSocket>, buffer: &mut Vec<u8>) -> io::Result<u32> {
    let Some(socket) = socket else { std::future::pending().await };
    buffer.clear();
    socket.recv_from(buffer).await.map(|sender| sender.port_number())
}

async fn next(radios: Option<&mut BoxStream<'static, Announcement>>) -> Option<Announcement> {
    match radios {
        Some(radios) => radios.next().await,
        None => std::future::pending().await,
    }
}
