//! Services are strangers to each other, and to whoever started mainstay.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsRawFd;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{MARK, Station, alive, until};

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

/// Of include/uapi/asm-generic/fcntl.h: which signal says that a lease is wanted.
const F_SETSIG: libc::c_int = 10;

/// A command on a lease (fcntl(2)), by which the kernel makes everybody wait who opens the file, as a dead disk does.
#[allow(unsafe_code, reason = "no safe form of leases is in any library here")]
fn fcntl(file: &File, command: libc::c_int, argument: libc::c_int) -> libc::c_int {
    // SAFETY: the commands take a number and touch no memory.
    unsafe { libc::fcntl(file.as_raw_fd(), command, argument) }
}

#[test]
fn a_program_that_hangs_while_it_is_loaded_keeps_no_next_daemon_from_beginning() {
    let mut station = Station::run("[services.stuck]\ncommand = [\"@DIR@/program\", \"1000\"]\nautostart = false\n");
    let path = station.dir().join("program");
    std::fs::copy("/bin/sleep", &path).unwrap();
    let file = File::open(&path).unwrap();
    // Whoever has the lease is told that it is wanted by a signal, which is to be one that means nothing to him.
    assert_eq!(fcntl(&file, F_SETSIG, libc::SIGURG), 0);
    assert_eq!(fcntl(&file, libc::F_SETLEASE, libc::F_WRLCK), 0);
    station.tell(&["start", "stuck"]);
    until("it is being loaded", || (fcntl(&file, libc::F_GETLEASE, 0) != libc::F_WRLCK).then_some(()));
    station.signal(Signal::KILL);
    station.wait();
    station.again();
    assert_eq!(station.status().service("stuck").status, "stopped");
    let keepers = station.log_keepers();
    let is_newborn = |pid: &u32| *pid != station.pid() && !keepers.contains(pid);
    let newborn = station.processes().into_iter().find(is_newborn).unwrap();
    kill_process(Pid::from_raw(i32::try_from(newborn).unwrap()).unwrap(), Signal::KILL).unwrap();
    until("it has ended", || (!alive(newborn)).then_some(()));
    station.end();
}
