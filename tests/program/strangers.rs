//! Services are strangers to each other, and to whoever started mainstay.

use std::collections::BTreeMap;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{MARK, Station, Stuck, alive, until};

/// The session and the terminal of a process (fields 6 and 7 of proc_pid_stat(5)).
fn session_and_terminal(pid: u32) -> (u32, i32) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[3].parse().unwrap(), fields[4].parse().unwrap())
}

#[test]
fn each_service_each_check_and_the_log_keeper_has_a_session_of_its_own_and_no_terminal() {
    let check = "echo $(cut -d ' ' -f 1,6,7 /proc/$$/stat) > @DIR@/check";
    let station = Station::run(&format!(
        "[services.one]\ncommand = [\"sleep\", \"1000\"]\n\
         [services.two]\ncommand = [\"sleep\", \"1000\"]\n\
         ready = {{ exec = {{ command = [\"sh\", \"-c\", \"{check}\"], within = \"60s\" }} }}\n",
    ));
    let status = station.until("both run", |status| status.all(&["one", "two"], "running"));
    let keeper = until("there is a log-keeper", || station.log_keepers().first().copied());
    for pid in [status.service("one").pid.unwrap(), status.service("two").pid.unwrap(), keeper] {
        assert_eq!(session_and_terminal(pid), (pid, 0));
    }
    let check = station.file("check");
    let [pid, session, terminal] = check.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{check}") };
    assert_eq!((session, terminal), (pid, "0"));
    station.end();
}

/// The environment with which a process was executed.
fn environment(pid: u32) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    let variables = text.split_terminator('\0').map(|variable| variable.split_once('=').unwrap());
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What a shell is told before it begins a daemon: a session full of variables.
const IN_A_SESSION: &str = "export XDG_RUNTIME_DIR=/run/user/0 XDG_CONFIG_HOME=/root/.config MAIL=/var/mail/root SHELL=/bin/starter \
    DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus HOME=/starter LANG=C.UTF-8 LD_BIND_NOW=1 LISTEN_FDS=1; exec \"$@\"";

#[test]
fn a_service_is_given_a_stated_list_of_variables_and_what_it_names() {
    let station = Station::begun_by(
        IN_A_SESSION,
        &format!(
            "[services.one]\ncommand = [\"sleep\", \"1000\"]\nenvironment = {{ X = \"y\" }}\n\
             environment_from = [\"LANG\", \"TZ_THAT_NOBODY_SETS\", \"{MARK}\"]\n"
        ),
    );
    let given = environment(station.until_service("one", "running").pid.unwrap());
    let names: Vec<&str> = given.keys().map(String::as_str).collect();
    let stated = ["HOME", "LANG", "LOGNAME", "MAINSTAY_RUN", "MAINSTAY_SERVICE", MARK, "PATH", "SHELL", "USER", "X"];
    assert_eq!(names, stated);
    assert_eq!([given["LANG"].as_str(), &given["X"]], ["C.UTF-8", "y"]);
    assert_eq!(given["PATH"], "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    station.end();
}

#[test]
fn a_service_of_another_user_is_given_nothing_of_whoever_started_mainstay() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let station =
        Station::begun_by(IN_A_SESSION, "[services.one]\ncommand = [\"sleep\", \"1000\"]\nuser = \"nobody\"\n");
    let given = environment(station.until_service("one", "running").pid.unwrap());
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let account: Vec<&str> = passwd.lines().find(|line| line.starts_with("nobody:")).unwrap().split(':').collect();
    let told = ["USER", "LOGNAME", "HOME", "SHELL"].map(|name| given[name].as_str());
    assert_eq!(told, ["nobody", "nobody", account[5], account[6]]);
    let of_a_session = |name: &&String| name.starts_with("XDG_") || name.starts_with("DBUS_") || *name == "MAIL";
    assert_eq!(given.keys().find(of_a_session), None);
    station.end();
}

const SLEEPER: &str = "[services.one]\ncommand = [\"sleep\", \"1000\"]\n";

/// The files that a process has open, by the numbers of their descriptors.
fn open_files(pid: u32) -> BTreeMap<u32, String> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().map(|fd| fd.unwrap().path());
    // One that was closed meanwhile is none.
    let named = open.filter_map(|fd| {
        let file = std::fs::read_link(&fd).ok()?;
        Some((fd.file_name()?.to_str()?.parse().ok()?, file.to_str()?.to_owned()))
    });
    named.collect()
}

/// A line of the status of a process.
fn status_of(pid: u32, key: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim_start_matches(':').trim().to_owned()
}

