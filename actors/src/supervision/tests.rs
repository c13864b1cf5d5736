//! Supervisors, told things by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::num::NonZeroUsize;
use std::time::Duration;

use mainstay_config::names::ServiceName;

use super::services::ServicesMemo;
use super::{NoTimer, RootMachine, RootMessage, ServicesMachine, ServicesMessage};
use crate::inventory::InventoryMessage;
use crate::lease::LeaseMessage;
use crate::machine::{Action, ActorId, Beginning, Effect, Exit, Left, Machine, Message, Moment, Outcome};
use crate::service::ServiceMessage;

fn name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

fn supervisor() -> ServicesMachine {
    let names = ["a", "b", "c", "d"].map(name).to_vec();
    ServicesMachine::new(names, NonZeroUsize::new(2).unwrap(), ServicesMemo::default())
}

fn panicked(actor: &ActorId) -> String {
    format!("{actor} panicked")
}

fn given(out: &[Effect<NoTimer>]) -> Vec<&str> {
    let slot = |effect| match effect {
        &Effect::Tell(Message::Service(ref name, ServiceMessage::SlotGranted)) => Some(name.as_str()),
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
fn too_many_panics_restart_every_service_actor_and_more_end_the_daemon() {
    let (mut services, mut root) = (supervisor(), RootMachine::default());
    let actor = ActorId::Service(name("a"));
    for _ in 0..5 {
        let out = services.handle(Moment::default(), ServicesMessage::Died(actor.clone(), panicked(&actor)));
        assert!(matches!(out[..], [Effect::Act(Action::RestartActor(..))]));
    }
    let out = services.handle(Moment::default(), ServicesMessage::Died(actor.clone(), panicked(&actor)));
    let [Effect::Tell(Message::Root(escalated))] = &out[..] else { panic!("{out:?}") };
    for _ in 0..5 {
        let out = root.handle(Moment::default(), escalated.clone());
        assert!(matches!(out[..], [Effect::Tell(Message::Services(ServicesMessage::RestartAll))]), "{out:?}");
    }
    let out = root.handle(Moment::default(), escalated.clone());
    assert!(matches!(out[..], [Effect::Act(Action::Exit(Exit::GaveUp(_)))]), "{out:?}");
}

#[test]
fn closing_down_ends_when_every_service_and_then_the_registry_has_said_so() {
    let (mut services, mut root) = (supervisor(), RootMachine::default());
    let out = root.handle(Moment::default(), RootMessage::Close);
    assert!(matches!(out[..], [Effect::Tell(Message::Services(ServicesMessage::Close))]));
    assert_eq!(services.handle(Moment::default(), ServicesMessage::Close).len(), 4);
    for service in ["a", "b", "c"] {
        assert!(services.handle(Moment::default(), ServicesMessage::Closed(name(service))).is_empty());
    }
    let out = services.handle(Moment::default(), ServicesMessage::Closed(name("d")));
    assert!(matches!(out[..], [Effect::Tell(Message::Root(RootMessage::ServicesClosed))]));
    let out = root.handle(Moment::default(), RootMessage::ServicesClosed);
    assert!(matches!(out[..], [Effect::Tell(Message::Leases(_))]));
    let out = root.handle(Moment::default(), RootMessage::LeasesClosed);
    assert!(matches!(out[..], [Effect::Act(Action::Exit(Exit::Stopped))]));
}

#[test]
fn who_panics_while_everything_closes_down_is_told_again() {
    let (mut services, mut root) = (supervisor(), RootMachine::default());
    root.handle(Moment::default(), RootMessage::Close);
    let out = root.handle(Moment::default(), RootMessage::Died(ActorId::Services, panicked(&ActorId::Services)));
    assert!(matches!(out[0], Effect::Tell(Message::Services(ServicesMessage::Close))), "{out:?}");
    root.handle(Moment::default(), RootMessage::ServicesClosed);
    let out = root.handle(Moment::default(), RootMessage::Died(ActorId::Leases, panicked(&ActorId::Leases)));
    assert!(matches!(out[0], Effect::Tell(Message::Leases(_))), "{out:?}");
    services.handle(Moment::default(), ServicesMessage::Close);
    let actor = ActorId::Service(name("b"));
    let out = services.handle(Moment::default(), ServicesMessage::Died(actor.clone(), panicked(&actor)));
    assert!(matches!(out[0], Effect::Tell(Message::Service(_, ServiceMessage::Close))), "{out:?}");
}

#[test]
fn a_hurry_closes_down_also_when_the_first_word_was_lost() {
    let mut services = supervisor();
    services.handle(Moment::default(), ServicesMessage::Hurry);
    let out: Vec<_> = ["a", "b", "c", "d"]
        .into_iter()
        .flat_map(|service| services.handle(Moment::default(), ServicesMessage::Closed(name(service))))
        .collect();
    assert!(matches!(out[..], [Effect::Tell(Message::Root(RootMessage::ServicesClosed))]), "{out:?}");
}

#[test]
fn a_restarted_supervisor_asks_who_starts_and_goes_on_closing_down() {
    let mut before = supervisor();
    before.handle(Moment::default(), ServicesMessage::Close);
    let names = ["a", "b"].map(name).to_vec();
    let mut again = ServicesMachine::new(names, NonZeroUsize::MIN, before.memo());
    let out = again.begin(Moment::default(), Beginning::Again);
    let kinds: Vec<bool> = out
        .iter()
        .map(|effect| matches!(effect, Effect::Tell(Message::Service(_, ServiceMessage::RestateSlot))))
        .collect();
    assert_eq!(kinds, [true, true, false, false]);
    again.handle(Moment::default(), ServicesMessage::HoldsSlot(name("b")));
    assert!(given(&ask(&mut again, "a")).is_empty());
    let later = Moment::after_boot(Duration::from_secs(1));
    assert_eq!(given(&again.handle(later, ServicesMessage::ReturnSlot(name("b")))), ["a"]);
}

/// A supervisor with two slots after a panic of its actor.
fn again(before: &ServicesMachine) -> ServicesMachine {
    let names = ["a", "b", "c", "d"].map(name).to_vec();
    let mut again = ServicesMachine::new(names, NonZeroUsize::new(2).unwrap(), before.memo());
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
fn a_restarted_root_goes_on_closing_down_and_else_has_every_actor_restarted() {
    let again = |root: &RootMachine| {
        let mut root = RootMachine::remembering(root.memo());
        let out = root.begin(Moment::default(), Beginning::Again);
        (root, out)
    };
    let (mut root, out) = again(&RootMachine::default());
    assert!(matches!(
        out[..],
        [
            Effect::Tell(Message::Hardware(InventoryMessage::RestartAll)),
            Effect::Tell(Message::Services(ServicesMessage::RestartAll))
        ]
    ));
    root.handle(Moment::default(), RootMessage::Close);
    let (mut root, out) = again(&root);
    assert!(matches!(out[..], [Effect::Tell(Message::Services(ServicesMessage::Close))]));
    root.handle(Moment::default(), RootMessage::ServicesClosed);
    let (_, out) = again(&root);
    assert!(matches!(out[..], [Effect::Tell(Message::Leases(LeaseMessage::Close))]));
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
    let out = root.handle(Moment::default(), RootMessage::LeasesClosed);
    let [Effect::Act(Action::Exit(Exit::Left(left)))] = &out[..] else { panic!("{out:?}") };
    assert_eq!(Left::all(left), "a (pid 42)");
}
