use mainstay_config::model::RestartWhen;

use super::*;
use crate::action::process::SpawnFailure;
use crate::cause::{Refusal, Resource};
use crate::message::service::Attempts;

/// Comes up, and ends by itself.
fn lives_and_dies(bench: &mut Bench, exit: Exit) {
    bench.come_up().exits(exit);
}

#[test]
fn it_is_restarted_after_2_4_and_8_seconds_and_then_it_has_failed() {
    let mut bench = Bench::new(plain());
    for wait in [2, 4, 8] {
        lives_and_dies(&mut bench, Exit::Code(1));
        assert_eq!(bench.status(), ServiceStatus::Backoff);
        assert!(!bench.wait(SECOND * wait - Duration::from_millis(1)).asked_for_slot());
        assert!(bench.wait(Duration::from_millis(1)).asked_for_slot());
    }
    lives_and_dies(&mut bench, Exit::Code(1));
    assert_eq!(bench.status(), ServiceStatus::Failed);
    assert_eq!(bench.reason(), "it ended: exit code 1; given up after 3 restarts");
}

#[test]
fn having_run_for_a_minute_it_counts_anew() {
    let mut bench = Bench::new(plain());
    for _ in 0..10 {
        lives_and_dies(&mut bench, Exit::Signal(11));
        assert_eq!(bench.reason(), "it ended: killed by SIGSEGV; restart 1 of 3");
        bench.wait(SECOND * 2).come_up().wait(SECOND * 60).exits(Exit::Code(1));
        assert_eq!(bench.reason(), "it ended: exit code 1; restart 1 of 3");
        bench.wait(SECOND * 2).come_up().wait(SECOND * 60).exits(Exit::Code(0));
        bench.wait(SECOND * 2).come_up().wait(SECOND * 60);
    }
}

#[test]
fn restart_never_and_restart_on_failure_look_at_how_it_ended() {
    let cases = [
        (RestartWhen::Never, Exit::Code(0), ServiceStatus::Stopped),
        (RestartWhen::Never, Exit::Code(1), ServiceStatus::Failed),
        (RestartWhen::Failure, Exit::Code(0), ServiceStatus::Stopped),
        (RestartWhen::Failure, Exit::Signal(9), ServiceStatus::Backoff),
        (RestartWhen::Always, Exit::Code(0), ServiceStatus::Backoff),
    ];
    for (when, exit, status) in cases {
        let mut draft = plain();
        draft.0.restart.when = when;
        let mut bench = Bench::new(draft);
        lives_and_dies(&mut bench, exit);
        assert_eq!(bench.status(), status, "{when:?} after {exit}");
    }
}

#[test]
fn a_program_that_ends_well_and_leaves_others_has_gone_into_the_background() {
    let mut bench = Bench::new(plain());
    bench.tell(SLOT).spawned();
    bench.process(ProcessEvent::MainExited { exit: Exit::Code(0), remaining: vec![77, 78] }).ready();
    assert_eq!((bench.status(), bench.shown.as_ref().unwrap().pid), (ServiceStatus::Running, Some(77)));
    assert_eq!(bench.process(ProcessEvent::TreeGone).status(), ServiceStatus::Backoff);
}

#[test]
fn of_a_program_that_fails_and_leaves_others_these_get_the_stop_signal_and_the_grace_and_then_it_is_restarted() {
    let mut bench = Bench::new(plain());
    bench.come_up().process(ProcessEvent::MainExited { exit: Exit::Code(1), remaining: vec![77] });
    assert!(bench.signalled() && !bench.swept());
    assert!(bench.wait(SECOND * 5).swept());
    assert_eq!(bench.process(ProcessEvent::TreeGone).reason(), "it ended: exit code 1; restart 1 of 3");
}

#[test]
fn one_that_was_not_ready_in_time_is_tried_again_also_when_it_ends_while_its_dependents_stop() {
    let mut bench = Bench::with_dependents(plain(), &["a"]);
    bench.tell(SLOT).spawned().wait(SECOND * 30);
    assert_eq!(bench.reason(), "not ready within 30s; first a must stop");
    bench.exits(Exit::Code(0));
    assert_eq!(bench.reason(), "not ready within 30s; restart 1 of 3");
    // One that has not even begun to run by then, and never does.
    bench.wait(SECOND * 2).tell(SLOT).wait(SECOND * 30);
    bench.process(ProcessEvent::SpawnFailed(SpawnFailure::Busy));
    assert_eq!(bench.reason(), "not ready within 30s; restart 2 of 3");
}

