//! Actors that panic: their supervisors restart them, and the services do not notice.

use crate::harness::{Station, alive};

/// Whichever actor panics: the same processes, the same leases, and a later loss is still acted on.
fn survives(actor: &str) {
    let station = Station::demo();
    // One that has just come back has not settled for long.
    station.tell(&["unplug", "hackrf"]);
    station.until_service("openwebrx", "waiting");
    station.tell(&["plug", "hackrf"]);
    station.until_service("openwebrx", "running");
    let before = station.status();
    station.panic(actor);
    let after = station.until("all is as before", |status| {
        status.all(&["gpsd", "kismet", "openwebrx", "wigletotak"], "running")
            && status.leases() == before.leases()
            && status.device("hackrf").status == "in use"
    });
    assert_eq!(after.pids(), before.pids(), "{actor}: other processes run");
    assert!(after.pids().values().all(|pid| alive(*pid)), "{actor}: a process has ended");

    station.tell(&["unplug", "hackrf"]);
    let waiting = station.until_service("openwebrx", "waiting");
    assert_eq!(waiting.reason, "hackrf is gone (USB 1-1 unplugged)");
    station.tell(&["plug", "hackrf"]);
    let back = station.until("it is back", |status| status.service("openwebrx").status == "running");
    for name in ["gpsd", "kismet", "wigletotak"] {
        assert_eq!(back.service(name).pid, before.service(name).pid, "{actor}: {name} was touched");
    }
    station.end();
}

#[test]
fn a_service_actor_panics_and_its_process_runs_on() {
    survives("service/openwebrx");
}

#[test]
fn a_device_actor_panics_and_its_holder_runs_on() {
    survives("device/hackrf");
}

#[test]
fn the_lease_registry_panics_and_tokens_stay() {
    survives("leases");
}

#[test]
fn the_hardware_supervisor_panics_and_devices_stay() {
    survives("hardware");
}

#[test]
fn the_service_supervisor_panics_and_services_stay() {
    survives("services");
}

#[test]
fn the_root_supervisor_panics_and_all_goes_on_and_can_be_stopped() {
    survives("root");
}

#[test]
fn a_root_that_panics_too_often_ends_the_daemon() {
    let mut station = Station::demo();
    for _ in 0..6 {
        station.ask(&["panic", "root"]);
    }
    assert_eq!(station.wait().code(), Some(70), "{}", station.said());
    assert!(station.said().contains("more than 5 panics in 1m, of the root itself"), "{}", station.said());
}

/// A service that ends only when the file `go` is there.
const SLOW_TO_STOP: &str = "[services.slow]\ncommand = [\"sh\", \"-c\", \"trap 'while ! [ -e @DIR@/go ]; do sleep 0.05; done; exit 0' TERM; touch @DIR@/up; while :; do sleep 0.05; done\"]\n\
     ready = { file = { path = \"@DIR@/up\", within = \"60s\" } }\nstop = { grace = \"1h\" }\nrestart = { when = \"never\" }\n";

#[test]
fn an_actor_may_panic_while_its_service_is_being_stopped() {
    let station = Station::run(SLOW_TO_STOP);
    let running = station.until_service("slow", "running");
    station.tell(&["stop", "slow"]);
    station.until_service("slow", "stopping");
    station.panic("service/slow");
    assert_eq!(station.service("slow").status, "stopping");
    assert!(alive(running.pid.unwrap()));
    std::fs::write(station.dir().join("go"), "").unwrap();
    station.until_service("slow", "held");
    assert!(!alive(running.pid.unwrap()));
    station.end();
}

#[test]
fn an_actor_may_panic_while_its_service_is_being_restarted() {
    let station = Station::run(SLOW_TO_STOP);
    let running = station.until_service("slow", "running");
    station.tell(&["restart", "slow"]);
    station.until_service("slow", "stopping");
    station.panic("service/slow");
    station.until("it knows again why it stops", |status| {
        let slow = status.service("slow");
        slow.status == "stopping" && slow.reason.contains("the operator asked for a restart")
    });
    std::fs::write(station.dir().join("go"), "").unwrap();
    let back = station.until("it is back", |status| {
        let slow = status.service("slow");
        slow.status == "running" && slow.pid != running.pid
    });
    assert!(!alive(running.pid.unwrap()) && back.service("slow").pid.is_some());
    station.end();
}

#[test]
fn an_actor_may_panic_while_its_service_starts() {
    let station = Station::run(
        "[services.slow]\ncommand = [\"sleep\", \"1000\"]\nready = { file = { path = \"@DIR@/up\", within = \"60s\" } }\n",
    );
    let starting = station.until("it starts", |status| status.service("slow").pid.is_some());
    station.panic("service/slow");
    std::fs::write(station.dir().join("up"), "").unwrap();
    let running = station.until_service("slow", "running");
    assert_eq!(running.pid, starting.service("slow").pid);
    station.end();
}

#[test]
fn too_many_panics_end_the_daemon_with_70_and_leave_the_services_running() {
    let mut station = Station::demo();
    let pids = station.status().pids();
    for _ in 0..6 {
        // The last one may be the end of the daemon, and of the answer.
        station.ask(&["panic", "leases"]);
    }
    assert_eq!(station.wait().code(), Some(70), "{}", station.said());
    assert!(station.said().contains("mainstay gave up: more than 5 panics in 1m"), "{}", station.said());
    let said: String = station.said().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("end it before you run mainstay again") && said.contains("'^MAINSTAY_RUN='"), "{said}");
    assert_eq!(pids.len(), 4);
    assert!(pids.values().all(|pid| alive(*pid)), "services were lost");
    assert!(!station.socket().exists(), "the socket is still there");
}

#[test]
fn a_radio_is_put_back_though_the_registry_panicked_while_it_was_leased() {
    let station = Station::demo();
    let until = |mode: &str, link: &str| {
        let is_so = |identity: &String| identity.contains(&format!(", {mode} (can be ")) && identity.ends_with(link);
        let what = format!("the radio is {mode} and {link}");
        station.until(&what, |status| status.device("wlan2").identity.iter().any(is_so));
    };
    until("monitor", "up");
    station.panic("leases");
    station.tell(&["stop", "kismet"]);
    until("managed", "down");
    station.end();
}
