use mainstay_config::model::{Probe, RestartWhen, Unit};
use mainstay_config::template::Template;

use super::*;
use crate::action::not_ready::NotReady;
use crate::action::process::{Notification, SpawnFailure, Status};
use crate::cause::{Blocker, Holder, Resource, Soon};
use crate::message::service::NeedsPolicy;
use mainstay_hardware::error::Errno;

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
    assert!(bench.tell(SLOT).spawning() && !bench.returned_slot());
    assert_eq!(bench.spawned().status(), ServiceStatus::Starting);
    assert!(bench.ready().returned_slot());
    assert_eq!(bench.status(), ServiceStatus::Running);
    assert!(bench.timers.is_empty(), "{:?}", bench.timers);
}

/// What has become of its preparations, by the last message.
fn prepares(bench: &Bench) -> Option<bool> {
    bench.acts.iter().find_map(|act| match act {
        Action::Prepare(_, run) => {
            assert_eq!(*run, bench.machine.runs.next);
            Some(true)
        }
        Action::LetGo(_) => Some(false),
        _ => None,
    })
}

fn absent() -> ServiceMessage {
    let (device, reason) = (x(), Unusable::NotHeardOf);
    ServiceMessage::Queued(vec![Blocker::Device { device, reason, soon: Soon::Unknown }])
}

#[test]
fn while_it_waits_for_a_device_its_next_run_is_prepared_once() {
    let mut bench = Bench::new(leasing());
    assert_eq!(prepares(&bench), None);
    assert_eq!(prepares(bench.tell(absent())), Some(true));
    assert_eq!(prepares(bench.tell(ServiceMessage::Queued(Vec::new()))), None);
    assert_eq!(prepares(bench.tell(absent())), None);
    assert_eq!(prepares(bench.tell(ServiceMessage::Granted(grant(1)))), None);
    assert!(bench.tell(SLOT).spawning());
    assert_eq!(prepares(&bench), None);
    assert_eq!(prepares(bench.spawned().ready()), None);
}

#[test]
fn a_panic_leaves_nothing_prepared_for_who_does_not_start() {
    let mut bench = Bench::new(leasing());
    bench.tell(absent());
    assert_eq!(prepares(bench.begin_again()), Some(true));
    bench.tell(ServiceMessage::Stop(REQUEST));
    // That it is let go of may have been lost.
    assert_eq!(prepares(bench.begin_again()), Some(false));
}

#[test]
fn what_was_prepared_is_let_go_of_when_it_is_stopped_before_it_has_started() {
    let mut bench = Bench::new(leasing());
    bench.tell(absent());
    assert_eq!(prepares(bench.tell(ServiceMessage::Stop(REQUEST))), Some(false));
    bench.tell(ServiceMessage::Start(REQUEST, NeedsPolicy::Respect));
    assert_eq!(prepares(bench.tell(absent())), Some(true));
    bench.tell(ServiceMessage::Granted(grant(1)));
    assert_eq!(prepares(bench.tell(ServiceMessage::Stop(REQUEST))), Some(false));
}

#[test]
fn who_waits_for_another_holder_prepares_nothing() {
    let mut bench = Bench::new(leasing());
    let held = Blocker::Held { resource: Resource::Device(x()), holder: Holder::from(&name("other")) };
    assert_eq!(prepares(bench.tell(ServiceMessage::Queued(vec![held]))), None);
}

#[test]
fn what_needs_no_lease_asks_for_a_slot_at_once() {
    assert!(Bench::new(plain()).asked_for_slot());
}

#[test]
fn one_that_is_ready_when_it_lives_is_ready_when_it_is_spawned() {
    let mut bench = Bench::new(plain().ready(Probe::Process));
    assert_eq!(bench.tell(SLOT).spawned().status(), ServiceStatus::Running);
}

