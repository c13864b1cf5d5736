//! Limits and priorities of whoever starts mainstay are not its own, nor its services'.

use crate::harness::{Station, until};

const TWO: &str = "[services.a]\ncommand = [\"sleep\", \"1000\"]\n\
     [services.b]\ncommand = [\"sh\", \"-c\", \"yes | head -n 4096; exec sleep 1000\"]\n";

/// The soft limit of a process on something (proc_pid_limits(5)).
fn limit(pid: u32, what: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

/// The nice value and the scheduling class (fields 19 and 41 of proc_pid_stat(5)).
fn nice_and_class(pid: u32) -> (i32, u32) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[16].parse().unwrap(), fields[38].parse().unwrap())
}

#[test]
fn limits_that_end_a_process_reach_neither_mainstay_nor_its_log_keeper_nor_a_service() {
    let limits = "ulimit -S -f 1; ulimit -S -t 1000; ulimit -S -s 1000; ulimit -S -d 4000000; exec \"$@\"";
    let station = Station::begun_by(limits, TWO);
    let service = station.until_service("a", "running").pid.unwrap();
    let keeper = until("there is a log-keeper", || station.log_keepers().first().copied());
    for pid in [station.pid(), keeper, service] {
        for what in ["Max file size", "Max cpu time", "Max data size"] {
            assert_eq!(limit(pid, what), "unlimited", "{what} of {pid}");
        }
        assert_eq!(limit(pid, "Max stack size"), (8 << 20).to_string());
    }
    assert!(!station.said().contains("of whoever started mainstay"), "{}", station.said());
    station.end();
}

#[test]
fn a_starter_that_thinks_little_of_itself_thinks_nothing_of_the_station() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let station = Station::begun_by("exec nice -n 5 \"$@\"", TWO);
    let service = station.until_service("a", "running").pid.unwrap();
    for pid in [station.pid(), service] {
        assert_eq!(nice_and_class(pid), (0, 0));
    }
    station.end();
}

#[test]
fn a_log_that_may_not_grow_costs_lines_and_neither_mainstay_nor_a_service() {
    let has_setpriv = std::process::Command::new("setpriv").arg("--version").output().is_ok();
    if !rustix::process::geteuid().is_root() || !has_setpriv {
        return;
    }
    // Root that may not lift a limit, as in a container.
    let limited = "ulimit -f 1; exec setpriv --bounding-set=-sys_resource,-sys_nice nice -n 5 \"$@\"";
    let mut station = Station::begun_by(limited, TWO);
    station.until("both run", |status| status.all(&["a", "b"], "running"));
    let said = station.said();
    // It stands at the beginning, where there is room for it.
    assert!(said.contains("started mainstay: at most 512 bytes in a file, a nice value of "), "{said}");
    until("the loss is shown", || {
        let status = station.tell(&["status"]);
        (status.contains("File too large") && status.contains('b')).then_some(())
    });
    // More than the daemon's own log may hold.
    for _ in 0..3 {
        station.tell(&["restart", "a"]);
        station.until_service("a", "running");
    }
    assert!(said.len() <= 512 && station.has_ended().is_none());
    let service = station.service("b").pid.unwrap();
    let status = std::fs::read_to_string(format!("/proc/{service}/status")).unwrap();
    assert!(status.contains("SigIgn:\t0000000000000000"), "{status}");
    station.end();
}
