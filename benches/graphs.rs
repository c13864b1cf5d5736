//! What dependencies and leases cost: chains, diamonds and dense graphs, and services with a port each, beside as many services that
//! need nothing.
//!
//! `cargo bench --bench graphs`. Time and memory may grow with services and edges, and not faster: compare the lines of one
//! kind with each other. Each figure is the median of several runs; least and most are beside it.
#![allow(clippy::expect_used, reason = "a bench that cannot go on says where, and ends")]
#![allow(dead_code, reason = "the support is that of all benches")]

mod support;

use std::process::Child;
use std::time::Duration;

use rustix::process::Signal;
use support::figures::{Figures, line};
use support::kernel::{monotonic, pss, signal};
use support::programs::{Marks, Workshop, mainstay, requires, services};

/// Runs of each kind.
const RUNS: usize = 3;
/// Everything is ready by then.
const SETTLED: Duration = Duration::from_millis(500);

/// Of services with a port each, that of the first. Nobody listens on them.
const FIRST_PORT: usize = 20_000;

/// What service number `place` requires.
type Needs = fn(usize) -> Vec<usize>;

fn main() {
    let kinds: [(&str, &[usize], Needs); 4] = [
        ("independent", &[250, 500, 1000], |_| Vec::new()),
        ("chain", &[250, 500, 1000], |place| place.checked_sub(1).into_iter().collect()),
        ("diamonds (layers of 10)", &[250, 500, 1000], |place| {
            let first = place / 10 * 10;
            (first.saturating_sub(10)..first).collect()
        }),
        ("dense (each requires all before it)", &[75, 150, 300], |place| (0..place).collect()),
    ];
    let workshop = Workshop::new();
    for (kind, counts, needs) in kinds {
        for &count in counts {
            let edges: usize = (0..count).map(|place| needs(place).len()).sum();
            println!("\n{kind}: {count} services, {edges} edges");
            measure(&workshop, count, |place| requires(needs(place)));
        }
    }
    for count in [250, 500, 1000] {
        println!("\na port each: {count} services");
        measure(&workshop, count, |place| format!("ports = {{ web = {} }}\n", FIRST_PORT + place));
    }
}

fn measure(workshop: &Workshop, count: usize, keys: impl Fn(usize) -> String) {
    let (mut start, mut stop, mut memory) = (Figures::default(), Figures::default(), Figures::default());
    for _ in 0..RUNS {
        let room = workshop.room();
        let marks = Marks::in_folder(room.path());
        let file = services(count, &keys, &workshop.tiny(), &marks, room.path());
        let begin = monotonic();
        let process = mainstay(&file);
        let last = marks.wait_for(count).into_iter().map(|(when, _)| when).max().unwrap_or_default();
        start.add_time(last - begin);
        std::thread::sleep(SETTLED);
        memory.add(f64::from(u32::try_from(pss(process.id())).unwrap_or(u32::MAX)) / 1024.0);
        stop.add_time(ended(process));
    }
    line("start", "ms", &start);
    line("stop: SIGTERM until it has ended itself", "ms", &stop);
    line("memory of the daemon (PSS)", "MiB", &memory);
}

/// Tells a process to end and waits until it has.
fn ended(mut process: Child) -> Duration {
    let begin = monotonic();
    signal(process.id(), Signal::TERM);
    let status = process.wait().expect("a process that ends");
    assert!(status.success(), "it ended with {status}");
    monotonic() - begin
}
