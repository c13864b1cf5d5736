//! Holders that are restarted.

use std::sync::atomic::{AtomicU64, Ordering};

use super::ports::{fixed, range};
use super::*;
use crate::message::lease::{Renewed, Statement, StillUsed};

pub(super) fn renew(service: &str, wants: Vec<Want>) -> LeaseMessage {
    static RENEWALS: AtomicU64 = AtomicU64::new(1);
    let arrival = Moment::after_boot(Duration::from_millis(RENEWALS.fetch_add(1, Ordering::Relaxed)));
    LeaseMessage::Renew(LeaseRequest { arrival, ..request(service, wants) })
}

#[test]
fn a_renewal_that_is_said_again_by_one_that_may_run_by_now_does_not_take_its_port_for_a_strangers() {
    let mut bench = Bench::new();
    let renewal = renew("a", vec![range()]);
    bench.ask("a", vec![range()]).seen(&[]).tell(renewal.clone()).seen(&[]);
    let ports = renewed(&bench);
    assert!(ports.is_some());
    bench.tell(renewal);
    assert_eq!((renewed(&bench), bench.looking()), (ports, None));
}

#[test]
fn who_is_restarted_keeps_all_that_it_holds_whoever_waits() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x"), exclusive("w"), fixed()]).seen(&[]);
    let operation = bench.preparing().unwrap();
    let read = LeaseMessage::RadioRead(operation, device_name("w"), Ok(baseline(1)));
    let operation = bench.tell(read).preparing().unwrap();
    bench.tell(LeaseMessage::RadioSet(operation, device_name("w"), Ok(())));
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
    assert_eq!(renewed(&bench), Some([("web".to_owned(), 8002)].into()), "8000 is held by b");
    bench.tell(renew("a", vec![range()])).seen(&[8002]).seen(&[8001]);
    assert_eq!(bench.heard("a"), [MUST_WAIT], "b is no stranger");
    bench.release("b").tell(renew("a", vec![range()])).seen(&[8002]).seen(&[8001]).seen(&[8000]);
    assert_eq!(bench.heard("a"), ["Renewed: every port of its range is in use by other programs"]);
}

pub(super) const MUST_WAIT: &str =
    "Renewed: what it held is not its own any more: it gives back the rest, and asks anew";

/// With which ports somebody was just told to go on.
fn renewed(bench: &Bench) -> Option<BTreeMap<String, u16>> {
    bench.told.iter().find_map(|(_, message)| match message {
        ServiceMessage::Renewed(_, Renewed::With(ports)) => {
            Some(ports.iter().map(|(name, port)| (name.to_string(), *port)).collect())
        }
        _ => None,
    })
}

/// What a service says that must wait for what it has given back.
fn waits(service: &str, given_back: u64, wants: Vec<Want>) -> LeaseMessage {
    let wants = Some(request(service, wants));
    let (holder, given_back) = (name(service).into(), Token(given_back));
    LeaseMessage::Stands(Statement { holder, held: None, given_back, uses: StillUsed::Yes, wants })
}

#[test]
fn while_the_last_port_of_its_range_is_made_ready_for_another_it_waits_in_rank_and_nobody_gets_in_between() {
    let mut bench = Bench::new();
    let wants = || vec![exclusive("x"), range()];
    bench.ask("a", wants()).seen(&[]).ask("b", vec![range()]).seen(&[]).ask("c", vec![range()]);
    let for_c = bench.looking().unwrap();
    // Somebody waits for what a has, and comes after it.
    bench.ask("d", vec![exclusive("x")]).tell(renew("a", wants())).seen(&[8001]);
    assert_eq!(bench.heard("a"), [MUST_WAIT]);
    // The stranger may have gone, and is looked for again.
    assert!(bench.tell(waits("a", 1, wants())).served().is_empty());
    assert!(bench.seen(&[8001]).served().is_empty(), "d comes after a");
    bench.tell(LeaseMessage::PortsSeen(for_c, Ok(BTreeMap::new())));
    assert_eq!(bench.served(), ["c"]);
    assert_eq!(bench.release("c").seen(&[]).served(), ["a"]);
}

#[test]
fn who_waits_for_a_port_that_is_held_does_not_keep_its_holder_from_using_it_again() {
    let two = || {
        let Want::Port { need, .. } = range() else { panic!() };
        vec![fixed(), Want::Port { name: port("other"), need, address: None }]
    };
    let mut bench = Bench::new();
    bench.ask("a", two()).seen(&[]).ask("b", vec![fixed()]).tell(renew("a", two())).seen(&[8001]).seen(&[]);
    assert_eq!(renewed(&bench), Some([("web".to_owned(), 8000), ("other".to_owned(), 8002)].into()));
}

#[test]
fn of_several_ports_only_that_is_exchanged_which_a_stranger_has() {
    let Want::Port { need, .. } = range() else { panic!() };
    let named = |text| Want::Port { name: port(text), need, address: None };
    let two = || vec![named("one"), named("two")];
    let mut bench = Bench::new();
    bench.ask("a", two()).seen(&[]).tell(renew("a", two())).seen(&[8001]).seen(&[]);
    assert_eq!(renewed(&bench), Some([("one".to_owned(), 8002), ("two".to_owned(), 8000)].into()));
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
