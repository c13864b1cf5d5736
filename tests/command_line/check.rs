//! `mainstay check`.

use std::path::Path;
use std::process::Output;

use crate::{err, mainstay, out};

const RIGHT: &str = "[services.gpsd]\ncommand = [\"gpsd\", \"-N\"]\n";
const WRONG: &str = "[services.gpsd]\ncomand = [\"gpsd\"]\nrequires = [\"kismt\"]\n";

/// Runs `mainstay check` in a folder of its own, with a file `station.toml` of this text.
fn check(text: &str, args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("station.toml"), text).unwrap();
    mainstay(Path::new("/nonexistent"), args).current_dir(dir.path()).output().unwrap()
}

#[test]
fn a_right_configuration_ends_with_0_and_says_what_it_is() {
    let output = check(RIGHT, &["check", "station.toml"]);
    // What follows would be of the board that the test runs on.
    let said = out(&output);
    assert_eq!(
        (output.status.code(), said.lines().next()),
        (Some(0), Some("station.toml is right: 1 service and 0 devices"))
    );
}

#[test]
fn all_problems_are_shown_at_once_with_their_lines() {
    let output = check(WRONG, &["check", "station.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = out(&output);
    for expected in ["comand", "did you mean `command`", "kismt", "station.toml:2:", "station.toml:3:"] {
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colours in a file:\n{text}");
}

#[test]
fn json_lists_the_same_problems() {
    let output = check(WRONG, &["check", "station.toml", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let view: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    let problems = view.get("problems").and_then(serde_json::Value::as_array).unwrap();
    let lines: Vec<u64> = problems.iter().filter_map(|problem| problem.get("line")?.as_u64()).collect();
    assert!(lines.contains(&2) && lines.contains(&3), "{view}");
    let output = check(RIGHT, &["check", "station.toml", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("\"problems\":[]"), "{}", out(&output));
}

#[test]
fn the_configuration_is_found_by_option_variable_and_place() {
    for args in [&["check", "--config", "station.toml"][..], &["--config", "station.toml", "check"]] {
        assert_eq!(check(RIGHT, args).status.code(), Some(0));
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mainstay.toml"), RIGHT).unwrap();
    std::fs::write(dir.path().join("wrong.toml"), WRONG).unwrap();
    let mut here = mainstay(Path::new("/nonexistent"), &["check"]);
    assert_eq!(here.current_dir(dir.path()).output().unwrap().status.code(), Some(0));
    assert_eq!(here.env("MAINSTAY_CONFIG", "wrong.toml").output().unwrap().status.code(), Some(1));
    assert_eq!(here.env("MAINSTAY_CONFIG", "").output().unwrap().status.code(), Some(0), "set to nothing is not set");
}

#[test]
fn a_file_that_is_not_there_is_told_with_a_cure() {
    for args in [&["check", "none.toml"][..], &["check", "none.toml", "--json"], &["run", "--config", "none.toml"]] {
        let output = check(RIGHT, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(err(&output).contains("none.toml") && err(&output).contains("help: "), "{}", err(&output));
    }
}

#[test]
fn the_schema_is_a_json_schema() {
    let output = check(RIGHT, &["check", "--schema"]);
    assert_eq!(output.status.code(), Some(0));
    let schema: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert!(schema.get("$schema").is_some() && schema.get("properties").is_some());
}

#[test]
fn commands_look_in_the_run_directory_that_the_configuration_names_even_if_it_is_elsewhere() {
    let text = "[runtime]\nrun_dir = \"/nonexistent/run\"\n";
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("station.toml");
    std::fs::write(&file, text).unwrap();
    let mut status = mainstay(Path::new("unused"), &["status", "--config"]);
    let output = status.arg(&file).env_remove("MAINSTAY_SOCKET").output().unwrap();
    // A station may run on the machine that runs the tests.
    if output.status.code() == Some(3) {
        assert!(err(&output).contains("/nonexistent/run/mainstay.sock: not there"), "{}", err(&output));
    }
}

#[test]
fn a_broken_configuration_does_not_keep_anybody_from_the_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("station.toml");
    std::fs::write(&file, WRONG).unwrap();
    let daemon = crate::daemon::CannedDaemon::start(vec!["{\"done\":{\"said\":[],\"trace\":null}}".to_owned()]);
    let output = mainstay(daemon.socket(), &["stop", "gpsd"]).env("MAINSTAY_CONFIG", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}
