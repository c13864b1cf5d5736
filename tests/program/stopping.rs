//! How services are stopped: in order, with a signal, grace, and in the end SIGKILL to all that came of them.

use crate::harness::{Station, alive, until};

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
