//! Supervisors, told things by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::num::NonZeroUsize;

use mainstay_config::names::ServiceName;

use super::{RootMachine, ServicesMachine};
use crate::machine::{Beginning, Machine};
use crate::message::lease::LeaseMessage;
use crate::message::service::ServiceMessage;
use crate::message::supervision::{Haste, NoTimer, RootMessage, ServicesMessage};
use crate::message::{Action, ActorId, DaemonExit, Effect, Left, Message, Moment, Outcome, Publication};

fn name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

fn supervisor() -> ServicesMachine {
    let names = ["a", "b", "c", "d"].map(name).to_vec();
    ServicesMachine::new(names, NonZeroUsize::new(2).unwrap())
}

fn given(out: &[Effect<NoTimer>]) -> Vec<&str> {
    let slot = |effect| match effect {
        &Effect::Tell(Message::Service(ref name, ServiceMessage::SlotGranted(_))) => Some(name.as_str()),
        _ => None,
    };
    out.iter().filter_map(slot).collect()
}

fn ask(machine: &mut ServicesMachine, service: &str) -> Vec<Effect<NoTimer>> {
    machine.handle(Moment::default(), ServicesMessage::AskSlot(name(service)))
}

#[test]
fn so_many_services_start_at_a_time_in_the_order_in_which_they_asked() {
    let mut machine = supervisor();
    assert_eq!(given(&ask(&mut machine, "c")), ["c"]);
    assert_eq!(given(&ask(&mut machine, "a")), ["a"]);
    assert!(given(&ask(&mut machine, "d")).is_empty() && given(&ask(&mut machine, "b")).is_empty());
    let out = machine.handle(Moment::default(), ServicesMessage::ReturnSlot(name("a")));
    assert_eq!(given(&out), ["d"]);
}

#[test]
fn a_service_that_gives_up_waiting_for_a_slot_gets_none() {
    let mut machine = supervisor();
    for service in ["a", "b", "c", "d"] {
        ask(&mut machine, service);
    }
    machine.handle(Moment::default(), ServicesMessage::ReturnSlot(name("c")));
    let out = machine.handle(Moment::default(), ServicesMessage::ReturnSlot(name("a")));
    assert_eq!(given(&out), ["d"]);
}

#[test]
fn closing_down_ends_when_every_service_and_then_the_registry_has_said_so() {
    let (mut services, mut root) = (supervisor(), RootMachine::default());
    let out = root.handle(Moment::default(), RootMessage::Close);
    assert!(matches!(
        out[..],
        [
            Effect::Tell(Message::Services(ServicesMessage::Close)),
            Effect::Publish(Publication::Closing(Haste::InOrder))
        ]
    ));
    assert_eq!(services.handle(Moment::default(), ServicesMessage::Close).len(), 4);
    for service in ["a", "b", "c"] {
        assert!(services.handle(Moment::default(), ServicesMessage::Closed(name(service))).is_empty());
    }
    let out = services.handle(Moment::default(), ServicesMessage::Closed(name("d")));
    assert!(matches!(out[..], [Effect::Tell(Message::Root(RootMessage::ServicesClosed(_)))]));
    let out = root.handle(Moment::default(), RootMessage::ServicesClosed(Vec::new()));
    assert!(matches!(out[..], [Effect::Tell(Message::Leases(_))]));
    let out = root.handle(Moment::default(), RootMessage::LeasesClosed(Vec::new()));
    assert!(matches!(out[..], [Effect::Act(Action::Exit(DaemonExit::Stopped))]));
}

#[test]
fn a_hurry_closes_down_also_when_the_first_word_was_lost() {
    let mut services = supervisor();
    services.handle(Moment::default(), ServicesMessage::Hurry);
    let out: Vec<_> = ["a", "b", "c", "d"]
        .into_iter()
        .flat_map(|service| services.handle(Moment::default(), ServicesMessage::Closed(name(service))))
        .collect();
    assert!(matches!(out[..], [Effect::Tell(Message::Root(RootMessage::ServicesClosed(_)))]), "{out:?}");
}

#[test]
fn what_is_left_is_known_by_whoever_hears_that_all_services_are_closed() {
    let left = Left { service: name("a"), pid: Some(7) };
    let mut services = ServicesMachine::new(vec![name("a")], NonZeroUsize::MIN);
    services.handle(Moment::default(), ServicesMessage::Close);
    let out = services.handle(Moment::default(), ServicesMessage::Stuck(left.clone()));
    let [Effect::Tell(Message::Root(word @ RootMessage::ServicesClosed(_)))] = &out[..] else { panic!("{out:?}") };
    let mut root = RootMachine::default();
    root.handle(Moment::default(), RootMessage::Close);
    root.handle(Moment::default(), word.clone());
    let out = root.handle(Moment::default(), RootMessage::LeasesClosed(Vec::new()));
    assert!(matches!(&out[..], [Effect::Act(Action::Exit(DaemonExit::Left(named)))] if *named == [left]), "{out:?}");
}

#[test]
fn a_restarted_supervisor_goes_on_closing_down() {
    let mut before = ServicesMachine::new(["a", "b"].map(name).to_vec(), NonZeroUsize::MIN);
    before.handle(Moment::default(), ServicesMessage::Hurry);
    let mut again = before.successor();
    assert!(again.begin(Moment::default(), Beginning::Again).is_empty());
    let to_a = again.tell_again(&ActorId::Service(name("a")));
    assert!(matches!(to_a[..], [_, Message::Service(_, ServiceMessage::Hurry)]), "{to_a:?}");
    assert!(again.tell_again(&ActorId::Root).is_empty());
    for service in ["a", "b"] {
        again.handle(Moment::default(), ServicesMessage::Closed(name(service)));
    }
    let to_root = again.tell_again(&ActorId::Root);
    assert!(matches!(to_root[..], [Message::Root(RootMessage::ServicesClosed(_))]), "{to_root:?}");
}

