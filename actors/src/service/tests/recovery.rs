use super::super::messages::Attempts;
use super::*;
use crate::lease::{Blocker, Soon};

/// What a restarted service asks, answered: what runs, and what it holds.
fn answered(again: &mut Bench, run: Option<RunId>, held: Option<Grant>) {
    again.tell(reported(run)).tell(ServiceMessage::Holding(held));
}

#[test]
fn a_run_that_was_ready_goes_on_and_nothing_is_started_or_stopped() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1);
    let mut again = bench.begin_again();
    assert!(matches!(again.acts[..], [Action::ReportRun(_)]));
    answered(&mut again, Some(bench.run()), Some(grant(1)));
    assert!(again.status() == ServiceStatus::Running && again.acts.is_empty());
}

#[test]
fn a_run_that_was_starting_is_looked_at_anew() {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(grant(1))).tell(ServiceMessage::SlotGranted).spawned();
    let mut again = bench.begin_again();
    answered(&mut again, Some(bench.run()), Some(grant(1)));
    assert!(matches!(again.acts[..], [Action::Watch(_)]));
    assert!(matches!(again.slots[..], [ServicesMessage::HoldsSlot(_)]));
    assert_eq!(again.ready().status(), ServiceStatus::Running);
}

#[test]
fn a_program_that_is_still_being_loaded_is_waited_for_and_can_be_stopped() {
    let loading = || {
        let mut bench = Bench::new(plain());
        bench.tell(ServiceMessage::SlotGranted);
        let mut again = bench.begin_again();
        again.tell(ServiceMessage::Reported(Some(ReportedRun { run: bench.run(), pid: None })));
        again.tell(ServiceMessage::Holding(None));
        again
    };
    let mut again = loading();
    assert_eq!(again.status(), ServiceStatus::Starting);
    assert!(again.acts.is_empty(), "there is nothing to look at yet");
    assert!(matches!(again.spawned().acts[..], [Action::Watch(_)]));
    assert_eq!(again.ready().status(), ServiceStatus::Running);
    let mut again = loading();
    assert!(again.tell(ServiceMessage::Close).tell(ServiceMessage::Hurry).swept());
}

#[test]
fn without_a_run_it_starts_again_with_the_lease_it_holds_and_the_old_probe_ends() {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(grant(1))).tell(ServiceMessage::SlotGranted).spawned();
    let mut again = bench.begin_again();
    answered(&mut again, None, Some(grant(1)));
    assert!(again.asked_for_slot() && !again.requested());
    assert!(again.acts.iter().any(|act| matches!(act, Action::Unwatch(run) if *run == bench.run())));
}

#[test]
fn what_the_operator_and_the_back_off_said_is_remembered() {
    let mut bench = Bench::new(plain());
    bench.come_up().exits(Exit::Code(1));
    let mut again = bench.begin_again();
    answered(&mut again, None, None);
    assert_eq!(again.status(), ServiceStatus::Backoff);
    assert!(again.wait(SECOND * 2).asked_for_slot());
    bench.tell(ServiceMessage::Stop(REQUEST));
    let mut again = bench.begin_again();
    answered(&mut again, None, None);
    assert_eq!(again.status(), ServiceStatus::Held);
}

#[test]
fn while_it_recovers_nobody_is_told_that_it_has_stopped() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.hears("need", Standing::Up).come_up();
    let mut again = bench.begin_again();
    assert!(!again.hears("need", leaving(4)).settled_debt("need"));
    answered(&mut again, Some(bench.run()), None);
    assert!(again.signalled());
    assert!(again.exits(Exit::Signal(15)).settled_debt("need"));
}

#[test]
fn an_end_between_the_report_and_the_rest_of_the_answers_is_not_lost() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1);
    let run = bench.run();
    let mut again = bench.begin_again();
    again.tell(reported(Some(run))).tell(ServiceMessage::Process(run, ProcessEvent::TreeGone));
    again.tell(ServiceMessage::Holding(Some(grant(1))));
    assert_eq!(again.status(), ServiceStatus::Backoff);
}

#[test]
fn a_grant_that_crosses_the_question_what_it_holds_is_not_given_back() {
    let bench = Bench::new(leasing());
    let mut again = bench.begin_again();
    assert!(!again.tell(ServiceMessage::Granted(grant(1))).released());
    answered(&mut again, None, Some(grant(1)));
    assert!(again.asked_for_slot());
}

