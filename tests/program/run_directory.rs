//! The run directory under a living daemon.

use std::fs;

use crate::harness::{Station, program, until};

/// Another daemon of the same station: refused with the pid of the first.
#[track_caller]
fn no_second_begins(station: &Station) {
    let mut second = std::process::Command::new(program());
    second.args(["run", "--config"]).arg(station.dir().join("station.toml")).env_remove("MAINSTAY_CONFIG");
    let output = second.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains(&format!("pid {}", station.pid())), "{said}");
}

fn answers(station: &Station) {
    until("it answers again", || (station.ask(&["status"]).code == Some(0)).then_some(()));
}

const SPEAKS: &str = "[services.speaker]\nready = \"notify\"\ncommand = [\"sh\", \"-c\", \"while ! [ -e @DIR@/go ]; do sleep 0.05; done; \
    systemd-notify --ready || exit 3; sleep 1000\"]\n";

#[test]
fn a_run_directory_that_is_removed_is_made_anew_and_nobody_else_takes_it() {
    let station = Station::run("[services.sleeper]\ncommand = [\"sleep\", \"1000\"]\n");
    let pid = station.until_service("sleeper", "running").pid;
    let run = station.dir().join("run");
    for _ in 0..3 {
        fs::remove_dir_all(&run).unwrap();
        no_second_begins(&station);
        answers(&station);
        no_second_begins(&station);
    }
    fs::rename(&run, station.dir().join("elsewhere")).unwrap();
    no_second_begins(&station);
    answers(&station);
    fs::remove_file(run.join("mainstay.sock")).unwrap();
    answers(&station);
    assert_eq!(station.service("sleeper").pid, pid, "the services know nothing of it");
    assert!(station.said().contains("was removed; it is made anew"));
    station.end();
}

#[test]
fn a_service_that_starts_meanwhile_can_still_say_that_it_is_ready() {
    if std::process::Command::new("systemd-notify").arg("--version").output().is_err() {
        return;
    }
    let station = Station::run(SPEAKS);
    station.until_service("speaker", "starting");
    let sockets = || fs::read_dir(station.dir().join("run/notify")).into_iter().flatten().count();
    until("it has its socket", || (sockets() == 1).then_some(()));
    fs::remove_dir_all(station.dir().join("run")).unwrap();
    answers(&station);
    until("its socket is there again", || (sockets() == 1).then_some(()));
    fs::write(station.dir().join("go"), "").unwrap();
    station.until_service("speaker", "running");
    station.end();
}
