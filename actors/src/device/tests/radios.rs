//! A radio whose lease has ended is put back as it was before anything else.

use mainstay_config::model::{Match, WifiMode};
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::sighting::{Link, Rfkill, WifiFacts};

use super::*;

const BEING_PUT_BACK: &str = "being put back as it was";

fn radio(mode: WifiMode) -> Sighting {
    let facts = WifiFacts {
        wiphy: 1,
        ifindex: 5,
        interface: "wlan2".to_owned(),
        mac: "02:00:00:00:02:00".parse().unwrap(),
        driver: None,
        mode,
        link: Link::Up,
        supported: vec![WifiMode::Managed, WifiMode::Monitor],
        rfkill: Rfkill::Unblocked,
        others: Vec::new(),
        manager: None,
    };
    Sighting { sort: Sort::Wifi(facts), ..sighting(1) }
}

fn before() -> WifiBaseline {
    WifiBaseline {
        wiphy: 1,
        ifindex: 5,
        interface: "wlan2".to_owned(),
        mode: WifiMode::Managed,
        link: Link::Down,
        mac: "02:00:00:00:02:00".parse().unwrap(),
        frequency_mhz: None,
        interfaces: vec![5],
        rfkill: Rfkill::Unblocked,
    }
}

fn putting_back() -> DeviceMessage {
    DeviceMessage::Withheld(Withheld::PuttingBack)
}

impl Bench {
    /// A radio in use, in monitor mode.
    fn monitoring() -> Self {
        let mut bench = Self::new();
        bench.machine.spec.kind = DeviceKind::Wifi;
        bench.machine.spec.matching = Match { name: Some("wlan2".to_owned()), ..Match::default() };
        bench.tell(DeviceMessage::Seen(radio(WifiMode::Managed))).accessible();
        bench.tell(DeviceMessage::Probed(bench.operation, Ok(Findings::Wifi)));
        bench.tell(leased()).tell(DeviceMessage::Seen(radio(WifiMode::Monitor)));
        assert_eq!(bench.status, DeviceStatus::InUse);
        bench
    }

    fn words(&self) -> (DeviceStatus, String, String) {
        let shown = self.shown.clone().unwrap();
        (shown.status, shown.reason.to_string(), shown.identity.map(|is| is.to_string()).unwrap_or_default())
    }
}

#[test]
fn a_radio_is_ready_only_when_it_is_as_it_was_and_says_so_before_the_kernel_does() {
    let mut bench = Bench::monitoring();
    let (status, reason, identity) = bench.tell(putting_back()).words();
    assert_eq!((status, reason.as_str()), (DeviceStatus::Settling, BEING_PUT_BACK));
    assert!(identity.contains(", monitor (can be managed), up"), "{identity}");
    let (status, reason, identity) = bench.tell(DeviceMessage::PutBack(Some(before()))).words();
    assert_eq!((status, reason.as_str()), (DeviceStatus::Ready, ""));
    assert!(identity.contains(", managed (can be monitor), down"), "{identity}");
}

#[test]
fn a_radio_that_leaves_while_it_is_put_back_is_gone_and_a_later_word_on_it_is_too_late() {
    let mut bench = Bench::monitoring();
    bench.tell(putting_back()).tell(gone(1));
    assert_eq!(bench.words().1, "gone (USB 1-1 unplugged)");
    assert_eq!(bench.tell(DeviceMessage::PutBack(None)).outcome, Outcome::Ignored);
    assert_eq!(bench.tell(putting_back()).outcome, Outcome::Ignored);
}

#[test]
fn a_radio_that_could_not_be_put_back_is_faulted_and_not_being_put_back_when_it_is_taken_again() {
    let mut bench = Bench::monitoring();
    bench.tell(putting_back()).tell(DeviceMessage::Fault(DeviceFault::DriverHung(hung()), None));
    bench.tell(DeviceMessage::Seen(radio(WifiMode::Monitor)));
    assert_eq!(
        (bench.status, bench.words().1.as_str()),
        (DeviceStatus::Faulted, "driver hung: the driver does not answer (simulated)")
    );
    bench.tell(DeviceMessage::Admit(RequestId(1))).accessible();
    bench.tell(DeviceMessage::Probed(bench.operation, Ok(Findings::Wifi)));
    assert_eq!(bench.status, DeviceStatus::Ready);
}

