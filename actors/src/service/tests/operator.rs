use super::*;
use crate::cause::{Missing, Requirement};
use crate::message::Outcome;
use crate::message::service::{Attempts, NeedsPolicy, Wanted};

fn start(policy: NeedsPolicy) -> ServiceMessage {
    ServiceMessage::Start(REQUEST, policy)
}

/// What the operator is answered, in words.
pub(super) fn said(answer: &OperatorAnswer) -> String {
    words::reply(&answer.said, Moment::default(), |_| None)
}

#[test]
fn what_is_stopped_stays_stopped_until_it_is_started() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).tell(ServiceMessage::Stop(REQUEST));
    assert!(bench.signalled() && bench.answers[0].outcome == Outcome::Handled);
    bench.exits(Exit::Signal(15));
    assert_eq!((bench.status(), bench.reason()), (ServiceStatus::Held, "stopped by the operator"));
    assert!(bench.released());
    assert!(!bench.tell(device_left()).tell(device_arrived()).requested());
    assert!(bench.tell(start(NeedsPolicy::Respect)).requested());
    assert_eq!(bench.shown.as_ref().unwrap().wanted, Wanted::Up);
}

#[test]
fn starting_over_a_held_need_is_refused_with_both_cures() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.tell(ServiceMessage::Stop(REQUEST)).hears("need", held());
    bench.tell(start(NeedsPolicy::Respect));
    let answer = &bench.answers[0];
    assert_eq!(answer.outcome, Outcome::Refused);
    assert_eq!(said(answer), "s requires need, which is not meant to run: stopped by the operator");
    let help = words::reply_help(&answer.said).unwrap();
    assert!(help.contains("--with-needs") && help.contains("--ignore-needs"));
    assert_eq!(bench.status(), ServiceStatus::Held);
}

#[test]
fn with_needs_starts_what_is_required_as_well() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.tell(start(NeedsPolicy::StartThem));
    let told: Vec<&str> = bench.services.iter().map(|(to, _)| to.as_str()).collect();
    assert!(told == ["need"] && matches!(bench.services[0].1, ServiceMessage::StartForDependent(..)));
}

#[test]
fn who_runs_and_is_started_without_its_needs_is_told_what_that_changes() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.hears("need", Standing::Up).come_up().tell(start(NeedsPolicy::Ignore));
    assert_eq!(said(&bench.answers[0]), "s is up already, and is not stopped for what it requires");
}

#[test]
fn what_runs_without_its_needs_is_not_stopped_by_a_start_while_they_are_not_there() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.tell(start(NeedsPolicy::Ignore)).come_up();
    for policy in [NeedsPolicy::Respect, NeedsPolicy::StartThem] {
        bench.tell(start(policy));
        assert_eq!(said(&bench.answers[0]), "s is up already, and is not stopped for what it requires");
        assert_eq!(bench.status(), ServiceStatus::Running, "{policy:?}");
    }
    bench.hears("need", Standing::Up).tell(start(NeedsPolicy::Respect));
    assert_eq!(said(&bench.answers[0]), "s is running already");
    bench.hears("need", leaving(1));
    assert_eq!(bench.status(), ServiceStatus::Stopping, "it heeds again what it requires");
}

#[test]
fn a_start_that_is_refused_leaves_what_runs_without_its_needs_as_it_is() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.tell(start(NeedsPolicy::Ignore)).come_up();
    bench.hears("need", held()).tell(start(NeedsPolicy::Respect));
    assert_eq!(bench.answers[0].outcome, Outcome::Refused);
    assert_eq!(bench.status(), ServiceStatus::Running);
}

#[test]
fn one_that_another_needs_started_is_no_longer_held() {
    let mut bench = Bench::new(plain());
    bench.tell(ServiceMessage::Stop(REQUEST));
    assert!(bench.tell(ServiceMessage::StartForDependent(name("other"), RequestId(8))).asked_for_slot());
}

#[test]
fn ignore_needs_starts_it_without_and_keeps_it_running() {
    let mut bench = Bench::new(plain().requires("need", 15));
    assert!(bench.tell(start(NeedsPolicy::Ignore)).asked_for_slot());
    bench.come_up();
    let without = "without need: waiting for what it needs (it is required; started with --ignore-needs)";
    assert_eq!(bench.reason(), without);
    assert!(bench.hears("need", leaving(1)).settled_debt("need"));
    assert_eq!(bench.wait(SECOND * 60).status(), ServiceStatus::Running);
}

#[test]
fn a_restart_stops_and_starts_and_with_force_a_failed_service_counts_anew() {
    let mut bench = Bench::new(plain());
    assert!(bench.come_up().tell(ServiceMessage::Restart(REQUEST, Attempts::Keep)).signalled());
    assert!(bench.exits(Exit::Signal(15)).asked_for_slot());
    for wait in [2, 4, 8] {
        bench.come_up().exits(Exit::Code(1)).wait(SECOND * wait);
    }
    assert_eq!(bench.come_up().exits(Exit::Code(1)).status(), ServiceStatus::Failed);
    assert!(bench.tell(ServiceMessage::Restart(REQUEST, Attempts::Reset)).asked_for_slot());
    bench.come_up().exits(Exit::Code(1));
    assert_eq!(bench.reason(), "it ended: exit code 1; restart 1 of 3");
}

#[test]
fn a_service_that_does_not_start_by_itself_says_so() {
    let mut bench = Bench::new(plain().autostart_no());
    assert_eq!(bench.status(), ServiceStatus::Stopped);
    assert_eq!(bench.reason(), "it starts only when told to (autostart = false)");
    assert!(bench.tell(start(NeedsPolicy::Respect)).asked_for_slot());
}

