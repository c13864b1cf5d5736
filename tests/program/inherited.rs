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

/// So many services that print at once.
fn talkers(number: usize) -> String {
    let one = |n| format!("[services.s{n}]\ncommand = [\"sh\", \"-c\", \"echo hi; exec sleep 1000\"]\n");
    (0..number).map(one).collect()
}

/// Whether this process may raise hard limits: `CAP_SYS_RESOURCE`, which root in a container often lacks.
fn may_raise_limits() -> bool {
    const SYS_RESOURCE: u64 = 1 << 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(capabilities.trim(), 16).unwrap() & SYS_RESOURCE != 0
}

#[test]
fn root_has_as_many_descriptors_as_services_need_and_a_service_as_many_as_its_starter() {
    if !may_raise_limits() {
        return;
    }
    let station = Station::begun_by("ulimit -n 64; exec \"$@\"", &talkers(40));
    let names: Vec<String> = (0..40).map(|n| format!("s{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let status = station.until("all run", |status| status.all(&names, "running"));
    until("all are heard", || names.iter().all(|name| station.log(name).contains("hi")).then_some(()));
    assert_eq!(limit(status.service("s0").pid.unwrap(), "Max open files"), "64");
    station.end();
}

#[test]
fn a_limit_on_open_files_that_lets_nobody_hold_what_services_print_is_told_with_the_number_that_is_needed() {
    let has_setpriv = std::process::Command::new("setpriv").arg("--version").output().is_ok();
    if !rustix::process::geteuid().is_root() || !has_setpriv {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().display();
    let config = dir.path().join("station.toml");
    let text = format!("[runtime]\nrun_dir = \"{place}/run\"\nstate_dir = \"{place}/state\"\n{}", talkers(40));
    std::fs::write(&config, text).unwrap();
    let limited = "ulimit -n 64; exec setpriv --bounding-set=-sys_resource \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited, "sh", crate::harness::program(), "run", "--config"]).arg(&config);
    let refused = command.env_remove("MAINSTAY_LOG").output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("may have 64 files open, and so many services need 128"), "{said}");
    assert!(said.contains("LimitNOFILE=128"), "{said}");
}
