//! Services are strangers to each other, and to whoever started mainstay.

use crate::harness::{Station, until};

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
