use mainstay_hardware::error::{Error, ErrorKind};

use super::*;
use crate::lease::NotPrepared;

fn radio() -> DeviceName {
    device_name("w")
}

impl Bench {
    fn prepared(&mut self, operation: OperationId, ifindex: u32) -> &mut Self {
        self.tell(LeaseMessage::RadioPrepared(operation, radio(), Ok(baseline(ifindex))))
    }
}

#[test]
fn a_radio_is_put_into_its_mode_before_it_is_granted_and_back_before_the_next_one_gets_it() {
    let mut bench = Bench::new();
    assert!(bench.ask("a", vec![exclusive("w")]).served().is_empty());
    let operation = bench.preparing().unwrap();
    assert_eq!(bench.ask("b", vec![exclusive("w")]).heard("b"), ["Queued: wait for w: a comes first"]);
    assert_eq!(bench.prepared(operation, 1).served(), ["a"]);
    bench.release("a");
    assert_eq!(bench.heard("b"), ["Queued: wait for w: being put back as it was"]);
    assert_eq!(bench.device_heard("w"), ["Withheld: nobody leases it; being put back as it was"]);
    let operation = bench.restoring().unwrap();
    bench.tell(LeaseMessage::RadioRestored(operation, radio(), Ok(())));
    assert_eq!(bench.device_heard("w"), ["PutBack: it is as it was before"]);
    assert!(bench.preparing().is_some() && bench.restoring().is_none());
}

#[test]
fn a_radio_that_was_made_ready_for_somebody_who_no_longer_wants_it_is_put_back() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    bench.tell(LeaseMessage::Withdraw(name("a").into())).ask("b", vec![exclusive("w")]);
    assert!(bench.preparing().is_none(), "one change at a time");
    assert!(bench.prepared(operation, 1).restoring().is_some());
}

#[test]
fn a_radio_that_is_shared_is_changed_once_and_put_back_once() {
    let mut bench = Bench::new();
    bench.ask("a", vec![shared("w")]);
    let operation = bench.preparing().unwrap();
    assert!(bench.ask("b", vec![shared("w")]).preparing().is_none());
    bench.prepared(operation, 1);
    assert!(bench.served() == ["a", "b"] && bench.preparing().is_none());
    assert!(bench.release("a").restoring().is_none());
    assert!(bench.release("b").restoring().is_some());
}

#[test]
fn a_radio_that_refuses_is_not_granted_and_others_are() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w"), exclusive("x")]);
    let operation = bench.preparing().unwrap();
    let busy = Error::new(ErrorKind::Busy, "somebody has it");
    bench.tell(failed(operation, busy, None));
    assert_eq!(bench.heard("a"), ["Refused: w could not be made ready: somebody has it"]);
    assert_eq!(bench.ask("b", vec![exclusive("x")]).served(), ["b"]);
}

#[test]
fn a_radio_that_failed_half_way_is_put_back_and_one_that_hangs_is_at_fault_until_it_is_mended() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    assert!(bench.tell(failed(operation, busy(), Some(baseline(1)))).restoring().is_some());
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    let silent = Error::new(ErrorKind::TimedOut, "no answer");
    bench.tell(failed(operation, silent, Some(baseline(1))));
    assert_eq!(bench.device_heard("w"), ["Fault: driver hung: no answer"]);
    assert!(bench.restoring().is_none(), "it would hang again");
    bench.ask("b", vec![exclusive("w")]);
    assert_eq!(bench.heard("b"), ["Queued: wait for w: faulted: driver hung: no answer"]);
    assert!(bench.unplug("w").plug("w", 1).restoring().is_some());
}

#[test]
fn a_radio_that_vanishes_while_it_is_made_ready_is_waited_for() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    let gone = Error::new(ErrorKind::NotFound, "no such interface");
    bench.tell(failed(operation, gone, None));
    assert!(
        bench.heard("a").contains(&"Queued: wait for w: gone (it vanished while it was made ready)".to_owned()),
        "{:?}",
        bench.told
    );
    assert!(bench.plug("w", 2).preparing().is_some());
}

#[test]
fn a_radio_whose_interface_was_made_anew_while_it_was_made_ready_is_made_ready_by_its_new_index() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    let anew = Offer { ifindex: Some(9), ..offer("w", 1) };
    bench.tell(LeaseMessage::DeviceAvailable(radio(), anew));
    bench.tell(failed(operation, Error::new(ErrorKind::NotFound, "no such interface"), None));
    assert!(matches!(bench.acts[..], [Action::PrepareRadio { ifindex: 9, .. }]), "{:?}", bench.acts);
    let operation = bench.preparing().unwrap();
    assert_eq!(bench.prepared(operation, 9).served(), ["a"]);
}

