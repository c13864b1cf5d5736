//! After panics: of the registry, and of those who speak with it.

use super::ports::fixed;
use super::*;
use crate::message::lease::{Statement, StillUsed};

fn stands(service: &str, held: Option<u64>, wants: Option<LeaseRequest>) -> LeaseMessage {
    let held = held.map(Token);
    let (holder, given_back) = (name(service).into(), Token(0));
    LeaseMessage::Stands(Statement { holder, held, given_back, uses: StillUsed::Yes, wants })
}

fn given_back(service: &str, token: u64) -> LeaseMessage {
    let (holder, given_back) = (name(service).into(), Token(token));
    LeaseMessage::Stands(Statement { holder, held: None, given_back, uses: StillUsed::Yes, wants: None })
}

#[test]
fn a_service_hears_again_what_it_holds_what_it_waits_for_and_that_it_must_stop() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).ask("b", vec![exclusive("x")]);
    let last = |bench: &Bench, service: &str| bench.says_again(service).last().cloned().unwrap();
    assert_eq!(last(&bench, "a"), "Granted: it holds x with token 1");
    assert_eq!(last(&bench, "b"), "Queued: wait for x: held by a");
    assert_eq!(last(&bench, "c"), "NothingHeld: it holds nothing");
    bench.unplug("x");
    assert_eq!(last(&bench, "a"), "Revoked: x is gone (USB 1-1 unplugged)");
    assert!(bench.says_again("c").contains(&"DeviceLeft: x has left".to_owned()));
}

#[test]
fn what_a_service_says_twice_changes_nothing() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).ask("b", vec![exclusive("x")]);
    let wants = Some(request("b", vec![exclusive("x")]));
    assert!(bench.tell(stands("a", Some(1), None)).told.is_empty());
    assert!(bench.tell(stands("b", None, wants)).told.is_empty());
    assert_eq!(bench.unplug("x").heard("a")[0], "Revoked: x is gone (USB 1-1 unplugged)");
    assert!(bench.tell(stands("a", Some(1), None)).told.is_empty(), "it is still to stop");
}

#[test]
fn a_request_a_withdrawal_and_a_release_that_were_lost_are_made_good() {
    let mut bench = Bench::new();
    assert_eq!(bench.tell(stands("a", None, Some(request("a", vec![exclusive("x")])))).served(), ["a"]);
    bench.ask("b", vec![exclusive("x")]);
    assert!(bench.tell(stands("b", None, None)).ask("c", vec![exclusive("x")]).served().is_empty());
    assert_eq!(bench.tell(given_back("a", 1)).served(), ["c"], "b no longer waits");
}

#[test]
fn a_grant_on_its_way_is_not_taken_for_one_that_was_given_back() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]);
    bench.tell(stands("a", None, Some(request("a", vec![exclusive("x")]))));
    assert!(bench.ask("b", vec![exclusive("x")]).served().is_empty());
}

#[test]
fn a_release_of_an_earlier_lease_gives_nothing_back() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).release("a").ask("a", vec![exclusive("x")]);
    bench.tell(LeaseMessage::Release(name("a").into(), Token(1)));
    assert!(bench.ask("b", vec![exclusive("x")]).served().is_empty());
    assert_eq!(bench.release("a").served(), ["b"]);
}

#[test]
fn a_registry_that_panics_twice_keeps_who_holds_and_who_waits_and_learns_the_rest() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).ask("b", vec![exclusive("x")]).ask("c", vec![exclusive("y")]);
    bench.begin_afresh().plug("x", 1).plug("y", 1);
    assert!(bench.served().is_empty());
    assert!(bench.ask("d", vec![exclusive("y")]).served().is_empty());
    assert_eq!(bench.release("a").granted()["b"].token, Token(3), "tokens only grow");
}

#[test]
fn a_look_at_ports_that_was_lost_is_looked_again() {
    let mut bench = Bench::new();
    bench.ask("a", vec![fixed()]);
    let lost = bench.looking().unwrap();
    let operation = bench.begin_again().looking().unwrap();
    assert!(bench.tell(LeaseMessage::PortsSeen(lost, Ok(BTreeMap::new()))).served().is_empty());
    assert_eq!(bench.tell(LeaseMessage::PortsSeen(operation, Ok(BTreeMap::new()))).served(), ["a"]);
}

#[test]
fn a_device_hears_again_who_leases_it_and_whether_it_is_waited_for() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]);
    assert_eq!(bench.says_again_to_device("x"), ["Leased: leased by a"]);
    assert_eq!(bench.says_again_to_device("y"), ["Unleased: nobody leases it"]);
    bench.plug("x", 2);
    let must_stop = "Withheld: nobody leases it; a, which had it before it was replugged, must stop first";
    assert_eq!(bench.says_again_to_device("x"), [must_stop]);
}
