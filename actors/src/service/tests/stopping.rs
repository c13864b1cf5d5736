use mainstay_config::model::StopTo;

use super::*;
use crate::action::process::Scope;
use crate::message::service::Attempts;

fn stopped(dependent: &str, episode: u32) -> ServiceMessage {
    ServiceMessage::DependentStopped(name(dependent), Episode(episode))
}

#[test]
fn dependents_stop_first() {
    let mut bench = Bench::with_dependents(leasing(), &["a", "b"]);
    bench.come_up_with(1).tell(revoked());
    assert!(!bench.signalled() && bench.status() == ServiceStatus::Stopping);
    assert_eq!(bench.reason(), "x is gone (USB 1-1 unplugged); first a, b must stop");
    let Some(Standing::Leaving { episode, .. }) = bench.said_to("a").cloned() else { panic!("{:?}", bench.services) };
    assert!(!bench.tell(stopped("a", episode.0)).signalled());
    assert!(bench.tell(stopped("b", episode.0)).signalled());
    bench.exits(Exit::Signal(15));
    assert!(bench.released() && bench.requested());
}

#[test]
fn what_a_loss_stopped_has_its_place_in_the_queue_back_and_what_the_operator_stopped_has_not() {
    let arrival = |bench: &Bench| {
        let request = bench.leases.iter().find_map(|message| match message {
            LeaseMessage::Request(request) => Some(request.arrival),
            _ => None,
        });
        request.unwrap()
    };
    let mut bench = Bench::new(leasing());
    let asked = bench.now;
    bench.come_up_with(1).wait(SECOND * 60).tell(revoked()).exits(Exit::Signal(15));
    assert_eq!(arrival(&bench), asked, "others that have come since go behind it");
    bench.tell(ServiceMessage::Stop(RequestId(1))).wait(SECOND);
    bench.tell(ServiceMessage::Start(RequestId(2), crate::message::service::NeedsPolicy::Respect));
    assert_eq!(arrival(&bench), bench.now);
}

#[test]
fn an_answer_to_an_earlier_departure_does_not_count() {
    let mut bench = Bench::with_dependents(leasing(), &["a"]);
    bench.come_up_with(1).tell(revoked()).tell(stopped("a", 1)).exits(Exit::Signal(15));
    bench.come_up_with(2).tell(revoked_token(2));
    assert!(!bench.tell(stopped("a", 1)).signalled());
    assert!(bench.tell(stopped("a", 2)).signalled());
}

#[test]
fn after_the_grace_period_the_whole_tree_is_killed_and_one_that_outlives_that_says_so() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).tell(revoked());
    assert!(bench.signalled() && !bench.wait(SECOND * 5 - Duration::from_millis(1)).swept());
    assert!(bench.wait(Duration::from_millis(1)).swept());
    bench.wait(SECOND * 10);
    assert!(bench.reason().contains("it outlives SIGKILL (pid 42)"), "{}", bench.reason());
    assert!(!bench.released(), "what hangs still has its device");
    assert!(bench.process(ProcessEvent::TreeGone).released());
}

#[test]
fn a_program_that_is_still_being_started_is_stopped_as_soon_as_it_runs() {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(grant(1))).tell(SLOT).tell(revoked());
    assert!(!bench.signalled() && bench.status() == ServiceStatus::Stopping);
    assert!(bench.spawned().signalled());
}

#[test]
fn a_program_that_hangs_while_it_is_loaded_is_killed_after_the_grace_period_and_says_what_keeps_it() {
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(grant(1))).tell(SLOT);
    bench.process(ProcessEvent::LoadsSlowly);
    let hangs = "its program is still being loaded: the disk it is on is slow, or does not answer";
    assert_eq!(bench.reason(), format!("not ready yet: {hangs}"));
    bench.wait(SECOND * 30);
    assert_eq!(bench.reason(), format!("not ready within 30s: {hangs}"));
    bench.wait(SECOND);
    assert!(bench.swept() && bench.status() == ServiceStatus::Stopping);
    bench.wait(SECOND * 10);
    assert_eq!(bench.reason(), format!("not ready within 30s: {hangs}; it outlives SIGKILL: {hangs}"));
    assert!(!bench.spawned().signalled(), "it was killed before it was heard of");
    bench.exits(Exit::Signal(9));
    assert_eq!(bench.reason(), format!("not ready within 30s: {hangs}; restart 1 of 3"));
    let mut bench = Bench::new(leasing());
    bench.tell(ServiceMessage::Granted(grant(1))).tell(SLOT).tell(ServiceMessage::Close);
    assert!(!bench.swept() && bench.tell(ServiceMessage::Hurry).swept());
}

