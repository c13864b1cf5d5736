//! A device that somebody waits for.

use mainstay_hardware::bus::Depth;

use super::*;
use crate::message::device::Awaited;

/// A device of this kind that was looked for in vain, and is waited for.
fn awaited(kind: DeviceKind) -> Bench {
    let mut bench = Bench::new();
    bench.machine.spec.kind = kind;
    bench.tell(DeviceMessage::Gone { generation: None, how: Absence::NotFound });
    bench.tell(DeviceMessage::Awaited(Awaited::Somebody));
    bench
}

#[test]
fn what_the_kernel_knows_of_a_device_that_was_plugged_in_is_not_asked_while_somebody_waits() {
    for kind in [DeviceKind::Hackrf, DeviceKind::Gps, DeviceKind::Usb, DeviceKind::Serial, DeviceKind::Wifi] {
        let mut bench = awaited(kind);
        bench.tell(DeviceMessage::Seen(sighting(1))).accessible();
        assert!(bench.acts.is_empty(), "{kind:?}: {:?}", bench.acts);
        assert!(matches!(bench.told[..], [LeaseMessage::DeviceAvailable(..)]), "{kind:?}: {:?}", bench.told);
    }
}

#[test]
fn a_hackrf_is_asked_when_nobody_waits_or_it_has_no_serial_number_or_was_there_from_the_start() {
    let depth = |bench: &Bench| match bench.acts[..] {
        [Action::ProbeDevice(_, _, _, depth, _)] => Some(depth),
        _ => None,
    };
    let mut nobody = awaited(DeviceKind::Hackrf);
    nobody.tell(DeviceMessage::Awaited(Awaited::Nobody)).tell(DeviceMessage::Seen(sighting(1))).accessible();
    assert_eq!(depth(&nobody), Some(Depth::Full));
    let mut nameless = sighting(1);
    nameless.usb.as_mut().unwrap().serial = None;
    let mut bench = awaited(DeviceKind::Hackrf);
    assert_eq!(depth(bench.tell(DeviceMessage::Seen(nameless)).accessible()), Some(Depth::Identity));
    let mut bench = Bench::new();
    bench.tell(DeviceMessage::Awaited(Awaited::Somebody)).tell(DeviceMessage::Seen(sighting(1))).accessible();
    assert_eq!(depth(&bench), Some(Depth::Identity));
}

#[test]
fn a_node_that_was_open_when_it_was_seen_is_not_looked_at_once_more() {
    let open = |arrival| Sighting { access: Access::Open, ..sighting(arrival) };
    let mut bench = awaited(DeviceKind::Hackrf);
    bench.tell(DeviceMessage::Seen(open(1)));
    assert!(bench.acts.is_empty() && matches!(bench.told[..], [LeaseMessage::DeviceAvailable(..)]), "{:?}", bench.told);
    let mut bench = awaited(DeviceKind::Hackrf);
    bench.tell(DeviceMessage::Awaited(Awaited::Nobody)).tell(DeviceMessage::Seen(open(1)));
    assert!(matches!(bench.acts[..], [Action::ProbeDevice(..)]), "{:?}", bench.acts);
    assert!(matches!(bench.told[..], [LeaseMessage::DeviceUnavailable { .. }]), "{:?}", bench.told);
    bench.tell(gone(1)).tell(DeviceMessage::Seen(open(2)));
    assert!(bench.acts.is_empty(), "it has to settle first: {:?}", bench.acts);
    bench.tell(DeviceMessage::Timer(DeviceTimer::Settling));
    assert!(matches!(bench.acts[..], [Action::CheckAccess(..)]), "by then it may have changed: {:?}", bench.acts);
}

/// A HackRF that was not asked what it is, leased by who waited for it.
fn unasked() -> Bench {
    let mut bench = awaited(DeviceKind::Hackrf);
    bench.tell(DeviceMessage::Seen(sighting(1))).accessible();
    bench.tell(leased());
    bench
}

fn wants_to_be_lent(bench: &Bench) -> bool {
    bench.told.iter().any(|message| matches!(message, LeaseMessage::Lend(_, which) if *which == sighting(1).generation))
}

#[test]
fn a_hackrf_that_was_not_asked_while_somebody_waited_is_asked_everything_when_it_is_free() {
    let mut bench = unasked();
    bench.tell(DeviceMessage::Awaited(Awaited::Nobody));
    assert!(!wants_to_be_lent(&bench), "it is in use");
    bench.tell(DeviceMessage::Unleased);
    assert!(wants_to_be_lent(&bench) && bench.acts.iter().all(|act| !matches!(act, Action::ProbeDevice(..))));
    bench.tell(DeviceMessage::Lent(sighting(1).generation));
    assert!(matches!(bench.acts[..], [Action::ProbeDevice(_, _, _, Depth::Full, _)]), "{:?}", bench.acts);
    let (board, firmware) = ("HackRF One".to_owned(), "2024.02.1".to_owned());
    let found = Findings::Hackrf { board, firmware, serial: None };
    bench.tell(DeviceMessage::Probed(bench.operation, Ok(found)));
    assert!(matches!(bench.told[..], [LeaseMessage::DeviceAvailable(..)]), "{:?}", bench.told);
    assert!(bench.shown.as_ref().unwrap().identity.as_ref().unwrap().to_string().contains("2024.02.1"));
    // Asked whether it wants to be, before and after the registry panicked, it was lent twice.
    bench.tell(DeviceMessage::Lent(sighting(1).generation));
    assert!(bench.acts.is_empty() && matches!(bench.told[..], [LeaseMessage::DeviceAvailable(..)]), "{:?}", bench.told);
    bench.tell(leased()).tell(DeviceMessage::Unleased);
    assert!(!wants_to_be_lent(&bench), "it is known by now");
}

#[test]
fn a_device_that_was_given_away_before_it_was_lent_is_not_asked() {
    let mut bench = unasked();
    bench.tell(DeviceMessage::Lent(sighting(1).generation));
    assert!(bench.acts.is_empty() && matches!(bench.told[..], [LeaseMessage::DeviceAvailable(..)]), "{:?}", bench.told);
    bench.tell(DeviceMessage::Unleased).tell(gone(1)).tell(DeviceMessage::Lent(sighting(1).generation));
    assert!(bench.acts.is_empty() && matches!(bench.told[..], [LeaseMessage::DeviceUnavailable { .. }]));
}

#[test]
fn a_hackrf_that_could_not_be_asked_for_the_sake_of_others_works_as_before() {
    let mut bench = unasked();
    bench.tell(DeviceMessage::Awaited(Awaited::Nobody)).tell(DeviceMessage::Unleased);
    bench.tell(DeviceMessage::Lent(sighting(1).generation));
    let not_tried = Error::Simulated(ErrorKind::NotTried);
    bench.tell(DeviceMessage::Probed(bench.operation, Err(not_tried)));
    assert_eq!(bench.status, DeviceStatus::Ready);
    assert!(matches!(bench.told[..], [LeaseMessage::DeviceAvailable(..)]), "{:?}", bench.told);
}