#[test]
fn a_daemon_that_is_started_deaf_hears_the_ends_of_its_services_and_its_own() {
    // The shell cannot block signals, and env(1) of GNU can since 8.31.
    let deaf = "exec env --ignore-signal=CHLD,INT,USR1 --block-signal=TERM,CHLD,HUP,USR1,USR2 \"$@\"";
    let short = "[services.short]\ncommand = [\"sh\", \"-c\", \"exit 3\"]\nrestart = { when = \"never\" }\n";
    let station = Station::begun_by(deaf, &format!("{SLEEPER}{short}"));
    station.until_service("short", "failed");
    let service = station.until_service("one", "running").pid.unwrap();
    for mask in ["SigBlk", "SigIgn"] {
        assert_eq!(status_of(service, mask), "0000000000000000", "{mask}");
    }
    // TERM, INT, HUP, USR1, USR2 and ALRM: a thread of its own takes these. CHLD and all others are let in.
    assert_eq!(status_of(station.pid(), "SigBlk"), "0000000000006a03");
    station.signal(Signal::INT);
    until("it begins to stop", || station.said().contains("SIGINT: stopping everything").then_some(()));
    station.end();
}

#[test]
fn what_its_starter_has_open_reaches_neither_the_daemon_nor_anything_it_starts() {
    let script = "umask 077; exec 3< /etc/passwd 7< /etc/passwd; LISTEN_FDS=1 LISTEN_PID=1 exec \"$@\"";
    let station = Station::begun_by(script, SLEEPER);
    let service = station.until_service("one", "running").pid.unwrap();
    let keeper = until("there is a log-keeper", || station.log_keepers().first().copied());
    for pid in [station.pid(), service, keeper] {
        let open = open_files(pid);
        assert!(!open.values().any(|file| file == "/etc/passwd"), "{open:?}");
        assert_eq!(status_of(pid, "Umask"), "0022");
    }
    assert_eq!(open_files(service).keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    station.end();
}

#[test]
fn sockets_that_are_meant_for_the_daemon_stay_with_it_and_reach_no_service() {
    let script = "exec 3< /dev/zero 4< /dev/full 5< /etc/passwd; LISTEN_FDS=2 LISTEN_PID=$$ exec \"$@\"";
    let station = Station::begun_by(script, SLEEPER);
    let service = station.until_service("one", "running").pid.unwrap();
    let open = open_files(station.pid());
    assert_eq!((open[&3].as_str(), open[&4].as_str()), ("/dev/zero", "/dev/full"));
    assert!(!open.values().any(|file| file == "/etc/passwd"), "{open:?}");
    assert_eq!(open_files(service).keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    station.end();
}

#[test]
fn a_daemon_that_is_started_with_nothing_open_takes_nothing_for_its_standard_output() {
    let station = Station::begun_by("exec \"$@\" <&- >&- 2>&-", SLEEPER);
    let service = station.until_service("one", "running").pid.unwrap();
    let open = open_files(station.pid());
    assert_eq!([&open[&0], &open[&1], &open[&2]], ["/dev/null"; 3]);
    let open = open_files(service);
    assert!(open[&0] == "/dev/null" && open[&1].starts_with("pipe:") && open[&1] == open[&2], "{open:?}");
    station.end();
}

#[test]
fn that_the_daemon_is_killed_last_when_memory_runs_out_does_not_save_its_services() {
    let value = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap().trim().to_owned();
    for (of_the_daemon, of_a_service) in [("-500", "0"), ("300", "300")] {
        let script = format!("echo {of_the_daemon} > /proc/self/oom_score_adj; exec \"$@\"");
        let station = Station::begun_by(&script, SLEEPER);
        let service = station.until_service("one", "running").pid.unwrap();
        // Only root may protect anybody.
        if value(station.pid()) == of_the_daemon {
            assert_eq!(value(service), of_a_service);
        }
        station.end();
    }
}

#[test]
fn a_program_that_hangs_while_it_is_loaded_keeps_no_next_daemon_from_beginning() {
    let mut station = Station::run("[services.stuck]\ncommand = [\"@DIR@/program\", \"1000\"]\nautostart = false\n");
    let stuck = Stuck::new(&station.dir().join("program"));
    station.tell(&["start", "stuck"]);
    until("it is being loaded", || stuck.is_waited_for().then_some(()));
    station.signal(Signal::KILL);
    station.wait();
    // The next one would start it again, as it was started by hand.
    std::fs::remove_dir_all(station.dir().join("state")).unwrap();
    station.again();
    assert_eq!(station.status().service("stuck").status, "stopped");
    let keepers = station.log_keepers();
    let is_newborn = |pid: &u32| *pid != station.pid() && !keepers.contains(pid);
    let newborn = station.processes().into_iter().find(is_newborn).unwrap();
    kill_process(Pid::from_raw(i32::try_from(newborn).unwrap()).unwrap(), Signal::KILL).unwrap();
    until("it has ended", || (!alive(newborn)).then_some(()));
    station.end();
}
