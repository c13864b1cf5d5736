//! mainstay from outside, against bare posix_spawn: starting, restarting, stopping, memory, and being idle.
//!
//! `cargo bench --bench processes`. Each figure is the median of several runs taken in turn; least and most are beside it.
#![allow(clippy::expect_used, reason = "a bench that cannot go on says where, and ends")]

mod support;

use std::collections::BTreeMap;
use std::process::Child;
use std::time::Duration;

use rustix::process::Signal;
use support::figures::{Figures, line, ratio};
use support::kernel::{keeper_of, monotonic, pss, signal, switches, threads, used, used_by_thread};
use support::programs::{Marks, Workshop, configuration, floor, mainstay};

/// Runs of each kind.
const RUNS: usize = 9;
/// Services that are killed in each run to see them come back.
const KILLED: usize = 10;
/// How long idleness is watched.
const IDLE: Duration = Duration::from_secs(5);
/// Every service has come to rest.
const SETTLED: Duration = Duration::from_millis(300);
/// What is left of starting has happened by then; memory that is free was given back after five seconds.
const QUIET: Duration = Duration::from_secs(6);

fn main() {
    let workshop = Workshop::new();
    for count in [100, 1000] {
        println!("\n{count} services");
        compare(&workshop, count);
    }
}

/// What was measured of one way to run services.
#[derive(Default)]
struct Measured {
    start: Figures,
    restart: Figures,
    stop: Figures,
    memory: Figures,
    wake_ups: Figures,
    threads: Figures,
    /// What starting has used of processors, by who used it.
    used: BTreeMap<String, Figures>,
}

impl Measured {
    fn add_use(&mut self, who: &str, used: Duration) {
        self.used.entry(who.to_owned()).or_default().add_time(used);
    }
}

fn compare(workshop: &Workshop, count: usize) {
    let (mut bare, mut ours) = (Measured::default(), Measured::default());
    for run in 0..RUNS {
        bare_run(workshop, count, &mut bare);
        our_run(workshop, count, run, &mut ours);
    }
    line("cold start, posix_spawn", "ms", &bare.start);
    line("cold start, mainstay", "ms", &ours.start);
    ratio("cold start, mainstay to posix_spawn", &ours.start, &bare.start);
    for (who, used) in &bare.used {
        line(&format!("  processor time, posix_spawn: {who}"), "ms", used);
    }
    for (who, used) in &ours.used {
        line(&format!("  processor time, mainstay: {who}"), "ms", used);
    }
    line("killed → started again, mainstay", "ms", &ours.restart);
    line("stop all, kill(2) and waitpid(2)", "ms", &bare.stop);
    line("stop all, mainstay: SIGTERM until it has ended itself", "ms", &ours.stop);
    line("memory of daemon and log-keeper (PSS)", "MiB", &ours.memory);
    line("threads of daemon and log-keeper", "", &ours.threads);
    line("times any of its threads ran in 5 idle seconds", "", &ours.wake_ups);
}

fn bare_run(workshop: &Workshop, count: usize, measured: &mut Measured) {
    let room = workshop.room();
    let marks = Marks::in_folder(room.path());
    let begin = monotonic();
    let process = floor(&workshop.floor(), count, &workshop.tiny(), &marks);
    let started = marks.wait_for(count);
    measured.start.add_time(last(&started) - begin);
    std::thread::sleep(SETTLED);
    measured.add_use("who starts", used(process.id()));
    measured.add_use("services", of_services(&started));
    measured.stop.add_time(ended(process));
}

fn our_run(workshop: &Workshop, count: usize, run: usize, measured: &mut Measured) {
    let room = workshop.room();
    let marks = Marks::in_folder(room.path());
    let file = configuration(count, &workshop.tiny(), &marks, room.path());
    let begin = monotonic();
    let process = mainstay(&file);
    let started = marks.wait_for(count);
    measured.start.add_time(last(&started) - begin);
    std::thread::sleep(SETTLED);
    let keeper = keeper_of(process.id()).expect("a log-keeper");
    for (thread, used) in used_by_thread(process.id()) {
        measured.add_use(&if thread == "mainstay" { "actors".to_owned() } else { thread }, used);
    }
    measured.add_use("log-keeper", used(keeper));
    measured.add_use("services", of_services(&started));
    std::thread::sleep(QUIET);

    let both = [process.id(), keeper];
    let kibibytes: u64 = both.into_iter().map(pss).sum();
    measured.memory.add(f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0);
    measured.threads.add(f64::from(u32::try_from(both.into_iter().map(threads).sum::<usize>()).unwrap_or(u32::MAX)));
    if run == 0 {
        // The same each time, and it takes long.
        let before: u64 = both.into_iter().map(switches).sum();
        std::thread::sleep(IDLE);
        let after: u64 = both.into_iter().map(switches).sum();
        measured.wake_ups.add(f64::from(u32::try_from(after - before).unwrap_or(u32::MAX)));
    }
    for (_, pid) in started.into_iter().step_by(count.div_ceil(KILLED)) {
        measured.restart.add_time(restarted(&marks, pid));
    }
    measured.stop.add_time(ended(process));
}

/// What the services themselves have used.
fn of_services(started: &[(Duration, u32)]) -> Duration {
    started.iter().map(|(_, pid)| used(*pid)).sum()
}

fn last(marks: &[(Duration, u32)]) -> Duration {
    marks.iter().map(|(when, _)| *when).max().unwrap_or_default()
}

/// Kills a service and waits until it has come back.
fn restarted(marks: &Marks, pid: u32) -> Duration {
    let before = marks.all().len();
    let begin = monotonic();
    signal(pid, Signal::KILL);
    last(&marks.wait_for(before + 1)) - begin
}

/// Tells a process to end and waits until it has.
fn ended(mut process: Child) -> Duration {
    let begin = monotonic();
    signal(process.id(), Signal::TERM);
    let status = process.wait().expect("a process that ends");
    assert!(status.success(), "it ended with {status}");
    monotonic() - begin
}