#[test]
fn leases_are_kept_over_a_back_off_and_given_up_when_somebody_waits() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).exits(Exit::Code(1));
    assert!(matches!(bench.leases[..], [LeaseMessage::Idle(_)]));
    assert!(bench.wait(SECOND * 2).asked_for_slot() && !bench.requested());
    assert!(matches!(bench.leases[..], [LeaseMessage::Busy(_)]));
    bench.come_up().exits(Exit::Code(1));
    assert!(bench.tell(revoked()).released());
}

#[test]
fn a_death_just_before_the_device_is_known_to_be_gone_is_the_devices() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).wait(SECOND * 5).exits(Exit::Signal(6)).wait(SECOND);
    bench.tell(revoked()).tell(device_left());
    assert!(bench.requested() || bench.status() == ServiceStatus::Waiting, "{:?}", bench.shown);
    bench.come_up_with(2).exits(Exit::Code(1));
    assert_eq!(bench.reason(), "it ended: exit code 1; restart 1 of 3", "the first one did not count");
}

#[test]
fn what_ended_of_the_loss_comes_back_whatever_its_end_looked_like() {
    for when in [RestartWhen::Always, RestartWhen::Failure, RestartWhen::Never] {
        for exit in [Exit::Code(0), Exit::Code(1), Exit::Signal(1)] {
            let mut draft = leasing();
            draft.0.restart.when = when;
            draft.0.restart.attempts = 1;
            let mut bench = Bench::new(draft);
            bench.come_up_with(1).wait(SECOND * 40).exits(exit).wait(SECOND / 2);
            bench.tell(revoked()).tell(device_left());
            assert_eq!(bench.status(), ServiceStatus::Waiting, "{when:?} after {exit}");
        }
    }
}

#[test]
fn what_ended_of_the_loss_comes_back_also_when_its_actor_panicked_twice_before_the_loss_was_known() {
    let mut draft = leasing();
    draft.0.restart.when = RestartWhen::Never;
    let mut bench = Bench::new(draft);
    bench.come_up_with(1).wait(SECOND * 40).exits(Exit::Code(0)).begin_afresh();
    assert_eq!(bench.wait(SECOND / 2).tell(device_left()).status(), ServiceStatus::Waiting);
}

#[test]
fn what_ended_of_the_loss_comes_back_also_when_it_could_not_be_started_again_before_the_loss_was_known() {
    let refusal = ServiceMessage::Refused(Refusal::RangeInUse);
    for attempts in [0, 1, 3] {
        let mut draft = leasing();
        (draft.0.restart.attempts, draft.0.restart.backoff) = (attempts, Duration::ZERO);
        let mut bench = Bench::new(draft);
        bench.come_up_with(1).wait(SECOND * 5).exits(Exit::Signal(6));
        for _ in 0..attempts {
            bench.tell(SLOT).process(ProcessEvent::SpawnFailed(SpawnFailure::Busy));
        }
        assert_eq!(bench.status(), ServiceStatus::Failed);
        bench.wait(SECOND).tell(revoked()).tell(device_left());
        assert_eq!(bench.status(), ServiceStatus::Waiting, "{attempts} attempts");
        bench.tell(refusal.clone());
        assert_eq!(bench.status(), if attempts == 0 { ServiceStatus::Failed } else { ServiceStatus::Waiting });
    }
}

#[test]
fn one_that_gave_up_by_the_loss_has_no_attempt_more_than_before() {
    let mut draft = leasing();
    draft.0.restart.attempts = 1;
    let mut bench = Bench::new(draft);
    bench.come_up_with(1).exits(Exit::Code(1)).wait(SECOND * 2).come_up().exits(Exit::Code(1)).tell(device_left());
    bench.tell(device_arrived()).come_up_with(2).exits(Exit::Code(1));
    assert_eq!(bench.reason(), "it ended: exit code 1; given up after 1 restart");
}