#[test]
fn a_radio_that_could_not_be_tried_while_other_drivers_hang_is_waited_for_and_tried_again() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    bench.tell(failed(operation, untried(), None));
    assert_eq!(bench.heard("a"), ["Queued: wait for w: others hang"]);
    assert!(bench.preparing().is_none(), "not at once");
    let again = LeaseTimer::LookAgain(name("a").into());
    assert_eq!(bench.timers, std::slice::from_ref(&again));
    let operation = bench.tell(LeaseMessage::Timer(again)).preparing().unwrap();
    assert_eq!(bench.prepared(operation, 1).served(), ["a"]);
}

#[test]
fn who_could_not_be_tried_for_is_not_overtaken_meanwhile() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w"), exclusive("x")]);
    let operation = bench.preparing().unwrap();
    bench.tell(failed(operation, untried(), None));
    assert_eq!(bench.ask("b", vec![exclusive("w")]).heard("b"), ["Queued: wait for w: a comes first"]);
    assert_eq!(bench.ask("c", vec![exclusive("x")]).heard("c"), ["Queued: wait for x: a comes first"]);
    assert!(bench.unplug("x").preparing().is_some(), "who waits for an absent device as well reserves nothing");
}

#[test]
fn that_a_radio_could_not_be_tried_to_be_put_back_is_none_of_its_failures() {
    let mut bench = putting_back();
    for _ in 0..20 {
        let operation = bench.restoring().unwrap();
        bench.tell(LeaseMessage::RadioRestored(operation, radio(), Err(untried())));
        assert_eq!(bench.timers, [LeaseTimer::PutBack(radio())]);
        bench.tell(next_try());
    }
}

#[test]
fn a_change_of_an_arrival_that_is_over_is_put_back_before_the_next_one_is_changed() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    bench.unplug("w").plug("w", 2);
    assert!(bench.preparing().is_none());
    let restoring = bench.prepared(operation, 1).restoring().unwrap();
    let gone = Error::new(ErrorKind::NotFound, "no such interface");
    bench.tell(LeaseMessage::RadioRestored(restoring, radio(), Err(gone)));
    let operation = bench.preparing().unwrap();
    assert_eq!(bench.prepared(operation, 2).served(), ["a"]);
}

/// A registry that puts `w` back, which nobody uses any more and `b` waits for.
fn putting_back() -> Bench {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    bench.prepared(operation, 1).ask("b", vec![exclusive("w")]).release("a");
    bench
}

fn failed(operation: OperationId, error: Error, before: Option<WifiBaseline>) -> LeaseMessage {
    LeaseMessage::RadioPrepared(operation, radio(), Err(NotPrepared { error, before }))
}

fn busy() -> Error {
    Error::new(ErrorKind::Busy, "somebody has it")
}

fn untried() -> Error {
    Error::new(ErrorKind::NotTried, "others hang")
}

fn next_try() -> LeaseMessage {
    LeaseMessage::Timer(LeaseTimer::PutBack(radio()))
}

#[test]
fn a_radio_that_refuses_to_be_put_back_is_tried_again_and_leased_only_then() {
    let mut bench = putting_back();
    let first = bench.restoring().unwrap();
    bench.tell(LeaseMessage::RadioRestored(first, radio(), Err(busy())));
    assert_eq!(bench.timers, [LeaseTimer::PutBack(radio())]);
    let heard = "Withheld: nobody leases it; being put back as it was; try 2 of 5, since somebody has it";
    assert_eq!(bench.device_heard("w"), [heard]);
    assert!(bench.restoring().is_none() && bench.preparing().is_none());
    let second = bench.tell(next_try()).restoring().unwrap();
    assert!(bench.tell(LeaseMessage::RadioRestored(first, radio(), Ok(()))).preparing().is_none(), "it is too late");
    assert!(bench.tell(LeaseMessage::RadioRestored(second, radio(), Ok(()))).preparing().is_some());
}

/// A registry that has given `w` up, which `b` waits for; and how often it paused meanwhile.
fn given_up() -> (Bench, u32) {
    let mut bench = putting_back();
    let mut pauses = 0;
    while bench.device_heard("w").iter().all(|heard| heard.starts_with("Withheld")) {
        assert!(pauses < 10, "it is tried for ever");
        if bench.restoring().is_none() {
            pauses += 1;
            bench.tell(next_try());
        }
        let operation = bench.restoring().unwrap();
        bench.tell(LeaseMessage::RadioRestored(operation, radio(), Err(busy())));
    }
    let fault = "Fault: it could not be put back as it was: somebody has it (tried 5 times)";
    assert_eq!(bench.device_heard("w"), [fault]);
    (bench, pauses)
}

#[test]
fn a_radio_that_refuses_every_time_is_at_fault() {
    let (mut bench, pauses) = given_up();
    assert_eq!(pauses, 4);
    let waits = "Queued: wait for w: faulted: it could not be put back as it was: somebody has it (tried 5 times)";
    assert_eq!(bench.heard("b"), [waits]);
    assert!(bench.preparing().is_none(), "somebody who waits for it gets it as it is");
    assert!(bench.tell(LeaseMessage::Close).closed, "nothing is left to wait for");
}