/// What the operator is answered to a restart.
fn restarted(bench: &mut Bench, attempts: Attempts) -> String {
    bench.tell(ServiceMessage::Restart(REQUEST, attempts));
    said(&bench.answers[0])
}

#[test]
fn a_restart_of_a_held_service_starts_it_and_says_that_it_was_held() {
    let mut bench = Bench::new(plain());
    bench.tell(ServiceMessage::Stop(REQUEST));
    assert_eq!(restarted(&mut bench, Attempts::Keep), "s was held; it is wanted again, and it starts");
    assert!(bench.asked_for_slot() && bench.shown.as_ref().unwrap().wanted == Wanted::Up);
    bench.come_up().tell(ServiceMessage::Stop(REQUEST));
    let words =
        "s was held and is still stopping; it is wanted again, and it starts when it has stopped and has all it needs";
    assert_eq!(restarted(&mut bench, Attempts::Keep), words);
    assert!(bench.exits(Exit::Signal(15)).asked_for_slot());
}

#[test]
fn a_restart_says_what_it_found() {
    let mut bench = Bench::with_dependents(plain(), &["other"]);
    bench.come_up();
    assert_eq!(restarted(&mut bench, Attempts::Keep), "s is restarting, its dependents first");
    let mut bench = Bench::new(plain().autostart_no());
    assert_eq!(restarted(&mut bench, Attempts::Keep), "s was not meant to run; it is wanted now, and it starts");
    let mut bench = Bench::new(leasing());
    let words = "s does not run yet: there is nothing to stop, and it starts as soon as it has what it leases";
    assert_eq!(restarted(&mut bench, Attempts::Keep), words);
    let mut bench = Bench::new(plain());
    bench.come_up().exits(Exit::Code(1));
    assert_eq!(restarted(&mut bench, Attempts::Keep), "s waits no longer before it is started again, and it starts");
    for wait in [4, 8, 0] {
        bench.come_up().exits(Exit::Code(1)).wait(SECOND * wait);
    }
    assert_eq!(bench.status(), ServiceStatus::Failed);
    assert_eq!(restarted(&mut bench, Attempts::Keep), "s had failed; it is tried once more, and it starts");
    bench.come_up().exits(Exit::Code(1));
    assert_eq!(restarted(&mut bench, Attempts::Reset), "s had failed; its attempts count anew, and it starts");
}

#[test]
fn a_restart_over_a_held_need_is_refused_as_a_start_is_and_nothing_is_changed() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.tell(ServiceMessage::Stop(REQUEST)).hears("need", held());
    let words = restarted(&mut bench, Attempts::Reset);
    assert_eq!(words, "s requires need, which is not meant to run: stopped by the operator");
    assert!(bench.answers[0].outcome == Outcome::Refused && bench.status() == ServiceStatus::Held);
    bench.hears("need", Standing::Held(Matter::Needs));
    restarted(&mut bench, Attempts::Reset);
    let below = |_: &Missing| {
        let (need, requirement) = (name("below"), Requirement::Required);
        Some(Missing { need, requirement, standing: held(), patience: None })
    };
    assert_eq!(
        words::reply(&bench.answers[0].said, Moment::default(), below),
        "s requires need, which waits for below, which is not meant to run: stopped by the operator"
    );
    bench.hears("need", held());
    // One that runs without it goes on doing so.
    bench.tell(start(NeedsPolicy::Ignore)).come_up();
    assert_eq!(restarted(&mut bench, Attempts::Keep), "s is restarting");
    assert!(bench.exits(Exit::Signal(15)).asked_for_slot());
}

#[test]
fn a_start_says_what_comes_next() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.tell(start(NeedsPolicy::Respect));
    assert_eq!(said(&bench.answers[0]), "s is wanted up: it waits for need: waiting for what it needs");
    bench.tell(start(NeedsPolicy::Ignore));
    assert_eq!(said(&bench.answers[0]), "s is wanted up: it starts");
}

#[test]
fn what_is_asked_while_mainstay_is_stopping_is_refused_instead_of_promised() {
    let mut bench = Bench::new(plain());
    bench.tell(ServiceMessage::Close);
    for message in [start(NeedsPolicy::Respect), ServiceMessage::Restart(REQUEST, Attempts::Reset)] {
        bench.tell(message);
        assert_eq!(bench.answers[0].outcome, Outcome::Refused);
        assert_eq!(said(&bench.answers[0]), "mainstay is stopping: s is not started any more");
        assert!(!bench.asked_for_slot());
    }
}

#[test]
fn what_is_stopped_while_it_is_restarted_stays_stopped_and_says_so() {
    let mut bench = Bench::with_dependents(plain(), &["a"]);
    bench.come_up().tell(ServiceMessage::Restart(REQUEST, Attempts::Keep)).tell(ServiceMessage::Stop(REQUEST));
    assert_eq!(bench.reason(), "stopped by the operator; first a must stop");
    bench.tell(ServiceMessage::DependentStopped(name("a"), Episode(1)));
    assert_eq!(bench.reason(), "stopped by the operator");
    let stopped = Root::Asked(Asked::NotWanted(NotWanted::Stopped));
    let held =
        |standing: &Standing| matches!(standing, Standing::Held(Matter::Stopping(origin)) if *origin.what == stopped);
    assert!(bench.said_to("a").is_some_and(held), "who requires it is refused a start");
    bench.exits(Exit::Signal(15));
    assert_eq!(bench.status(), ServiceStatus::Held);
}
