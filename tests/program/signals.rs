//! Signals to the daemon, and deaths around it.

use rustix::process::{Pid, Signal};

use crate::harness::{Station, alive, until};

const TWO: &str = "[services.base]\ncommand = [\"sh\", \"-c\", \"trap 'echo base >> @DIR@/stopped; exit 0' TERM; touch @DIR@/base; while :; do sleep 0.05; done\"]\n\
    ready = { file = { path = \"@DIR@/base\", within = \"60s\" } }\n\
    [services.top]\ncommand = [\"sh\", \"-c\", \"trap 'sleep 0.3; echo top >> @DIR@/stopped; exit 0' TERM; touch @DIR@/top; while :; do sleep 0.05; done\"]\n\
    requires = [\"base\"]\nready = { file = { path = \"@DIR@/top\", within = \"60s\" } }\n";

const STUBBORN: &str = "[services.stubborn]\ncommand = [\"sh\", \"-c\", \"trap '' TERM; touch @DIR@/up; while :; do sleep 0.05; done\"]\n\
    ready = { file = { path = \"@DIR@/up\", within = \"60s\" } }\nstop = { grace = \"1h\" }\n";

fn stops_in_order(signal: Signal) {
    let mut station = Station::run(TWO);
    station.until("both run", |status| status.all(&["base", "top"], "running"));
    station.signal(signal);
    assert_eq!(station.wait().code(), Some(0), "{}", station.said());
    assert_eq!(station.file("stopped"), "top\nbase\n");
    assert!(station.said().contains("everything is stopped"), "{}", station.said());
    station.nothing_is_left();
}

#[test]
fn sigterm_stops_everything_in_order() {
    stops_in_order(Signal::TERM);
}

#[test]
fn sigint_stops_everything_in_order() {
    stops_in_order(Signal::INT);
}

#[test]
fn a_terminal_that_hangs_up_stops_everything_in_order() {
    // Where the tests themselves run under nohup, every daemon inherits it: another test has that case.
    if ignored("self") & (1 << (Signal::HUP.as_raw() - 1)) == 0 {
        stops_in_order(Signal::HUP);
    }
}

#[test]
fn a_signal_that_means_nothing_to_it_harms_nobody() {
    let station = Station::run(COUNTER);
    let pid = station.until_service("counter", "running").pid;
    until_it_prints(&station);
    let keeper = keeper(&station);
    for (signal, name) in [(Signal::USR1, "SIGUSR1"), (Signal::USR2, "SIGUSR2"), (Signal::ALARM, "SIGALRM")] {
        station.signal(signal);
        until("it is noted", || station.said().contains(&format!("{name}: it means nothing")).then_some(()));
        let keeper = Pid::from_raw(i32::try_from(keeper).unwrap()).unwrap();
        rustix::process::kill_process(keeper, signal).unwrap();
    }
    let last = ticks(&station).last().copied().unwrap();
    until("it goes on printing", || (ticks(&station).last().copied()? > last + 5).then_some(()));
    assert_eq!(station.service("counter").pid, pid);
    assert!(station.log_keepers().contains(&keeper), "the log-keeper has ended");
    hears_every_signal(pid.unwrap());
    station.end();
}

fn hears_every_signal(pid: u32) {
    assert_eq!(ignored(&pid.to_string()) & 0x7fff_ffff, 0, "services hear every signal");
}

/// The signals that a process ignores, one bit each.
fn ignored(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap().trim();
    u64::from_str_radix(ignored, 16).unwrap()
}

#[test]
fn a_daemon_that_was_started_to_ignore_the_end_of_its_terminal_goes_on_and_its_services_hear_of_it() {
    let station = Station::under_nohup(COUNTER);
    let pid = station.until_service("counter", "running").pid;
    station.signal(Signal::HUP);
    until("it is noted", || station.said().contains("SIGHUP: mainstay was started to ignore it").then_some(()));
    assert_eq!(station.service("counter").pid, pid);
    hears_every_signal(pid.unwrap());
    station.end();
}

/// What comes at once with the first signal is the same wish: presses Ctrl-C until it is heard.
fn hurry(station: &Station) {
    until("it hurries", || {
        station.signal(Signal::INT);
        station.said().contains("SIGINT again: no more grace").then_some(())
    });
}

#[test]
fn two_signals_at_once_hurry_nobody() {
    let mut station = Station::run(TWO);
    station.until("both run", |status| status.all(&["base", "top"], "running"));
    station.signal(Signal::TERM);
    until("it has heard the first", || station.said().contains("SIGTERM: stopping everything in order").then_some(()));
    station.signal(Signal::TERM);
    assert_eq!(station.wait().code(), Some(0), "{}", station.said());
    assert!(station.said().contains("it is the same wish"), "{}", station.said());
    assert_eq!(station.file("stopped"), "top\nbase\n");
    station.nothing_is_left();
}