#[test]
fn what_is_said_of_an_earlier_arrival_is_no_fault_of_the_next() {
    let mut bench = Bench::monitoring();
    let hung = |arrival: &Generation| DeviceMessage::Fault(DeviceFault::DriverHung(hung()), Some(arrival.clone()));
    let earlier = Generation("wifi 0".to_owned());
    assert_eq!(bench.tell(hung(&earlier)).outcome, Outcome::Superseded);
    assert_eq!(bench.status, DeviceStatus::InUse);
    let present = bench.machine.sighting.clone().unwrap().generation;
    assert_eq!(bench.tell(hung(&present)).status, DeviceStatus::Faulted);
}

#[test]
fn a_radio_that_was_being_put_back_is_still_after_a_panic() {
    let mut bench = Bench::monitoring();
    bench.tell(putting_back()).begin_afresh();
    bench.tell(putting_back()).tell(DeviceMessage::Seen(radio(WifiMode::Monitor)));
    assert_eq!(bench.words().1, BEING_PUT_BACK);
    assert_eq!(bench.tell(DeviceMessage::PutBack(Some(before()))).status, DeviceStatus::Ready);
}

/// The same radio under the name that its user gave it.
fn renamed_by_its_user() -> DeviceMessage {
    let mut seen = radio(WifiMode::Monitor);
    if let Sort::Wifi(facts) = &mut seen.sort {
        facts.interface = "wlan2mon".to_owned();
    }
    DeviceMessage::Seen(seen)
}

/// Whether it is given up to the inventory when its name has been another one for long enough.
fn disclaims(bench: &mut Bench) -> bool {
    let is_minded = bench.timers.iter().any(|(timer, _)| *timer == DeviceTimer::Mistaken);
    is_minded && bench.tell(DeviceMessage::Timer(DeviceTimer::Mistaken)).asked_inventory
}

#[test]
fn a_radio_that_is_matched_by_name_may_be_renamed_by_who_leases_it_and_by_nobody_else() {
    let mut bench = Bench::monitoring();
    assert_eq!(bench.tell(renamed_by_its_user()).status, DeviceStatus::InUse);
    assert!(!bench.told.is_empty() && !disclaims(&mut bench), "its user's next start is told the name");
    assert!(!disclaims(bench.tell(putting_back())));
    assert!(!disclaims(bench.tell(DeviceMessage::PutBack(Some(before())))), "it has its name back");
    assert!(disclaims(bench.tell(renamed_by_its_user())), "nobody leases it");
    let mut bench = Bench::monitoring();
    bench.tell(renamed_by_its_user());
    assert!(disclaims(bench.tell(DeviceMessage::Unleased)), "it kept the name");
}

#[test]
fn what_was_seen_of_a_radio_before_it_was_put_back_and_is_told_later_does_not_count() {
    let mut bench = Bench::monitoring();
    bench.tell(renamed_by_its_user()).tell(putting_back()).tell(DeviceMessage::PutBack(Some(before())));
    bench.tell(renamed_by_its_user()).tell(DeviceMessage::Seen(radio(WifiMode::Managed)));
    assert!(!bench.tell(DeviceMessage::Timer(DeviceTimer::Mistaken)).asked_inventory);
    assert_eq!(bench.status, DeviceStatus::Ready);
}

#[test]
fn a_renamed_radio_that_was_given_up_keeps_its_fault_and_can_be_taken_back_also_after_a_panic() {
    let mut bench = Bench::monitoring();
    bench
        .tell(renamed_by_its_user())
        .tell(putting_back())
        .tell(DeviceMessage::Fault(DeviceFault::DriverHung(hung()), None));
    assert!(!disclaims(&mut bench));
    assert_eq!(
        (bench.status, bench.words().1.as_str()),
        (DeviceStatus::Faulted, "driver hung: the driver does not answer (simulated)")
    );
    bench.begin_afresh().tell(renamed_by_its_user());
    assert!(!disclaims(&mut bench));
    bench.tell(DeviceMessage::Admit(RequestId(1))).accessible();
    bench.tell(DeviceMessage::Probed(bench.operation, Ok(Findings::Wifi)));
    assert!(!disclaims(&mut bench), "it is put back before anything else");
    assert!(matches!(bench.says_again()[..], [Message::Leases(LeaseMessage::DeviceAvailable(..))]));
}
