//! What happens when a service ends by itself.

use crate::harness::{Station, Status, alive, free_port, until};

#[test]
fn a_service_that_keeps_failing_is_given_up_after_its_attempts() {
    let station = Station::run(
        "[services.crash]\ncommand = [\"sh\", \"-c\", \"echo run >> @DIR@/runs; sleep 0.1; exit 3\"]\n\
         restart = { attempts = 2, backoff = \"100ms\", factor = 2.0 }\n",
    );
    let failed = station.until_service("crash", "failed");
    assert_eq!(station.file("runs").lines().count(), 3, "the first start and two attempts");
    assert!(failed.reason.contains("exit code 3"), "{failed:?}");
    let why = station.ask(&["why", "crash"]).words();
    assert!(why.contains("exit code 3") && why.contains("mainstay restart"), "{why}");
    station.tell(&["restart", "--force", "crash"]);
    until("it is tried again", || (station.file("runs").lines().count() == 6).then_some(()));
    station.until_service("crash", "failed");
    station.end();
}

#[test]
fn a_crash_is_followed_by_a_new_process_with_the_same_needs() {
    let station = Station::run(
        "[services.worker]\ncommand = [\"sleep\", \"1000\"]\nrestart = { backoff = \"50ms\" }\n\
         [services.user]\ncommand = [\"sleep\", \"1000\"]\nrequires = [\"worker\"]\n",
    );
    let before = station.until("both run", |status| status.all(&["worker", "user"], "running"));
    kill(before.service("worker").pid.unwrap());
    let after = station.until("another process runs", |status| {
        let worker = status.service("worker");
        worker.status == "running" && worker.pid != before.service("worker").pid
    });
    assert_eq!(after.service("user").pid, before.service("user").pid, "a quick restart does not tear down dependents");
    let trace = station.trace(&["--service", "worker"]);
    assert_eq!(trace.cause.kind, "process");
    assert!(trace.cause.detail.contains("SIGKILL"), "{trace:?}");
    station.end();
}

#[test]
fn whether_it_is_restarted_depends_on_how_it_ended_and_what_is_configured() {
    let station = Station::run(
        "[services.never]\ncommand = [\"false\"]\nrestart = { when = \"never\" }\n\
         [services.done]\ncommand = [\"true\"]\nrestart = { when = \"failure\" }\n\
         [services.always]\ncommand = [\"true\"]\nrestart = { attempts = 1, backoff = \"50ms\" }\n",
    );
    station.until("all have come to an end", |status| {
        ["never", "always"].iter().all(|name| status.service(name).status == "failed")
            && status.service("done").status == "stopped"
    });
    let why = station.ask(&["why", "done"]).words();
    assert!(why.contains("mainstay logs done"), "{why}");
    station.end();
}

#[test]
fn a_restart_for_an_optional_service_that_has_returned_keeps_the_lease_whoever_waits_for_it() {
    let station = Station::run(
        "[services.need]\ncommand = [\"sleep\", \"1000\"]\nautostart = false\n\
         [services.user]\ncommand = [\"sleep\", \"1000\"]\nfiles = [\"@DIR@/db\"]\n\
         wants = { need = { timeout = \"100ms\", on_return = \"restart\" } }\n\
         [services.rival]\ncommand = [\"sleep\", \"1000\"]\nfiles = [\"@DIR@/db\"]\nautostart = false\n",
    );
    let before = station.until("it runs without", |status| status.service("user").status == "running");
    station.tell(&["start", "rival"]);
    station.until("the other waits", |status| status.service("rival").waiting_for.len() == 1);
    station.tell(&["start", "need"]);
    let after = station.until("it is restarted", |status| {
        let user = status.service("user");
        user.status == "running" && user.pid != before.service("user").pid
    });
    assert_eq!(after.leases(), before.leases(), "the same holder by the same token");
    assert_eq!(after.service("rival").status, "waiting");
    station.end();
}

