//! Holders that are restarted.

use super::ports::{fixed, range};
use super::*;

fn renew(service: &str, wants: Vec<Want>) -> LeaseMessage {
    LeaseMessage::Renew(request(service, wants))
}

#[test]
fn who_is_restarted_keeps_all_that_it_holds_whoever_waits() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x"), exclusive("w"), fixed()]);
    let (operation, looking) = (bench.preparing().unwrap(), bench.looking().unwrap());
    let read = LeaseMessage::RadioRead(operation, device_name("w"), Ok(baseline(1)));
    let operation = bench.tell(read).preparing().unwrap();
    bench.tell(LeaseMessage::RadioSet(operation, device_name("w"), Ok(())));
    bench.tell(LeaseMessage::PortsSeen(looking, Ok(BTreeMap::new())));
    let urgent = LeaseRequest { priority: 9, ..request("b", vec![exclusive("x")]) };
    bench.tell(LeaseMessage::Request(urgent)).tell(renew("a", vec![exclusive("x"), exclusive("w"), fixed()]));
    assert!(bench.restoring().is_none() && bench.preparing().is_none(), "its radio stays in its mode");
    assert!(bench.seen(&[]).served().is_empty());
    assert_eq!(bench.heard("a"), ["Renewed: it can use again what it holds with token 1"]);
}

#[test]
fn a_stranger_on_a_port_that_was_kept_is_named_and_of_a_range_another_port_is_given() {
    let mut bench = Bench::new();
    bench.ask("a", vec![fixed()]).seen(&[]).tell(renew("a", vec![fixed()])).seen(&[8000]);
    let words = "port 8000 is in use by pid 7 nginx; stop that program, or give a another port";
    assert_eq!(bench.heard("a"), [format!("Renewed: {words}")]);
    let mut bench = Bench::new();
    bench.ask("a", vec![range()]).seen(&[]).ask("b", vec![range()]).seen(&[]);
    bench.tell(renew("a", vec![range()])).seen(&[8001]).seen(&[]);
    let ports = bench.told.iter().find_map(|(_, message)| match message {
        ServiceMessage::Renewed(_, Ok(ports)) => Some(ports[&port("web")]),
        _ => None,
    });
    assert_eq!(ports, Some(8002), "8000 is held by b");
    bench.tell(renew("a", vec![range()])).seen(&[8002]).seen(&[8001]);
    assert_eq!(bench.heard("a"), ["Renewed: every port of its range is in use by other programs"]);
}

#[test]
fn who_gives_back_what_it_was_to_use_again_is_not_answered_any_more() {
    let mut bench = Bench::new();
    bench.ask("a", vec![fixed()]).seen(&[]).tell(renew("a", vec![fixed()]));
    let looking = bench.looking().unwrap();
    bench.release("a").ask("b", vec![fixed()]).seen(&[]);
    bench.tell(LeaseMessage::PortsSeen(looking, Ok(BTreeMap::new())));
    assert!(bench.told.is_empty());
}