#[test]
fn one_that_says_itself_when_it_is_ready_is_not_looked_at() {
    let mut bench = Bench::new(plain().ready(Probe::Notify));
    bench.tell(SLOT).spawned();
    assert!(bench.acts.is_empty() && bench.status() == ServiceStatus::Starting);
    assert_eq!(bench.reason(), "not ready yet: it has not said READY=1 on its notification socket");
    let status = Status::from("at work");
    bench.process(ProcessEvent::Notified(Notification { ready: true, status, ..Notification::default() }));
    assert_eq!(bench.reason(), "at work");
    assert_eq!(bench.status(), ServiceStatus::Running);
}

#[test]
fn what_it_reports_before_it_ends_is_shown_beside_what_it_said() {
    let mut bench = Bench::new(plain().ready(Probe::Notify));
    bench.tell(SLOT).spawned();
    let status = Status { words: Some("no map".into()), errno: Some(Errno(2)), exit: Some(7) };
    let said = Notification { status, ..Notification::default() };
    bench.process(ProcessEvent::Notified(said));
    assert_eq!(
        bench.reason(),
        "not ready yet: no map; it reports: No such file or directory (os error 2); it reports exit code 7"
    );
}

#[test]
fn what_it_said_of_its_end_is_part_of_its_failure_of_each_thing_the_newest() {
    let mut bench = Bench::new(plain().ready(Probe::Notify));
    bench.tell(SLOT).spawned();
    let report = |status| ProcessEvent::Notified(Notification { status, ..Notification::default() });
    bench.process(report(Status { errno: Some(Errno(13)), ..Status::default() }));
    bench.process(report("reading the licence".into()));
    bench.process(report("no licence".into()));
    bench.exits(Exit::Code(9));
    assert_eq!(
        bench.reason(),
        "it ended before it was ready: exit code 9 (it said: no licence; it reports: Permission denied (os error 13)); \
         restart 1 of 3"
    );
}

#[test]
fn what_it_says_while_it_stops_is_shown_and_nothing_that_it_said_before() {
    let mut bench = Bench::new(plain());
    bench
        .come_up()
        .process(ProcessEvent::Notified(Notification { status: "at work".into(), ..Notification::default() }));
    assert_eq!(bench.reason(), "at work");
    bench.tell(ServiceMessage::Stop(REQUEST));
    assert_eq!(bench.reason(), "stopped by the operator");
    bench.process(ProcessEvent::Notified(Notification { status: "writing".into(), ..Notification::default() }));
    assert_eq!(bench.reason(), "stopped by the operator; it says: writing");
}

#[test]
fn one_that_is_not_ready_in_time_is_stopped_with_what_the_probe_said_and_tried_again() {
    let mut bench = Bench::new(plain());
    bench.tell(SLOT).spawned();
    bench.tell(ServiceMessage::Probe(bench.run(), ProbeEvent::NotYet(NotReady::NotLogged("serving".to_owned()))));
    bench.wait(SECOND * 30);
    assert!(bench.signalled() && bench.returned_slot());
    assert_eq!(bench.reason(), "not ready within 30s: its output does not say `serving` yet");
    bench.exits(Exit::Signal(15));
    assert_eq!(bench.status(), ServiceStatus::Backoff);
    assert_eq!(bench.reason(), "not ready within 30s: its output does not say `serving` yet; restart 1 of 3");
}

#[test]
fn a_program_that_is_not_there_fails_at_once_and_says_so() {
    let mut bench = Bench::new(plain());
    let missing = SpawnFailure::NotFound("kismet".to_owned());
    bench.tell(SLOT).process(ProcessEvent::SpawnFailed(missing));
    assert_eq!(bench.status(), ServiceStatus::Failed);
    assert!(bench.reason().starts_with("there is no program `kismet` in the service's PATH; install it"), "the cure");
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
    assert!(bench.tell(SLOT).returned_slot() && !bench.spawning());
}