#[test]
fn a_restarted_service_waits_when_its_file_leads_by_now_to_one_that_another_has() {
    let station = Station::run(
        "[services.user]\ncommand = [\"sleep\", \"1000\"]\nfiles = [\"@DIR@/current/db\"]\n\
         [services.other]\ncommand = [\"sleep\", \"1000\"]\nfiles = [\"@DIR@/new/db\"]\n",
    );
    let runs = |status: &Status, name: &str| status.service(name).status == "running";
    station.until("both run", |status| runs(status, "user") && runs(status, "other"));
    std::fs::create_dir(station.dir().join("new")).unwrap();
    std::os::unix::fs::symlink("new", station.dir().join("current")).unwrap();
    station.tell(&["restart", "user"]);
    let status = station.until("it waits", |status| status.service("user").status == "waiting");
    let waits = &status.service("user").waiting_for;
    assert!(waits.len() == 1 && waits[0].ends_with("held by other"), "{waits:?}");
    station.tell(&["stop", "other"]);
    station.until("it runs again", |status| runs(status, "user"));
    station.end();
}

#[test]
fn what_a_crashed_service_left_behind_is_gone_before_it_is_restarted() {
    let station = Station::run(
        "[services.parent]\ncommand = [\"sh\", \"-c\", \"sleep 1000 & echo $! >> @DIR@/children; sleep 0.2; exit 1\"]\n\
         restart = { attempts = 1, backoff = \"50ms\" }\n",
    );
    station.until_service("parent", "failed");
    let children: Vec<u32> = station.file("children").lines().map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(children.len(), 2);
    assert!(children.iter().all(|pid| !alive(*pid)), "{children:?}");
    station.end();
}

#[test]
fn helpers_of_a_crashed_program_are_told_to_stop_and_can_write_down_what_they_have() {
    let helper =
        "trap 'sleep 0.3; echo saved >> @DIR@/saved; exit 0' TERM; touch @DIR@/up; while :; do sleep 0.05; done";
    let main = format!("(sh -c \"{helper}\") & until [ -e @DIR@/up ]; do sleep 0.05; done; exit 1");
    let station = Station::run(&format!(
        "[services.parent]\ncommand = [\"sh\", \"-c\", '''{main}''']\nrestart = {{ attempts = 0 }}\n"
    ));
    station.until_service("parent", "failed");
    assert_eq!(station.file("saved"), "saved\n");
    station.end();
}

#[test]
fn a_crash_without_back_off_gives_nothing_away() {
    let port = free_port();
    let station = Station::run(&format!(
        "[services.owner]\ncommand = [\"sleep\", \"1000\"]\ncustom = [\"antenna\"]\nports = {{ web = {port} }}\n\
         restart = {{ backoff = \"0s\" }}\n\
         [services.waiter]\ncommand = [\"sleep\", \"1000\"]\ncustom = [\"antenna\"]\nafter = [\"owner\"]\n"
    ));
    let waits = |status: &Status| {
        status.service("owner").status == "running"
            && status.service("waiter").waiting_for == ["custom/antenna: held by owner"]
    };
    let before = station.until("one waits for the other", waits).service("owner").pid;
    kill(before.unwrap());
    station.until("it runs again, and the other still waits", |status| {
        status.service("owner").pid.is_some_and(|pid| Some(pid) != before) && waits(status)
    });
    station.end();
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_restart_of_a_held_service_starts_it_and_says_that_it_was_held() {
    let station = Station::run("[services.worker]\ncommand = [\"sleep\", \"1000\"]\n");
    station.until_service("worker", "running");
    station.tell(&["stop", "worker"]);
    station.until_service("worker", "held");
    let answer = station.tell(&["restart", "worker"]);
    assert!(answer.contains("worker was held; it is wanted again, and it starts"), "{answer}");
    assert_eq!(station.until_service("worker", "running").wanted, "up");
    station.end();
}
