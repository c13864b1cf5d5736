//! The engine, driven by hand.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use mainstay_config::model::Station;
use mainstay_config::names::ServiceName;

use super::agenda::What;
use super::spare::Spare;
use super::supervision::Decision;
use super::*;
use crate::message::lasting::Remembered;
use crate::message::service::ServiceMessage;
use crate::message::supervision::{RootMessage, ServicesMessage};
use crate::message::{Described, Outside};
use crate::trace::{MessageId, TraceId};
use crate::world::stations;

const CAUSE: Cause = Cause { trace: TraceId(1), message: None };

fn at(seconds: u64) -> Moment {
    Moment::after_boot(Duration::from_secs(seconds))
}

fn station() -> Station {
    stations::demo()
}

fn engine() -> Engine {
    Engine::new(&station(), RunId(1), &Remembered::default())
}

fn letter(message: Message) -> Letter {
    Letter { id: MessageId(1), cause: CAUSE, from: Outside::Operator.into(), message }
}

fn services() -> Vec<ActorId> {
    station().services.keys().cloned().map(ActorId::Service).collect()
}

/// Handles all mail of an actor; what it wanted done.
fn handle_all(engine: &mut Engine, place: Place, now: Moment) -> Vec<Effect<Timer>> {
    while let Some(mail) = engine.next(place) {
        let letter = match mail {
            Mail::Letter(letter) => letter,
            Mail::Rang(_, _, message) => letter(message),
            Mail::TellAgain(to, cause) => {
                engine.tell_again(place, now, &to, cause).unwrap();
                continue;
            }
        };
        engine.handle(place, now, letter).unwrap();
    }
    std::iter::from_fn(|| engine.next_effect(place, now)).map(|(_, effect)| effect).collect()
}

#[test]
fn mail_is_handled_in_the_order_in_which_it_came_and_what_comes_of_it_is_in_the_outbox() {
    let mut engine = engine();
    let root = engine.place(&ActorId::Root).unwrap();
    for message in [RootMessage::Close, RootMessage::Hurry] {
        assert_eq!(engine.put(letter(Message::Root(message))), Some(root));
    }
    assert_eq!(engine.waiting(root), 2);
    let out = handle_all(&mut engine, root, at(0));
    assert!(matches!(
        out[..],
        [
            Effect::Tell(Message::Services(ServicesMessage::Close)),
            Effect::Publish(_),
            Effect::Tell(Message::Services(ServicesMessage::Hurry)),
            Effect::Publish(_)
        ]
    ));
}

#[test]
fn a_fallen_actor_takes_no_mail_until_it_is_restarted_and_keeps_what_comes_meanwhile() {
    let mut engine = engine();
    let root = engine.place(&ActorId::Root).unwrap();
    let fallen = engine.fall(root, at(0), CAUSE, "oh".to_owned());
    assert_eq!(fallen.fate, Fate::Restart(vec![ActorId::Root]));
    engine.put(letter(Message::Root(RootMessage::Close)));
    assert!(engine.waiting(root) == 0 && engine.next(root).is_none());
    assert!(engine.due(at(0)).is_none(), "first the pause");
    assert!(matches!(engine.due(at(1)), Some(Due::Restarted(place, _, _)) if place == root));
    assert_eq!(engine.waiting(root), 1);
    assert_eq!(handle_all(&mut engine, root, at(1)).len(), 2);
}

#[test]
fn what_the_root_is_told_from_outside_is_not_lost_when_it_panics_over_that() {
    for word in [RootMessage::Close, RootMessage::Hurry] {
        let mut engine = engine();
        let root = engine.place(&ActorId::Root).unwrap();
        engine.put(letter(Message::Root(word)));
        engine.put(letter(Message::Root(RootMessage::LeasesClosed(Vec::new()))));
        for second in 0..2 {
            let Some(Mail::Letter(letter)) = engine.next(root) else { panic!("it is said again, and first") };
            assert!(engine.handle_and_panic(root, at(second), letter).is_err());
            assert!(matches!(engine.due(at(second + 1)), Some(Due::Restarted(..))));
        }
        let out = handle_all(&mut engine, root, at(2));
        assert!(matches!(out[..], [Effect::Tell(Message::Services(_)), Effect::Publish(_), ..]), "{out:?}");
        assert_eq!(engine.waiting(root), 0, "once it was heard it is not said again");
    }
}

