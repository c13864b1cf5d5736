//! The command line from outside: the built program, with no daemon, or with one that gives canned answers.
#![allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
#![allow(clippy::unwrap_used)]

mod check;
mod daemon;
mod logs;

use std::path::Path;
use std::process::{Command, Output};

use daemon::CannedDaemon;

/// The program, told to look for its daemon at `socket` only, in surroundings of its own.
fn mainstay(socket: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
    command.args(args).env("MAINSTAY_SOCKET", socket).env_remove("MAINSTAY_CONFIG").env_remove("NO_COLOR");
    command
}

fn run(socket: &Path, args: &[&str]) -> Output {
    mainstay(socket, args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Standard error without its line breaks.
fn unwrapped(output: &Output) -> String {
    err(output).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn without_a_daemon_every_command_says_how_to_start_one() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("none.sock");
    for args in [&["status"][..], &["why", "x"], &["trace"], &["trace", "-f"], &["logs", "x"], &["start", "x"]] {
        let output = run(&socket, args);
        let said = err(&output);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {said}");
        assert!(said.starts_with("error: no mainstay daemon answers"), "{said}");
        assert!(said.contains("none.sock: not there"), "{said}");
        assert!(said.contains("mainstay run --config") && said.contains("mainstay run --demo"), "{said}");
        assert!(!said.contains("MAINSTAY_RUN"), "nothing says that one was killed: {said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_file_that_is_named_from_a_directory_that_was_removed_is_not_told_as_somebody_elses() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("station.toml"), "").unwrap();
    std::fs::create_dir(dir.path().join("gone")).unwrap();
    let script = "cd \"$1\" && rmdir ../gone && exec \"$0\" run --config ../station.toml";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_mainstay")]).arg(dir.path().join("gone"));
    let output = command.env_remove("MAINSTAY_SOCKET").output().unwrap();
    let said = unwrapped(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("the working directory was removed") && said.contains("by its whole path"), "{said}");
}

#[test]
fn a_configuration_that_is_named_here_leads_to_its_own_daemon_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("station.toml");
    std::fs::write(&file, format!("[runtime]\nrun_dir = {:?}\n", dir.path().join("run"))).unwrap();
    let status = |named: &mut Command| {
        let output = named.env_remove("MAINSTAY_SOCKET").env("XDG_RUNTIME_DIR", dir.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", err(&output));
        unwrapped(&output).matches("mainstay.sock:").count()
    };
    let nowhere = dir.path().join("none");
    let file = file.to_str().unwrap();
    assert_eq!(status(&mut mainstay(&nowhere, &["status", "--config", file])), 1);
    assert_eq!(status(&mut mainstay(&nowhere, &["--config", file, "status"])), 1);
    assert!(status(mainstay(&nowhere, &["status"]).env("MAINSTAY_CONFIG", file)) > 1);
}

#[test]
fn a_daemon_does_not_listen_where_it_is_told_on_its_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let named = dir.path().join("own.sock");
    let output = run(&dir.path().join("none"), &["run", "--demo", "--socket", named.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert!(unwrapped(&output).contains("run_dir = \"DIRECTORY\"") && !named.exists(), "{}", err(&output));
}

#[test]
fn where_no_daemon_is_asked_a_socket_is_no_option() {
    let none = Path::new("/nonexistent");
    for (command, has_it) in [("run", false), ("check", false), ("status", true), ("logs", true)] {
        for help in ["--help", "-h"] {
            let text = out(&run(none, &[command, help]));
            assert_eq!(text.contains("--socket"), has_it, "{command} {help}: {text}");
            assert!(text.contains("--config"), "{command} {help}: {text}");
        }
    }
    for args in [&["check", "--socket", "x"][..], &["--socket", "x", "check"], &["run", "--socket", "x"]] {
        let output = run(none, args);
        assert_eq!(output.status.code(), Some(2), "{}", err(&output));
        assert!(unwrapped(&output).contains("takes no --socket"), "{}", err(&output));
    }
}

#[test]
fn what_is_no_number_or_no_port_is_a_wrong_command_line_with_the_cure() {
    for (args, cure) in [
        (&["trace", "foo"][..], "`mainstay trace` shows the latest"),
        (&["logs", "gpsd", "-n", "many"], "as in `-n 100`"),
        (&["plug", "hackrf", "--port", "foo"], "such as \"1-1.4\""),
    ] {
        let output = run(Path::new("/nonexistent"), args);
        let said = unwrapped(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(cure) && !said.contains("invalid digit"), "{said}");
    }
}

#[test]
fn what_cannot_be_printed_is_an_error_and_what_nobody_wants_to_read_is_none() {
    let view = r#"{"status":{"services":[],"devices":[],"leases":[],"troubles":[]}}"#;
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in [
        &["--help"][..],
        &["--version"],
        &["help", "run"],
        &["run", "--help"],
        &["check", "--schema"],
        &["status"],
        &["status", "--json"],
    ] {
        let daemon = CannedDaemon::start(vec![view.to_owned(); 2]);
        let output = mainstay(daemon.socket(), args).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(err(&output).starts_with("error: the output cannot be written: No space left"), "{}", err(&output));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let daemon = CannedDaemon::start(vec![view.to_owned(); 2]);
        let output = mainstay(daemon.socket(), args).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()), "{args:?}");
    }
}

#[test]
fn a_mistyped_command_is_corrected_to_one_that_is_for_people() {
    let dir = tempfile::tempdir().unwrap();
    for (typed, suggested) in [("stat", Some("status")), ("stand-i", None), ("log-keepe", None)] {
        let output = run(&dir.path().join("none"), &[typed]);
        let said = unwrapped(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("unrecognized subcommand '{typed}'")), "{said}");
        match suggested {
            Some(name) => assert!(said.contains(&format!("'{name}'")), "{said}"),
            None => assert!(!said.contains("tip:"), "{said}"),
        }
        assert!(!err(&output).contains("\n\n\n"), "one empty line is enough: {said}");
        assert!(!said.contains("stand-in") && !said.contains("log-keeper"), "{said}");
    }
}

#[test]
fn a_socket_whose_daemon_died_is_told_from_none() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let output = run(&socket, &["status"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("the daemon that owned it is gone"), "{}", err(&output));
    let said = unwrapped(&output);
    let left = "a daemon that was killed leaves its services running. What is left is not adopted: end it before";
    assert!(said.contains(left) && said.contains("grep -slz '^MAINSTAY_RUN=' /proc/[0-9]*/environ"), "{said}");
}

#[test]
fn all_places_are_named_when_none_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = mainstay(Path::new("unused"), &["status"]);
    command.env_remove("MAINSTAY_SOCKET").env("XDG_RUNTIME_DIR", dir.path());
    let output = command.output().unwrap();
    // A station may run on the machine that runs the tests.
    if output.status.code() == Some(3) {
        let said = err(&output);
        assert!(said.contains("/run/mainstay/mainstay.sock"), "{said}");
        assert!(said.contains(&format!("{}/mainstay/mainstay.sock", dir.path().display())), "{said}");
        assert!(said.contains("/tmp/mainstay-"), "{said}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let socket = Path::new("/nonexistent");
    for args in [&["stauts"][..], &[], &["why"], &["start"], &["trace", "x"], &["trace", "7", "--follow"]] {
        let output = run(socket, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", err(&output));
    }
    assert!(err(&run(socket, &["stauts"])).contains("status"), "the nearest command is named");
    let both = run(socket, &["start", "--with-needs", "--ignore-needs", "x"]);
    assert_eq!(both.status.code(), Some(2), "{}", err(&both));
}

#[test]
fn help_explains_the_exit_codes_and_shows_examples() {
    let output = run(Path::new("/nonexistent"), &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = out(&output);
    for expected in ["Exit codes:", " 3  no daemon answers", "70  ", "mainstay run --demo", "status", "--socket"] {
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn json_is_the_view_itself_and_nothing_else() {
    let view = r#"{"services":[],"devices":[],"leases":[],"troubles":[]}"#;
    let daemon = CannedDaemon::start(vec![format!(r#"{{"status":{view}}}"#)]);
    let output = run(daemon.socket(), &["status", "--json"]);
    assert_eq!((output.status.code(), out(&output)), (Some(0), format!("{view}\n")));
    assert_eq!(daemon.asked(), r#""status""#);
}

#[test]
fn followed_traces_come_one_document_to_a_line_and_the_end_of_the_daemon_is_told() {
    let view =
        |id: u64| format!(r#"{{"trace":{id},"cause":{{"kind":"timer","detail":"x"}},"messages":[],"forgotten":0}}"#);
    let daemon = CannedDaemon::start((1..=2).map(|id| format!(r#"{{"trace":{}}}"#, view(id))).collect());
    let output = run(daemon.socket(), &["trace", "--follow", "--device", "hackrf", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(out(&output), format!("{}\n{}\n", view(1), view(2)));
    assert!(err(&output).contains("the mainstay daemon has ended"), "{}", err(&output));
    assert_eq!(daemon.asked(), r#"{"trace":{"id":null,"device":"hackrf","service":null,"follow":true}}"#);
}

#[test]
fn an_error_of_the_daemon_becomes_an_exit_code() {
    let cases =
        [("unknown_name", 4), ("refused", 5), ("not_in_demo", 5), ("forbidden", 5), ("busy", 5), ("nothing", 1)];
    for (code, status) in cases {
        let answer = format!(r#"{{"error":{{"code":"{code}","message":"no \u001b[2Jradio","help":"look again"}}}}"#);
        let daemon = CannedDaemon::start(vec![answer]);
        let output = run(daemon.socket(), &["unplug", "radio"]);
        assert_eq!(output.status.code(), Some(status), "{code}");
        assert_eq!(err(&output), "error: no \\x1b[2Jradio\n  help: look again\n");
        assert_eq!(daemon.asked(), r#"{"unplug":{"device":"radio"}}"#);
    }
}

#[test]
fn what_was_done_is_printed_with_the_trace_to_follow() {
    let daemon = CannedDaemon::start(vec![r#"{"done":{"said":["gpsd is wanted up"],"trace":7}}"#.to_owned()]);
    let output = run(daemon.socket(), &["start", "gpsd", "--with-needs"]);
    assert_eq!(out(&output), "gpsd is wanted up\nFollow it: mainstay trace 7\n");
    assert_eq!(daemon.asked(), r#"{"start":{"services":["gpsd"],"needs":"start"}}"#);
}

#[test]
fn answers_of_another_version_or_program_are_told_as_such() {
    for answer in ["{\"weather\":1}", "220 mail.example.org ESMTP", "{\"logs\":{\"path\":\"/x\"}}"] {
        let daemon = CannedDaemon::start(vec![answer.to_owned()]);
        let output = run(daemon.socket(), &["status"]);
        assert_eq!(output.status.code(), Some(1), "{}", err(&output));
        assert!(unwrapped(&output).contains("restart it after an upgrade"), "{}", err(&output));
    }
    let daemon = CannedDaemon::start(Vec::new());
    assert_eq!(run(daemon.socket(), &["status"]).status.code(), Some(3));
}
