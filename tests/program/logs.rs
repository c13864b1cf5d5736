//! What services print.

use crate::harness::{Station, Status, until};

#[test]
fn a_log_is_rotated_and_only_so_many_old_ones_are_kept() {
    let station = Station::run(
        "[logs]\nmax_size = \"10KB\"\nkeep = 2\n\
         [services.talker]\ncommand = [\"sh\", \"-c\", \"i=0; while [ $i -lt 2000 ]; do echo line $i of a talkative service; i=$((i+1)); done; sleep 1000\"]\n",
    );
    until("all is written", || station.log("talker").contains("line 1999 ").then_some(()));
    let dir = station.dir().join("state/logs");
    let size = |name: &str| std::fs::metadata(dir.join(name)).map(|meta| meta.len()).ok();
    assert!(size("talker.log").unwrap() < 12_000);
    assert!(size("talker.log.1").is_some() && size("talker.log.2").is_some() && size("talker.log.3").is_none());
    let last = station.tell(&["logs", "talker", "-n", "300"]);
    assert_eq!(last.lines().count(), 300, "older lines come from the rotated files");
    assert!(last.lines().last().unwrap().ends_with("line 1999 of a talkative service"));
    station.end();
}

#[test]
fn a_flood_without_a_line_end_and_bytes_that_are_no_text_hurt_nobody() {
    let station = Station::run(
        "[logs]\nmax_size = \"1MB\"\nkeep = 1\n\
         [services.flood]\ncommand = [\"sh\", \"-c\", \"tr '\\\\0' x < /dev/zero\"]\n\
         [services.noise]\ncommand = [\"sh\", \"-c\", '''while :; do printf '\\377\\376\\033[2J\\200'; done''']\n\
         [services.quiet]\ncommand = [\"sh\", \"-c\", \"echo hello; sleep 1000\"]\n",
    );
    let names = ["flood", "noise", "quiet"];
    station.until("all run", |status| status.all(&names, "running"));
    until("logs were rotated", || station.dir().join("state/logs/flood.log.1").exists().then_some(()));
    assert!(station.status().all(&names, "running"), "the daemon answers, and nobody was hurt");
    until("the quiet one is heard beside them", || station.log("quiet").contains("hello").then_some(()));
    until("some of the noise is written", || (!station.log("noise").is_empty()).then_some(()));
    let shown = station.tell(&["logs", "noise", "-n", "2"]);
    assert!(!shown.is_empty());
    assert!(!shown.contains('\u{1b}'), "it would drive the terminal");
    for pid in station.processes() {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let peak =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        let peak: u64 = peak.unwrap_or(0);
        assert!(peak < 100_000, "process {pid} took {peak} kB:\n{status}");
    }
    station.end();
}

#[test]
fn a_followed_log_shows_what_is_printed_meanwhile() {
    use std::io::{BufRead, BufReader};
    let station = Station::run(
        "[services.talker]\ncommand = [\"sh\", \"-c\", \"echo before; while ! [ -e @DIR@/go ]; do sleep 0.05; done; echo after; sleep 1000\"]\n",
    );
    until("it has begun", || station.log("talker").contains("before").then_some(()));
    let mut child = station.command(&["logs", "talker", "-f"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with(" before"));
    std::fs::write(station.dir().join("go"), "").unwrap();
    assert!(lines.next().unwrap().unwrap().ends_with(" after"));
    child.kill().unwrap();
    child.wait().unwrap();
    station.end();
}

#[test]
fn what_readiness_checks_print_is_shown_like_a_log_of_a_service() {
    let station = Station::run(
        "[services.talker]\ncommand = [\"sleep\", \"1000\"]\n\
         ready = { exec = { command = [\"sh\", \"-c\", \"echo looked\"], within = \"20s\" } }\n",
    );
    station.until_service("talker", "running");
    until("it is written", || station.log("readiness-probes").contains("looked").then_some(()));
    assert!(station.tell(&["logs", "readiness-probes"]).contains("looked"));
    station.end();
}

#[test]
fn no_character_of_a_long_line_is_cut() {
    let station = Station::run(
        "[services.talker]\ncommand = [\"sh\", \"-c\", \"printf x; i=0; while [ $i -lt 3000 ]; do printf €€€€; i=$((i+1)); done; echo; echo end; sleep 1000\"]\n",
    );
    until("all is written", || station.log("talker").contains(" end").then_some(()));
    let bytes = std::fs::read(station.dir().join("state/logs/talker.log")).unwrap();
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    assert!(lines.len() > 4, "it is in pieces");
    assert!(lines.iter().all(|line| std::str::from_utf8(line).is_ok()));
    station.end();
}

#[test]
fn a_log_that_cannot_be_written_shows_in_the_status_and_in_the_daemons_log_until_it_can() {
    let station =
        Station::run("[services.talker]\ncommand = [\"sh\", \"-c\", \"while :; do echo line; sleep 0.1; done\"]\n");
    until("it is heard", || station.log("talker").contains("line").then_some(()));
    // Also root is refused this.
    let log = station.dir().join("state/logs/talker.log");
    std::fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    let lost =
        |status: &Status| status.troubles.iter().any(|words| words.contains("talker") && words.contains("space"));
    station.until("the status tells of it", lost);
    assert!(station.tell(&["status"]).contains("what talker prints cannot be written"));
    assert!(station.said().contains("what it prints cannot be written and is lost"), "{}", station.said());
    std::fs::remove_file(&log).unwrap();
    station.until("it is over", |status| status.troubles.is_empty());
    assert!(station.log("talker").contains("[mainstay dropped"));
    station.end();
}

#[test]
fn the_log_keeper_is_started_again_also_when_mainstays_file_was_replaced() {
    let station = Station::of_a_copy(
        "[services.talker]\ncommand = [\"sh\", \"-c\", \"echo before; while ! [ -e @DIR@/go ]; do sleep 0.05; done; echo after; exec sleep 1000\"]\n",
    );
    until("it has begun", || station.log("talker").contains("before").then_some(()));
    std::fs::write(station.dir().join("new"), "not the same program").unwrap();
    std::fs::rename(station.dir().join("new"), station.dir().join("mainstay")).unwrap();
    let keeper = until("there is a log-keeper", || station.log_keepers().first().copied());
    kill(keeper);
    std::fs::write(station.dir().join("go"), "").unwrap();
    until("the next one writes", || station.log("talker").contains("after").then_some(()));
    let next = until("there is another", || station.log_keepers().into_iter().find(|pid| *pid != keeper));
    assert_eq!(std::fs::read_to_string(format!("/proc/{next}/comm")).unwrap().trim(), "mainstay");
    station.end();
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
