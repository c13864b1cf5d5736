use mainstay_config::model::PortNeed;

use super::*;

#[test]
fn who_asks_for_what_is_free_is_served_at_once_and_the_next_waits_and_hears_for_whom() {
    let mut bench = Bench::new();
    assert_eq!(bench.ask("a", vec![exclusive("x")]).served(), ["a"]);
    bench.ask("b", vec![exclusive("x")]);
    assert_eq!(bench.heard("b"), ["Queued: wait for x: held by a"]);
    assert_eq!(bench.release("a").served(), ["b"]);
}

#[test]
fn who_waits_behind_somebody_hears_that_he_is_served_and_holds_it_now() {
    let mut bench = Bench::new();
    bench.unplug("x").ask("a", vec![exclusive("x")]);
    bench.ask("b", vec![exclusive("x")]);
    assert_eq!(bench.plug("x", 2).served(), ["a"]);
    assert_eq!(bench.heard("b").last().map(String::as_str), Some("Queued: wait for x: held by a"));
}

#[test]
fn who_waits_is_shown_since_when_he_waits_and_who_holds_since_when_he_holds() {
    let mut bench = Bench::new();
    let at = |seconds| Moment::after_boot(Duration::from_secs(seconds));
    // His place in the queue is that of his first request, long before.
    let wants = LeaseMessage::Request(LeaseRequest { arrival: at(1), ..request("a", vec![exclusive("x")]) });
    bench.unplug("x").tell_at(at(9), wants.clone()).tell_at(at(11), wants);
    let shown = bench.shown.snapshot();
    assert_eq!(shown.queue.iter().map(|waiter| waiter.since).collect::<Vec<_>>(), [at(9)]);
    bench.begin_afresh();
    assert_eq!(bench.shown.snapshot().queue[0].since, at(9), "a panic of the registry does not change it");
    bench.tell_at(at(20), LeaseMessage::DeviceAvailable(device_name("x"), offer("x", 2)));
    let shown = bench.shown.snapshot();
    assert!(shown.queue.is_empty());
    assert_eq!(shown.held.iter().map(|lease| lease.since).collect::<Vec<_>>(), [at(20)]);
}

#[test]
fn the_queue_goes_by_priority_then_arrival_then_name() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]);
    let late = Moment::after_boot(Duration::from_secs(9));
    bench.tell(LeaseMessage::Request(LeaseRequest { arrival: late, ..request("b", vec![exclusive("x")]) }));
    bench.tell(LeaseMessage::Request(LeaseRequest {
        priority: 5,
        arrival: late,
        ..request("d", vec![exclusive("x")])
    }));
    bench.ask("c", vec![exclusive("x")]);
    let mut order = Vec::new();
    let mut holder = "a".to_owned();
    for _ in 0..3 {
        holder = bench.release(&holder).served()[0].to_owned();
        order.push(holder.clone());
    }
    assert_eq!(order, ["d", "c", "b"]);
}

#[test]
fn everything_is_given_at_once_or_nothing_and_nobody_overtakes_on_what_is_waited_for() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]);
    assert!(bench.ask("b", vec![exclusive("x"), exclusive("y")]).served().is_empty());
    assert!(bench.ask("c", vec![exclusive("y")]).served().is_empty());
    assert_eq!(bench.heard("c"), ["Queued: wait for y: b comes first"]);
    assert_eq!(bench.release("a").served(), ["b"]);
    assert_eq!(bench.release("b").served(), ["c"]);
}

#[test]
fn who_waits_for_an_absent_device_reserves_nothing() {
    let mut bench = Bench::new();
    bench.unplug("x").ask("a", vec![exclusive("x"), exclusive("y")]);
    assert_eq!(bench.ask("b", vec![exclusive("y")]).served(), ["b"]);
}

#[test]
fn a_shared_device_is_leased_until_the_last_one_lets_it_go() {
    let mut bench = Bench::new();
    bench.ask("a", vec![shared("x")]).ask("b", vec![shared("x")]);
    assert_eq!(bench.release("b").device_heard("x"), ["Leased: leased by a"]);
    assert_eq!(bench.release("a").device_heard("x"), ["Unleased: nobody leases it"]);
}

#[test]
fn what_is_shared_has_many_holders_and_none_beside_an_exclusive_one() {
    let mut bench = Bench::new();
    assert_eq!(bench.ask("a", vec![shared("x")]).served(), ["a"]);
    assert_eq!(bench.ask("b", vec![shared("x")]).served(), ["b"]);
    assert!(bench.ask("c", vec![exclusive("x")]).served().is_empty());
    // Who comes later does not keep the exclusive one waiting for ever.
    assert!(bench.ask("d", vec![shared("x")]).served().is_empty());
    bench.release("a");
    assert_eq!(bench.release("b").served(), ["c"]);
    assert_eq!(bench.release("c").served(), ["d"]);
}