#[test]
fn a_root_that_panics_over_whatever_it_is_told_from_outside_ends_the_daemon() {
    let mut engine = engine();
    let root = engine.place(&ActorId::Root).unwrap();
    engine.put(letter(Message::Root(RootMessage::Close)));
    let fates = (0..6).map(|_| {
        let Some(Mail::Letter(letter)) = engine.next(root) else { panic!("it is lost") };
        let fallen = engine.handle_and_panic(root, at(0), letter).unwrap_err();
        engine.due(at(1));
        fallen.exit()
    });
    assert_eq!(fates.flatten().count(), 1);
}

#[test]
fn one_who_panics_over_what_he_says_again_is_restarted_like_any_other() {
    let mut engine = engine();
    let root = engine.place(&ActorId::Root).unwrap();
    let fallen = engine.tell_again_by(root, at(0), CAUSE, |_| panic!("planted")).unwrap_err();
    assert_eq!((&fallen.words[..], &fallen.fate), ("planted", &Fate::Restart(vec![ActorId::Root])));
    assert!(engine.is_down(root));
    let Some(What::Restart(place, cause, again)) = engine.agenda.take(at(1)) else { panic!("it is not restarted") };
    let due = engine.restart_by(place, at(1), (cause, again), |_, _| panic!("planted"));
    assert!(matches!(due, Due::Fell(_, Fallen { fate: Fate::Restart(_), .. })), "{due:?}");
    assert!(matches!(engine.due(at(2)), Some(Due::Restarted(..))) && !engine.is_down(root));
}

#[test]
fn a_sixth_panic_within_a_minute_restarts_all_children_and_a_sixth_such_ends_the_daemon() {
    let mut engine = engine();
    let actor = services()[0].clone();
    let place = engine.place(&actor).unwrap();
    let mut fates = (0..).map(|_| engine.fall(place, at(0), CAUSE, "oh".to_owned()).fate);
    for _ in 0..5 {
        for _ in 0..5 {
            assert_eq!(fates.next(), Some(Fate::Restart(vec![actor.clone()])));
        }
        assert_eq!(fates.next(), Some(Fate::Restart(services())));
    }
    assert!(fates.by_ref().take(6).any(|fate| matches!(fate, Fate::GiveUp)));
}

#[test]
fn panics_far_apart_are_borne_for_ever() {
    let mut supervision = Supervision::default();
    let is_borne = |decision| matches!(decision, Decision::One(_));
    assert!((0..100).all(|n| is_borne(supervision.died(at(n * 13), &ActorId::Root))));
}

#[test]
fn a_timer_that_has_rung_and_is_cancelled_before_it_is_heard_is_not_heard() {
    let mut engine = engine();
    let name: ServiceName = "gpsd".parse().unwrap();
    let place = engine.place(&ActorId::Service(name)).unwrap();
    let timer = Timer::Service(crate::message::service::ServiceTimer::Backoff);
    let cell = &mut engine.cells[place.0];
    cell.outbox.push_back((CAUSE, Effect::SetTimer(timer.clone(), Duration::from_secs(1))));
    assert!(engine.next_effect(place, at(0)).is_none());
    assert_eq!(engine.next_due(), Some(at(1)));
    assert!(matches!(engine.due(at(1)), Some(Due::Mail(_))));
    assert_eq!(engine.waiting(place), 1);
    engine.cells[place.0].outbox.push_back((CAUSE, Effect::CancelTimer(timer)));
    assert!(engine.next_effect(place, at(1)).is_none());
    assert_eq!(engine.waiting(place), 0);
}

#[test]
fn a_machine_made_from_its_spare_is_what_it_was_before_the_last_message() {
    let mut engine = engine();
    let name: ServiceName = "gpsd".parse().unwrap();
    let cell = &mut engine.cells[engine.index[&ActorId::Service(name.clone())].0];
    let mut spare = None;
    for second in 0..60 {
        let before = format!("{:?}", cell.machine);
        let message = match second % 3 {
            0 => ServiceMessage::SlotGranted(Duration::ZERO),
            1 => ServiceMessage::Begin,
            _ => ServiceMessage::Close,
        };
        let message = Message::Service(name.clone(), message);
        Spare::before(&mut spare, &cell.machine, at(second), &message);
        cell.machine.handle(at(second), message);
        let made = spare.clone().unwrap().make();
        assert_eq!(format!("{made:?}"), before, "message {second}");
    }
}

