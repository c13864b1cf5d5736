//! The watcher on a made-up sysfs, with what it hears made up too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};
use std::{fs, io};

use mainstay_config::model::WifiMode;
use mainstay_config::names::MacAddress;
use tokio::sync::{Notify, mpsc};

use super::made_up::Tree;
use super::radio::events::Announcement;
use super::radio::read::Reading;
use super::reader::Outcome;
use super::uevent::{Change, Numbered};
use super::watch::{Sources, Wish, Wishes};
use super::watcher::{Heard, Watcher};
use crate::error::{Errno, SystemError};
use crate::sighting::{
    Access, Generation, HardwareEvent, Key, Link, Rfkill, ScanReason, Sighting, Sort, Source, WifiFacts, Witness,
};
use crate::trouble::Trouble;

struct Bench {
    tree: Tree,
    watcher: Watcher,
    wishes: Wishes,
    queue: mpsc::Receiver<Wish>,
    told: Arc<Mutex<Vec<HardwareEvent>>>,
}

impl Bench {
    /// A receiver is plugged in, and ten uevents have been.
    fn new() -> Self {
        let tree = Tree::new();
        let device = tree.receiver();
        tree.tty("ttyACM0", &format!("{device}/1-2:1.0"), "cdc_acm");
        tree.write("kernel", &[("uevent_seqnum", "10\n")]);
        let told: Arc<Mutex<Vec<HardwareEvent>>> = Arc::default();
        let sink = Arc::clone(&told);
        let (wishes, queue) = Wishes::new();
        let begin_usb = Box::new(|| Err(Trouble::NoLibusb(SystemError::Number(Errno(5)))));
        let sources = Sources { usb: None, begin_usb, uevents: None, links: None, radios: None };
        let sink = Box::new(move |event| sink.lock().unwrap().push(event));
        let watcher = Watcher::new(tree.sysfs(), sink, wishes.clone(), sources);
        Self { tree, watcher, wishes, queue, told }
    }

    async fn scanned() -> Self {
        let mut bench = Self::new();
        bench.watcher.begin_scan(ScanReason::Start);
        bench.read().await;
        bench.told();
        bench
    }

    async fn read(&mut self) {
        let outcome = self.watcher.reader.outcome().await;
        self.watcher.handle(Heard::Reading(outcome));
    }

    fn uevent(&mut self, change: Change, seqnum: u64) -> Vec<HardwareEvent> {
        self.watcher.handle(Heard::Uevent(Ok(Some(Numbered { change, seqnum }))));
        self.told()
    }

    fn radios(&mut self, radios: Vec<Sighting>, bare: Vec<u32>) -> Vec<HardwareEvent> {
        let reading = Reading { radios, bare, ..Reading::default() };
        self.watcher.handle(Heard::Reading(Outcome::Read(reading)));
        self.told()
    }

    fn told(&self) -> Vec<HardwareEvent> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    fn unplug_tty(&self) {
        fs::remove_file(self.tree.root().join("class/tty/ttyACM0")).unwrap();
    }
}

fn keys(sightings: &[Sighting]) -> Vec<&str> {
    sightings.iter().map(|s| s.key.0.as_str()).collect()
}

fn radio() -> Sighting {
    let facts = WifiFacts {
        wiphy: 2,
        ifindex: 5,
        interface: "wlan2".to_owned(),
        mac: MacAddress([2, 0, 0, 0, 2, 0]),
        driver: None,
        mode: WifiMode::Managed,
        link: Link::Up,
        supported: vec![],
        rfkill: Rfkill::Unblocked,
        others: vec![],
        manager: None,
    };
    Sighting {
        key: Key("wifi/phy2".to_owned()),
        generation: Generation("wifi 2".to_owned()),
        usb: None,
        sort: Sort::Wifi(facts),
        access: Access::Unknown,
    }
}

