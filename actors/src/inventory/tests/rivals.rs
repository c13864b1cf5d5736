//! Several pieces of hardware that fit one name.

use std::collections::BTreeSet;

use mainstay_hardware::{advice, matching};

use super::*;
use crate::cause::{Piece, Rivals};

/// One of the sticks that cannot be told apart, in this socket.
fn stick(socket: u8, address: u8) -> Sighting {
    hackrf("serial-of-one", socket, address)
}

/// What `one` is told of others.
fn rivals(machine: &mut InventoryMachine, event: HardwareEvent) -> Option<Rivals> {
    let out = machine.handle(Moment::default(), InventoryMessage::Event(event));
    out.into_iter().find_map(|effect| match effect {
        Effect::Tell(Message::Device(name, DeviceMessage::Rivals(rivals))) if name.as_str() == "one" => Some(rivals),
        _ => None,
    })
}

fn admit(machine: &mut InventoryMachine) -> Vec<String> {
    words(&machine.handle(Moment::default(), InventoryMessage::Admitted("one".parse().unwrap())))
}

#[test]
fn two_sticks_that_fit_one_name_are_both_named_with_what_to_write_and_none_is_taken() {
    let rivals = rivals(&mut machine(), scan(vec![stick(1, 1), stick(2, 2)])).unwrap();
    assert_eq!(rivals.taken, None);
    let said = |piece: &Piece| (matching::identity(&piece.what, None), advice::match_words(&piece.matching));
    let said: Vec<_> = rivals.others.iter().map(said).collect();
    let expected = [
        ("USB device 1d50:6089, serial serial-of-one, USB 1-1", "{ serial = \"serial-of-one\", path = \"1-1\" }"),
        ("USB device 1d50:6089, serial serial-of-one, USB 1-2", "{ serial = \"serial-of-one\", path = \"1-2\" }"),
    ];
    assert_eq!(said, expected.map(|(what, matching)| (what.to_owned(), matching.to_owned())));
    let both = scan(vec![stick(1, 1), stick(2, 2)]);
    assert_eq!(told(&mut machine(), both), ["port Gone", "one Rivals"], "and nothing is seen");
}

#[test]
fn pulling_one_of_two_that_fit_does_not_give_its_name_to_the_other_until_the_operator_does() {
    let mut machine = machine();
    told(&mut machine, scan(vec![stick(1, 1), stick(2, 2)]));
    assert_eq!(told(&mut machine, gone(&stick(1, 1))), ["one Rivals"], "one is left, and is still not taken");
    assert_eq!(admit(&mut machine), ["one Seen", "one NoRivals"]);
    told(&mut machine, gone(&stick(2, 2)));
    assert_eq!(told(&mut machine, seen(&stick(2, 3))), ["one Seen"], "now it is known");
}

#[test]
fn what_fits_beside_a_stick_in_use_is_said_and_does_not_follow_it() {
    let mut machine = machine();
    told(&mut machine, seen(&stick(1, 1)));
    let beside = rivals(&mut machine, seen(&stick(2, 2))).unwrap();
    assert_eq!(advice::match_words(&beside.taken.unwrap().matching), "{ serial = \"serial-of-one\", path = \"1-1\" }");
    assert_eq!(told(&mut machine, gone(&stick(1, 1))), ["one Gone", "one Rivals"]);
    assert_eq!(told(&mut machine, seen(&stick(1, 3))), ["one Seen", "one Rivals"], "it is back where it was");
    assert_eq!(told(&mut machine, gone(&stick(2, 2))), ["one NoRivals"]);
    told(&mut machine, gone(&stick(1, 3)));
    assert_eq!(told(&mut machine, seen(&stick(2, 4))), ["one Rivals"], "it was beside the right one before");
}

#[test]
fn sticks_behind_a_hub_are_not_chosen_by_who_comes_first_after_it_was_replugged() {
    let mut machine = machine();
    told(&mut machine, scan(vec![stick(1, 1), stick(2, 2)]));
    told(&mut machine, gone(&stick(1, 1)));
    assert_eq!(told(&mut machine, gone(&stick(2, 2))), ["one NoRivals"]);
    assert_eq!(told(&mut machine, seen(&stick(2, 3))), ["one Rivals"]);
    assert_eq!(told(&mut machine, seen(&stick(1, 4))), ["one Rivals"]);
    let mut again = machine.successor();
    assert_eq!(told(&mut again, scan(vec![stick(2, 3)])), ["port Gone", "one Rivals"], "nor after a panic");
}