#[test]
fn a_run_that_is_not_its_own_is_killed() {
    let mut bench = Bench::new(plain());
    bench.come_up().tell(ServiceMessage::Process(RunId(7), ProcessEvent::Spawned { pid: 9 }));
    assert!(matches!(bench.acts[..], [Action::Sweep(RunId(7))]));
    assert_eq!(bench.status(), ServiceStatus::Running);
}

#[test]
fn closing_down_stops_it_and_it_says_so_once_and_sets_no_timer() {
    let mut bench = Bench::new(plain());
    assert!(bench.come_up().tell(ServiceMessage::Close).signalled());
    bench.exits(Exit::Signal(15));
    assert!(bench.slots.iter().any(|message| matches!(message, ServicesMessage::Closed(_))));
    assert!(bench.timers.is_empty(), "{:?}", bench.timers);
    assert!(bench.tell(ServiceMessage::Close).slots.is_empty());
}

#[test]
fn when_everything_closes_down_those_that_only_want_it_stop_first_as_well() {
    let mut bench = Bench::new(plain());
    bench.machine.dependents.others.insert(name("a"));
    assert!(!bench.come_up().tell(ServiceMessage::Close).signalled());
}

#[test]
fn what_has_lost_what_it_needs_while_everything_closes_down_waits_only_for_those_that_require_it() {
    let closing = |others: &[&str]| {
        let mut bench = Bench::with_dependents(leasing().requires("need", 15), &["a"]);
        bench.machine.dependents.others.extend(others.iter().map(|other| name(other)));
        bench.hears("need", Standing::Up).come_up_with(1);
        assert!(!bench.tell(ServiceMessage::Close).signalled());
        bench
    };
    let mut bench = closing(&["b", "c"]);
    assert!(!bench.tell(revoked()).signalled());
    assert!(bench.tell(stopped("a", 1)).signalled());
    let mut bench = closing(&["b"]);
    assert!(!bench.tell(stopped("a", 1)).signalled());
    assert!(bench.tell(revoked()).signalled());
    let mut bench = closing(&["b"]);
    bench.tell(stopped("a", 1)).hears("need", leaving(1));
    assert!(!bench.signalled(), "it stops after this one");
    assert!(bench.hears("need", down()).signalled(), "it has died by itself");
    let mut bench = closing(&["b"]);
    bench.tell(stopped("a", 1)).hears("need", down()).wait(SECOND * 15);
    assert!(bench.signalled());
}

#[test]
fn one_that_was_signalled_counts_for_nobody_that_it_requires() {
    let counts = |bench: &Bench| bench.timers.contains_key(&ServiceTimer::Lost(name("need")));
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.hears("need", Standing::Up).come_up().hears("need", down());
    assert!(counts(&bench));
    assert!(bench.tell(ServiceMessage::Close).signalled() && !counts(&bench));
    assert!(!counts(bench.hears("need", Standing::Up).hears("need", down())));
}

#[test]
fn a_hurry_ends_the_grace_period() {
    let mut bench = Bench::new(plain());
    bench.come_up().tell(ServiceMessage::Close);
    assert!(bench.tell(ServiceMessage::Hurry).swept());
}

/// Whom the stop signal has gone to.
fn scopes(bench: &Bench) -> Vec<Scope> {
    let signal = |act: &Action| match act {
        Action::Signal(order) => Some(order.scope),
        _ => None,
    };
    bench.acts.iter().filter_map(signal).collect()
}