#[test]
fn a_radio_that_was_given_up_is_put_back_before_it_is_leased_again_whatever_happened_meanwhile() {
    let (mut bench, _) = given_up();
    assert!(bench.plug("w", 1).restoring().is_none(), "this was said before its own actor knew");
    let operation = bench.unplug("w").plug("w", 1).restoring().unwrap();
    assert_eq!(bench.device_heard("w"), ["Withheld: nobody leases it; being put back as it was"]);
    assert!(bench.preparing().is_none());
    bench.tell(LeaseMessage::RadioRestored(operation, radio(), Ok(())));
    assert_eq!(bench.device_heard("w"), ["PutBack: it is as it was before"]);
    assert!(bench.preparing().is_some());
}

#[test]
fn a_radio_that_hangs_or_is_gone_when_it_is_put_back_is_not_tried_again() {
    for (kind, heard) in [
        (ErrorKind::TimedOut, "Fault: it could not be put back as it was: no"),
        (ErrorKind::NotFound, "PutBack: nothing is left to put back"),
    ] {
        let mut bench = putting_back();
        let operation = bench.restoring().unwrap();
        bench.tell(LeaseMessage::RadioRestored(operation, radio(), Err(Error::new(kind, "no"))));
        assert_eq!(bench.device_heard("w"), [heard]);
        assert!(bench.timers.is_empty());
    }
}

#[test]
fn a_radio_that_leaves_between_two_tries_is_not_waited_for() {
    let mut bench = putting_back();
    let operation = bench.restoring().unwrap();
    bench.tell(LeaseMessage::RadioRestored(operation, radio(), Err(busy())));
    let operation = bench.unplug("w").restoring().unwrap();
    let gone = Error::new(ErrorKind::NotFound, "no such interface");
    bench.tell(LeaseMessage::RadioRestored(operation, radio(), Err(gone)));
    assert!(bench.timers.is_empty());
    assert!(bench.plug("w", 2).preparing().is_some());
    assert!(bench.tell(next_try()).restoring().is_none(), "a timer that was too late to be taken back");
}

#[test]
fn a_device_whose_actor_panicked_hears_again_that_it_is_being_put_back() {
    let mut bench = putting_back();
    bench.tell(LeaseMessage::InquireDevice(radio()));
    let heard = ["Holder: nobody leases it", "Withheld: nobody leases it; being put back as it was"];
    assert_eq!(bench.device_heard("w"), heard);
}

/// A registry after a panic, with everybody heard; and the operation by which it asks how the radio was.
fn successor(bench: &Bench, holder: Option<Grant>) -> (Bench, OperationId) {
    let mut again = bench.begin_again();
    let asked = again.reporting().unwrap();
    again.plug("w", 1);
    for service in SERVICES {
        let grant = holder.clone().filter(|_| service == "a");
        again.tell(LeaseMessage::Restated { service: name(service), grant });
    }
    (again, asked)
}

fn reported(asked: OperationId, before: Option<WifiBaseline>) -> LeaseMessage {
    LeaseMessage::RadioReported(asked, radio(), before)
}

#[test]
fn a_changed_radio_is_put_back_though_the_registry_panicked_over_the_news_that_it_was_changed() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    let (mut again, asked) = successor(&bench, None);
    assert!(again.ask("a", vec![exclusive("w")]).preparing().is_none(), "nobody gets it before it is known how it is");
    again.prepared(operation, 1);
    assert!(again.restoring().is_none() && again.served().is_empty(), "an answer to its predecessor says nothing");
    assert!(again.tell(reported(asked, Some(baseline(1)))).restoring().is_some());
}

#[test]
fn a_radio_that_was_put_back_before_the_panic_is_not_put_back_again() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    assert!(bench.prepared(operation, 1).release("a").restoring().is_some());
    let (mut again, asked) = successor(&bench, None);
    again.ask("b", vec![exclusive("w")]).tell(reported(asked, None));
    assert!(again.restoring().is_none() && again.preparing().is_some());
    assert_eq!(again.device_heard("w"), ["Unleased: nobody leases it"], "its predecessor may not have said so");
}

#[test]
fn a_radio_whose_holder_let_it_go_while_the_registry_was_dead_is_put_back_and_one_still_held_is_not() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    let grant = bench.prepared(operation, 1).granted()["a"].clone();
    let (mut again, asked) = successor(&bench, None);
    assert!(again.tell(reported(asked, Some(baseline(1)))).restoring().is_some());
    let (mut again, asked) = successor(&bench, Some(grant));
    assert!(again.tell(reported(asked, Some(baseline(1)))).restoring().is_none());
    assert!(again.release("a").restoring().is_some());
}

#[test]
fn a_restarted_registry_closes_only_when_it_knows_that_every_radio_is_as_it_was() {
    let bench = Bench::new();
    let (mut again, asked) = successor(&bench, None);
    again.tell(LeaseMessage::Close);
    assert!(!again.closed);
    assert!(again.tell(reported(asked, None)).closed);
}
