//! What services print.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Output};

use crate::harness::{Station, Status, until};

/// The group `mainstay`, where only the daemon sees it.
const GROUP: u32 = 54_998;

/// A command as another user than root, who is in this group.
fn as_somebody(group: u32, program: &std::path::Path, station: &Station, args: &[&str]) -> Output {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "54711", "--regid", "54711", "--groups", &group.to_string()]).arg(program).args(args);
    command.env("MAINSTAY_SOCKET", station.socket()).env_remove("MAINSTAY_CONFIG").current_dir("/").output().unwrap()
}

#[test]
fn who_is_in_the_group_mainstay_may_read_the_logs_also_those_that_were_rotated_and_nobody_else_may() {
    let can =
        |program: &str, args: &[&str]| Command::new(program).args(args).output().is_ok_and(|it| it.status.success());
    if !rustix::process::geteuid().is_root() || !can("setpriv", &["--version"]) || !can("unshare", &["-m", "true"]) {
        println!("skipped: only root can put a group into a table of its own (unshare), and be another user (setpriv)");
        return;
    }
    // The daemon sees another /etc/group than everybody else; its program may lie where others may not go.
    let script = format!(
        "dir=${{4%/*}}; chmod 711 \"$dir\"; cp \"$1\" \"$dir/mainstay\"; chmod 755 \"$dir/mainstay\"; \
         {{ cat /etc/group | grep -v ^mainstay:; echo mainstay:x:{GROUP}:; }} > \"$dir/group\"; \
         exec unshare -m sh -c 'mount --bind \"$0\" /etc/group && exec \"$@\"' \"$dir/group\" \"$@\""
    );
    let station = Station::begun_by(
        &script,
        "[logs]\nmax_size = \"10KB\"\nkeep = 2\n\
         [services.talker]\ncommand = [\"sh\", \"-c\", \"i=0; while [ $i -lt 2000 ]; do echo line $i of a talkative service; i=$((i+1)); done; sleep 1000\"]\n",
    );
    until("all is written", || station.log("talker").contains("line 1999 ").then_some(()));
    let logs = station.dir().join("state/logs");
    for name in ["talker.log", "talker.log.1", "talker.log.2"] {
        let found = std::fs::metadata(logs.join(name)).unwrap();
        assert_eq!((found.gid(), found.permissions().mode() & 0o7777), (GROUP, 0o640), "{name}");
    }
    let program = station.dir().join("mainstay");
    let member = as_somebody(GROUP, &program, &station, &["logs", "talker", "-n", "300"]);
    let (out, err) = (String::from_utf8_lossy(&member.stdout), String::from_utf8_lossy(&member.stderr));
    assert!(member.status.success() && out.lines().count() == 300, "{err}");
    assert!(out.lines().last().unwrap().ends_with("line 1999 of a talkative service"), "{out}");
    let stranger = as_somebody(54_999, &program, &station, &["logs", "talker"]);
    assert_eq!((stranger.status.code(), stranger.stdout.len()), (Some(5), 0), "{stranger:?}");
    for name in ["talker.log", "talker.log.1"] {
        let cat = |group| as_somebody(group, "cat".as_ref(), &station, &[logs.join(name).to_str().unwrap()]);
        assert!(cat(GROUP).status.success() && !cat(54_999).status.success(), "{name}");
    }
    // Last: what it prints then is rotated again.
    assert!(as_somebody(GROUP, &program, &station, &["restart", "talker"]).status.success(), "and may operate it");
    station.end();
}

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
fn of_a_service_that_was_never_started_it_is_said_that_it_was_not() {
    let station = Station::run(
        "[services.later]\ncommand = [\"sh\", \"-c\", \"echo begun; sleep 1000\"]\nautostart = false\n\
         [services.silent]\ncommand = [\"sleep\", \"1000\"]\n",
    );
    station.until_service("silent", "running");
    let later = station.ask(&["logs", "later"]);
    assert_eq!(later.code, Some(1));
    assert!(later.words().contains("it has not been started since mainstay began"), "{later:?}");
    assert!(later.words().contains("(autostart = false). `mainstay why later` says more"), "{later:?}");
    assert!(station.ask(&["logs", "silent"]).words().contains("it has printed nothing"));
    station.tell(&["start", "later"]);
    until("it is written", || station.log("later").contains("begun").then_some(()));
    assert!(station.tell(&["logs", "later"]).contains("begun"));
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
fn what_was_lost_to_the_end_is_not_told_as_if_it_were_written_again_or_nothing_had_been_printed() {
    let station =
        Station::run("[services.talker]\ncommand = [\"sh\", \"-c\", \"while :; do echo line; sleep 0.1; done\"]\n");
    until("it is heard", || station.log("talker").contains("line").then_some(()));
    std::fs::remove_dir_all(station.dir().join("state")).unwrap();
    station.until("the status tells of it", |status| !status.troubles.is_empty());
    let told = |station: &Station| {
        let told = station.ask(&["logs", "talker"]).words();
        assert!(told.contains("what it printed cannot be written") && told.contains("No such file"), "{told}");
    };
    told(&station);
    station.tell(&["stop", "talker"]);
    let is_of_it = |trouble: &String| trouble.contains("talker");
    station.until("it prints no more", |status| !status.troubles.iter().any(is_of_it));
    let words = "it prints no more, and the last of what it printed is lost";
    until(words, || station.said().contains(words).then_some(()));
    assert!(!station.said().contains("no more of what it prints is lost"), "{}", station.said());
    told(&station);
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
