//! Services that depend on many others: whatever `check` accepts is started, within bounds, and says what it waits for.

use std::fmt::Write as _;

use crate::harness::{Station, Status};

/// What a service may cost the daemon at most, in any graph; in a debug build.
const BYTES_PER_SERVICE: u64 = 64 * 1024;

/// So many services; `first` is what the first one runs.
fn graph(count: usize, first: &str, needs: impl Fn(usize) -> Vec<usize>) -> Station {
    let mut text = String::new();
    for place in 0..count {
        let command = if place == 0 { first } else { "sleep" };
        let needs: Vec<String> = needs(place).into_iter().map(|need| format!("\"s{need}\"")).collect();
        writeln!(text, "[services.s{place}]\ncommand = [\"{command}\", \"1000\"]\nrequires = [{}]", needs.join(", "))
            .unwrap();
    }
    Station::with_runtime("max_parallel_starts = 64", &text)
}

fn count(status: &Status, word: &str) -> usize {
    (0..status.services()).filter(|place| status.service(&format!("s{place}")).status == word).count()
}

/// The most memory that the daemon has ever had.
fn peak(station: &Station) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", station.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// The most memory that the daemon has had when all of them ran.
fn peak_of(services: usize, needs: impl Fn(usize) -> Vec<usize>) -> u64 {
    let station = graph(services, "sleep", needs);
    station.until("all run", |status| count(status, "running") == services);
    let peak = peak(&station);
    station.end();
    peak
}

#[test]
fn dense_graphs_diamonds_and_chains_start_and_stop_within_a_bounded_memory_for_each_service() {
    let alone = peak_of(1, |_| Vec::new());
    let is_within_bounds = |services: usize, needs: &dyn Fn(usize) -> Vec<usize>| {
        let (peak, most) = (peak_of(services, needs), alone + BYTES_PER_SERVICE * services as u64);
        assert!(peak < most, "{peak} of {most} bytes for {services} services");
    };
    is_within_bounds(40, &|place| (0..place).collect());
    // Layers of five, each of which requires all of the one before.
    is_within_bounds(100, &|place| (0..place / 5 * 5).rev().take(5).collect());
    is_within_bounds(250, &|place| place.checked_sub(1).into_iter().collect());
}

#[test]
fn whoever_waits_says_for_whom_and_what_that_one_waits_for_in_the_end() {
    let station = graph(30, "there-is-no-such-program", |place| (0..place).collect());
    let told = |status: &Status, place: usize, words: &str| {
        status.service("s29").waiting_for.get(place).is_some_and(|what| what.starts_with(words))
    };
    let status = station.until("the news has come to the last", |status| {
        told(status, 0, "s0: failed: there is no program")
            && told(status, 1, "s1: waiting for s0: failed: there is no program")
    });
    assert_eq!((count(&status, "failed"), count(&status, "waiting")), (1, 29));
    let last = status.service("s29");
    assert_eq!((last.waiting_for.len(), last.waiting_for[8].as_str()), (9, "21 more"));
    let chain = graph(10, "there-is-no-such-program", |place| place.checked_sub(1).into_iter().collect());
    chain.until("the news has come to the last", |status| {
        let told = status.service("s9").waiting_for.first();
        told.is_some_and(|what| what.starts_with("s8: waiting for s0: failed: there is no program"))
    });
    let why = chain.tell(&["why", "s9"]);
    assert!(why.replace(['\n', ' '], "").contains("s8:waitingfors0:failed"), "{why}");
    station.end();
    chain.end();
}
