//! After panics: of its own actor, and of those that it speaks with.

use mainstay_config::model::{Probe, StopTo};

use super::*;
use crate::action::process::{Notification, Scope};
use crate::cause::Refusal;
use crate::message::ActorId;
use crate::message::lease::StillUsed;
use crate::message::service::Attempts;

fn starting() -> Bench {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(grant(1))).tell(SLOT);
    bench
}

#[test]
fn what_was_under_way_is_done_again_and_nothing_else() {
    let mut bench = Bench::new(leasing());
    assert!(matches!(bench.begin_again().acts[..], [Action::LetGo(_)]), "{:?}", bench.acts);
    let mut bench = starting();
    let run = bench.run();
    assert!(
        matches!(&bench.begin_again().acts[..], [Action::Spawn(order), Action::LetGo(_), Action::TellAgain(_)] if order.run == run)
    );
    assert!(matches!(
        bench.spawned().begin_again().acts[..],
        [Action::Watch(_), Action::LetGo(_), Action::TellAgain(_)]
    ));
    assert!(matches!(bench.ready().begin_again().acts[..], [Action::LetGo(_), Action::TellAgain(_)]));
    bench.tell(ServiceMessage::Stop(REQUEST));
    assert!(matches!(bench.begin_again().acts[..], [Action::Signal(_), Action::LetGo(_), Action::TellAgain(_)]));
    assert!(matches!(
        bench.wait(SECOND * 31).begin_again().acts[..],
        [Action::Sweep(_), Action::LetGo(_), Action::TellAgain(_)]
    ));
    // That the run that has ended is not looked at any more may have been lost.
    let unwatched = |bench: &Bench| bench.acts.iter().any(|act| matches!(act, Action::Unwatch(last) if *last == run));
    assert!(unwatched(bench.process(ProcessEvent::TreeGone)));
    assert!(unwatched(bench.begin_again()) && bench.acts.len() == 2, "{:?}", bench.acts);
}

#[test]
fn the_stop_signal_is_sent_again_to_whom_it_was_sent_the_first_time() {
    let scope = |bench: &Bench| match &bench.acts[..] {
        [Action::Signal(order), Action::LetGo(_), Action::TellAgain(_)] => order.scope,
        other => panic!("{other:?}"),
    };
    for (to, first) in [(StopTo::All, Scope::Tree), (StopTo::Main, Scope::Main)] {
        let mut draft = plain();
        draft.0.stop.to = to;
        let mut bench = Bench::new(draft);
        bench.come_up().tell(ServiceMessage::Stop(REQUEST));
        assert_eq!(scope(bench.begin_again()), first);
        bench.process(ProcessEvent::MainExited { exit: Exit::Code(0), remaining: vec![43] });
        assert_eq!(scope(bench.begin_again()), Scope::Tree, "its main process has ended: the others are meant now");
    }
}

#[test]
fn what_the_executor_says_twice_is_heard_once() {
    let mut bench = starting();
    bench.spawned();
    assert!(bench.spawned().acts.is_empty());
    bench.ready().ready();
    assert_eq!(bench.status(), ServiceStatus::Running);
    let crashed = || ProcessEvent::MainExited { exit: Exit::Code(1), remaining: vec![43] };
    assert!(bench.process(crashed()).signalled());
    assert!(!bench.process(crashed()).signalled());
    let run = bench.run();
    bench.process(ProcessEvent::TreeGone).tell(ServiceMessage::Process(run, ProcessEvent::TreeGone));
    assert_eq!(bench.reason(), "it ended: exit code 1; restart 1 of 3");
}

#[test]
fn what_the_registry_says_twice_is_heard_once_and_of_an_earlier_lease_not_at_all() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1);
    assert!(!bench.tell(ServiceMessage::Granted(grant(1))).released());
    bench.tell(revoked()).tell(revoked());
    bench.process(ProcessEvent::TreeGone);
    assert!(bench.requested());
    assert!(!bench.tell(ServiceMessage::Granted(grant(1))).released(), "it was given back");
    assert!(!bench.asked_for_slot());
    assert!(bench.tell(ServiceMessage::Granted(grant(2))).asked_for_slot());
    bench.come_up();
    assert!(!bench.tell(revoked()).signalled(), "this is about the earlier lease");
}