#[test]
fn the_main_process_is_stopped_first_where_that_is_wanted_and_what_it_leaves_behind_when_it_has_ended() {
    let mut draft = plain();
    assert_eq!(scopes(Bench::new(draft.clone()).come_up().tell(ServiceMessage::Stop(REQUEST))), [Scope::Tree]);
    draft.0.stop.to = StopTo::Main;
    let mut bench = Bench::new(draft);
    assert_eq!(scopes(bench.come_up().tell(ServiceMessage::Stop(REQUEST))), [Scope::Main]);
    bench.wait(SECOND * 3).process(ProcessEvent::MainExited { exit: Exit::Code(0), remaining: vec![77] });
    assert_eq!(scopes(&bench), [Scope::Tree]);
    assert!(bench.wait(SECOND * 2).swept(), "they have what is left of the grace");
    // Of a program in the background the main process has ended long ago.
    bench.process(ProcessEvent::TreeGone).tell(ServiceMessage::Restart(REQUEST, Attempts::Keep)).come_up();
    bench.process(ProcessEvent::MainExited { exit: Exit::Code(0), remaining: vec![77] });
    assert_eq!(scopes(bench.tell(ServiceMessage::Stop(REQUEST))), [Scope::Tree]);
}

#[test]
fn when_the_main_process_outlives_the_grace_its_helpers_hear_the_stop_signal_before_all_are_killed() {
    let stopping = |grace: Duration| {
        let mut draft = plain();
        (draft.0.stop.to, draft.0.stop.grace) = (StopTo::Main, grace);
        let mut bench = Bench::new(draft);
        assert_eq!(scopes(bench.come_up().tell(ServiceMessage::Stop(REQUEST))), [Scope::Main]);
        assert_eq!(scopes(bench.wait(grace)), [Scope::Tree]);
        assert!(!bench.swept());
        bench
    };
    let millisecond = Duration::from_millis(1);
    assert!(stopping(SECOND * 5).wait(SECOND * 2).swept());
    assert!(!stopping(SECOND * 5).wait(SECOND * 2 - millisecond).swept());
    assert!(stopping(SECOND).wait(SECOND).swept(), "never longer than the grace");
    assert!(stopping(SECOND * 5).tell(ServiceMessage::Hurry).swept());
    let mut bench = stopping(SECOND * 5);
    assert_eq!(scopes(bench.begin_again()), [Scope::Tree], "also after a panic");
    bench.process(ProcessEvent::MainExited { exit: Exit::Signal(15), remaining: vec![77] });
    assert!(scopes(&bench).is_empty(), "they have heard it");
    assert!(bench.wait(SECOND * 2).swept());
    let more = SECOND * 60;
    let said = crate::action::process::Notification { extend: Some(more), ..Default::default() };
    assert!(stopping(SECOND * 5).process(ProcessEvent::Notified(said)).wait(SECOND * 2).swept(), "no word prolongs it");
}

#[test]
fn a_dependent_that_outlives_sigkill_says_so_to_those_that_wait_for_it() {
    let stuck = |bench: &Bench| {
        bench.services.iter().any(|(to, message)| {
            to.as_str() == "need" && matches!(message, ServiceMessage::DependentStuck(_, Episode(_), Some(42)))
        })
    };
    let mut bench = Bench::new(plain().requires("need", 15));
    bench.hears("need", Standing::Up).come_up().hears("need", leaving(1)).wait(SECOND * 5);
    assert!(bench.swept() && !bench.wait(SECOND * 10 - Duration::from_millis(1)).settled_debt("need"));
    assert!(!stuck(&bench) && stuck(bench.wait(Duration::from_millis(1))));
    assert!(stuck(bench.hears("need", leaving(2))), "the same to whoever asks later");
    assert!(!bench.process(ProcessEvent::TreeGone).settled_debt("need"), "it was answered already");
}

#[test]
fn what_a_dependent_that_outlives_sigkill_depends_on_goes_on_and_says_what_was_left() {
    let mut bench = Bench::with_dependents(leasing(), &["a", "b"]);
    bench.come_up_with(1).tell(revoked()).tell(stopped("b", 1));
    bench.tell(ServiceMessage::DependentStuck(name("a"), Episode(7), Some(77)));
    assert!(!bench.signalled(), "that was another departure");
    assert!(bench.tell(ServiceMessage::DependentStuck(name("a"), Episode(1), Some(77))).signalled());
    let words = "x is gone (USB 1-1 unplugged); a (pid 77) outlived SIGKILL and was not waited for";
    assert_eq!(bench.reason(), words);
    assert!(bench.exits(Exit::Signal(15)).released());
    assert_eq!(bench.reason(), words);
    bench.come_up_with(2).tell(revoked_token(2));
    assert_eq!(bench.reason(), "x is gone (USB 1-1 unplugged); first a, b must stop", "the next time is another");
}

