use mainstay_hardware::bus::Depth;

use super::*;
use crate::device::Awaited;

fn quarantine_left(bench: &Bench) -> Option<Duration> {
    bench.timers.iter().find(|(timer, _)| *timer == DeviceTimer::Quarantine).map(|(_, left)| *left)
}

/// A device that has just been quarantined for 30 s, and is there again.
fn quarantined() -> Bench {
    let mut bench = Bench::new();
    for _ in 0..5 {
        bench.tell(DeviceMessage::Seen(sighting(1))).tell(gone(1));
    }
    assert_eq!(quarantine_left(&bench), Some(Duration::from_secs(30)));
    bench.tell(DeviceMessage::Seen(sighting(1)));
    bench
}

#[test]
fn a_device_that_left_while_its_actor_was_down_is_said_to_be_gone() {
    let mut bench = Bench::new();
    let mut again = bench.ready().begin_again();
    again.heard(None).tell(DeviceMessage::Gone { generation: None, how: Departure::NotPluggedIn });
    assert!(matches!(again.told[..], [LeaseMessage::DeviceUnavailable { .. }]), "{:?}", again.told);
}

#[test]
fn a_device_that_somebody_waits_for_is_looked_at_no_longer_than_needed_also_after_a_panic() {
    let mut bench = Bench::new();
    let mut again = bench.ready().tell(DeviceMessage::Awaited(Awaited::Somebody)).begin_again();
    again.heard(None).tell(DeviceMessage::Seen(sighting(1))).accessible();
    assert!(matches!(again.acts[..], [Action::ProbeDevice(_, _, _, Depth::Identity, _)]), "{:?}", again.acts);
}

#[test]
fn a_restarted_device_asks_again_when_the_registry_was_restarted_as_well() {
    let mut bench = Bench::new();
    let mut again = bench.ready().begin_again();
    assert!(matches!(again.told[..], [LeaseMessage::InquireDevice(_)]));
    again.tell(DeviceMessage::Restate);
    assert!(matches!(again.told[..], [LeaseMessage::InquireDevice(_)]), "{:?}", again.told);
}

#[test]
fn a_quarantine_goes_on_to_its_end_over_panics() {
    let mut bench = quarantined();
    let mut again = bench.later(12).begin_again().later(3).begin_again();
    assert_eq!(quarantine_left(&again), Some(Duration::from_secs(15)));
    again.heard(None).tell(DeviceMessage::Seen(sighting(1)));
    assert_eq!(again.status, DeviceStatus::Quarantined);
    assert!(again.acts.is_empty(), "it is not looked at: {:?}", again.acts);
    again.tell(DeviceMessage::Timer(DeviceTimer::Quarantine));
    assert_eq!(again.status, DeviceStatus::Settling);
}

#[test]
fn a_quarantine_that_ends_before_it_is_known_what_is_there_tells_nobody_that_it_is_absent() {
    let mut again = quarantined().later(40).begin_again();
    assert_eq!(quarantine_left(&again), Some(Duration::ZERO));
    again.tell(DeviceMessage::Timer(DeviceTimer::Quarantine));
    assert!(again.told.is_empty(), "{:?}", again.told);
    again.heard(None).tell(DeviceMessage::Seen(sighting(1)));
    assert_eq!(again.status, DeviceStatus::Settling);
}

#[test]
fn departures_before_a_panic_count_also_the_one_that_was_panicked_over() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.tell(DeviceMessage::Seen(sighting(1))).tell(gone(1));
    }
    // The fourth is lost with the actor, and seen by the next arrival.
    let mut again = bench.tell(DeviceMessage::Seen(sighting(2))).begin_again();
    again.heard(None).tell(DeviceMessage::Seen(sighting(3)));
    assert_eq!(again.status, DeviceStatus::Settling);
    again.tell(gone(3));
    assert_eq!(again.status, DeviceStatus::Quarantined);
}

