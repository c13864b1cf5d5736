use mainstay_config::model::PortNeed;

use super::*;
use crate::action::ports::Listener;
use mainstay_hardware::error::NoAnswer;

pub(super) fn fixed() -> Want {
    Want::Port { name: port("web"), need: PortNeed::Fixed(8000.try_into().unwrap()), address: None }
}

pub(super) fn range() -> Want {
    let [prefer, first, last] = [8001, 8000, 8002].map(|port: u16| port.try_into().unwrap());
    Want::Port { name: port("web"), need: PortNeed::Range { prefer, first, last }, address: None }
}

pub(super) fn foreign(ports: &[u16]) -> Result<BTreeMap<u16, Listener>, NoAnswer> {
    let listener = Listener { pid: Some(7), command: Some("nginx".to_owned()), user: None };
    Ok(ports.iter().map(|port| (*port, listener.clone())).collect())
}

impl Bench {
    pub(super) fn seen(&mut self, ports: &[u16]) -> &mut Self {
        let operation = self.looking().unwrap();
        self.tell(LeaseMessage::PortsSeen(operation, foreign(ports)))
    }
}

#[test]
fn a_port_is_granted_when_nobody_else_listens_on_it_and_given_to_one_at_a_time() {
    let mut bench = Bench::new();
    assert_eq!(bench.ask("a", vec![fixed()]).seen(&[]).granted()["a"].ports[&port("web")], 8000);
    bench.ask("b", vec![fixed()]);
    assert_eq!(bench.heard("b"), ["Queued: wait for port 8000: held by a"]);
}

#[test]
fn a_program_that_listens_on_a_fixed_port_is_named() {
    let mut bench = Bench::new();
    bench.ask("a", vec![fixed()]).seen(&[8000]);
    let cure = "stop that program, or give a another port";
    assert_eq!(bench.heard("a"), [format!("Refused: port 8000 is in use by pid 7 nginx; {cure}")]);
}

#[test]
fn of_a_range_the_preferred_port_comes_first_and_then_the_first_that_is_free() {
    let mut bench = Bench::new();
    bench.ask("a", vec![range()]).seen(&[8001]).seen(&[8000]);
    assert_eq!(bench.seen(&[]).granted()["a"].ports[&port("web")], 8002);
}

#[test]
fn a_range_with_a_listener_on_every_port_is_refused() {
    let mut bench = Bench::new();
    bench.ask("a", vec![range()]).seen(&[8001]).seen(&[8000]).seen(&[8002]);
    assert_eq!(bench.heard("a"), ["Refused: every port of its range is in use by other programs"]);
}

#[test]
fn a_port_that_somebody_else_listened_on_is_looked_at_again() {
    let mut bench = Bench::new();
    bench.ask("a", vec![range()]).seen(&[]).ask("b", vec![range()]).seen(&[]).ask("c", vec![range()]).seen(&[8002]);
    let again = LeaseTimer::LookAgain(name("c").into());
    assert_eq!(bench.timers, std::slice::from_ref(&again));
    bench.tell(LeaseMessage::Timer(again)).seen(&[]);
    assert_eq!(bench.granted()["c"].ports[&port("web")], 8002);
}

#[test]
fn of_the_holders_of_a_range_it_is_the_one_that_waits_out_a_back_off_who_gives_way() {
    let mut bench = Bench::new();
    bench.ask("a", vec![range()]).seen(&[]).ask("b", vec![range()]).seen(&[]).ask("c", vec![range()]).seen(&[]);
    bench.tell(LeaseMessage::Idle(name("c").into())).ask("d", vec![range()]);
    assert_eq!(bench.heard("c"), ["Revoked: d waits for port 8002"]);
    assert_eq!(bench.heard("d"), ["Queued: wait for port 8002: held by c"]);
    assert_eq!(bench.release("c").seen(&[]).granted()["d"].ports[&port("web")], 8002);
}

#[test]
fn two_who_choose_from_one_range_get_different_ports() {
    let mut bench = Bench::new();
    bench.ask("a", vec![range()]);
    let first = bench.looking().unwrap();
    bench.ask("b", vec![range()]).seen(&[]);
    let second = bench.granted()["b"].ports[&port("web")];
    bench.tell(LeaseMessage::PortsSeen(first, foreign(&[])));
    assert_eq!((bench.granted()["a"].ports[&port("web")], second), (8001, 8000));
}

#[test]
fn a_service_gets_different_ports_and_one_with_a_choice_makes_room_for_one_without() {
    let mut bench = Bench::new();
    let number = |port: u16| port.try_into().unwrap();
    let either = |name| {
        let need = PortNeed::Range { prefer: number(8000), first: number(8000), last: number(8001) };
        Want::Port { name: port(name), need, address: None }
    };
    let only = Want::Port { name: port("c"), need: PortNeed::Fixed(number(8000)), address: None };
    bench.ask("a", vec![either("b"), only]).seen(&[]);
    let ports = bench.granted()["a"].ports.clone();
    assert_eq!((ports[&port("b")], ports[&port("c")]), (8001, 8000));
}

#[test]
fn a_port_is_looked_at_where_it_is_to_be_listened_on() {
    let mut bench = Bench::new();
    let loopback = std::net::Ipv4Addr::LOCALHOST.into();
    let Want::Port { name, need, .. } = fixed() else { panic!() };
    bench.ask("a", vec![Want::Port { name, need, address: Some(loopback) }]);
    let looked = |bench: &Bench| match &bench.acts[..] {
        [Action::LookAtPorts(_, places)] => places.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(looked(&bench), BTreeMap::from([(8000, Some(loopback))]));
    bench.seen(&[]).ask("b", vec![range()]);
    assert_eq!(looked(&bench), BTreeMap::from([(8001, None)]));
}