#[test]
fn it_tells_a_registry_that_died_as_well_what_it_holds() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1);
    let mut again = bench.begin_again();
    again.tell(ServiceMessage::Restate);
    let [LeaseMessage::Restated { grant: Some(held), .. }, LeaseMessage::Inquire(_)] = &again.leases[..] else {
        panic!("{:?}", again.leases)
    };
    assert_eq!(held.token, Token(1));
}

#[test]
fn a_lease_that_was_withdrawn_meanwhile_stops_it() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1);
    let mut again = bench.begin_again();
    again.tell(ServiceMessage::Holding(Some(grant(1)))).tell(revoked());
    assert!(again.tell(reported(Some(bench.run()))).signalled());
}

#[test]
fn it_keeps_its_place_in_the_queue() {
    let mut bench = Bench::new(leasing());
    let arrival = bench.now;
    bench.wait(SECOND * 100);
    let mut again = bench.begin_again();
    answered(&mut again, None, None);
    let asked = again.leases.iter().find_map(|message| match message {
        LeaseMessage::Request(request) => Some(request.arrival),
        _ => None,
    });
    assert_eq!(asked, Some(arrival));
}

#[test]
fn what_was_stopping_goes_on_stopping_for_the_same_reason_and_is_blamed_no_more_than_before() {
    let mut bench = Bench::new(plain());
    bench.come_up().wait(SECOND * 100).tell(ServiceMessage::Restart(REQUEST, Attempts::Keep));
    let mut again = bench.begin_again();
    answered(&mut again, Some(bench.run()), None);
    assert!(again.signalled());
    assert_eq!(again.reason(), "the operator asked for a restart");
    assert!(again.exits(Exit::Signal(15)).asked_for_slot(), "{:?}", again.shown);
    let mut bench = Bench::new(plain());
    bench.tell(ServiceMessage::SlotGranted).spawned().wait(SECOND * 30);
    let mut again = bench.begin_again();
    answered(&mut again, Some(bench.run()), None);
    assert_eq!(again.exits(Exit::Signal(15)).reason(), "not ready within 30s; restart 1 of 3");
}

#[test]
fn a_failure_counts_also_when_its_run_ends_while_nobody_hears_it() {
    let mut bench = Bench::new(plain());
    bench.tell(ServiceMessage::SlotGranted).spawned().wait(SECOND * 30);
    let mut again = bench.begin_again();
    answered(&mut again, None, None);
    assert_eq!(again.reason(), "not ready within 30s; restart 1 of 3");
}

#[test]
fn deadlines_go_on_over_a_panic() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.hears("need", Standing::Up).come_up().hears("need", down()).wait(SECOND * 10);
    let mut again = bench.begin_again();
    again.hears("need", down());
    answered(&mut again, Some(bench.run()), None);
    assert!(!again.wait(SECOND * 5 - Duration::from_millis(1)).signalled());
    assert!(again.wait(Duration::from_millis(1)).signalled(), "15 s after it went down");
    let mut bench = Bench::new(plain());
    bench.tell(ServiceMessage::SlotGranted).spawned().wait(SECOND * 20);
    let mut again = bench.begin_again();
    answered(&mut again, Some(bench.run()), None);
    assert!(again.wait(SECOND * 10).signalled(), "30 s after it was started");
}

#[test]
fn failures_are_forgotten_in_time_also_after_a_panic() {
    let mut bench = Bench::new(plain());
    bench.come_up().exits(Exit::Code(1)).wait(SECOND * 2).come_up();
    let mut again = bench.begin_again();
    answered(&mut again, Some(bench.run()), None);
    assert_eq!(again.wait(SECOND * 60).exits(Exit::Code(1)).reason(), "it ended: exit code 1; restart 1 of 3");
}

#[test]
fn a_restarted_supervisor_of_services_hears_of_everybody_whether_he_is_starting() {
    let mut bench = Bench::new(plain());
    assert!(bench.tell(ServiceMessage::RestateSlot).asked_for_slot());
    bench.tell(ServiceMessage::SlotGranted).tell(ServiceMessage::RestateSlot);
    assert!(matches!(bench.slots[..], [ServicesMessage::HoldsSlot(_)]), "{:?}", bench.slots);
    let mut again = bench.spawned().begin_again();
    assert!(again.tell(ServiceMessage::RestateSlot).slots.is_empty(), "it does not know yet");
    bench.ready();
    assert!(bench.tell(ServiceMessage::RestateSlot).returned_slot());
}