#[test]
fn an_arrival_that_outlived_a_panic_has_not_left() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.tell(DeviceMessage::Seen(sighting(1))).tell(gone(1));
    }
    let mut again = bench.tell(DeviceMessage::Seen(sighting(2))).begin_again();
    again.heard(None).tell(DeviceMessage::Seen(sighting(2))).tell(gone(2));
    assert_eq!(again.status, DeviceStatus::Absent, "the fourth departure, not the fifth");
}

#[test]
fn a_device_that_was_long_in_use_has_not_dropped_out_early_because_its_holder_is_said_again() {
    let mut bench = Bench::new();
    for arrival in 1..=3 {
        bench.tell(DeviceMessage::Seen(sighting(arrival))).tell(DeviceMessage::Leased { holder: user() });
        bench.later(100).tell(DeviceMessage::Leased { holder: user() });
        let mut again = bench.begin_again();
        again.heard(Some(user())).tell(DeviceMessage::Seen(sighting(arrival))).later(1).tell(gone(arrival));
        assert_eq!(again.status, DeviceStatus::Absent, "departure {arrival}");
        bench = again;
    }
}

#[test]
fn what_was_said_of_a_lease_before_the_question_is_not_taken_for_the_answer() {
    let mut bench = Bench::new();
    let mut again = bench.ready().tell(DeviceMessage::Leased { holder: user() }).begin_again();
    again.tell(DeviceMessage::Unleased);
    assert!(!again.asked_inventory, "the registry has not answered yet");
    assert!(again.heard(Some(user())).asked_inventory);
    again.tell(DeviceMessage::Seen(sighting(1)));
    assert_eq!(again.status, DeviceStatus::InUse);
    assert!(again.acts.is_empty(), "a device in use is not disturbed: {:?}", again.acts);
}

#[test]
fn while_it_is_not_known_what_is_there_nothing_new_is_shown() {
    let mut bench = Bench::new();
    bench.ready();
    let shows = |out: &[Effect<DeviceTimer>]| out.iter().any(|effect| matches!(effect, Effect::Publish(_)));
    let mut again = Bench::new().machine.remembering(bench.machine.memo());
    assert!(!shows(&again.begin(bench.now, Beginning::Again)));
    assert!(!shows(&again.handle(bench.now, DeviceMessage::Holder(None))));
    assert!(shows(&again.handle(bench.now, DeviceMessage::Seen(sighting(1)))));
}

#[test]
fn a_device_that_was_replugged_a_moment_ago_is_not_taken_from_its_holder_by_a_panic() {
    let mut bench = Bench::new();
    bench.ready().tell(gone(1));
    bench
        .tell(DeviceMessage::Seen(sighting(2)))
        .later(5)
        .tell(DeviceMessage::Timer(DeviceTimer::Settling))
        .accessible();
    bench.tell(DeviceMessage::Probed(bench.operation, Ok(Findings::Opened)));
    bench.tell(DeviceMessage::Leased { holder: user() });
    assert_eq!(bench.status, DeviceStatus::InUse);
    let mut again = bench.begin_again();
    again.heard(Some(user())).tell(DeviceMessage::Seen(sighting(2)));
    assert_eq!(again.status, DeviceStatus::InUse);
}

#[test]
fn a_departure_that_waited_for_a_restarted_actor_is_heard_from_the_inventory() {
    let mut bench = Bench::new();
    let mut again = bench.ready().begin_again();
    assert_eq!(again.tell(gone(1)).outcome, Outcome::Ignored);
    again.heard(None).tell(gone(1));
    assert_eq!(again.status, DeviceStatus::Absent);
    let [LeaseMessage::DeviceUnavailable { reason, .. }] = &again.told[..] else { panic!("{:?}", again.told) };
    assert_eq!(reason.to_string(), "gone (USB 1-1 unplugged)");
}

#[test]
fn how_it_left_is_still_said_after_a_panic() {
    let mut bench = Bench::new();
    let mut again = bench.ready().tell(gone(1)).begin_again();
    again.heard(None).tell(DeviceMessage::Gone { generation: None, how: Departure::NotPluggedIn });
    assert_eq!(again.shown.unwrap().reason.to_string(), "gone (USB 1-1 unplugged)");
}
