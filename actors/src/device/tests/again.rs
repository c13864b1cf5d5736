//! After panics: of its own actor, and of those that it speaks with.

use super::*;

#[test]
fn a_device_that_was_being_looked_at_is_looked_at_again_and_one_that_is_ready_is_not() {
    let mut bench = Bench::new();
    bench.tell(DeviceMessage::Seen(sighting(1)));
    assert!(matches!(bench.begin_again().acts[..], [Action::CheckAccess(..), ..]), "{:?}", bench.acts);
    bench.accessible();
    assert!(matches!(bench.begin_again().acts[..], [Action::CheckAccess(..), ..]), "{:?}", bench.acts);
    bench.ready();
    for bench in [bench.begin_again().status, bench.begin_afresh().status] {
        assert_eq!(bench, DeviceStatus::Ready);
    }
    assert!(matches!(bench.acts[..], [Action::LetSleep]), "{:?}", bench.acts);
}

#[test]
fn a_leased_device_stays_so_whatever_is_told_again() {
    for afresh in [false, true] {
        let mut bench = Bench::new();
        bench.ready().tell(leased());
        if afresh {
            bench.begin_afresh()
        } else {
            bench.begin_again()
        };
        bench.tell(DeviceMessage::Seen(sighting(1))).tell(leased());
        assert_eq!(bench.status, DeviceStatus::InUse);
        assert!(bench.acts.is_empty(), "a device in use is not disturbed: {:?}", bench.acts);
        assert!(bench.told.is_empty(), "{:?}", bench.told);
    }
}

#[test]
fn the_registry_hears_again_whether_it_can_be_leased() {
    let mut bench = Bench::new();
    assert!(matches!(bench.says_again()[..], [Message::Leases(LeaseMessage::DeviceUnavailable { .. })]));
    bench.ready();
    assert!(matches!(bench.says_again()[..], [Message::Leases(LeaseMessage::DeviceAvailable(..))]));
}

#[test]
fn a_departure_that_was_panicked_over_is_made_good_by_what_the_inventory_says_again() {
    let mut bench = Bench::new();
    bench.ready().begin_again();
    bench.tell(DeviceMessage::Gone { generation: None, how: Absence::NotPluggedIn });
    assert_eq!(bench.status, DeviceStatus::Absent);
    assert!(matches!(bench.told[..], [LeaseMessage::DeviceUnavailable { .. }]), "{:?}", bench.told);
}

#[test]
fn departures_before_a_panic_count() {
    let mut bench = Bench::new();
    for _ in 0..4 {
        bench.tell(DeviceMessage::Seen(sighting(1))).tell(gone(1));
    }
    bench.begin_afresh().tell(DeviceMessage::Seen(sighting(1))).tell(gone(1));
    assert_eq!(bench.status, DeviceStatus::Quarantined);
    bench.begin_afresh().tell(DeviceMessage::Seen(sighting(1)));
    assert_eq!(bench.status, DeviceStatus::Quarantined);
}
