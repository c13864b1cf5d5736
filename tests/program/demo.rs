//! The story of the demo: unplug, why, trace, plug.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::sync::mpsc;
use std::time::Duration;

use crate::harness::{Message, Station, Status, Trace, turn, until};

/// Every message but the first ones has its parent in the trace, and before it.
#[track_caller]
fn parents_are_there(trace: &Trace) {
    let mut seen = BTreeSet::new();
    for message in &trace.messages {
        assert!(message.parent.is_none_or(|parent| seen.contains(&parent)), "no parent before {message:?}");
        seen.insert(message.id);
    }
    assert!(seen.len() > 1, "{trace:?}");
}

/// The messages that led to a message, the first first.
fn ancestors<'a>(trace: &'a Trace, of: &'a Message) -> Vec<&'a Message> {
    let known: BTreeMap<u64, &Message> = trace.messages.iter().map(|message| (message.id, message)).collect();
    let mut chain = vec![of];
    while let Some(parent) = chain.last().and_then(|message| known.get(&message.parent?)) {
        chain.push(parent);
    }
    chain.reverse();
    chain
}

/// Waits until a service waits for this and for nothing else. It says that it waits before it has heard for what.
#[track_caller]
fn until_waiting_for(station: &Station, name: &str, what: &str) -> Status {
    station.until(&format!("{name} waits for `{what}`"), |status| {
        let service = status.service(name);
        service.status == "waiting" && service.waiting_for == [what]
    })
}

#[test]
fn the_demo_by_itself_comes_up_and_says_what_to_try() {
    // Its ports are those that every demo prefers.
    let _turn = turn("demo");
    let dir = tempfile::Builder::new().prefix("mst").tempdir().unwrap();
    let station = Station::plain_demo(dir);
    station.until("the demo is up", |status| status.all(&["gpsd", "kismet", "openwebrx", "wigletotak"], "running"));
    assert_eq!(station.service("sweep").status, "stopped");
    for expected in ["mainstay unplug hackrf", "mainstay why openwebrx", "mainstay plug hackrf", "Ctrl-C"] {
        // It is written by a thread of its own.
        until(&format!("it says `{expected}`"), || station.said().contains(expected).then_some(()));
    }
    let status = station.tell(&["status"]);
    assert!(status.starts_with("4 of 5 services running; stopped: sweep\n"), "{status}");
    assert!(status.lines().all(|line| line.chars().count() <= 80), "{status}");
    station.end();
}

#[test]
fn unplugging_the_hackrf_stops_openwebrx_alone_and_plugging_brings_it_back() {
    let station = Station::demo();
    let before = station.status().pids();
    station.tell(&["unplug", "hackrf"]);
    let status = until_waiting_for(&station, "openwebrx", "hackrf: gone (USB 1-1 unplugged)");
    assert_eq!(status.service("openwebrx").reason, "hackrf is gone (USB 1-1 unplugged)");
    assert_eq!(status.device("hackrf").status, "absent");
    assert_eq!(status.device("hackrf").reason, "gone (USB 1-1 unplugged)");
    let untouched = |pids: &BTreeMap<String, u32>| -> BTreeMap<String, u32> {
        pids.iter().filter(|(name, _)| *name != "openwebrx").map(|(name, pid)| (name.clone(), *pid)).collect()
    };
    assert_eq!(status.pids(), untouched(&before), "others were touched");

    let why = station.ask(&["why", "openwebrx"]).words();
    for expected in [
        "openwebrx is waiting for hackrf: gone (USB 1-1 unplugged).",
        "hardware: USB 1-1 unplugged (simulation).",
        "service/openwebrx had processes do: SIGTERM",
        "Plug in hackrf",
    ] {
        assert!(why.contains(expected), "no `{expected}` in {why}");
    }
    let trace = station.trace(&["--device", "hackrf"]);
    assert_eq!(trace.cause.kind, "hardware");
    assert!(trace.cause.detail.contains("USB 1-1 unplugged"), "{trace:?}");
    parents_are_there(&trace);
    let stop = trace.messages.iter().find(|message| message.kind == "Signal").unwrap();
    let way: Vec<&str> = ancestors(&trace, stop).iter().map(|message| message.to.as_str()).collect();
    assert_eq!(way, ["hardware", "device/hackrf", "leases", "service/openwebrx", "processes"]);

    station.tell(&["plug", "hackrf", "--port", "1-3"]);
    station.until_service("openwebrx", "running");
    let after = station.status();
    assert_eq!(untouched(&after.pids()), untouched(&before), "others were restarted");
    assert_ne!(after.pids()["openwebrx"], before["openwebrx"]);
    assert_eq!(after.device("hackrf").holder.as_deref(), Some("openwebrx"));
    assert!(station.tell(&["devices"]).contains("USB 1-3"));
    station.end();
}