#[test]
fn only_waiting_for_others_is_bounded_by_the_timeout() {
    let mut bench = Bench::new();
    bench.unplug("x");
    let patient = LeaseRequest { timeout: Some(PATIENCE), ..request("b", vec![exclusive("x")]) };
    bench.tell(LeaseMessage::Request(patient.clone())).tell(LeaseMessage::Timer(LeaseTimer::Wait(name("b").into())));
    assert!(bench.heard("b").is_empty() && bench.timers == [LeaseTimer::Wait(name("b").into())]);
    bench.tell(LeaseMessage::Withdraw(name("b").into()));
    bench.plug("x", 2).ask("a", vec![exclusive("x")]);
    bench.tell(LeaseMessage::Request(patient)).tell(LeaseMessage::Timer(LeaseTimer::Wait(name("b").into())));
    assert_eq!(bench.heard("b"), ["Refused: waited 20s for x: held by a"]);
    assert!(bench.release("a").served().is_empty());
}

#[test]
fn who_waits_out_a_back_off_gives_way_to_who_waits() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).ask("b", vec![exclusive("x")]);
    bench.tell(LeaseMessage::Idle(name("a").into()));
    assert_eq!(bench.heard("a"), ["Revoked: b waits for x"]);
    assert_eq!(bench.release("a").served(), ["b"]);
}

#[test]
fn the_next_arrival_is_granted_only_after_the_holder_of_the_last_one_has_stopped() {
    for sharing in [exclusive("x"), shared("x")] {
        let mut bench = Bench::new();
        bench.ask("a", vec![sharing.clone()]).unplug("x");
        assert_eq!(bench.heard("a"), ["Revoked: x is gone (USB 1-1 unplugged)", "DeviceLeft: x has left"]);
        bench.plug("x", 2);
        assert!(bench.ask("b", vec![sharing]).served().is_empty());
        let granted = bench.release("a").granted()["b"].devices[&device_name("x")].offer.generation.clone();
        assert_eq!(granted, offer("x", 2).generation);
    }
}

#[test]
fn a_holder_of_an_arrival_that_was_replaced_unheard_must_stop() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).plug("x", 2);
    assert_eq!(bench.heard("a")[0], "Revoked: x was replugged");
}

#[test]
fn what_is_being_made_ready_for_one_is_not_given_to_another_who_goes_first() {
    let mut bench = Bench::new();
    bench.ask("b", vec![exclusive("x"), exclusive("w")]);
    let operation = bench.preparing().unwrap();
    // The same arrival, a better name; then a higher priority.
    assert!(bench.ask("a", vec![exclusive("x")]).served().is_empty());
    let urgent = LeaseRequest { priority: 9, ..request("c", vec![exclusive("x")]) };
    assert!(bench.tell(LeaseMessage::Request(urgent)).served().is_empty());
    let read = LeaseMessage::RadioRead(operation, device_name("w"), Ok(baseline(1)));
    let operation = bench.tell(read).preparing().unwrap();
    bench.tell(LeaseMessage::RadioSet(operation, device_name("w"), Ok(())));
    assert_eq!(bench.served(), ["b"]);
}

#[test]
fn who_was_served_and_asks_again_before_it_has_heard_so_is_not_served_twice() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).tell(LeaseMessage::Withdraw(name("a").into()));
    assert!(bench.ask("a", vec![exclusive("x")]).served().is_empty());
    assert_eq!(bench.release("a").ask("b", vec![exclusive("x")]).served(), ["b"]);
}

#[test]
fn tokens_only_grow_also_over_a_restart() {
    let mut bench = Bench::new();
    let first = bench.ask("a", vec![exclusive("x")]).granted()["a"].token;
    let second = bench.ask("b", vec![exclusive("y")]).granted()["b"].token;
    bench.begin_afresh().plug("x", 1).release("a");
    let third = bench.ask("c", vec![exclusive("x")]).granted()["c"].token;
    assert!(first < second && second < third);
}