#[test]
fn an_engine_that_has_rested_keeps_no_spares_and_one_that_panics_then_is_what_it_was_before() {
    let mut engine = engine_with_mail();
    let name = station().services.into_keys().next().unwrap();
    let place = engine.index[&ActorId::Service(name.clone())];
    engine.put(letter(Message::Service(name, ServiceMessage::Close)));
    let Some(Mail::Letter(first)) = engine.next(place) else { panic!("no mail") };
    engine.handle(place, at(1), first).unwrap();
    assert!(engine.cells[place.0].spare.is_some());
    engine.rest();
    assert!(engine.cells.iter().all(|cell| cell.spare.is_none()));
    let before = format!("{:?}", engine.cells[place.0].machine);
    let Some(Mail::Letter(second)) = engine.next(place) else { panic!("no mail") };
    assert!(engine.handle_and_panic(place, at(2), second).is_err());
    assert_eq!(format!("{:?}", engine.cells[place.0].machine), before);
}

/// An engine that has begun, with mail for every service and for the root.
fn engine_with_mail() -> Engine {
    let mut engine = engine();
    for place in engine.places() {
        engine.begin(place, at(0), CAUSE);
    }
    for name in station().services.into_keys() {
        engine.put(letter(Message::Service(name, ServiceMessage::Begin)));
    }
    engine.put(letter(Message::Root(RootMessage::Close)));
    engine
}

/// What comes of all its mail, and what the engine is then.
fn go_on(mut engine: Engine) -> (Vec<String>, String) {
    let effects = engine.places().map(|place| format!("{:?}", handle_all(&mut engine, place, at(1)))).collect();
    (effects, format!("{engine:?}"))
}

#[test]
fn a_clone_of_the_engine_goes_on_as_the_engine_does() {
    let one = engine_with_mail();
    assert_eq!(go_on(one.clone()), go_on(one));
}

#[test]
fn an_engine_that_was_written_down_and_read_back_goes_on_as_it_would_have() {
    let one = engine_with_mail();
    let other: Engine = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
    assert_eq!(go_on(one), go_on(other));
}

#[test]
fn who_is_given_a_start_slot_starts_because_he_asked_and_not_because_of_who_made_room() {
    let mut engine = engine();
    let services = engine.place(&ActorId::Services).unwrap();
    let names: Vec<ServiceName> = station().services.into_keys().collect();
    let slots = station().runtime.max_parallel_starts.get();
    assert!(names.len() > slots, "one has to wait");
    let mut tell = |number: u64, message| {
        let cause = Cause { trace: TraceId(number), message: None };
        let told = Letter { id: MessageId(number), cause, ..letter(Message::Services(message)) };
        engine.handle(services, at(number), told).unwrap();
        std::iter::from_fn(|| engine.next_effect(services, at(number))).collect::<Vec<_>>()
    };
    for (nth, name) in (1..).zip(&names).take(slots) {
        assert!(
            matches!(tell(nth, ServicesMessage::AskSlot(name.clone()))[..], [(Cause { trace: TraceId(trace), .. }, _)] if trace == nth)
        );
    }
    assert!(tell(10, ServicesMessage::AskSlot(names[slots].clone())).is_empty());
    // After a panic it asks again, for no other reason.
    assert!(tell(11, ServicesMessage::AskSlot(names[slots].clone())).is_empty());
    let given = tell(14, ServicesMessage::ReturnSlot(names[0].clone()));
    let [(cause, Effect::Tell(Message::Service(name, message)))] = &given[..] else { panic!("{given:?}") };
    assert_eq!((cause.trace, cause.message, name), (TraceId(10), Some(MessageId(10)), &names[slots]));
    assert_eq!(message.detail().to_string(), "it has waited 4s for a start slot, and may start now");
}

#[test]
fn what_is_for_nobody_is_not_put_anywhere() {
    let mut engine = engine();
    let nobody: ServiceName = "nobody".parse().unwrap();
    assert_eq!(engine.put(letter(Message::Service(nobody, ServiceMessage::Begin))), None);
}