#[test]
fn the_trace_of_a_replug_leads_from_the_kernel_to_the_ready_service() {
    let station = Station::demo();
    station.tell(&["unplug", "hackrf"]);
    station.until_service("openwebrx", "waiting");
    station.tell(&["plug", "hackrf"]);
    station.until_service("openwebrx", "running");
    let trace = station.trace(&["--service", "openwebrx"]);
    assert_eq!(trace.cause.kind, "hardware");
    parents_are_there(&trace);
    let ready = trace.messages.iter().find(|message| message.kind == "ProbeReady").unwrap();
    let kinds: Vec<&str> = ancestors(&trace, ready).iter().map(|message| message.kind.as_str()).collect();
    for expected in ["Seen", "DeviceAvailable", "Granted", "Spawn"] {
        assert!(kinds.contains(&expected), "no {expected} in {kinds:?}");
    }
    let text = station.tell(&["trace", "--service", "openwebrx"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    station.end();
}

#[test]
fn without_the_gps_dependents_stop_first_and_all_come_back() {
    let station = Station::demo();
    let openwebrx = station.service("openwebrx").pid;
    station.tell(&["unplug", "gps"]);
    station.until("all of them wait", |status| status.all(&["gpsd", "kismet", "wigletotak"], "waiting"));
    let trace = station.trace(&["--device", "gps"]);
    parents_are_there(&trace);
    let gone: Vec<usize> =
        ["wigletotak", "kismet", "gpsd"].map(|name| trace.place("TreeGone", &format!("service/{name}"))).to_vec();
    assert!(gone.is_sorted(), "wigletotak, kismet, gpsd ended at {gone:?}");
    let gpsd_asked =
        trace.messages.iter().position(|message| message.kind == "Signal" && message.from == "service/gpsd");
    assert!(gone[1] < gpsd_asked.unwrap(), "gpsd was asked to stop before kismet had stopped");
    let why = station.ask(&["why", "wigletotak"]).words();
    assert!(why.contains("gps is gone (USB 1-2 unplugged)"), "{why}");
    station.tell(&["plug", "gps"]);
    station.until("all are back", |status| status.all(&["gpsd", "kismet", "wigletotak"], "running"));
    assert_eq!(station.service("openwebrx").pid, openwebrx);
    station.end();
}

#[test]
fn a_second_service_for_the_one_hackrf_waits_and_says_for_whom() {
    let station = Station::demo();
    station.tell(&["start", "sweep"]);
    let status = until_waiting_for(&station, "sweep", "hackrf: held by openwebrx");
    assert_eq!(status.service("sweep").wanted, "up");
    assert!(station.ask(&["why", "sweep"]).words().contains("Say `mainstay stop openwebrx`"));
    assert!(station.tell(&["leases"]).contains("held by openwebrx"));
    station.tell(&["stop", "openwebrx"]);
    station.until_service("sweep", "running");
    assert_eq!(station.service("openwebrx").status, "held");
    assert_eq!(station.status().device("hackrf").holder.as_deref(), Some("sweep"));
    station.end();
}

#[test]
fn a_restart_keeps_the_hackrf_though_another_service_waits_for_it() {
    let station = Station::demo();
    station.tell(&["start", "sweep"]);
    until_waiting_for(&station, "sweep", "hackrf: held by openwebrx");
    let before = station.service("openwebrx").pid;
    let answer = station.tell(&["restart", "openwebrx"]);
    assert!(answer.contains("openwebrx is restarting"), "{answer}");
    station.until("openwebrx runs again", |status| {
        let service = status.service("openwebrx");
        service.status == "running" && service.pid != before
    });
    until_waiting_for(&station, "sweep", "hackrf: held by openwebrx");
    station.end();
}

#[test]
fn a_restart_leaves_the_radio_of_a_service_and_of_its_dependents_in_its_mode() {
    let station = Station::demo();
    for (restarted, whole) in [("kismet", &["kismet", "wigletotak"][..]), ("gpsd", &["gpsd", "kismet", "wigletotak"])] {
        let before = station.status().pids();
        station.tell(&["restart", restarted]);
        station.until("all run again", |status| {
            let is_new = |name: &&str| status.pids().get(*name).is_some_and(|pid| before.get(*name) != Some(pid));
            status.all(whole, "running") && whole.iter().all(is_new)
        });
        let trace = until("nothing moves", || Some(station.trace(&["--service", restarted])).filter(Trace::is_quiet));
        let touches = |message: &&Message| ["PrepareRadio", "RestoreRadio", "Release"].contains(&message.kind.as_str());
        let touched = trace.messages.iter().find(touches);
        assert!(touched.is_none() && trace.messages.len() > 20, "the restart of {restarted}: {touched:?}");
    }
    station.end();
}

#[test]
fn what_the_operator_stopped_or_never_started_does_not_come_back_with_the_device() {
    let station = Station::demo();
    station.tell(&["stop", "openwebrx"]);
    station.until_service("openwebrx", "held");
    station.tell(&["unplug", "hackrf"]);
    station.until("the device is gone", |status| status.device("hackrf").status == "absent");
    station.tell(&["plug", "hackrf"]);
    station.until("the device is back", |status| status.device("hackrf").status == "ready");
    let trace = until("the services have heard of it, and nothing moves", || {
        let trace = station.trace(&["--device", "hackrf"]);
        let heard = ["service/openwebrx", "service/sweep"].map(|name| trace.handled("DeviceArrived", name));
        (heard == [1, 1] && trace.is_quiet()).then_some(trace)
    });
    assert!(trace.messages.iter().all(|message| message.kind != "Request" && message.kind != "Spawn"), "{trace:#?}");
    assert_eq!(station.service("openwebrx").status, "held");
    assert_eq!(station.service("sweep").status, "stopped");
    station.tell(&["start", "openwebrx"]);
    station.until_service("openwebrx", "running");
    station.end();
}

#[test]
fn an_ejected_device_is_taken_back_only_by_the_operator() {
    let station = Station::demo();
    station.tell(&["eject", "hackrf"]);
    let waiting = station.until_service("openwebrx", "waiting");
    assert_eq!(waiting.reason, "hackrf is ejected by the operator");
    assert_eq!(station.status().device("hackrf").status, "ejected");
    assert!(station.ask(&["why", "hackrf"]).words().contains("Say `mainstay admit hackrf`."));
    station.tell(&["admit", "hackrf"]);
    station.until_service("openwebrx", "running");
    station.end();
}

#[test]
fn plugging_what_is_not_there_says_what_is() {
    let station = Station::demo();
    let wrong = |args: &[&str], code: i32, words: &str| {
        let answered = station.ask(args);
        assert_eq!(answered.code, Some(code), "{answered:?}");
        assert!(answered.words().contains(words), "{answered:?}");
    };
    wrong(
        &["unplug", "camera"],
        4,
        "there is no simulated device `camera` help: the demo has gps, hackrf, uplink, wlan2",
    );
    wrong(&["plug", "hackrf"], 5, "hackrf is plugged in already; unplug it first");
    station.tell(&["unplug", "hackrf"]);
    wrong(&["unplug", "hackrf"], 5, "hackrf is not plugged in");
    wrong(&["plug", "hackrf", "--port", "/etc"], 2, "a USB port path is the bus and the ports on the way");
    station.tell(&["unplug", "uplink"]);
    station.end();
}

#[test]
fn a_follower_is_told_of_each_trace_once() {
    let station = Station::demo();
    let mut child = station
        .command(&["trace", "--follow", "--device", "hackrf", "--json"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (seen, traces) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in lines {
            // The test may have seen enough.
            let _ = seen.send(serde_json::from_str::<Trace>(&line.unwrap()).unwrap());
        }
    });
    let is_socket =
        |file: std::fs::DirEntry| Some(file.path().read_link().ok()?.to_string_lossy().starts_with("socket:"));
    until("it has a connection", || {
        let files = std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
        files.flatten().filter_map(is_socket).any(|is_one| is_one).then_some(())
    });
    // The daemon may not have heard of it yet: then it misses the first ones. A HackRF that leaves three times, each time
    // within ten seconds of being used, would be set aside.
    let first = until("a trace comes", || {
        station.tell(&["unplug", "hackrf"]);
        station.until_service("openwebrx", "waiting");
        station.tell(&["plug", "hackrf"]);
        station.until_service("openwebrx", "running");
        traces.recv_timeout(Duration::from_secs(15)).ok()
    });
    assert_eq!(first.cause.kind, "hardware");
    parents_are_there(&first);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    // One that has grown since is told again.
    let told = |trace: Trace| (trace.trace, trace.messages.iter().map(Message::is_handled).collect::<Vec<_>>());
    let mut told: Vec<_> = traces.try_iter().chain([first]).map(told).collect();
    let all = told.len();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), all, "a trace was told twice: {told:?}");
    station.end();
}
