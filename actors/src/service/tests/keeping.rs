//! Who is restarted keeps all that it holds.

use mainstay_config::model::{Dependency, OnReturn};

use super::*;
use crate::action::ports::Listener;
use crate::cause::Refusal;
use crate::message::lease::Renewed;
use crate::message::service::Attempts;

fn restart() -> ServiceMessage {
    ServiceMessage::Restart(REQUEST, Attempts::Keep)
}

/// What `leasing` holds, and a port.
fn with_port(token: u64, number: u16) -> Grant {
    Grant { ports: BTreeMap::from([(PortName::new("web").unwrap(), number)]), ..grant(token) }
}

fn renewed(token: u64, number: u16) -> ServiceMessage {
    ServiceMessage::Renewed(Token(token), Renewed::With(with_port(token, number).ports))
}

fn origin(who: &str, asked: Asked) -> Origin {
    Origin { who: name(who), what: Arc::new(Root::Asked(asked)) }
}

fn kept(bench: &Bench) -> bool {
    !bench.released() && !bench.requested()
}

#[test]
fn a_restart_keeps_what_is_held() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).tell(restart()).exits(Exit::Signal(15));
    assert!(kept(&bench) && bench.asked_for_slot());
    assert!(bench.tell(SLOT).spawning());
}

#[test]
fn a_restart_for_an_optional_service_that_has_returned_keeps_what_is_held() {
    let optional = Dependency::Optional { timeout: SECOND * 10, on_return: OnReturn::Restart };
    let mut bench = Bench::new(leasing().depends("need", optional));
    bench.hears("need", down()).come_up_with(1);
    assert!(bench.hears("need", Standing::Up).signalled() && kept(&bench));
    assert!(kept(bench.process(ProcessEvent::MainExited { exit: Exit::Signal(15), remaining: Vec::new() })));
    assert!(kept(bench.process(ProcessEvent::TreeGone)) && bench.asked_for_slot());
    assert!(bench.tell(SLOT).spawning());
}

#[test]
fn a_crash_without_back_off_keeps_what_is_held_however_short_the_run_was() {
    let mut draft = leasing().port("web", 8000);
    draft.0.restart.backoff = Duration::ZERO;
    let mut bench = Bench::new(draft);
    bench.tell(ServiceMessage::Granted(with_port(1, 8000))).tell(SLOT).spawned();
    bench.exits(Exit::Code(1));
    assert!(kept(&bench) && matches!(bench.leases[..], [LeaseMessage::Renew(_)]), "{:?}", bench.leases);
    assert!(bench.tell(renewed(1, 8001)).asked_for_slot());
    bench.tell(SLOT);
    let argv = bench.acts.iter().find_map(|act| match act {
        Action::Spawn(order) => Some(order.program.argv.join(" ")),
        _ => None,
    });
    assert_eq!(argv.as_deref(), Some("s port=8001"), "it starts with the port that it was given anew");
}

#[test]
fn a_stranger_on_a_port_that_was_kept_fails_the_restart_and_is_named() {
    let mut bench = Bench::new(leasing().port("web", 8000));
    bench.tell(ServiceMessage::Granted(with_port(1, 8000))).come_up().tell(restart()).exits(Exit::Signal(15));
    // An answer to an earlier question, under another token, does not count.
    assert!(!bench.tell(renewed(7, 8000)).asked_for_slot());
    let listener = Listener { pid: Some(7), command: Some("nginx".to_owned()), user: None };
    let refusal = Refusal::PortInUse { wanted_by: name("s").into(), port: 8000, listener };
    let words = refusal.to_string();
    bench.tell(ServiceMessage::Renewed(Token(1), Renewed::Refused(refusal)));
    assert_eq!(bench.reason(), format!("{words}; restart 1 of 3"));
    assert!(matches!(bench.leases[..], [LeaseMessage::Idle(_)]), "in back-off it is kept while nobody waits");
    assert!(matches!(bench.wait(SECOND * 2).leases[..], [LeaseMessage::Renew(_)]));
}

#[test]
fn one_whose_port_a_stranger_has_and_that_can_have_no_other_yet_waits_at_its_old_place_and_has_not_failed() {
    let mut bench = Bench::new(leasing().port("web", 8000));
    let arrival = bench.now;
    bench.tell(ServiceMessage::Granted(with_port(1, 8000))).come_up().wait(SECOND).tell(restart());
    bench.exits(Exit::Signal(15)).tell(ServiceMessage::Renewed(Token(1), Renewed::MustWait));
    let [LeaseMessage::Stands(stands)] = &bench.leases[..] else { panic!("{:?}", bench.leases) };
    assert_eq!((stands.held, stands.given_back), (None, Token(1)));
    assert_eq!(stands.wants.as_ref().map(|request| request.arrival), Some(arrival));
    assert_eq!(bench.status(), ServiceStatus::Waiting);
    let mut grant = with_port(2, 8001);
    grant.since = bench.now;
    bench.tell(ServiceMessage::Granted(grant));
    assert!(bench.asked_for_slot());
    bench.tell(SLOT).spawned().exits(Exit::Code(1));
    assert!(bench.reason().ends_with("restart 1 of 3"), "that it waited does not count: {}", bench.reason());
}

#[test]
fn what_was_lost_meanwhile_is_given_back_and_asked_for_anew() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).tell(restart()).tell(revoked()).exits(Exit::Signal(15));
    assert!(bench.released() && bench.requested());
    let mut bench = Bench::new(leasing().port("web", 8000));
    bench.tell(ServiceMessage::Granted(with_port(1, 8000))).come_up().tell(restart()).exits(Exit::Signal(15));
    assert!(bench.tell(revoked()).released() && bench.requested(), "while it hears of its ports");
}

#[test]
fn one_that_stops_for_the_restart_of_what_it_requires_keeps_what_it_holds_until_that_is_back() {
    let restarting =
        Standing::Leaving { why: origin("need", Asked::Restart), next: Next::Restart, episode: Episode(1) };
    let mut bench = Bench::new(leasing().requires("need", 15));
    bench.hears("need", Standing::Up).come_up_with(1).hears("need", restarting.clone());
    assert!(bench.signalled());
    bench.exits(Exit::Signal(15));
    assert!(kept(&bench) && bench.settled_debt("need") && bench.status() == ServiceStatus::Waiting);
    bench.hears("need", Standing::Starting(Matter::Starting));
    assert!(kept(&bench));
    assert!(bench.hears("need", Standing::Up).asked_for_slot() && kept(&bench));
    // When it does not come back at once, nothing is held while it is waited for.
    bench.come_up().hears("need", restarting).exits(Exit::Signal(15));
    assert!(bench.hears("need", Standing::Coming(Matter::Needs)).released());
}

#[test]
fn dependents_hear_whether_a_service_stops_to_be_restarted() {
    let next = |bench: &Bench| match bench.said_to("a") {
        Some(Standing::Leaving { next, .. }) => Some(*next),
        _ => None,
    };
    let mut bench = Bench::with_dependents(leasing(), &["a"]);
    assert_eq!(next(bench.come_up_with(1).tell(restart())), Some(Next::Restart));
    assert_eq!(next(bench.tell(revoked())), Some(Next::Rest), "its device is lost while it waits for them");
    let mut bench = Bench::with_dependents(leasing(), &["a"]);
    assert_eq!(next(bench.come_up_with(1).tell(ServiceMessage::Stop(REQUEST))), Some(Next::Rest));
}