#[test]
fn who_waits_for_leases_and_is_not_known_to_asks_again_with_the_same_arrival() {
    let mut bench = Bench::new(leasing());
    let arrival = bench.now;
    bench.wait(SECOND * 100).tell(ServiceMessage::NothingHeld);
    assert!(matches!(&bench.leases[..], [LeaseMessage::Request(request)] if request.arrival == arrival));
    bench.come_up_with(1);
    assert!(bench.tell(ServiceMessage::NothingHeld).leases.is_empty());
}

/// What it says again to the registry.
fn stands(bench: &Bench) -> crate::message::lease::Statement {
    match &bench.machine.tell_again(&ActorId::Leases)[..] {
        [Message::Leases(LeaseMessage::Stands(standing))] => standing.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_registry_hears_again_what_is_held_wanted_and_given_back() {
    let mut bench = Bench::new(leasing());
    assert!(stands(&bench).wants.is_some() && stands(&bench).held.is_none());
    bench.come_up_with(1);
    assert_eq!((stands(&bench).held, stands(&bench).uses), (Some(Token(1)), StillUsed::Yes));
    bench.exits(Exit::Code(1));
    assert_eq!((stands(&bench).held, stands(&bench).uses), (Some(Token(1)), StillUsed::InBackoff));
    bench.tell(ServiceMessage::Stop(REQUEST));
    assert_eq!((stands(&bench).held, stands(&bench).given_back), (None, Token(1)));
    assert!(stands(&bench).wants.is_none());
}

#[test]
fn the_supervisor_hears_again_whether_it_waits_for_a_slot_holds_one_or_has_closed() {
    let said = |bench: &Bench| {
        let again = bench.machine.tell_again(&ActorId::Services);
        again.iter().map(|message| message.described().kind()).collect::<Vec<_>>()
    };
    let mut bench = Bench::new(plain());
    assert_eq!(said(&bench), ["AskSlot"]);
    bench.tell(SLOT);
    assert_eq!(said(&bench), ["HoldsSlot"]);
    bench.spawned().ready();
    assert_eq!(said(&bench), ["ReturnSlot"]);
    bench.tell(ServiceMessage::Close).exits(Exit::Signal(15));
    assert_eq!(said(&bench), ["ReturnSlot", "Closed"]);
}

#[test]
fn a_slot_that_is_given_twice_is_not_given_back_by_one_that_is_starting() {
    let mut bench = Bench::new(plain());
    bench.tell(SLOT).tell(SLOT);
    assert!(!bench.returned_slot() && !bench.spawning());
    assert!(bench.spawned().ready().tell(SLOT).returned_slot());
}

#[test]
fn who_depends_on_it_and_on_whom_it_depends_hear_again_how_it_stands() {
    let mut bench = Bench::with_dependents(plain().requires("need", 15), &["top"]);
    bench.hears("need", Standing::Up).come_up();
    let said = |bench: &Bench, to: &str| bench.machine.tell_again(&ActorId::Service(name(to)));
    assert!(matches!(said(&bench, "top")[..], [Message::Service(_, ServiceMessage::Dependency(_, Standing::Up))]));
    bench.hears("need", leaving(4));
    assert!(said(&bench, "need").is_empty(), "it has not stopped yet");
    bench.tell(ServiceMessage::DependentStopped(name("top"), Episode(1))).exits(Exit::Signal(15));
    let Message::Service(_, ServiceMessage::DependentStopped(me, episode)) = &said(&bench, "need")[0] else {
        panic!("{:?}", said(&bench, "need"))
    };
    assert_eq!((me, *episode), (&name("s"), Episode(4)));
}

#[test]
fn a_service_that_panics_twice_runs_on_with_what_it_holds_and_learns_the_rest() {
    let mut bench = Bench::new(leasing().requires("need", 15));
    bench.hears("need", Standing::Up).come_up_with(1);
    bench.begin_afresh();
    assert_eq!(bench.status(), ServiceStatus::Running);
    bench.tell(ServiceMessage::Granted(grant(1))).hears("need", Standing::Up);
    assert_eq!(bench.status(), ServiceStatus::Running);
    assert!(bench.acts.is_empty() && !bench.released());
    assert!(bench.tell(revoked()).signalled());
}

#[test]
fn what_the_operator_and_the_back_off_said_outlives_two_panics() {
    let mut bench = Bench::new(plain());
    bench.come_up().exits(Exit::Code(1)).begin_afresh();
    assert_eq!(bench.status(), ServiceStatus::Backoff);
    assert!(bench.wait(SECOND * 2).asked_for_slot());
    bench.tell(ServiceMessage::Stop(REQUEST)).begin_afresh();
    assert_eq!(bench.status(), ServiceStatus::Held);
}

#[test]
fn what_was_stopping_goes_on_stopping_for_the_same_reason_and_is_blamed_no_more_than_before() {
    let mut bench = Bench::new(plain());
    bench.come_up().wait(SECOND * 100).tell(ServiceMessage::Restart(REQUEST, Attempts::Keep)).begin_afresh();
    assert!(bench.signalled());
    assert_eq!(bench.reason(), "the operator asked for a restart");
    assert!(bench.exits(Exit::Signal(15)).asked_for_slot(), "{:?}", bench.shown);
}

#[test]
fn who_waits_for_it_to_stop_is_not_told_that_it_has_after_it_panicked_twice_at_once() {
    let mut bench = Bench::new(plain().requires("a", 0));
    bench.hears("a", Standing::Up).come_up().hears("a", leaving(7));
    bench.begin_afresh();
    let said = bench.machine.tell_again(&ActorId::Service(name("a")));
    assert!(
        !said.iter().any(|message| matches!(message, Message::Service(_, ServiceMessage::DependentStopped(..)))),
        "its process lives: {said:?}"
    );
    assert!(bench.process(ProcessEvent::TreeGone).settled_debt("a"));
}

#[test]
fn who_was_refused_while_the_registry_took_from_it_that_it_waits_says_that_it_does_not() {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Refused(Refusal::RangeInUse)).tell(ServiceMessage::Queued(Vec::new()));
    assert!(matches!(&bench.leases[..], [LeaseMessage::Withdraw(_)]), "{:?}", bench.leases);
}

#[test]
fn two_panics_do_not_give_what_it_requires_more_time_to_come_back() {
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.hears("need", Standing::Up).come_up().hears("need", down()).wait(SECOND * 10).begin_afresh();
    assert!(!bench.hears("need", down()).wait(SECOND * 4).signalled());
    assert!(bench.wait(SECOND).signalled(), "{:?}", bench.timers);
}

#[test]
fn two_panics_do_not_let_it_wait_longer_for_an_optional_service() {
    let coming = || Standing::Coming(Matter::Starting);
    let mut bench = Bench::new(plain().wants("need"));
    bench.hears("need", coming()).wait(SECOND * 9).begin_afresh();
    assert!(!bench.hears("need", coming()).asked_for_slot());
    assert!(bench.wait(SECOND).asked_for_slot(), "{:?}", bench.timers);
}

#[test]
fn a_short_stay_of_a_device_is_no_longer_one_for_two_panics_after_it() {
    let mut draft = leasing();
    draft.0.restart.attempts = 0;
    let mut bench = Bench::new(draft);
    bench.come_up_with(1).exits(Exit::Code(1)).wait(SECOND * 10).tell(device_left()).wait(SECOND * 60);
    bench.begin_afresh().tell(device_left()).tell(device_arrived());
    assert_eq!(bench.status(), ServiceStatus::Failed);
}

#[test]
fn what_it_says_of_itself_before_it_is_ready_is_shown_when_it_is() {
    let mut bench = Bench::new(plain().ready(Probe::Notify));
    bench.tell(SLOT).spawned();
    bench.process(ProcessEvent::Notified(Notification { status: "12 satellites".into(), ..Notification::default() }));
    bench.process(ProcessEvent::Notified(Notification { ready: true, ..Notification::default() }));
    assert_eq!(bench.status(), ServiceStatus::Running);
    assert!(bench.reason().contains("12 satellites"), "{}", bench.reason());
}

#[test]
fn one_that_says_that_it_is_ready_before_it_is_heard_again_that_it_runs_is_known_by_its_process() {
    let mut bench = Bench::new(plain().ready(Probe::Notify));
    bench.tell(SLOT);
    let ready = Notification { ready: true, ..Notification::default() };
    // That it runs was lost in a panic.
    bench.process(ProcessEvent::Notified(ready)).spawned();
    assert_eq!((bench.status(), bench.machine.run().unwrap().pid.is_some()), (ServiceStatus::Running, true));
}