#[test]
fn a_radio_that_was_renamed_is_known_by_its_new_name_to_whoever_has_it_or_is_about_to() {
    let renamed = |name: &str| {
        let offer = Offer { interface: Some(name.to_owned()), ..offer("x", 1) };
        LeaseMessage::DeviceAvailable(device_name("x"), offer)
    };
    let mut bench = Bench::new();
    let port = Want::Port { name: port("web"), need: PortNeed::Fixed(8000.try_into().unwrap()), address: None };
    bench.ask("a", vec![exclusive("x"), port]);
    let looking = bench.looking().unwrap();
    bench.tell(renamed("wlx0200")).tell(LeaseMessage::PortsSeen(looking, Ok(BTreeMap::new())));
    let grant = bench.granted()["a"].clone();
    assert_eq!(grant.devices[&device_name("x")].offer.interface.as_deref(), Some("wlx0200"));
    assert_eq!(bench.tell(renamed("antenna")).heard("a"), ["Corrected: x is called antenna now"]);
    assert!(bench.tell(renamed("antenna")).heard("a").is_empty());
}

#[test]
fn a_device_that_was_replugged_is_said_to_be_withheld_until_its_last_holder_has_stopped() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).unplug("x").plug("x", 2);
    let heard = "Withheld: nobody leases it; a, which had it before it was replugged, must stop first";
    assert_eq!(bench.device_heard("x"), [heard]);
    assert_eq!(bench.release("a").device_heard("x"), ["Unleased: nobody leases it"]);
}

#[test]
fn a_shared_device_that_is_out_of_use_is_leased_until_the_last_one_has_stopped() {
    let mut bench = Bench::new();
    bench.ask("a", vec![shared("x")]).ask("b", vec![shared("x")]).unplug("x");
    assert_eq!(bench.release("a").device_heard("x"), ["Leased: leased by b"]);
    assert_eq!(bench.release("b").device_heard("x"), ["Unleased: nobody leases it"]);
}

#[test]
fn a_device_that_was_replugged_is_withheld_until_the_last_of_those_who_shared_it_has_stopped() {
    let mut bench = Bench::new();
    bench.ask("a", vec![shared("x")]).ask("b", vec![shared("x")]);
    bench.unplug("x").plug("x", 2);
    let withheld = "Withheld: nobody leases it; b, which had it before it was replugged, must stop first";
    assert_eq!(bench.release("a").device_heard("x"), [withheld]);
    assert_eq!(bench.release("b").device_heard("x"), ["Unleased: nobody leases it"]);
}

#[test]
fn what_outlives_sigkill_does_not_keep_the_leases_from_closing_and_its_radio_stays_as_it_is() {
    let mut bench = Bench::new();
    for service in ["a", "b"] {
        let device = if service == "a" { "w" } else { "x" };
        bench.ask(service, vec![exclusive(device)]);
        if let Some(operation) = bench.preparing() {
            let read = LeaseMessage::RadioRead(operation, device_name("w"), Ok(baseline(1)));
            let operation = bench.tell(read).preparing().unwrap();
            bench.tell(LeaseMessage::RadioSet(operation, device_name("w"), Ok(())));
        }
    }
    assert!(!bench.tell(LeaseMessage::Close).closed);
    assert!(!bench.tell(LeaseMessage::Abandoned(name("a").into())).closed, "b holds something as well");
    assert!(bench.release("b").closed && bench.restoring().is_none());
    // It has ended after all.
    assert!(!bench.release("a").closed, "its radio is being put back");
    let operation = bench.restoring().unwrap();
    assert!(bench.tell(LeaseMessage::RadioRestored(operation, device_name("w"), Ok(()))).closed);
}

#[test]
fn a_device_is_lent_to_itself_only_while_nobody_has_it_or_wants_it() {
    let mut bench = Bench::new();
    assert!(!bench.lend("x", 2), "another arrival");
    bench.ask("a", vec![exclusive("x")]);
    assert!(!bench.lend("x", 1), "it is leased");
    bench.ask("b", vec![exclusive("x"), exclusive("y")]);
    assert!(!bench.lend("y", 1), "it is waited for");
    assert!(!bench.release("a").release("b").unplug("y").lend("y", 1), "it is gone");
    bench.tell(LeaseMessage::Close);
    assert!(!bench.lend("x", 1), "mainstay ends");
}

#[test]
fn a_device_that_is_lent_to_itself_is_nobodys_until_it_says_that_it_can_be_leased() {
    let mut bench = Bench::new();
    assert!(bench.lend("x", 1) && !bench.lend("x", 1));
    assert!(bench.ask("a", vec![exclusive("x")]).served().is_empty());
    assert_eq!(bench.heard("a"), ["Queued: wait for x: there, and being looked at"]);
    assert_eq!(bench.plug("x", 1).served(), ["a"]);
    let arrivals = bench.heard("a").iter().filter(|said| said.starts_with("DeviceArrived")).count();
    assert_eq!(arrivals, 0, "it never left");
    assert!(bench.release("a").lend("x", 1) && bench.unplug("x").heard("a")[0].starts_with("DeviceLeft"));
}
