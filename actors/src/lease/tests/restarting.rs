use super::*;

#[test]
fn a_restarted_registry_gives_nothing_before_everybody_was_heard() {
    let mut bench = Bench::new();
    let grant = bench.ask("a", vec![exclusive("x")]).granted()["a"].clone();
    let mut again = bench.begin_again();
    assert!(again.told.iter().all(|(_, message)| matches!(message, ServiceMessage::Restate)));
    again.plug("x", 1).plug("y", 1);
    again.tell(LeaseMessage::Restated { service: name("b"), grant: None });
    assert!(again.ask("b", vec![exclusive("y")]).served().is_empty());
    again.tell(LeaseMessage::Restated { service: name("c"), grant: None });
    again.tell(LeaseMessage::Restated { service: name("d"), grant: None });
    assert_eq!(again.tell(LeaseMessage::Restated { service: name("a"), grant: Some(grant) }).served(), ["b"]);
    assert!(again.ask("c", vec![exclusive("x")]).served().is_empty());
}

#[test]
fn a_holder_whose_device_left_meanwhile_is_told_to_stop() {
    let mut bench = Bench::new();
    let grant = bench.ask("a", vec![exclusive("x")]).granted()["a"].clone();
    let mut again = bench.begin_again();
    again.unplug("x");
    for service in ["b", "c", "d"] {
        again.tell(LeaseMessage::Restated { service: name(service), grant: None });
    }
    again.tell(LeaseMessage::Restated { service: name("a"), grant: Some(grant) });
    assert_eq!(again.heard("a"), ["Revoked: x is gone (USB 1-1 unplugged)"]);
}

#[test]
fn a_service_that_panicked_over_being_told_to_stop_is_told_again() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).unplug("x").tell(LeaseMessage::Inquire(name("a")));
    assert_eq!(bench.heard("a"), ["Holding: it holds token 1", "Revoked: its lease was withdrawn"]);
}

#[test]
fn a_service_that_panicked_over_the_question_what_it_holds_is_asked_again_and_then_answered() {
    let mut bench = Bench::new();
    let grant = bench.ask("a", vec![exclusive("x")]).granted()["a"].clone();
    let mut again = bench.begin_again();
    again.tell(LeaseMessage::Inquire(name("a")));
    assert_eq!(again.heard("a"), ["Restate: say again what is held and wanted"]);
    again.tell(LeaseMessage::Restated { service: name("a"), grant: Some(grant) });
    assert_eq!(again.heard("a"), ["Holding: it holds token 1"]);
}

#[test]
fn what_a_service_says_twice_after_a_restart_does_not_make_a_withdrawn_lease_good_again() {
    let mut bench = Bench::new();
    let grant = bench.ask("a", vec![exclusive("x")]).granted()["a"].clone();
    bench.unplug("x").tell(LeaseMessage::Restated { service: name("a"), grant: Some(grant) });
    bench.tell(LeaseMessage::Inquire(name("a")));
    assert_eq!(bench.heard("a").len(), 2, "it is still told to stop: {:?}", bench.told);
}

#[test]
fn a_restarted_registry_shows_what_is_held_also_when_that_is_nothing_any_more() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]);
    assert_eq!(bench.shown.as_ref().unwrap().held.len(), 1);
    let mut again = bench.begin_again();
    for service in SERVICES {
        assert!(again.shown.is_none(), "not before everybody was heard");
        again.tell(LeaseMessage::Restated { service: name(service), grant: None });
    }
    assert!(again.shown.as_ref().unwrap().held.is_empty());
}

#[test]
fn a_device_that_was_released_over_a_panic_of_the_registry_hears_that_nobody_leases_it() {
    let mut bench = Bench::new();
    let grant = bench.ask("a", vec![exclusive("x")]).granted()["a"].clone();
    let mut again = bench.begin_again();
    again.plug("x", 1).plug("y", 1).release("a");
    for service in ["b", "c", "d"] {
        again.tell(LeaseMessage::Restated { service: name(service), grant: None });
    }
    again.tell(LeaseMessage::Restated { service: name("a"), grant: None });
    assert_eq!(again.device_heard("x"), ["Unleased: nobody leases it"]);
    let mut again = bench.begin_again();
    again.plug("x", 1);
    for service in SERVICES {
        let grant = Some(grant.clone()).filter(|_| service == "a");
        again.tell(LeaseMessage::Restated { service: name(service), grant });
    }
    assert_eq!(again.device_heard("x"), ["Leased: leased by a"], "it is still held");
}

#[test]
fn a_device_that_answers_after_all_services_hears_as_well_that_its_release_was_panicked_over() {
    let mut again = Bench::new().ask("a", vec![exclusive("x")]).begin_again();
    for service in SERVICES {
        again.tell(LeaseMessage::Restated { service: name(service), grant: None });
    }
    assert_eq!(again.device_heard("x"), ["Unleased: nobody leases it"]);
}

#[test]
fn a_shared_device_one_of_whose_releases_was_panicked_over_hears_who_still_has_it() {
    let mut bench = Bench::new();
    let grant = bench.ask("a", vec![shared("x")]).granted()["a"].clone();
    let mut again = bench.ask("b", vec![shared("x")]).begin_again();
    again.plug("x", 1);
    for service in SERVICES {
        let grant = Some(grant.clone()).filter(|_| service == "a");
        again.tell(LeaseMessage::Restated { service: name(service), grant });
    }
    assert_eq!(again.device_heard("x"), ["Leased: leased by a"]);
}