#[test]
fn a_death_that_the_operator_has_forgotten_is_not_remembered_by_being_forgiven() {
    let mut draft = leasing();
    draft.0.restart.attempts = 1;
    let mut bench = Bench::new(draft);
    bench.come_up_with(1).exits(Exit::Code(1)).wait(SECOND * 2).come_up().exits(Exit::Code(1));
    bench.tell(ServiceMessage::Restart(REQUEST, Attempts::Reset)).tell(device_left());
    bench.tell(device_arrived()).come_up_with(2).exits(Exit::Code(1));
    assert_eq!(bench.reason(), "it ended: exit code 1; restart 1 of 1");
}

#[test]
fn a_loss_while_the_rest_of_a_dead_tree_is_killed_is_what_it_died_of() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).process(ProcessEvent::MainExited { exit: Exit::Code(1), remaining: vec![77] });
    bench.tell(revoked()).tell(device_left()).process(ProcessEvent::TreeGone);
    assert_eq!((bench.status(), bench.reason()), (ServiceStatus::Waiting, "x is gone (USB 1-1 unplugged)"));
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).process(ProcessEvent::MainExited { exit: Exit::Code(1), remaining: vec![77] });
    bench.process(ProcessEvent::TreeGone).tell(revoked()).tell(device_left());
    assert_eq!(bench.status(), ServiceStatus::Waiting, "it was over before the loss was known");
}

#[test]
fn a_loss_while_one_that_was_not_ready_in_time_is_stopped_is_not_what_it_failed_of() {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(grant(1))).tell(SLOT).spawned().wait(SECOND * 30);
    bench.process(ProcessEvent::MainExited { exit: Exit::Signal(15), remaining: vec![77] });
    bench.tell(revoked()).tell(device_left()).process(ProcessEvent::TreeGone);
    assert_eq!(bench.reason(), "not ready within 30s; restart 1 of 3");
    assert_eq!(bench.tell(device_left()).reason(), "not ready within 30s; restart 1 of 3");
}

#[test]
fn the_return_of_a_device_that_had_stayed_half_a_minute_is_a_new_beginning_and_a_shorter_stay_is_not() {
    for (stay, status) in [(40, ServiceStatus::Waiting), (10, ServiceStatus::Failed)] {
        let mut draft = leasing();
        draft.0.restart.attempts = 0;
        let mut bench = Bench::new(draft);
        bench.come_up_with(1).exits(Exit::Code(1)).wait(SECOND * stay).tell(device_left());
        assert_eq!(bench.tell(device_arrived()).status(), status, "after {stay} s");
    }
}

#[test]
fn a_refused_lease_is_tried_again() {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Refused(Refusal::RangeInUse));
    assert_eq!(bench.reason(), "every port of its range is in use by other programs; restart 1 of 3");
    assert!(bench.wait(SECOND * 2).requested());
}

#[test]
fn who_gives_way_while_it_waits_out_a_back_off_is_forgiven_nothing_and_queues_anew() {
    let mut bench = Bench::new(leasing());
    let asked = bench.now;
    bench.wait(SECOND).come_up_with(1).exits(Exit::Code(1));
    let withdrawal = Withdrawal::GivingWay { to: name("b").into(), resource: Resource::Device(x()) };
    let giving_way = ServiceMessage::Revoked(Token(1), withdrawal);
    assert!(bench.tell(giving_way).released());
    assert_eq!(bench.status(), ServiceStatus::Backoff, "it died of its own accord");
    bench.wait(SECOND * 60);
    let LeaseMessage::Request(request) = &bench.leases[0] else { panic!("{:?}", bench.leases) };
    assert!(request.arrival > asked + SECOND, "it went before who had waited for it");
}

#[test]
fn a_start_that_failed_has_its_ports_looked_at_again_and_keeps_what_it_holds_while_nobody_waits() {
    let with_port = || Grant { ports: BTreeMap::from([(PortName::new("web").unwrap(), 8073)]), ..grant(1) };
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(with_port())).tell(SLOT).spawned();
    assert!(!bench.exits(Exit::Code(1)).released());
    assert_eq!(bench.status(), ServiceStatus::Backoff);
    bench.wait(SECOND * 60);
    assert!(matches!(bench.leases[..], [LeaseMessage::Renew(_)]), "a stranger may have its port");
}
