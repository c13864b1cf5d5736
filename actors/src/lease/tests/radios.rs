use mainstay_hardware::error::{Error, ErrorKind};

use super::*;

fn radio() -> DeviceName {
    device_name("w")
}

impl Bench {
    /// It was read how the radio is, and it was put into its mode.
    fn prepared(&mut self, operation: OperationId, ifindex: u32) -> &mut Self {
        let set = self.is_read(operation, ifindex).preparing();
        if let Some(operation) = set {
            self.tell(LeaseMessage::RadioSet(operation, radio(), Ok(())));
        }
        self
    }

    fn is_read(&mut self, operation: OperationId, ifindex: u32) -> &mut Self {
        self.tell(LeaseMessage::RadioRead(operation, radio(), Ok(baseline(ifindex))))
    }

    /// It cannot be put into its mode.
    fn not_set(&mut self, operation: OperationId, error: Error) -> &mut Self {
        let operation = self.tell(LeaseMessage::RadioRead(operation, radio(), Ok(baseline(1)))).preparing().unwrap();
        self.tell(LeaseMessage::RadioSet(operation, radio(), Err(error)))
    }

    /// It cannot even be read how it is.
    fn not_read(&mut self, operation: OperationId, error: Error) -> &mut Self {
        self.tell(LeaseMessage::RadioRead(operation, radio(), Err(error)))
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
    let operation = bench.is_read(operation, 1).preparing().unwrap();
    bench.tell(LeaseMessage::Withdraw(name("a").into())).ask("b", vec![exclusive("w")]);
    assert!(bench.preparing().is_none(), "one change at a time");
    assert!(bench.tell(LeaseMessage::RadioSet(operation, radio(), Ok(()))).restoring().is_some());
    // One that was only read is as it was.
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    bench.tell(LeaseMessage::Withdraw(name("a").into()));
    assert!(bench.is_read(operation, 1).acts.is_empty());
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
    let busy = Error::Simulated(ErrorKind::Busy);
    bench.not_read(operation, busy);
    assert_eq!(bench.heard("a"), ["Refused: w could not be made ready: somebody else has it (simulated)"]);
    assert_eq!(bench.ask("b", vec![exclusive("x")]).served(), ["b"]);
}

#[test]
fn a_radio_that_failed_half_way_is_put_back_and_one_that_hangs_is_at_fault_until_it_is_mended() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    assert!(bench.not_set(operation, busy()).restoring().is_some());
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    let silent = Error::Simulated(ErrorKind::TimedOut);
    bench.not_set(operation, silent);
    assert_eq!(bench.device_heard("w"), ["Fault: driver hung: the driver does not answer (simulated)"]);
    assert!(bench.restoring().is_none(), "it would hang again");
    bench.ask("b", vec![exclusive("w")]);
    assert_eq!(bench.heard("b"), ["Queued: wait for w: faulted: driver hung: the driver does not answer (simulated)"]);
    assert!(bench.unplug("w").plug("w", 1).restoring().is_some());
}

#[test]
fn a_radio_that_was_given_up_is_another_one_when_it_was_replugged() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    bench.not_set(operation, Error::Simulated(ErrorKind::TimedOut)).ask("b", vec![exclusive("w")]);
    bench.unplug("w").plug("w", 2);
    assert!(bench.restoring().is_none() && bench.preparing().is_some());
}

#[test]
fn a_radio_that_vanishes_while_it_is_made_ready_is_waited_for() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    let gone = Error::Simulated(ErrorKind::NotFound);
    bench.not_read(operation, gone);
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
    bench.not_read(operation, Error::Simulated(ErrorKind::NotFound));
    assert!(matches!(bench.acts[..], [Action::ReadRadio { ifindex: 9, .. }]), "{:?}", bench.acts);
    let operation = bench.preparing().unwrap();
    assert_eq!(bench.prepared(operation, 9).served(), ["a"]);
}

#[test]
fn a_radio_that_could_not_be_tried_while_other_drivers_hang_is_waited_for_and_tried_again() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    bench.not_read(operation, untried());
    assert_eq!(bench.heard("a"), ["Queued: wait for w: not tried: others hang (simulated)"]);
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
    bench.not_read(operation, untried());
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
fn a_change_of_an_arrival_that_is_over_has_ended_before_the_next_one_is_changed() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let operation = bench.preparing().unwrap();
    let operation = bench.is_read(operation, 1).preparing().unwrap();
    bench.unplug("w").plug("w", 2);
    assert!(bench.preparing().is_none());
    bench.tell(LeaseMessage::RadioSet(operation, radio(), Ok(())));
    assert!(bench.restoring().is_none(), "nothing is left of it");
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

