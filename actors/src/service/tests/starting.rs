use mainstay_config::model::{Probe, Unit};
use mainstay_config::template::Template;

use super::*;
use crate::effect::process::order::{Notification, Said, SpawnFailure};

#[test]
fn needs_come_first_then_leases_then_a_start_slot_which_is_held_until_it_is_ready() {
    let mut bench = Bench::new(leasing().requires("need", 15));
    assert_eq!(
        (bench.status(), bench.waits_for().as_str()),
        (ServiceStatus::Waiting, "need: waiting for what it needs")
    );
    assert!(!bench.requested());
    assert!(bench.hears("need", Standing::Up).requested() && !bench.asked_for_slot());
    assert!(bench.tell(ServiceMessage::Granted(grant(1))).asked_for_slot());
    assert_eq!(bench.waits_for(), "a start slot (max_parallel_starts)");
    assert!(bench.tell(ServiceMessage::SlotGranted).spawning() && !bench.returned_slot());
    assert_eq!(bench.spawned().status(), ServiceStatus::Starting);
    assert!(bench.ready().returned_slot());
    assert_eq!(bench.status(), ServiceStatus::Running);
    assert!(bench.timers.is_empty(), "{:?}", bench.timers);
}

#[test]
fn what_needs_no_lease_asks_for_a_slot_at_once() {
    assert!(Bench::new(plain()).asked_for_slot());
}

#[test]
fn one_that_is_ready_when_it_lives_is_ready_when_it_is_spawned() {
    let mut bench = Bench::new(plain().ready(Probe::Process));
    assert_eq!(bench.tell(ServiceMessage::SlotGranted).spawned().status(), ServiceStatus::Running);
}

#[test]
fn one_that_says_itself_when_it_is_ready_is_not_looked_at() {
    let mut bench = Bench::new(plain().ready(Probe::Notify));
    bench.tell(ServiceMessage::SlotGranted).spawned();
    assert!(bench.acts.is_empty() && bench.status() == ServiceStatus::Starting);
    assert_eq!(bench.reason(), "not ready yet: it has not said READY=1 on its notification socket");
    let status = Some("at work".to_owned());
    bench.process(ProcessEvent::Notified(Notification { ready: Some(Said), status, ..Notification::default() }));
    assert_eq!(bench.reason(), "at work");
    assert_eq!(bench.status(), ServiceStatus::Running);
}

#[test]
fn one_that_is_not_ready_in_time_is_stopped_with_what_the_probe_said_and_tried_again() {
    let mut bench = Bench::new(plain());
    bench.tell(ServiceMessage::SlotGranted).spawned();
    bench.tell(ServiceMessage::Probe(bench.run(), ProbeEvent::NotYet("nothing listens on port 80".to_owned())));
    bench.wait(SECOND * 30);
    assert!(bench.signalled() && bench.returned_slot());
    assert_eq!(bench.reason(), "not ready within 30s: nothing listens on port 80");
    bench.exits(Exit::Signal(15));
    assert_eq!(bench.status(), ServiceStatus::Backoff);
    assert_eq!(bench.reason(), "not ready within 30s: nothing listens on port 80; restart 1 of 3");
}

#[test]
fn a_program_that_is_not_there_fails_at_once_and_says_so() {
    let mut bench = Bench::new(plain());
    let missing = SpawnFailure::NotFound { program: "kismet".to_owned() };
    bench.tell(ServiceMessage::SlotGranted).process(ProcessEvent::SpawnFailed(missing));
    assert_eq!(bench.status(), ServiceStatus::Failed);
    assert_eq!(bench.reason(), "there is no program `kismet`; install it, or write its full path");
    assert!(bench.returned_slot());
}

#[test]
fn a_grant_that_arrives_after_it_was_withdrawn_is_given_back() {
    let mut bench = Bench::new(leasing().requires("need", 15));
    bench.hears("need", Standing::Up).hears("need", down());
    assert!(matches!(bench.leases[..], [LeaseMessage::Withdraw(_)]));
    assert!(bench.tell(ServiceMessage::Granted(grant(1))).released());
}

#[test]
fn a_slot_that_is_not_wanted_any_more_is_given_back() {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(grant(1))).tell(revoked());
    assert!(bench.returned_slot() && bench.released() && bench.requested());
    assert!(bench.tell(ServiceMessage::SlotGranted).returned_slot() && !bench.spawning());
}

#[test]
fn what_this_version_cannot_run_is_failed_and_says_so() {
    let mut draft = plain();
    draft.0.not_in_this_version = vec!["container".to_owned()];
    let mut bench = Bench::new(draft);
    assert_eq!((bench.status(), bench.reason()), (ServiceStatus::Failed, "not in this version: container"));
    bench.tell(ServiceMessage::Start(REQUEST, super::super::NeedsPolicy::Respect));
    assert_eq!(bench.answers[0].outcome, crate::machine::Outcome::Refused);
}

#[test]
fn a_device_that_is_called_otherwise_now_is_used_by_its_new_name_at_the_next_start() {
    let mut draft = leasing();
    if let Unit::Process(command) = &mut draft.0.unit {
        command.argv = ["listen", "{device.x.interface}"].map(|text| Template::parse(text).unwrap()).into();
    }
    let mut bench = Bench::new(draft);
    let offer = |interface: &str| {
        let held = grant(1).devices[&x()].offer.clone();
        crate::device::Offer { interface: Some(interface.to_owned()), ..held }
    };
    bench.tell(ServiceMessage::Granted(grant(1))).tell(ServiceMessage::Corrected(x(), offer("antenna")));
    bench.tell(ServiceMessage::SlotGranted);
    let argv = bench.acts.iter().find_map(|act| match act {
        Action::Spawn(order) => Some(order.argv.clone()),
        _ => None,
    });
    assert_eq!(argv.unwrap(), ["listen", "antenna"]);
    let other = Generation("usb 1:9".to_owned());
    let late = crate::device::Offer { generation: other, ..offer("wlan9") };
    bench.tell(ServiceMessage::Corrected(x(), late));
    assert_eq!(bench.machine.grant.as_ref().unwrap().devices[&x()].offer.interface.as_deref(), Some("antenna"));
}
