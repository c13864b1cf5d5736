use mainstay_config::model::StopSignal;

use super::*;

fn run() -> Run {
    Run::starting(ServiceName::new("gpsd").unwrap(), RunId(1), "gpsd.1".to_owned())
}

fn main() -> Main {
    Main { pid: 10, leader: 10, uid: 0, place: Place::Group, output: PipeId(1), log_end: LogEnd::default() }
}

fn order(scope: Scope) -> SignalOrder {
    SignalOrder { run: RunId(1), signal: StopSignal::Term, scope }
}

const ONE: RoundNumber = RoundNumber(1);
const TWO: RoundNumber = RoundNumber(2);

#[test]
fn of_many_notifications_that_are_passed_over_few_are_worth_a_word() {
    let mut run = run();
    let said: Vec<u64> = (0..10_000).filter_map(|_| run.pass_over()).collect();
    assert_eq!(said.len(), 14, "{said:?}");
}

#[test]
fn a_look_from_before_the_end_of_the_main_process_says_nothing() {
    let mut run = run();
    run.spawned(main());
    run.main_ended(Exit::Code(1), TWO);
    assert_eq!(run.seen(ONE, &[ProcessId { started: 1, pid: 11 }]), None);
    let exited = ProcessEvent::MainExited { exit: Exit::Code(1), remaining: vec![] };
    assert_eq!(run.nobody_is_left(), [exited, ProcessEvent::TreeGone]);
}

#[test]
fn that_nobody_was_seen_does_not_mean_that_nobody_is_left() {
    let mut run = run();
    run.spawned(main());
    run.main_ended(Exit::Code(1), ONE);
    assert_eq!(run.seen(ONE, &[]), None);
    assert!(run.is_to_be_looked_at());
}

#[test]
fn the_end_of_the_main_process_is_said_once_and_the_end_of_the_tree_last() {
    let mut run = run();
    run.spawned(main());
    run.main_ended(Exit::Signal(9), ONE);
    let rest = [ProcessId { started: 1, pid: 11 }];
    let exited = ProcessEvent::MainExited { exit: Exit::Signal(9), remaining: vec![11] };
    assert_eq!(run.seen(ONE, &rest), Some(exited));
    assert_eq!(run.seen(ONE, &rest), None);
    assert_eq!(run.nobody_is_left(), [ProcessEvent::TreeGone]);
}

#[test]
fn who_is_left_is_said_again_when_the_one_has_ended_that_was_named_first() {
    let mut run = run();
    let left = |pids: &[u32]| ProcessEvent::MainExited { exit: Exit::Code(0), remaining: pids.to_vec() };
    let [one, two] = [11, 12].map(|pid| ProcessId { started: 1, pid });
    run.spawned(main());
    run.main_ended(Exit::Code(0), ONE);
    assert_eq!(run.seen(ONE, &[one, two]), Some(left(&[11, 12])));
    run.has_ended(12);
    assert!(!run.lacks_a_name());
    assert_eq!(run.seen(TWO, &[one]), None);
    run.has_ended(11);
    assert!(run.lacks_a_name());
    assert_eq!(run.seen(TWO, &[]), None);
    assert_eq!(run.seen(TWO, &[two]), Some(left(&[12])));
    assert!(!run.lacks_a_name());
}

#[test]
fn a_signal_that_comes_before_the_start_is_kept_for_it() {
    let mut run = run();
    assert_eq!(run.target(order(Scope::Tree)), Target::Nobody);
    assert_eq!(run.spawned(main()), [order(Scope::Tree)]);
    assert_eq!(run.target(order(Scope::Main)), Target::Main(10));
}

#[test]
fn beside_the_one_that_was_named_the_first_is_signalled_too_since_it_may_be_the_only_one_that_is_left() {
    let mut run = run();
    run.spawned(main());
    let named = ProcessId { started: 1, pid: 11 };
    run.declared = Some(named);
    assert_eq!(run.target(order(Scope::Main)), Target::Both { first: 10, named });
}

#[test]
fn a_reaped_main_process_is_never_signalled() {
    let mut run = run();
    run.spawned(main());
    run.main_ended(Exit::Code(0), ONE);
    assert_eq!(run.target(order(Scope::Main)), Target::Nobody);
    assert_eq!(run.target(order(Scope::Tree)), Target::Rest);
    assert_eq!(run.root().unwrap().main_state, MainState::Reaped);
}

#[test]
fn a_look_at_a_living_run_changes_nothing() {
    let mut run = run();
    run.spawned(main());
    assert_eq!(run.seen(TWO, &[ProcessId { started: 1, pid: 11 }]), None);
    assert_eq!(run.nobody_is_left(), []);
    assert!(!run.has_lost_main());
}
