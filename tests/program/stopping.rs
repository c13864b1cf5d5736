//! How services are stopped: in order, with a signal, grace, and in the end SIGKILL to all that came of them.

use std::process::Command;

use crate::harness::{Station, alive, descendants, until};

#[test]
fn dependents_stop_first_branches_beside_each_other() {
    let noted = |name: &str, more: &str| {
        format!(
            "[services.{name}]\ncommand = [\"sh\", \"-c\", \"trap 'sleep 0.2; echo {name} >> @DIR@/stopped; exit 0' TERM; touch @DIR@/{name}; while :; do sleep 0.05; done\"]\n\
             ready = {{ file = {{ path = \"@DIR@/{name}\", within = \"60s\" }} }}\n{more}\n"
        )
    };
    let services = [
        noted("base", ""),
        noted("left", "requires = [\"base\"]"),
        noted("right", "requires = [\"base\"]"),
        noted("top", "requires = [\"left\"]"),
    ];
    let station = Station::run(&services.join("\n"));
    station.until("all run", |status| status.all(&["base", "left", "right", "top"], "running"));
    station.tell(&["stop", "base"]);
    station.until_service("base", "held");
    let order = station.file("stopped");
    let place = |name: &str| order.lines().position(|line| line == name).unwrap();
    assert!(place("top") < place("left") && place("left") < place("base") && place("right") < place("base"), "{order}");
    station.end();
}

#[test]
fn the_configured_signal_is_the_one_that_is_sent() {
    let station = Station::run(
        "[services.polite]\ncommand = [\"sh\", \"-c\", \"trap 'echo usr1; exit 0' USR1; echo up; while :; do sleep 0.05; done\"]\n\
         ready = { log = { contains = \"up\", within = \"60s\" } }\nstop = { signal = \"USR1\", grace = \"60s\" }\n",
    );
    station.until_service("polite", "running");
    station.tell(&["stop", "polite"]);
    station.until_service("polite", "held");
    until("its last words are written", || station.log("polite").contains("usr1").then_some(()));
    station.end();
}

/// A grandchild, one that fled to a session of its own and lost its parent, and one that ignores SIGTERM.
#[test]
fn nothing_of_a_stubborn_tree_survives_the_grace() {
    let station = Station::run(
        "[services.stubborn]\ncommand = [\"sh\", \"-c\", '''\n\
         trap '' TERM\n\
         sh -c 'trap \"\" TERM; echo $$ >> @DIR@/tree; while :; do sleep 0.1; done' &\n\
         (setsid sh -c 'trap \"\" TERM; echo $$ >> @DIR@/tree; while :; do sleep 0.1; done' &)\n\
         echo $$ >> @DIR@/tree\n\
         while :; do sleep 0.1; done\n\
         ''']\nstop = { grace = \"300ms\" }\n",
    );
    let service = station.until_service("stubborn", "running");
    let tree: Vec<u32> = until("three processes", || {
        let pids: Vec<u32> = station.file("tree").lines().filter_map(|pid| pid.parse().ok()).collect();
        (pids.len() == 3).then_some(pids)
    });
    assert!(tree.contains(&service.pid.unwrap()) && tree.iter().all(|pid| alive(*pid)));
    station.tell(&["stop", "stubborn"]);
    station.until_service("stubborn", "held");
    assert!(tree.iter().all(|pid| !alive(*pid)), "some of {tree:?} are left");
    let why = station.ask(&["why", "stubborn"]).words();
    assert!(why.contains("killed by SIGKILL"), "{why}");
    station.end();
}

#[test]
fn a_program_that_forks_away_is_followed_and_stopped() {
    let station = Station::run(
        "[services.forks]\ncommand = [\"sh\", \"-c\", \"(setsid sh -c 'echo $$ > @DIR@/daemon; exec sleep 1000' &); sleep 0.3; exit 0\"]\n",
    );
    let daemon: u32 = until("the daemon has forked", || station.file("daemon").trim().parse().ok());
    let running =
        station.until("it runs on as the forked process", |status| status.service("forks").pid == Some(daemon));
    assert_eq!(running.service("forks").status, "running");
    station.tell(&["stop", "forks"]);
    station.until_service("forks", "held");
    assert!(!alive(daemon));
    station.end();
}

#[test]
fn what_is_stopped_while_it_starts_is_stopped_all_the_same() {
    let station = Station::run(
        "[services.slow]\ncommand = [\"sleep\", \"1000\"]\nready = { file = { path = \"@DIR@/never\", within = \"60s\" } }\n",
    );
    let starting = station.until("it starts", |status| status.service("slow").pid.is_some());
    station.tell(&["stop", "slow"]);
    station.until_service("slow", "held");
    assert!(!alive(starting.service("slow").pid.unwrap()));
    station.end();
}