#[test]
fn one_that_outlives_sigkill_does_not_keep_mainstay_from_ending_and_in_a_hurry_not_for_long() {
    let stuck = |bench: &Bench| {
        let abandoned = bench.leases.iter().any(|message| matches!(message, LeaseMessage::Abandoned(_)));
        abandoned
            && bench.slots.iter().any(|message| matches!(message, ServicesMessage::Stuck(left) if left.pid == Some(42)))
    };
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).tell(ServiceMessage::Close).wait(SECOND * 14);
    assert!(!stuck(&bench) && stuck(bench.wait(SECOND)));
    assert!(bench.tell(ServiceMessage::Close).slots.is_empty(), "once is enough");
    bench.process(ProcessEvent::TreeGone);
    assert!(bench.released() && bench.slots.iter().any(|message| matches!(message, ServicesMessage::Closed(_))));
    for at_once in [true, false] {
        let mut bench = Bench::new(leasing());
        bench.come_up_with(1);
        if !at_once {
            bench.tell(ServiceMessage::Close).wait(SECOND * 6);
        }
        assert!(stuck(bench.tell(ServiceMessage::Hurry).wait(SECOND * 5)));
    }
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).tell(revoked()).wait(SECOND * 60);
    assert!(stuck(bench.tell(ServiceMessage::Close)), "it was so before");
}

#[test]
fn a_service_that_waits_for_an_optional_one_waits_for_nothing_any_more_when_it_is_not_to_start() {
    let ends: [fn() -> ServiceMessage; 3] =
        [|| ServiceMessage::Close, || ServiceMessage::Hurry, || ServiceMessage::Stop(RequestId(1))];
    for end in ends {
        let mut bench = Bench::new(plain().wants("need"));
        assert!(bench.timers.contains_key(&ServiceTimer::Optional(name("need"))));
        bench.tell(end());
        assert!(bench.timers.is_empty(), "{:?}", bench.timers);
    }
    let mut bench = Bench::new(plain().wants("need"));
    bench.tell(ServiceMessage::Stop(RequestId(1)));
    bench.tell(ServiceMessage::Start(RequestId(2), crate::message::service::NeedsPolicy::Respect));
    assert!(
        !bench.asked_for_slot() && bench.timers.contains_key(&ServiceTimer::Optional(name("need"))),
        "it waits anew"
    );
}

#[test]
fn a_service_that_backs_off_when_the_daemon_closes_waits_for_nothing_any_more() {
    let mut bench = Bench::new(plain());
    bench.come_up().exits(Exit::Code(1));
    assert!(bench.timers.contains_key(&ServiceTimer::Backoff), "{:?}", bench.timers);
    bench.tell(ServiceMessage::Close);
    assert!(bench.timers.is_empty(), "{:?}", bench.timers);
}

#[test]
fn a_loss_that_was_counted_is_not_counted_any_more_once_it_is_one() {
    for lost in [leaving(1), held()] {
        let mut bench = Bench::new(plain().requires("need", 15));
        bench.hears("need", Standing::Up).come_up().hears("need", down()).hears("need", lost);
        assert!(!bench.timers.contains_key(&ServiceTimer::Lost(name("need"))), "{:?}", bench.timers);
    }
}

#[test]
fn of_what_outlives_sigkill_a_process_is_named_that_is_there() {
    let mut bench = Bench::new(leasing());
    bench.come_up_with(1).tell(ServiceMessage::Stop(REQUEST));
    bench.process(ProcessEvent::MainExited { exit: Exit::Signal(15), remaining: vec![77] });
    bench.wait(SECOND * 60);
    assert!(bench.reason().contains("pid 77"), "{}", bench.reason());
    bench.process(ProcessEvent::MainExited { exit: Exit::Signal(15), remaining: vec![78] });
    assert!(bench.reason().contains("pid 78"), "{}", bench.reason());
}