fn busy() -> Error {
    Error::Simulated(ErrorKind::Busy)
}

fn untried() -> Error {
    Error::Simulated(ErrorKind::NotTried)
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
    let heard =
        "Withheld: nobody leases it; being put back as it was; try 2 of 5, since somebody else has it (simulated)";
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
    let fault = "Fault: it could not be put back as it was: somebody else has it (simulated) (tried 5 times)";
    assert_eq!(bench.device_heard("w"), [fault]);
    (bench, pauses)
}

#[test]
fn a_radio_that_refuses_every_time_is_at_fault() {
    let (mut bench, pauses) = given_up();
    assert_eq!(pauses, 4);
    let waits = "Queued: wait for w: faulted: it could not be put back as it was: somebody else has it (simulated) (tried 5 times)";
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
        (ErrorKind::TimedOut, "Fault: it could not be put back as it was: the driver does not answer (simulated)"),
        (ErrorKind::NotFound, "PutBack: nothing is left to put back"),
    ] {
        let mut bench = putting_back();
        let operation = bench.restoring().unwrap();
        bench.tell(LeaseMessage::RadioRestored(operation, radio(), Err(Error::Simulated(kind))));
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
    let gone = Error::Simulated(ErrorKind::NotFound);
    bench.tell(LeaseMessage::RadioRestored(operation, radio(), Err(gone)));
    assert!(bench.timers.is_empty());
    assert!(bench.plug("w", 2).preparing().is_some());
    assert!(bench.tell(next_try()).restoring().is_none(), "a timer that was too late to be taken back");
}

#[test]
fn a_device_whose_actor_panicked_hears_again_that_it_is_being_put_back() {
    let bench = putting_back();
    assert_eq!(bench.says_again_to_device("w"), ["Withheld: nobody leases it; being put back as it was"]);
    let (bench, _) = given_up();
    let fault = "Fault: it could not be put back as it was: somebody else has it (simulated) (tried 5 times)";
    assert_eq!(bench.says_again_to_device("w"), [fault]);
}

#[test]
fn a_radio_that_was_not_changed_need_not_be_put_back() {
    for error in [ErrorKind::Refused, ErrorKind::NotFound, ErrorKind::NotTried].map(Error::Simulated) {
        let mut bench = Bench::new();
        bench.ask("a", vec![exclusive("w")]);
        let operation = bench.preparing().unwrap();
        bench.not_set(operation, error).tell(LeaseMessage::Withdraw(name("a").into()));
        assert!(bench.restoring().is_none());
    }
}

#[test]
fn whatever_the_registry_panics_over_it_reads_sets_and_puts_back_again_what_was_under_way() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w")]);
    let lost = bench.preparing().unwrap();
    // How it was is lost: it is read again.
    bench.begin_again();
    assert!(matches!(bench.acts[..], [Action::ReadRadio { .. }]), "{:?}", bench.acts);
    let operation = bench.preparing().unwrap();
    assert!(bench.prepared(lost, 1).served().is_empty(), "an answer to what was asked before");
    let lost = bench.tell(LeaseMessage::RadioRead(operation, radio(), Ok(baseline(1)))).preparing().unwrap();
    // That it was set is lost: it is set again, and how it was is known.
    bench.begin_again();
    assert!(matches!(bench.acts[..], [Action::SetRadio { .. }]), "{:?}", bench.acts);
    let operation = bench.preparing().unwrap();
    assert_ne!(operation, lost);
    assert_eq!(bench.clone().tell(LeaseMessage::RadioSet(operation, radio(), Ok(()))).served(), ["a"]);
    // Refused now, it may have been set the first time.
    let refused = Err(Error::Simulated(ErrorKind::Refused));
    assert!(bench.clone().tell(LeaseMessage::RadioSet(operation, radio(), refused)).restoring().is_some());
    bench.tell(LeaseMessage::RadioSet(operation, radio(), Ok(())));
    let lost = bench.release("a").restoring().unwrap();
    bench.begin_again();
    let operation = bench.restoring().unwrap();
    assert_ne!(operation, lost);
    bench.tell(LeaseMessage::RadioRestored(operation, radio(), Ok(())));
    assert_eq!(bench.device_heard("w"), ["PutBack: it is as it was before"]);
    assert!(bench.begin_again().acts.is_empty());
}

#[test]
fn a_radio_is_not_touched_while_it_is_open_whether_anything_else_is_in_the_way() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w"), super::ports::fixed()]);
    assert_eq!((bench.preparing(), bench.restoring().is_some()), (None, false));
    assert_eq!(bench.seen(&[8000]).preparing(), None, "a stranger has the port");
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("w"), super::ports::fixed()]);
    assert!(bench.seen(&[]).preparing().is_some());
}
