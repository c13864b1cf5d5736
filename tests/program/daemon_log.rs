//! The daemon's own log: whatever becomes of it, the station goes on.

use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;

use crate::harness::{Station, alive, until};

const ONE: &str = "[services.a]\ncommand = [\"sleep\", \"1000\"]\n[services.b]\ncommand = [\"sleep\", \"1000\"]\n";

/// Everything that an operator wants of a station can be had, and nothing is left.
fn goes_on(mut station: Station) {
    let running = station.until("both run", |status| status.all(&["a", "b"], "running"));
    #[cfg(debug_assertions)]
    station.panic("service/b");
    station.tell(&["stop", "a"]);
    station.until_service("a", "held");
    assert!(!alive(running.service("a").pid.unwrap()));
    assert_eq!(station.service("b").pid, running.service("b").pid);
    assert!(alive(running.service("b").pid.unwrap()));
    station.signal(Signal::TERM);
    assert_eq!(station.wait().code(), Some(0));
    station.nothing_is_left();
}

#[test]
fn a_full_disk_under_the_log_harms_no_service() {
    goes_on(Station::logging_to(File::options().write(true).open("/dev/full").unwrap(), ONE, &[]));
}

#[test]
fn a_log_whose_reader_has_gone_harms_no_service() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    goes_on(Station::logging_to(writer, ONE, &[]));
}

#[test]
fn the_demo_runs_without_anybody_to_say_it_to() {
    goes_on(Station::logging_to(File::options().write(true).open("/dev/full").unwrap(), ONE, &["--demo"]));
}

/// A pipe into which nothing goes any more.
fn full_pipe() -> (File, OwnedFd) {
    // A program that another test starts at this moment must not get it: it would have no end.
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while rustix::io::write(&writer, &[b'\n'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (File::from(reader), writer)
}

#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let (reader, writer) = full_pipe();
    goes_on(Station::logging_to(writer, ONE, &[]));
    drop(reader);
}

#[cfg(debug_assertions)]
#[test]
fn a_log_that_nobody_reads_does_not_hold_up_the_end_after_an_error() {
    let (reader, writer) = full_pipe();
    let mut station = Station::logging_to(writer, ONE, &[]);
    for _ in 0..6 {
        station.ask(&["panic", "leases"]);
    }
    assert_eq!(station.wait().code(), Some(70));
    drop(reader);
}

#[test]
fn a_log_that_is_read_late_is_read_whole() {
    let (reader, writer) = full_pipe();
    let station = Station::logging_to(writer, ONE, &[]);
    station.until("both run", |status| status.all(&["a", "b"], "running"));
    station.signal(Signal::TERM);
    let text = std::io::read_to_string(reader).unwrap();
    assert!(text.contains("SIGTERM: stopping everything in order"), "{text}");
    assert!(text.ends_with("everything is stopped\n"), "{text}");
}

#[test]
fn it_says_at_once_that_it_runs_and_where_and_soon_what_waits_for_what() {
    let station = Station::run(
        "[hardware.gps]\nkind = \"gps\"\nmatch = { serial = \"none\" }\n\
         [services.gpsd]\ncommand = [\"sleep\", \"1000\"]\ndevices.gps = {}\n",
    );
    let runs = format!("INFO mainstay runs; socket {}/run/mainstay.sock; 1 service", station.dir().display());
    for words in [runs.as_str(), "INFO gpsd waits for gps: not plugged in"] {
        until(words, || station.said().contains(words).then_some(()));
    }
    station.end();
}