#[test]
fn a_second_signal_leaves_no_grace() {
    let mut station = Station::run(STUBBORN);
    let pid = station.until_service("stubborn", "running").pid.unwrap();
    station.signal(Signal::INT);
    station.until_service("stubborn", "stopping");
    assert!(alive(pid));
    hurry(&station);
    assert_eq!(station.wait().code(), Some(0), "{}", station.said());
    assert!(!alive(pid));
    station.nothing_is_left();
}

#[test]
fn a_daemon_that_is_stopping_starts_nothing_any_more_and_says_so() {
    let idle = "[services.idle]\ncommand = [\"sleep\", \"1000\"]\nautostart = false\n";
    let mut station = Station::run(&format!("{STUBBORN}{idle}"));
    station.until_service("stubborn", "running");
    station.signal(Signal::TERM);
    station.until_service("stubborn", "stopping");
    for args in [&["start", "stubborn"][..], &["start", "--with-needs", "idle"], &["restart", "idle"]] {
        let answered = station.ask(args);
        assert_eq!(answered.code, Some(5), "{args:?}: {answered:?}");
        assert!(answered.words().contains("mainstay is stopping"), "{answered:?}");
    }
    hurry(&station);
    assert_eq!(station.wait().code(), Some(0), "{}", station.said());
    station.nothing_is_left();
}

const COUNTER: &str =
    "[services.counter]\ncommand = [\"sh\", \"-c\", \"i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done\"]\n";

/// It stops at five until it is told to go on.
const PATIENT_COUNTER: &str = "[services.counter]\ncommand = [\"sh\", \"-c\", '''
    i=0
    while :; do
      i=$((i+1)); echo tick $i; sleep 0.05
      [ $i -ne 5 ] || until [ -e @DIR@/go ]; do sleep 0.05; done
    done''']\n";

fn keeper(station: &Station) -> u32 {
    until("there is a log-keeper", || station.log_keepers().first().copied())
}

fn kill(pid: u32) {
    rustix::process::kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
}

fn ticks(station: &Station) -> Vec<u64> {
    station.log("counter").lines().filter_map(|line| line.rsplit_once("tick ")?.1.parse().ok()).collect()
}

/// Waits for a line in the log: by then the log-keeper has been given the pipe, and ignores signals.
fn until_it_prints(station: &Station) {
    until("it prints", || (!ticks(station).is_empty()).then_some(()));
}

#[test]
fn a_killed_log_keeper_is_replaced_and_the_service_goes_on() {
    let station = Station::run(PATIENT_COUNTER);
    let service = station.until_service("counter", "running");
    // A line that the keeper has read and not written yet would be lost with it.
    until("five lines are written", || (ticks(&station).len() == 5).then_some(()));
    let killed = keeper(&station);
    kill(killed);
    std::fs::write(station.dir().join("go"), "").unwrap();
    until("lines go on", || (ticks(&station).last().copied()? > 15).then_some(()));
    assert_ne!(keeper(&station), killed);
    let ticks = ticks(&station);
    let missing: Vec<u64> = (1..=15).filter(|tick| !ticks.contains(tick)).collect();
    assert!(missing.is_empty(), "lines {missing:?} are lost");
    assert_eq!(station.service("counter").pid, service.pid);
    station.end();
}

#[test]
fn services_and_their_logs_survive_the_death_of_the_daemon() {
    let mut station = Station::run(COUNTER);
    let pid = station.until_service("counter", "running").pid.unwrap();
    until_it_prints(&station);
    station.signal(Signal::KILL);
    station.wait();
    let last = ticks(&station).last().copied().unwrap_or(0);
    until("it goes on printing", || (ticks(&station).last().copied()? > last + 5).then_some(()));
    assert!(alive(pid));
    let answered = station.ask(&["status"]);
    assert_eq!(answered.code, Some(3), "{answered:?}");
    assert!(answered.words().contains("the daemon that owned it is gone"), "{answered:?}");
}

#[test]
fn a_daemon_begins_again_where_one_has_been_killed() {
    let mut station = Station::run("[services.a]\ncommand = [\"sh\", \"-c\", \"exec sleep 1000\"]\n");
    let first = station.until_service("a", "running").pid.unwrap();
    station.signal(Signal::KILL);
    station.wait();
    station.again();
    let second = station.until_service("a", "running").pid.unwrap();
    assert_ne!(first, second);
    // Adoption is for a later version: this one is the test's own to clean up.
    kill(first);
    station.end();
}