#[test]
fn what_this_version_cannot_run_is_failed_and_says_so() {
    let mut draft = plain();
    draft.0.not_in_this_version = vec![mainstay_config::model::Unsupported::Container];
    let mut bench = Bench::new(draft);
    assert_eq!((bench.status(), bench.reason()), (ServiceStatus::Failed, "not in this version: container"));
    bench.tell(ServiceMessage::Start(REQUEST, crate::message::service::NeedsPolicy::Respect));
    assert_eq!(bench.answers[0].outcome, crate::message::Outcome::Refused);
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
        crate::message::device::Offer { interface: Some(interface.to_owned()), ..held }
    };
    bench.tell(ServiceMessage::Granted(grant(1))).tell(ServiceMessage::Corrected(x(), offer("antenna")));
    bench.tell(SLOT);
    let argv = bench.acts.iter().find_map(|act| match act {
        Action::Spawn(order) => Some(order.program.argv.clone()),
        _ => None,
    });
    assert_eq!(argv.unwrap(), ["listen", "antenna"]);
    let other = Generation("usb 1:9".to_owned());
    let late = crate::message::device::Offer { generation: other, ..offer("wlan9") };
    bench.tell(ServiceMessage::Corrected(x(), late));
    assert_eq!(bench.machine.grant.as_ref().unwrap().devices[&x()].offer.interface.as_deref(), Some("antenna"));
}

/// Says something while it starts or stops.
fn asks_for(seconds: u64) -> ProcessEvent {
    let status = Status::from("loading");
    ProcessEvent::Notified(Notification { extend: Some(SECOND * seconds as u32), status, ..Notification::default() })
}

#[test]
fn a_start_that_ends_before_it_is_ready_has_failed_whatever_the_exit_code() {
    let next = [
        (RestartWhen::Failure, ServiceStatus::Backoff, "restart 1 of 3"),
        (RestartWhen::Never, ServiceStatus::Failed, "restart.when = \"never\""),
    ];
    for (when, status, next) in next {
        let mut draft = plain();
        draft.0.restart.when = when;
        let mut bench = Bench::with_dependents(draft, &["a"]);
        bench.tell(SLOT).spawned().exits(Exit::Code(0));
        assert_eq!(bench.status(), status);
        assert_eq!(bench.reason(), format!("it ended before it was ready: exit code 0; {next}"));
        let heard = bench.said_to("a").unwrap().to_string();
        assert!(heard.contains("it ended before it was ready"), "{heard}");
    }
    let mut draft = plain();
    draft.0.restart.when = RestartWhen::Failure;
    let mut bench = Bench::new(draft);
    assert_eq!(
        bench.come_up().exits(Exit::Code(0)).status(),
        ServiceStatus::Stopped,
        "after it was ready it is a good end"
    );
}

#[test]
fn a_service_that_says_that_it_needs_more_time_is_given_it_from_then_on() {
    let mut bench = Bench::new(plain().ready(Probe::Notify));
    bench.tell(SLOT).spawned();
    bench.wait(SECOND * 10).process(asks_for(2)).wait(SECOND * 19);
    assert_eq!(bench.status(), ServiceStatus::Starting, "it has the time of its configuration all the same");
    bench.process(asks_for(5)).wait(SECOND * 4);
    bench.process(asks_for(5)).wait(SECOND * 4);
    assert_eq!(bench.status(), ServiceStatus::Starting, "each word counts from then on");
    bench.wait(SECOND);
    assert_eq!(bench.reason(), "not ready within 30s, nor within the 5s more that it asked for last: loading");
    assert!(bench.signalled());
    bench.wait(SECOND * 4).process(asks_for(3)).wait(SECOND * 2);
    assert!(!bench.swept(), "the same when it stops");
    assert!(bench.wait(SECOND).swept());
}

#[test]
fn however_often_it_asks_for_more_time_to_stop_it_is_killed_in_the_end() {
    for (grace, most) in [(SECOND, SECOND * 300), (SECOND * 40, SECOND * 400)] {
        let mut draft = plain();
        draft.0.stop.grace = grace;
        let mut bench = Bench::new(draft);
        bench.come_up().tell(ServiceMessage::Stop(RequestId(1)));
        let asks = |bench: &mut Bench, asked: u64| (0..asked).all(|_| !bench.process(asks_for(2)).wait(SECOND).swept());
        assert!(asks(&mut bench, most.as_secs() - 1), "{grace:?}");
        assert!(bench.process(asks_for(3600)).wait(SECOND).swept(), "{grace:?}");
    }
}
