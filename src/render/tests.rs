#![allow(clippy::unwrap_used)]

use super::*;
use crate::fixtures;

const LOOK: Look = Look { width: 80, now: SystemTime::UNIX_EPOCH };

fn look() -> Look {
    Look { now: time::parse(fixtures::NOW).unwrap(), ..LOOK }
}

/// What a person without colours sees, which fits the width.
#[track_caller]
fn seen(rendered: &str) -> String {
    let text = anstream::adapter::strip_str(rendered).to_string();
    for line in text.lines() {
        assert!(text::columns(line) <= 80, "wider than 80 columns: {line}");
        assert!(!line.contains('\u{1b}'), "drives the terminal: {line:?}");
    }
    text
}

#[test]
fn status_begins_with_a_sentence_and_shows_every_reason() {
    assert_eq!(seen(&status(&fixtures::status(), &look())), include_str!("golden/status.txt"));
}

#[test]
fn devices_shows_what_else_is_attached_and_how_to_configure_it() {
    assert_eq!(seen(&devices(&fixtures::devices(), &look())), include_str!("golden/devices.txt"));
}

#[test]
fn leases_shows_who_waits_and_for_what() {
    assert_eq!(seen(&leases(&fixtures::leases(), &look())), include_str!("golden/leases.txt"));
}

#[test]
fn why_tells_the_chain_and_the_cure() {
    assert_eq!(seen(&why(&fixtures::why(), &look())), include_str!("golden/why.txt"));
}

#[test]
fn trace_draws_what_caused_what() {
    assert_eq!(seen(&trace(&fixtures::trace(), &look())), include_str!("golden/trace.txt"));
}

#[test]
fn a_station_without_anything_says_so() {
    let nothing = mainstay_actors::view::StatusView::default();
    assert_eq!(seen(&status(&nothing, &look())), "no services are configured\n");
    let nothing = mainstay_actors::view::LeasesView::default();
    assert_eq!(seen(&leases(&nothing, &look())), "nothing is leased\n");
}

#[test]
fn the_summary_names_a_few_and_counts_the_rest() {
    let mut view = fixtures::status();
    for service in &mut view.services {
        service.status = "failed".to_owned();
    }
    let text = seen(&status(&view, &look()));
    assert!(
        text.starts_with("0 of 5 services running; failed: gpsd, kismet, mavgps, openwebrx and 1 more\n"),
        "{text}"
    );
}

#[test]
fn what_was_done_points_to_its_trace() {
    let text = seen(&done(&["hackrf is plugged in at USB 1-2".to_owned()], Some(43), &look()));
    assert_eq!(text, "hackrf is plugged in at USB 1-2\nFollow it: mainstay trace 43\n");
}

#[test]
fn a_trace_that_is_partly_forgotten_says_so_and_shows_the_rest() {
    let mut view = fixtures::trace();
    view.messages.drain(..3);
    view.forgotten = 3;
    let text = seen(&trace(&view, &look()));
    assert!(text.contains("3 messages of this trace are no longer kept"), "{text}");
    assert_eq!(text.matches(" → ").count(), 3, "{text}");
    assert!(text.lines().next().unwrap().ends_with(" 22:56:33.120 UTC"), "the time of the event: {text}");
    assert!(text.contains("+0.3 ms  leases → service/openwebrx"), "times count from the event: {text}");
}