#[test]
fn of_the_functions_of_one_stick_the_first_is_not_taken_for_having_come_first() {
    let usb = hackrf("serial-of-port", 2, 5);
    let function = |number: u8| {
        let mut port = port_on(&usb);
        port.key = Key(format!("tty/ttyACM{number}"));
        port.generation = Generation(format!("usb 1:5 ttyACM{number}"));
        port.usb.as_mut().unwrap().interface = Some(format!("if0{number}").parse().unwrap());
        port
    };
    let mut machine = machine();
    assert_eq!(told(&mut machine, seen(&function(0))), ["port Seen"]);
    assert_eq!(told(&mut machine, seen(&function(2))), ["port Rivals"], "and nothing is taken");
    assert_eq!(answered(&mut machine, "port"), ["port Gone", "port Rivals"]);
    let (mut machine, later) = (self::machine(), Moment::after_boot(std::time::Duration::from_secs(60)));
    told(&mut machine, seen(&function(0)));
    machine.handle(later, InventoryMessage::Event(seen(&function(2))));
    assert_eq!(answered(&mut machine, "port"), ["port Seen", "port Rivals"], "whose driver came later");
    let mut station = station();
    for device in station.devices.values_mut() {
        device.matching.interface = Some("if02".parse().unwrap());
    }
    let mut machine = InventoryMachine::new(&station);
    told(&mut machine, scan(Vec::new()));
    assert!(told(&mut machine, seen(&function(0))).is_empty());
    assert_eq!(told(&mut machine, seen(&function(2))), ["port Seen"]);
}

#[test]
fn a_device_that_asks_is_told_of_others_as_well() {
    let mut machine = machine();
    told(&mut machine, scan(vec![stick(1, 1), stick(2, 2)]));
    assert_eq!(answered(&mut machine, "one"), ["one Gone", "one Rivals"]);
    told(&mut machine, gone(&stick(2, 2)));
    admit(&mut machine);
    told(&mut machine, seen(&stick(2, 3)));
    assert_eq!(answered(&mut machine, "one"), ["one Seen", "one Rivals"]);
}

proptest! {
    /// However sticks that fit one name come and go: none is taken that was there beside another, except one that comes back to where
    /// the name's own was, and what the operator says.
    #[test]
    fn a_name_never_moves_to_a_stick_that_was_there_beside_its_own(
        steps in proptest::collection::vec((0u8..4, 1u8..4), 0..60),
    ) {
        let mut machine = machine();
        let mut there = std::collections::BTreeMap::new();
        let (mut own, mut taken, mut met, mut arrivals) = (None, None, BTreeSet::<u8>::new(), 0);
        for (what, socket) in steps {
            let event = match what {
                0 | 1 if !there.contains_key(&socket) => {
                    arrivals += 1;
                    there.insert(socket, stick(socket, arrivals));
                    InventoryMessage::Event(seen(&there[&socket]))
                }
                2 if there.contains_key(&socket) => InventoryMessage::Event(gone(&there.remove(&socket).unwrap())),
                3 => {
                    if taken.as_ref().is_some_and(|taken| there.values().any(|stick| stick.generation == *taken)) {
                        continue;
                    }
                    (own, met) = (None, BTreeSet::new());
                    InventoryMessage::Admitted("one".parse().unwrap())
                }
                _ => continue,
            };
            for effect in machine.handle(Moment::default(), event) {
                let Effect::Tell(Message::Device(_, DeviceMessage::Seen(seen))) = effect else { continue };
                let socket = *there.iter().find(|(_, stick)| stick.generation == seen.generation).unwrap().0;
                prop_assert!(own == Some(socket) || !met.contains(&socket), "{seen:?}");
                taken = Some(seen.generation);
                met.remove(&socket);
                own = Some(socket);
            }
            if there.len() > 1 {
                met.extend(there.keys().filter(|socket| own != Some(**socket)));
            }
        }
    }
}