/// A supervisor with two slots after a panic of its actor.
fn again(before: &ServicesMachine) -> ServicesMachine {
    let mut again = before.successor();
    again.begin(Moment::default(), Beginning::Again);
    again
}

#[test]
fn a_restarted_supervisor_gives_no_slot_that_its_predecessor_has_given() {
    let mut before = supervisor();
    ask(&mut before, "a");
    ask(&mut before, "b");
    let mut again = again(&before);
    // Nobody has said again yet whether it is starting.
    assert!(given(&ask(&mut again, "c")).is_empty());
    again.handle(Moment::default(), ServicesMessage::HoldsSlot(name("a")));
    // That b gave its slot back was what the predecessor panicked over.
    assert_eq!(given(&again.handle(Moment::default(), ServicesMessage::ReturnSlot(name("b")))), ["c"]);
}

#[test]
fn who_asks_and_has_been_given_a_slot_before_a_panic_is_told_so_and_counts_once() {
    let mut before = supervisor();
    ask(&mut before, "a");
    let mut again = again(&before);
    assert_eq!(given(&ask(&mut again, "a")), ["a"]);
    assert_eq!(given(&ask(&mut again, "b")), ["b"]);
    assert!(given(&ask(&mut again, "c")).is_empty());
}

#[test]
fn a_restarted_root_goes_on_closing_down_and_tells_those_again_who_were_restarted() {
    let again = |root: &RootMachine| {
        let mut root = root.successor();
        let out = root.begin(Moment::default(), Beginning::Again);
        (root, out)
    };
    let (mut root, out) = again(&RootMachine::default());
    assert!(out.is_empty());
    root.handle(Moment::default(), RootMessage::Close);
    let (mut root, _) = again(&root);
    assert!(matches!(root.tell_again(&ActorId::Services)[..], [Message::Services(ServicesMessage::Close)]));
    root.handle(Moment::default(), RootMessage::ServicesClosed(Vec::new()));
    let (mut root, out) = again(&root);
    assert!(matches!(out[..], [Effect::Publish(Publication::Closing(Haste::InOrder))]));
    assert!(matches!(root.tell_again(&ActorId::Leases)[..], [Message::Leases(LeaseMessage::Close)]));
    root.handle(Moment::default(), RootMessage::LeasesClosed(Vec::new()));
    let (_, out) = again(&root);
    assert!(matches!(out[..], [Effect::Publish(_), Effect::Act(Action::Exit(DaemonExit::Stopped))]));
    let mut services = supervisor();
    let service = ActorId::Service(name("b"));
    assert!(matches!(services.tell_again(&service)[..], [Message::Service(_, ServiceMessage::Begin)]));
    services.handle(Moment::default(), ServicesMessage::Close);
    assert!(matches!(services.tell_again(&service)[..], [_, Message::Service(_, ServiceMessage::Close)]));
}

#[test]
fn a_second_word_closes_down_also_when_the_root_has_lost_the_first() {
    let mut root = RootMachine::default();
    root.handle(Moment::default(), RootMessage::Hurry);
    let out = root.handle(Moment::default(), RootMessage::Close);
    assert!(matches!(out[..], [Effect::Note(Outcome::Ignored)]), "it closes down already: {out:?}");
}

#[test]
fn what_outlives_sigkill_does_not_keep_mainstay_from_ending_which_says_what_it_left() {
    let (mut services, mut root) = (supervisor(), RootMachine::default());
    root.handle(Moment::default(), RootMessage::Close);
    services.handle(Moment::default(), ServicesMessage::Close);
    let stuck = |service: &str| Left { service: name(service), pid: Some(42) };
    for service in ["a", "b"] {
        assert!(services.handle(Moment::default(), ServicesMessage::Stuck(stuck(service))).is_empty());
    }
    // One of them has ended after all.
    for service in ["b", "c"] {
        assert!(services.handle(Moment::default(), ServicesMessage::Closed(name(service))).is_empty());
    }
    let said = services.handle(Moment::default(), ServicesMessage::Closed(name("d")));
    let mut out = Vec::new();
    for effect in said {
        let Effect::Tell(Message::Root(message)) = effect else { panic!("{effect:?}") };
        out = root.handle(Moment::default(), message);
    }
    assert!(matches!(out[..], [Effect::Tell(Message::Leases(_))]), "{out:?}");
    let out = root.handle(Moment::default(), RootMessage::LeasesClosed(Vec::new()));
    let [Effect::Act(Action::Exit(DaemonExit::Left(left)))] = &out[..] else { panic!("{out:?}") };
    assert_eq!(Left::all(left), "a (pid 42)");
}

#[test]
fn mainstay_waits_for_what_is_given_back_by_who_ended_after_all() {
    let mut root = RootMachine::default();
    root.handle(Moment::default(), RootMessage::Close);
    root.handle(Moment::default(), RootMessage::ServicesClosed(vec![Left { service: name("a"), pid: Some(42) }]));
    root.handle(Moment::default(), RootMessage::ServicesClosed(Vec::new()));
    let out = root.handle(Moment::default(), RootMessage::LeasesClosed(vec![name("a").into()]));
    assert!(matches!(out[..], [Effect::Note(Outcome::Superseded)]), "{out:?}");
    let out = root.handle(Moment::default(), RootMessage::LeasesClosed(Vec::new()));
    assert!(matches!(out[..], [Effect::Act(Action::Exit(DaemonExit::Stopped))]), "{out:?}");
}
