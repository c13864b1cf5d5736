use mainstay_config::model::{Dependency, OnReturn};

use super::*;
use crate::message::service::Health;

fn coming() -> Standing {
    Standing::Coming(Matter::Starting)
}

#[test]
fn a_quick_restart_of_what_it_requires_does_not_stop_it_and_a_long_absence_does() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.hears("need", Standing::Up).come_up();
    bench.hears("need", coming()).wait(SECOND * 14).hears("need", Standing::Up).wait(SECOND * 60);
    assert_eq!(bench.status(), ServiceStatus::Running);
    bench.hears("need", coming()).hears("need", down()).wait(SECOND * 15);
    assert!(bench.signalled());
    assert_eq!(
        bench.reason(),
        "need is lost: failed: there is no program `nowhere` in the service's PATH; install it, write its full path, or set PATH in `environment`"
    );
    bench.exits(Exit::Signal(15));
    assert_eq!(
        (bench.status(), bench.waits_for().as_str()),
        (
            ServiceStatus::Waiting,
            "need: failed: there is no program `nowhere` in the service's PATH; install it, write its full path, or set PATH in `environment`"
        )
    );
    assert!(bench.hears("need", Standing::Up).asked_for_slot());
}

#[test]
fn with_lost_after_0_it_stops_at_once() {
    let mut bench = Bench::new(plain().requires("need", 0));
    assert!(bench.hears("need", Standing::Up).come_up().hears("need", coming()).signalled());
}

#[test]
fn it_stops_for_what_it_requires_and_says_when_it_has() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.hears("need", Standing::Up).come_up();
    assert!(bench.hears("need", leaving(3)).signalled() && !bench.settled_debt("need"));
    assert_eq!(bench.reason(), "need stops: hackrf is gone (USB 1-1 unplugged)");
    assert!(bench.exits(Exit::Signal(15)).settled_debt("need"));
}

#[test]
fn one_that_does_not_run_says_at_once_that_it_has_stopped() {
    let mut bench = Bench::new(plain().requires("need", 15));
    assert!(bench.hears("need", leaving(1)).settled_debt("need"));
}

#[test]
fn an_optional_service_that_is_coming_is_waited_for_up_to_its_timeout() {
    let mut bench = Bench::new(plain().wants("need"));
    assert!(!bench.asked_for_slot() && !bench.hears("need", coming()).asked_for_slot());
    assert!(bench.wait(SECOND * 10).asked_for_slot());
    bench.come_up();
    assert_eq!((bench.status(), bench.reason()), (ServiceStatus::Running, "without need: starting"));
    assert_eq!(bench.shown.as_ref().unwrap().health, Health::Degraded);
    assert_eq!(bench.hears("need", Standing::Up).reason(), "");
}

#[test]
fn an_optional_service_that_is_down_is_not_waited_for_and_its_loss_stops_nobody() {
    let mut bench = Bench::new(plain().wants("need"));
    assert!(bench.hears("need", down()).asked_for_slot());
    bench.come_up().hears("need", Standing::Up);
    assert!(bench.hears("need", leaving(1)).settled_debt("need"));
    assert_eq!(bench.wait(SECOND * 100).status(), ServiceStatus::Running);
}

#[test]
fn it_restarts_when_an_optional_service_returns_if_it_is_configured_so() {
    let timeout = SECOND * 10;
    let mut bench = Bench::new(plain().depends("need", Dependency::Optional { timeout, on_return: OnReturn::Restart }));
    bench.hears("need", down()).come_up().hears("need", coming());
    assert!(bench.hears("need", Standing::Up).signalled());
    bench.exits(Exit::Signal(15));
    assert!(bench.asked_for_slot());
}

#[test]
fn what_waits_to_be_restarted_and_is_then_held_is_lost_at_once() {
    let mut bench = Bench::new(plain().requires("need", 60));
    bench.hears("need", Standing::Up).come_up().hears("need", coming()).wait(SECOND);
    assert!(bench.hears("need", held()).signalled());
    assert_eq!(bench.reason(), "need is lost: stopped by the operator");
    assert!(bench.timers.keys().all(|timer| !matches!(timer, ServiceTimer::Lost(_))), "{:?}", bench.timers);
    let mut bench = Bench::new(plain().requires("need", 60));
    bench.hears("need", Standing::Up).come_up();
    assert!(bench.hears("need", held()).signalled());
}

#[test]
fn one_that_still_starts_without_an_optional_service_that_comes_is_restarted_as_well() {
    let timeout = SECOND * 10;
    let mut bench = Bench::new(plain().depends("need", Dependency::Optional { timeout, on_return: OnReturn::Restart }));
    bench.hears("need", coming()).wait(timeout).tell(SLOT).spawned();
    assert!(bench.hears("need", Standing::Up).signalled());
}

#[test]
fn having_asked_for_its_leases_it_steps_back_only_for_what_it_requires() {
    let mut bench = Bench::new(leasing().after("soft").wants("optional").requires("required", 15));
    bench.hears("soft", down()).hears("optional", down());
    assert!(bench.hears("required", Standing::Up).requested());
    assert!(bench.hears("soft", coming()).leases.is_empty() && bench.hears("optional", coming()).leases.is_empty());
    assert!(matches!(bench.hears("required", coming()).leases[..], [LeaseMessage::Withdraw(_)]));
}

#[test]
fn what_it_only_comes_after_is_let_go_first_and_not_missed() {
    let mut bench = Bench::new(plain().after("need"));
    assert!(!bench.hears("need", coming()).asked_for_slot());
    assert!(bench.hears("need", down()).asked_for_slot());
    assert_eq!(bench.come_up().shown.as_ref().unwrap().health, Health::Unknown);
}
