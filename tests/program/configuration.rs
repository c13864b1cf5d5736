//! Every way in which a configuration can be wrong, through `mainstay check`.

use std::process::Command;

use crate::harness::program;

/// What is wrong, and what must be said about it.
const MISTAKES: &[(&str, &[&str])] = &[
    ("[services.a]\ncommand = [\"x\"]\nreqires = []\n", &["station.toml:3:", "reqires", "did you mean `requires`"]),
    ("[servces.a]\ncommand = [\"x\"]\n", &["station.toml:1:", "did you mean `services`"]),
    (
        "[hardware.hackrf]\nkind = \"hackrf\"\n[services.a]\ncommand = [\"x\"]\ndevices = { hackfr = \"exclusive\" }\n",
        &["station.toml:5:", "hackfr", "did you mean `hackrf`"],
    ),
    (
        "[services.gpsd]\ncommand = [\"x\"]\n[services.a]\ncommand = [\"x\"]\nrequires = [\"gpds\"]\n",
        &["station.toml:5:", "gpds", "did you mean `gpsd`"],
    ),
    (
        "[services.a]\ncommand = [\"x\"]\nrequires = [\"b\"]\n[services.b]\ncommand = [\"x\"]\nrequires = [\"c\"]\n\
         [services.c]\ncommand = [\"x\"]\nrequires = [\"a\"]\n",
        &["a → b → c → a"],
    ),
    (
        "[services.a]\ncommand = [\"x\"]\nports = { web = 8000 }\n[services.b]\ncommand = [\"x\"]\nports = { web = 8000 }\n",
        &["8000", "conflicts"],
    ),
    ("[hardware.a]\nkind = \"hackrf\"\n[hardware.b]\nkind = \"hackrf\"\n", &["serial"]),
    ("[services.a]\ncommand = [\"x\"]\nstop = { grace = \"30 parsecs\" }\n", &["station.toml:3:", "30 parsecs", "30s"]),
    ("[services.a]\ncommand = []\n", &["station.toml:2:", "command"]),
    ("[services.a]\ncommand = [\"x\", \"{port.web}\"]\n", &["station.toml:2:", "port.web"]),
    ("[services.a]\ncommand = [\"x\", \"{device.gps.paht}\"]\n", &["station.toml:2:", "device.gps"]),
    ("[services.a]\n", &["station.toml:1:", "command"]),
    ("[services.a]\ncommand = \"x\"\n", &["station.toml:2:"]),
    ("[services.a\n", &["station.toml:1:"]),
    ("[hardware.a]\nkind = \"lidar\"\n", &["station.toml:2:", "lidar", "hackrf"]),
    ("[services.\"a b\"]\ncommand = [\"x\"]\n", &["station.toml:1:", "a b"]),
    ("[runtime]\nrun_dir = \"here\"\n", &["station.toml:2:", "here"]),
    (
        "[services.a]\ncommand = [\"x\"]\nports = { a = { range = \"21091-21091\" }, b = { range = \"21091-21091\" } }\n",
        &["station.toml:3:", "2 different numbers", "21091"],
    ),
    ("[services.a]\ncommand = [\"x\"]\nenvironment = { MAINSTAY_RUN = \"x\" }\n", &["station.toml:3:", "MAINSTAY_RUN"]),
    (
        "[runtime]\nmax_parallel_starts = \n[services.a]\ncommand = []\n",
        &["station.toml:2:", "write a value", "station.toml:4:", "nothing to run"],
    ),
];

fn check(text: &[u8], args: &[&str]) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("station.toml"), text).unwrap();
    let mut command = Command::new(program());
    let output = command.arg("check").arg("station.toml").args(args).current_dir(dir.path()).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn each_mistake_is_told_with_its_place_its_line_and_the_cure() {
    for (text, expected) in MISTAKES {
        let (code, said) = check(text.as_bytes(), &[]);
        assert_eq!(code, Some(1), "{text}\n{said}");
        for words in *expected {
            assert!(said.contains(words), "no `{words}` for\n{text}\nin\n{said}");
        }
        assert!(said.contains("help: "), "no cure for\n{text}\nin\n{said}");
        let (code, said) = check(text.as_bytes(), &["--json"]);
        let view: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(code, Some(1), "{said}");
        for problem in view["problems"].as_array().unwrap() {
            assert!(problem["line"].is_u64() && problem["column"].is_u64(), "no place in {problem}");
            assert!(problem["message"].as_str().is_some_and(|words| !words.is_empty()), "{problem}");
        }
        assert!(!view["problems"].as_array().unwrap().is_empty());
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let text = "[runtime]\nmax_parallel_starts = 0\n[services.a]\ncomand = [\"x\"]\nrequires = [\"b\"]\nstop = { grace = \"soon\" }\n";
    let (code, said) = check(text.as_bytes(), &[]);
    assert_eq!(code, Some(1));
    for line in [2, 4, 5, 6] {
        assert!(said.contains(&format!("station.toml:{line}:")), "nothing about line {line} in\n{said}");
    }
}

#[test]
fn what_is_no_text_at_all_is_told_as_well() {
    let dir = tempfile::tempdir().unwrap();
    for bytes in [&b"\xff\xfe\x00"[..], b"a = \"\x00\""] {
        std::fs::write(dir.path().join("station.toml"), bytes).unwrap();
        let output = Command::new(program()).args(["check", "station.toml"]).current_dir(dir.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("station.toml"), "{said}");
    }
}

#[test]
fn a_daemon_does_not_begin_with_a_configuration_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("station.toml"), MISTAKES[0].0).unwrap();
    let output =
        Command::new(program()).args(["run", "--config", "station.toml"]).current_dir(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("did you mean `requires`"));
}