#[tokio::test]
async fn a_watch_begins_with_everything_that_is_there() {
    let mut bench = Bench::new();
    bench.watcher.begin_scan(ScanReason::Start);
    bench.read().await;
    let told = bench.told();
    let [HardwareEvent::Scanned { present, why: ScanReason::Start, .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(keys(present), ["usb/1-2", "tty/ttyACM0"]);
}

#[tokio::test]
async fn a_lost_message_leads_to_a_rescan() {
    let mut bench = Bench::scanned().await;
    bench.watcher.handle(Heard::Uevent(Err(io::Error::from_raw_os_error(105))));
    bench.read().await;
    let told = bench.told();
    assert!(matches!(told.as_slice(), [HardwareEvent::Scanned { why: ScanReason::LostMessages, .. }]), "{told:?}");
}

#[tokio::test]
async fn a_queue_that_overflows_leads_to_a_rescan() {
    let Bench { watcher, wishes, queue, told, tree: _tree } = Bench::new();
    for _ in 0..1000 {
        wishes.send(Wish::UsbLeft { bus: 9, address: 9 });
    }
    let stop = Notify::new();
    let asked = async {
        let rescanned = |e: &HardwareEvent| matches!(e, HardwareEvent::Scanned { .. });
        while !told.lock().unwrap().iter().any(rescanned) {
            tokio::task::yield_now().await;
        }
        stop.notify_one();
    };
    tokio::join!(watcher.run(queue, &stop, vec![(Source::RadioNews, Trouble::NoWifi)]), asked);
    assert!(!wishes.lost_some(), "the loss was noticed");
    assert_eq!(told.lock().unwrap()[0], HardwareEvent::Trouble(Source::RadioNews, Trouble::NoWifi));
}

#[tokio::test]
async fn what_happened_before_the_scan_is_not_told_after_it() {
    let mut bench = Bench::scanned().await;
    assert_eq!(bench.uevent(Change::TtyLeft("ttyACM0".to_owned()), 10), []);
    bench.unplug_tty();
    let told = bench.uevent(Change::TtyLeft("ttyACM0".to_owned()), 11);
    let [HardwareEvent::Gone { key, generation, witness: Witness::Uevent }] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((key.0.as_str(), generation.clone().unwrap().0.as_str()), ("tty/ttyACM0", "usb 1:7 ttyACM0"));
}

#[tokio::test]
async fn a_port_that_left_and_is_there_again_is_told_as_both() {
    let mut bench = Bench::scanned().await;
    let told = bench.uevent(Change::TtyLeft("ttyACM0".to_owned()), 11);
    assert!(matches!(told.as_slice(), [HardwareEvent::Gone { .. }, HardwareEvent::Seen(_)]), "{told:?}");
}

#[tokio::test]
async fn a_node_that_udev_is_done_with_is_told_once_more() {
    let mut bench = Bench::scanned().await;
    let told = bench.uevent(Change::TtySettled("ttyACM0".to_owned()), 9);
    assert!(matches!(told.as_slice(), [HardwareEvent::Seen(s)] if s.key.0 == "tty/ttyACM0"), "{told:?}");
    assert_eq!(bench.uevent(Change::TtySettled("ttyACM7".to_owned()), 9), []);
}

#[tokio::test]
async fn that_a_driver_takes_or_leaves_a_known_device_is_no_reason_to_look_at_it() {
    let mut bench = Bench::scanned().await;
    bench.tree.write("devices/pci0000:00/usb1/1-2", &[("product", "Another\n")]);
    let bound = |arrival| Change::UsbBound("1-2".to_owned(), arrival);
    assert_eq!(bench.uevent(bound(Some(Generation("usb 1:7".to_owned()))), 11), []);
    let told = bench.uevent(bound(None), 12);
    assert!(matches!(told.as_slice(), [HardwareEvent::Seen(s)] if s.key.0 == "usb/1-2"), "{told:?}");
}

#[tokio::test]
async fn what_cannot_be_read_in_a_scan_is_not_gone_while_the_kernel_lists_it() {
    let mut bench = Bench::scanned().await;
    let receiver = bench.tree.root().join("devices/pci0000:00/usb1/1-2");
    let hidden = bench.tree.root().join("devices/hidden");
    fs::rename(&receiver, &hidden).unwrap();
    bench.watcher.begin_scan(ScanReason::LostMessages);
    bench.read().await;
    let told = bench.told();
    let Some(HardwareEvent::Scanned { present, .. }) = told.last() else { panic!("{told:?}") };
    assert_eq!(keys(present), ["tty/ttyACM0", "usb/1-2"]);
    fs::remove_file(bench.tree.root().join("bus/usb/devices/1-2")).unwrap();
    bench.unplug_tty();
    bench.watcher.begin_scan(ScanReason::LostMessages);
    bench.read().await;
    let told = bench.told();
    let Some(HardwareEvent::Scanned { present, .. }) = told.last() else { panic!("{told:?}") };
    assert!(present.is_empty(), "{present:?}");
}

#[tokio::test]
async fn libusb_alone_is_witness_enough() {
    let mut bench = Bench::scanned().await;
    bench.watcher.handle(Heard::Wish(Wish::UsbLeft { bus: 1, address: 7 }));
    let told = bench.told();
    assert!(matches!(told.as_slice(), [HardwareEvent::Gone { witness: Witness::Libusb, .. }]), "{told:?}");
    bench.watcher.handle(Heard::Wish(Wish::UsbArrived { bus: 1, address: 7 }));
    let told = bench.told();
    assert!(matches!(told.as_slice(), [HardwareEvent::Seen(s)] if s.key.0 == "usb/1-2"), "{told:?}");
    assert!(bench.queue.try_recv().is_err());
}

#[tokio::test]
async fn a_radio_that_was_announced_as_gone_does_not_come_back_with_a_late_reading() {
    let mut bench = Bench::scanned().await;
    assert_eq!(bench.radios(vec![radio()], vec![]), [HardwareEvent::Seen(radio())]);
    bench.watcher.handle(Heard::Radio(Some(Announcement::Left(2))));
    assert!(matches!(bench.told().as_slice(), [HardwareEvent::Gone { witness: Witness::Netlink, .. }]));
    assert_eq!(bench.radios(vec![radio()], vec![]), []);
}

#[tokio::test]
async fn a_radio_whose_interface_was_deleted_is_still_there() {
    let mut bench = Bench::scanned().await;
    bench.radios(vec![radio()], vec![]);
    let told = bench.radios(vec![], vec![2]);
    assert!(matches!(told.as_slice(), [HardwareEvent::Seen(s)] if s.generation == radio().generation), "{told:?}");
    assert!(matches!(bench.radios(vec![], vec![]).as_slice(), [HardwareEvent::Gone { .. }]));
}

#[tokio::test]
async fn a_hung_wifi_driver_holds_up_nothing_but_the_radios() {
    let mut bench = Bench::scanned().await;
    bench.radios(vec![radio()], vec![]);
    bench.watcher.begin_scan(ScanReason::Asked);
    bench.watcher.handle(Heard::Reading(Outcome::Late));
    let told = bench.told();
    let [HardwareEvent::Trouble(Source::RadioFacts, _), HardwareEvent::Scanned { present, .. }] = told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert_eq!(keys(present), ["usb/1-2", "tty/ttyACM0", "wifi/phy2"]);
    let works = [HardwareEvent::Works(Source::RadioFacts)];
    assert_eq!(bench.radios(vec![radio()], vec![]), works, "it answers after all");
    assert_eq!(bench.radios(vec![radio()], vec![]), [], "and is told of once");
}

#[tokio::test]
async fn a_scan_does_not_wait_for_a_driver_that_is_known_to_hang() {
    let mut bench = Bench::scanned().await;
    bench.radios(vec![radio()], vec![]);
    let driver = bench.watcher.reader.hang();
    bench.read().await;
    assert!(matches!(bench.told().as_slice(), [HardwareEvent::Trouble(Source::RadioFacts, _)]));
    bench.watcher.handle(Heard::Uevent(Err(io::Error::from_raw_os_error(105))));
    let told = bench.told();
    let [HardwareEvent::Scanned { present, why: ScanReason::LostMessages, troubles }] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(*troubles, [(Source::RadioFacts, Trouble::DriverHangs)].into(), "who has not heard of it hears it now");
    assert_eq!(keys(present), ["usb/1-2", "tty/ttyACM0", "wifi/phy2"]);
    bench.unplug_tty();
    let told = bench.uevent(Change::TtyLeft("ttyACM0".to_owned()), 11);
    assert!(matches!(told.as_slice(), [HardwareEvent::Gone { key, .. }] if key.0 == "tty/ttyACM0"), "{told:?}");
    driver.send(Ok(Reading { radios: vec![radio()], ..Reading::default() })).unwrap();
    bench.read().await;
    assert_eq!(bench.told(), [HardwareEvent::Works(Source::RadioFacts)], "it answers after all");
    assert!(bench.watcher.reader.is_reading(), "what changed meanwhile is read");
}

#[tokio::test]
async fn a_source_that_fails_is_opened_anew_after_a_pause_and_a_scan_finds_what_was_missed() {
    let mut bench = Bench::scanned().await;
    let broken = || SystemError::Number(Errno(5));
    bench.watcher.handle(Heard::Link(Err(io::Error::from_raw_os_error(5))));
    bench.watcher.handle(Heard::Wish(Wish::Trouble(Source::Libusb, Trouble::LibusbStopped(broken()))));
    let lost = [(Source::Links, Trouble::NoLongerHeard(broken())), (Source::Libusb, Trouble::LibusbStopped(broken()))];
    assert_eq!(bench.told(), lost.map(|(source, why)| HardwareEvent::Trouble(source, why)));
    bench.unplug_tty();
    assert!(bench.watcher.anew.is_some());
    bench.watcher.handle(Heard::PauseOver);
    let no_libusb = || Trouble::NoLibusb(broken());
    let told = [HardwareEvent::Trouble(Source::Libusb, no_libusb()), HardwareEvent::Works(Source::Links)];
    assert_eq!(bench.told(), told);
    bench.read().await;
    let [HardwareEvent::Scanned { present, troubles, .. }] = &bench.told()[..] else { panic!() };
    assert_eq!((keys(present), troubles), (vec!["usb/1-2"], &[(Source::Libusb, no_libusb())].into()));
    assert_eq!(bench.watcher.anew, None, "without /dev/bus/usb libusb is not tried again");
}
