//! `mainstay logs` with real files.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use crate::daemon::CannedDaemon;
use crate::{err, mainstay, out, run};

fn daemon_with(log: &Path) -> CannedDaemon {
    CannedDaemon::start(vec![format!(r#"{{"logs":{{"path":"{}"}}}}"#, log.display())])
}

#[test]
fn the_last_lines_are_printed_and_cannot_drive_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("gpsd.log");
    std::fs::write(dir.path().join("gpsd.log.1"), "oldest\nolder\n").unwrap();
    std::fs::write(&log, b"a\tb \x1b[31m \xff\r\nunfinished").unwrap();
    let daemon = daemon_with(&log);
    let output = run(daemon.socket(), &["logs", "gpsd", "-n", "3"]);
    assert_eq!(out(&output), "older\na\tb \\x1b[31m \u{fffd}\nunfinished\n");
    assert_eq!(daemon.asked(), r#"{"logs":{"service":"gpsd"}}"#);
}

#[test]
fn a_line_is_an_object_with_json() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("gpsd.log");
    std::fs::write(&log, "one\n\"two\"\n").unwrap();
    let output = run(daemon_with(&log).socket(), &["logs", "gpsd", "--json"]);
    let expected = "{\"service\":\"gpsd\",\"line\":\"one\",\"continues\":false}\n\
                    {\"service\":\"gpsd\",\"line\":\"\\\"two\\\"\",\"continues\":false}\n";
    assert_eq!(out(&output), expected);
}

#[test]
fn a_service_that_has_printed_nothing_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(daemon_with(&dir.path().join("gpsd.log")).socket(), &["logs", "gpsd"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("there is no log of gpsd yet"), "{}", err(&output));
}

#[test]
fn a_service_that_was_never_started_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gpsd.log");
    let answer =
        format!(r#"{{"logs":{{"path":"{}","never_started":"gpsd is waiting for gps: gone."}}}}"#, path.display());
    let output = run(CannedDaemon::start(vec![answer.clone()]).socket(), &["logs", "gpsd"]);
    assert_eq!(output.status.code(), Some(1));
    let said = crate::unwrapped(&output);
    assert!(said.contains("there is no log of gpsd yet: it has not been started since mainstay began"), "{said}");
    assert!(said.contains("gpsd is waiting for gps: gone. `mainstay why gpsd` says more"), "{said}");
    std::fs::write(&path, "of an earlier mainstay\n").unwrap();
    let output = run(CannedDaemon::start(vec![answer]).socket(), &["logs", "gpsd"]);
    assert_eq!(out(&output), "of an earlier mainstay\n");
}

#[test]
fn a_followed_log_goes_on_after_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("gpsd.log");
    std::fs::write(&log, "before\n").unwrap();
    let daemon = daemon_with(&log);
    let mut child = mainstay(daemon.socket(), &["logs", "gpsd", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "before");
    std::fs::OpenOptions::new().append(true).open(&log).unwrap().write_all(b"last of the old\n").unwrap();
    std::fs::rename(&log, dir.path().join("gpsd.log.1")).unwrap();
    std::fs::write(&log, "first of the new\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "last of the old");
    assert_eq!(lines.next().unwrap().unwrap(), "first of the new");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("gpsd.log");
    std::fs::write(&log, "line\n".repeat(200_000)).unwrap();
    let daemon = daemon_with(&log);
    let mut child = mainstay(daemon.socket(), &["logs", "gpsd", "-n", "200000"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()));
}

#[test]
fn a_number_of_lines_below_nothing_is_told_as_none() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(&dir.path().join("s"), &["logs", "-n", "-1", "gpsd"]);
    assert!(err(&output).contains("write how many lines, as in `-n 100`"), "{}", err(&output));
    assert!(!err(&output).contains("tip:"), "{}", err(&output));
}