#[test]
fn a_slot_that_is_given_twice_is_not_given_back_by_one_that_is_starting() {
    let mut bench = Bench::new(plain());
    bench.tell(ServiceMessage::SlotGranted).tell(ServiceMessage::SlotGranted);
    assert!(!bench.returned_slot() && !bench.spawning());
    assert!(bench.spawned().ready().tell(ServiceMessage::SlotGranted).returned_slot());
}

#[test]
fn while_it_recovers_nothing_is_shown_that_it_does_not_know() {
    let mut bench = Bench::new(plain());
    bench.come_up().tell(ServiceMessage::Stop(REQUEST));
    assert_eq!(bench.status(), ServiceStatus::Stopping);
    let mut again = bench.begin_again();
    // The program runs still: it is not held before it has ended.
    again.hears("need", Standing::Up);
    assert!(again.shown.is_none());
    answered(&mut again, Some(bench.run()), None);
    assert_eq!(again.status(), ServiceStatus::Stopping);
    assert_eq!(again.exits(Exit::Signal(15)).status(), ServiceStatus::Held);
}

#[test]
fn while_it_recovers_a_dependent_that_asks_is_answered_once_it_is_known() {
    let mut bench = Bench::with_dependents(plain(), &["other"]);
    bench.come_up();
    let mut again = bench.begin_again();
    assert!(again.tell(ServiceMessage::Inquire(name("other"))).services.is_empty());
    answered(&mut again, Some(bench.run()), None);
    assert_eq!(again.said_to("other"), Some(&Standing::Up));
}

#[test]
fn a_stop_while_it_recovers_does_not_claim_that_nothing_runs() {
    let mut bench = Bench::new(plain());
    bench.come_up();
    let mut again = bench.begin_again();
    again.tell(ServiceMessage::Stop(REQUEST));
    assert!(!super::operator::said(&again.answers[0]).contains("does not run"), "{:?}", again.answers);
    answered(&mut again, Some(bench.run()), None);
    assert!(again.signalled());
}

#[test]
fn until_it_knows_as_much_as_before_the_panic_nothing_new_is_shown_or_told() {
    let draft = leasing().requires("need", 15);
    let mut bench = Bench::with_dependents(draft, &["top"]);
    bench.hears("need", Standing::Up).tell(ServiceMessage::Queued(vec![gone_device()]));
    let shown = bench.shown.clone();
    let mut again = bench.begin_again();
    let inquiry = || ServiceMessage::Inquire(name("top"));
    let silent = |again: &Bench| again.shown.is_none() && again.services.iter().all(|(to, _)| to.as_str() != "top");
    answered(&mut again, None, None);
    assert!(silent(&again), "how its need stands is not known: {:?}", again.services);
    assert!(again.hears("need", Standing::Up).requested());
    assert!(silent(&again) && silent(again.tell(inquiry())), "the registry has not answered: {:?}", again.services);
    again.tell(ServiceMessage::Queued(vec![gone_device()]));
    assert_eq!(again.shown, shown);
    assert_eq!(again.services.iter().filter(|(to, _)| to.as_str() == "top").count(), 1);
}

#[test]
fn why_it_last_stopped_and_what_was_said_last_is_still_shown_after_a_panic() {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(grant(1))).tell(ServiceMessage::SlotGranted).spawned();
    bench.tell(ServiceMessage::Probe(bench.run(), ProbeEvent::NotYet("nobody answers".to_owned())));
    let mut again = bench.begin_again();
    answered(&mut again, Some(bench.run()), Some(grant(1)));
    assert_eq!((again.reason(), bench.reason()), ("not ready yet: nobody answers", "not ready yet: nobody answers"));
    bench.tell(revoked()).process(ProcessEvent::TreeGone);
    let mut again = bench.begin_again();
    answered(&mut again, None, None);
    again.tell(ServiceMessage::Queued(vec![gone_device()]));
    assert_eq!((again.reason(), bench.reason()), ("x is gone (USB 1-1 unplugged)", "x is gone (USB 1-1 unplugged)"));
}

fn gone_device() -> Blocker {
    Blocker::Device { device: x(), reason: Unusable::NotHeardOf, soon: Soon::Unknown }
}
