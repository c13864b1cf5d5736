//! A device on USB is not suspended while somebody leases it.

use super::*;

#[test]
fn a_device_may_sleep_again_when_nobody_leases_it_any_more() {
    let mut bench = Bench::new();
    bench.ready().tell(leased());
    assert!(matches!(bench.acts[..], [Action::KeepAwake(_)]), "{:?}", bench.acts);
    assert!(
        bench
            .tell(DeviceMessage::Leased {
                holder: Holder::Service(ServiceName::new("other").unwrap()),
                since: Moment::default()
            })
            .acts
            .is_empty()
    );
    assert!(matches!(bench.tell(DeviceMessage::Unleased).acts[..], [Action::LetSleep]), "{:?}", bench.acts);
    assert!(bench.tell(DeviceMessage::Unleased).acts.is_empty(), "once is enough");
    bench.tell(leased()).tell(gone(1));
    assert!(!bench.acts.iter().any(|act| matches!(act, Action::LetSleep)), "it is gone");
}

#[test]
fn what_is_not_on_usb_needs_nothing() {
    let mut bench = Bench::new();
    bench.tell(DeviceMessage::Seen(Sighting { usb: None, ..sighting(1) })).accessible();
    assert!(bench.tell(leased()).acts.is_empty());
    assert!(bench.tell(DeviceMessage::Unleased).acts.is_empty());
}

#[test]
fn whether_it_may_sleep_is_said_again_after_a_panic() {
    let mut bench = Bench::new();
    bench.ready().tell(leased());
    assert!(matches!(bench.begin_again().acts[..], [Action::KeepAwake(_)]), "{:?}", bench.acts);
    assert!(matches!(bench.tell(DeviceMessage::Unleased).acts[..], [Action::LetSleep]), "{:?}", bench.acts);
    assert!(matches!(bench.begin_again().acts[..], [Action::LetSleep]), "{:?}", bench.acts);
}