#[test]
fn a_program_that_ends_its_worker_itself_can_be_stopped_alone_so_that_the_worker_finishes_its_job() {
    // The worker knows no signal: it ends when it is asked to.
    let worker = "until [ -e @DIR@/ask ]; do sleep 0.05; done; sleep 0.2; echo saved > @DIR@/saved";
    let main = format!(
        "trap 'touch @DIR@/ask; wait $worker; exit 0' TERM; (sh -c \"{worker}\") & worker=$!; touch @DIR@/up; \
         while :; do sleep 0.05; done"
    );
    let station = Station::run(&format!(
        "[services.pool]\ncommand = [\"sh\", \"-c\", '''{main}''']\nstop = {{ to = \"main\" }}\n\
         ready = {{ file = {{ path = \"@DIR@/up\" }} }}\n"
    ));
    station.until_service("pool", "running");
    station.tell(&["stop", "pool"]);
    station.until_service("pool", "held");
    assert_eq!(station.file("saved"), "saved\n");
    station.end();
}

#[test]
fn the_helpers_of_a_main_process_that_outlives_its_grace_hear_the_stop_signal_before_all_are_killed() {
    let helper = "trap \"echo heard > @DIR@/heard; exit 0\" TERM; touch @DIR@/up; while :; do sleep 0.05; done";
    let main = format!("trap : TERM; sh -c '{helper}' & while :; do sleep 0.05; done");
    let station = Station::run(&format!(
        "[services.deaf]\ncommand = [\"sh\", \"-c\", \"\"\"{main}\"\"\"]\nstop = {{ to = \"main\", grace = \"1s\" }}\n\
         ready = {{ file = {{ path = \"@DIR@/up\" }} }}\n"
    ));
    station.until_service("deaf", "running");
    station.tell(&["stop", "deaf"]);
    station.until_service("deaf", "held");
    assert_eq!(station.file("heard"), "heard\n");
    let why = station.ask(&["why", "deaf"]).words();
    assert!(why.contains("killed by SIGKILL"), "{why}");
    station.end();
}

#[test]
fn a_service_that_goes_on_in_a_child_is_shown_and_logged_by_the_number_of_one_that_is_there() {
    let last = "sleep 1000 & echo $! > @DIR@/last.pid; exit 0";
    let first = format!("echo $$ > @DIR@/first.pid; while ! [ -e @DIR@/go ]; do sleep 0.05; done; {last}");
    let station = Station::run(&format!("[services.on]\ncommand = [\"sh\", \"-c\", \"sh -c '{first}' & exit 0\"]\n"));
    let pid = until("it has gone on", || station.file("first.pid").trim().parse::<u32>().ok());
    station.until("it is followed", |status| status.service("on").pid == Some(pid));
    std::fs::write(station.dir().join("go"), "").unwrap();
    until("that one has ended as well", || (!alive(pid)).then_some(()));
    let last = until("another one is left", || station.file("last.pid").trim().parse::<u32>().ok());
    let shown = station.until("its number is shown", |status| status.service("on").pid == Some(last));
    assert_eq!(shown.service("on").status, "running");
    until("the log says so too", || station.said().contains(&format!("on is running as pid {last}")).then_some(()));
    station.end();
}

/// Has a process traced by us (ptrace(2)): when it is killed, nobody but us can wait for it.
#[allow(unsafe_code, reason = "no safe form of ptrace is in any library here")]
fn seize(pid: u32) -> bool {
    let (nothing, pid) = (std::ptr::null_mut::<libc::c_void>(), libc::pid_t::try_from(pid).unwrap());
    // SAFETY: a seizure reads and writes no memory of ours.
    unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, nothing, nothing) == 0 }
}

/// Waits for what we trace.
#[allow(unsafe_code, reason = "no safe form waits for a process that is traced and no child")]
fn let_go(pid: u32) {
    // SAFETY: where nothing is to be written, nothing is.
    unsafe { libc::waitpid(libc::pid_t::try_from(pid).unwrap(), std::ptr::null_mut(), libc::__WALL) };
}

/// The kernel lets the first process of a pid namespace end only when all others in it have been waited for.
#[test]
fn a_dependent_that_outlives_sigkill_holds_up_neither_what_it_requires_nor_the_end_and_is_named() {
    let unshared = Command::new("unshare").args(["-pf", "true"]).output();
    if !unshared.is_ok_and(|tried| tried.status.success()) {
        println!("skipped: only root may make a pid namespace");
        return;
    }
    let mut station = Station::run(
        "[defaults]\nstop_grace = \"1s\"\n[services.base]\ncommand = [\"sleep\", \"1000\"]\n\
         [services.hang]\ncommand = [\"unshare\", \"-pf\", \"sh\", \"-c\", \"sleep 987 & wait\"]\nrequires = [\"base\"]\n",
    );
    let hang = station.until_service("hang", "running").pid.unwrap();
    let sleeps =
        |pid: &u32| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == b"sleep\x00987\x00");
    let sleeper = until("it sleeps", || descendants(hang).into_iter().find(sleeps));
    assert!(seize(sleeper));
    station.tell(&["stop", "base"]);
    station.until_service("base", "held");
    let why = station.ask(&["why", "base"]).words();
    assert!(why.contains("hang (pid ") && why.contains(") outlived SIGKILL and was not waited for"), "{why}");
    assert!(station.service("hang").reason.contains("it outlives SIGKILL"), "{:?}", station.service("hang"));
    station.signal(rustix::process::Signal::TERM);
    assert_eq!(station.wait().code(), Some(1), "{}", station.said());
    assert!(station.said().contains("hang (pid "), "{}", station.said());
    let_go(sleeper);
    station.nothing_is_left();
}
