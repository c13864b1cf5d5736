//! The run directory under a living daemon.

use std::fs;

use crate::harness::{Station, Stuck, program, until};

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

/// Removes a folder. On a busy machine mainstay may be making it anew meanwhile.
fn remove(folder: &std::path::Path) {
    until("it is removed", || match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => None,
        _ => Some(()),
    });
}

fn answers(station: &Station) {
    until("it answers again", || (station.ask(&["status"]).code == Some(0)).then_some(()));
}

/// Its run directory is `dir`, which this script makes.
fn reached_by(script: &str, dir: &str) -> Station {
    let script = format!("(cd \"${{4%/*}}\" && sed -i 's,/run\",/{dir}\",' station.toml && {script}) && exec \"$@\"");
    let station = Station::begun_by(&script, "[services.sleeper]\ncommand = [\"sleep\", \"1000\"]\n");
    station.until_service("sleeper", "running");
    station
}

fn until_said(station: &Station, words: &str) {
    until(words, || station.said().contains(words).then_some(()));
}

#[test]
fn a_link_to_the_run_directory_that_is_removed_is_as_if_that_were_removed() {
    let station = reached_by("mkdir real && ln -s real run", "run");
    remove_link(&station, "run");
    no_second_begins(&station);
    answers(&station);
    no_second_begins(&station);
    until_said(&station, "it is made anew");
    assert!(!station.dir().join("real/mainstay.sock").exists());
    station.end();
}

#[test]
fn so_is_a_link_above_it() {
    let station =
        reached_by("mkdir -p p1/deep && ln -s p1 p2 && ln -s p2/deep above && ln -s above/run run", "above/run");
    remove_link(&station, "p2");
    // There is nothing at the end of the other link: it can only be made by a hand.
    until_said(&station, "cannot be made anew");
    remove_link(&station, "above");
    answers(&station);
    no_second_begins(&station);
    assert!(!station.dir().join("p1/deep/run/mainstay.sock").exists());
    station.end();
}

#[test]
fn where_a_link_leads_now_it_is_made_anew_but_not_among_things_of_others() {
    let station = reached_by("mkdir one two theirs && touch theirs/precious && ln -s one run", "run");
    let dir = station.dir();
    let files = |folder: &str| {
        let mut files: Vec<_> = fs::read_dir(dir.join(folder)).unwrap().map(|file| file.unwrap().file_name()).collect();
        files.sort();
        files
    };
    let lead_to = |there: &str| {
        std::os::unix::fs::symlink(there, dir.join("new")).unwrap();
        fs::rename(dir.join("new"), dir.join("run")).unwrap();
    };
    assert!(station.status().troubles.is_empty(), "{:?}", station.status());
    lead_to("two");
    no_second_begins(&station);
    until_said(&station, "leads elsewhere now; it is made anew");
    answers(&station);
    assert_eq!(
        (files("one"), files("two")),
        (
            ["mainstay.lock", "notify", "state.db"].map(Into::into).to_vec(),
            ["mainstay.lock", "mainstay.sock", "notify", "state.db", "state.db-wal"].map(Into::into).to_vec(),
        )
    );
    lead_to("theirs");
    until_said(&station, &format!("cannot be made anew: the run directory {0}/run leads to {0}/theirs", dir.display()));
    remove_link(&station, "run");
    answers(&station);
    no_second_begins(&station);
    assert_eq!(files("theirs"), ["precious"]);
    assert!(!dir.join("two/mainstay.sock").exists());
    station.end();
}

/// Only root may mount, and not everywhere.
#[test]
fn what_is_mounted_over_the_way_to_it_is_as_if_it_were_removed_and_so_is_that_it_is_mounted_no_more() {
    let station = reached_by("mkdir over other && chmod 755 over other && ln -s over/run run", "over/run");
    let at = |name: &str| station.dir().join(name);
    let done = |command: &mut std::process::Command| command.status().is_ok_and(|status| status.success());
    if done(std::process::Command::new("mount").arg("--bind").args([at("other"), at("over")])) {
        until_said(&station, "it is made anew");
        answers(&station);
        no_second_begins(&station);
        assert!(at("other/run/mainstay.sock").exists());
        assert!(done(std::process::Command::new("umount").arg("--lazy").arg(at("over"))));
        until("it is back", || (station.said().matches("it is made anew").count() > 1).then_some(()));
        answers(&station);
        no_second_begins(&station);
    }
    station.end();
}

fn remove_link(station: &Station, link: &str) {
    fs::remove_file(station.dir().join(link)).unwrap();
}

const SPEAKS: &str = "[services.speaker]\nready = \"notify\"\ncommand = [\"sh\", \"-c\", \"while ! [ -e @DIR@/go ]; do sleep 0.05; done; \
    systemd-notify --ready || exit 3; sleep 1000\"]\n";

#[test]
fn a_run_directory_that_is_removed_is_made_anew_and_nobody_else_takes_it() {
    let station = Station::run("[services.sleeper]\ncommand = [\"sleep\", \"1000\"]\n");
    let pid = station.until_service("sleeper", "running").pid;
    let run = station.dir().join("run");
    for _ in 0..3 {
        remove(&run);
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
    let dir = station.dir().display();
    for what in ["the run directory".to_owned(), "the socket in the run directory".to_owned()] {
        let words = format!("WARN {what} {dir}/run was removed; it is made anew");
        until(&words, || station.said().contains(&words).then_some(()));
    }
    station.end();
}

const LINGERS: &str = "[services.lingers]\ncommand = [\"sh\", \"-c\", \"trap 'while ! [ -e @DIR@/go ]; do sleep 0.05; done; exit 0' TERM; \
    while :; do sleep 0.05; done\"]\n";

#[test]
fn a_run_directory_that_is_removed_while_mainstay_stops_is_made_anew_too() {
    let mut station = Station::run(LINGERS);
    station.until_service("lingers", "running");
    station.signal(rustix::process::Signal::TERM);
    station.until_service("lingers", "stopping");
    remove(&station.dir().join("run"));
    answers(&station);
    no_second_begins(&station);
    fs::write(station.dir().join("go"), "").unwrap();
    assert_eq!(station.wait().code(), Some(0), "{}", station.said());
    station.nothing_is_left();
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
    remove(&station.dir().join("run"));
    answers(&station);
    until("its socket is there again", || (sockets() == 1).then_some(()));
    fs::write(station.dir().join("go"), "").unwrap();
    station.until_service("speaker", "running");
    station.end();
}

#[test]
fn a_daemon_begins_though_a_child_of_a_killed_one_hangs_before_it_executes_its_program() {
    let mut station = Station::run(
        "[services.stuck]\nautostart = false\nstop = { grace = \"0s\" }\ncommand = [\"@DIR@/stuck\", \"1000\"]\n",
    );
    let stuck = Stuck::new(&station.dir().join("stuck"));
    station.ask(&["start", "stuck"]);
    until("the kernel is at it", || stuck.is_waited_for().then_some(()));
    let killed = station.pid();
    station.signal(rustix::process::Signal::KILL);
    station.wait();
    station.again();
    assert!(station.pid() != killed);
    assert!(station.processes().len() > 1, "the child hangs still, and has the sockets of the one that was killed");
    no_second_begins(&station);
    drop(station);
}
