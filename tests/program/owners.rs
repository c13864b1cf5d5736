//! Threads and tasks that panic, and an actor that does not return: somebody notices, says so, and does what can be done.

use mainstay_actors::effect::watched::PARTS;

use crate::harness::{Station, Stuck, alive, helper, until};

const RECORDER: &str = "[services.recorder]\ncommand = [\"sleep\", \"1000\"]\nrestart = { when = \"never\" }\n";

#[track_caller]
fn until_it_has_panicked(station: &Station, part: &str) {
    let words = format!("`mainstay panic {part}`");
    until(&format!("{part} panics"), || station.said().contains(&words).then_some(()));
}

/// Gives a daemon work until it has ended, with 70 and the reason.
#[track_caller]
fn ends(station: &mut Station, part: &str, work: &[&[&str]]) {
    // Answers may be lost with whoever gives them.
    station.ask(&["panic", part]);
    let code = until(&format!("the daemon ends without {part}"), || {
        work.iter().for_each(|command| drop(station.ask(command)));
        station.has_ended()
    });
    assert_eq!(code.code(), Some(70), "{part}: {}", station.said());
    let reason = format!("its part `{part}` panicked");
    assert!(station.said().contains(&reason), "{part}: {}", station.said());
}

#[test]
fn the_daemon_ends_at_once_without_a_task_that_alone_knows_something_and_leaves_the_services_running() {
    for part in ["main", "timekeeper", "drive", "deliver", "run-dir", "hardware-watch"] {
        let mut station = Station::run(RECORDER);
        let pid = station.until_service("recorder", "running").pid.unwrap();
        ends(&mut station, part, &[]);
        assert!(alive(pid), "{part}: the service was lost");
    }
}

#[test]
fn the_daemon_ends_without_a_part_that_alone_knows_something_with_the_next_thing_it_does() {
    for part in ["timer", "watchdog", "trees", "spawner-1", "spawner-2", "outputs", "control"] {
        let mut station = Station::run(RECORDER);
        station.until_service("recorder", "running");
        ends(&mut station, part, &[&["restart", "recorder"]]);
    }
}

#[test]
fn the_store_begins_anew_and_what_was_said_meanwhile_is_written_down_all_the_same() {
    let mut station = Station::run(RECORDER);
    station.until_service("recorder", "running");
    station.tell(&["panic", "store"]);
    station.tell(&["stop", "recorder"]);
    until_it_has_panicked(&station, "store");
    station.signal(rustix::process::Signal::TERM);
    assert_eq!(station.wait().code(), Some(0), "{}", station.said());
    station.again();
    assert_eq!(station.service("recorder").status, "held", "{}", station.said());
    station.end();
}

#[test]
fn the_daemon_ends_without_a_thread_that_has_taken_the_place_of_one_that_hangs() {
    let text = format!("{RECORDER}[services.stuck]\ncommand = [\"@DIR@/program\", \"1000\"]\nautostart = false\n");
    let mut station = Station::run(&text);
    station.until_service("recorder", "running");
    let _stuck = Stuck::new(&station.dir().join("program"));
    station.tell(&["start", "stuck"]);
    station.until("it hangs", |status| status.service("stuck").reason.contains("still being loaded"));
    ends(&mut station, "spawner-spare", &[&["restart", "recorder"]]);
}

#[test]
fn a_root_that_panics_over_the_word_that_mainstay_should_end_ends_it_in_order() {
    let mut station = Station::demo();
    station.tell(&["panic", "close"]);
    station.signal(rustix::process::Signal::TERM);
    assert_eq!(station.wait().code(), Some(0), "{}", station.said());
    assert!(station.said().contains("an actor panicked") && station.said().contains("everything is stopped"));
    station.nothing_is_left();
}

#[test]
fn the_daemon_ends_without_the_thread_that_hears_signals() {
    let mut station = Station::run(RECORDER);
    station.until_service("recorder", "running");
    station.tell(&["panic", "signals"]);
    station.signal(rustix::process::Signal::USR1);
    assert_eq!(station.wait().code(), Some(70), "{}", station.said());
    assert!(station.said().contains("its part `signals` panicked"), "{}", station.said());
}

#[test]
fn the_daemon_ends_without_what_alone_knows_what_was_done_to_a_device() {
    for part in ["answer", "keep-awake"] {
        let mut station = Station::demo();
        ends(&mut station, part, &[&["stop", "openwebrx"], &["start", "openwebrx"]]);
    }
}

#[test]
fn who_listens_to_notifications_begins_anew() {
    let text =
        format!("[services.notify]\n{}ready = {{ notify = {{ within = \"60s\" }} }}\n", helper::service("notify"));
    let station = Station::run(&text);
    station.until("it says what it does", |status| status.service("notify").reason.ends_with("waiting for the file"));
    station.tell(&["panic", "notify"]);
    until_it_has_panicked(&station, "notify");
    std::fs::write(station.dir().join("go"), "").unwrap();
    station.until_service("notify", "running");
    assert!(station.said().contains("its part `notify` panicked: `mainstay panic notify`; it begins anew"));
    station.end();
}

#[test]
fn a_readiness_check_begins_anew_and_a_look_that_panics_is_followed_by_another() {
    let text = "[services.slow]\ncommand = [\"sleep\", \"1000\"]\nready = { file = { path = \"@DIR@/up\", within = \"60s\" } }\n";
    let station = Station::run(text);
    station.until_service("slow", "starting");
    for part in ["probe-look", "probe"] {
        station.tell(&["panic", part]);
        until_it_has_panicked(&station, part);
    }
    assert_eq!(station.service("slow").status, "starting");
    std::fs::write(station.dir().join("up"), "").unwrap();
    station.until_service("slow", "running");
    station.end();
}

#[test]
fn who_listens_to_the_log_keeper_begins_anew() {
    let station = Station::run(RECORDER);
    station.until_service("recorder", "running");
    // The log-keeper may just be coming.
    station.tell(&["panic", "keeper-reports"]);
    until_it_has_panicked(&station, "keeper-reports");
    until("it begins anew", || station.said().contains("`keeper-reports` panicked").then_some(()));
    station.tell(&["restart", "recorder"]);
    station.until_service("recorder", "running");
    station.end();
}

#[test]
fn the_log_goes_on_after_a_panic_of_the_thread_that_writes_it() {
    let station = Station::run(RECORDER);
    // Were it said later, that line would be the one that is lost.
    until("it is said that it runs", || station.said().contains("recorder is running").then_some(()));
    station.tell(&["panic", "log"]);
    // A signal that means nothing is a line in the log, and this one is lost.
    station.signal(rustix::process::Signal::USR1);
    until_it_has_panicked(&station, "log");
    assert!(!station.said().contains("SIGUSR1"), "{}", station.said());
    station.signal(rustix::process::Signal::USR1);
    until("the log goes on", || station.said().contains("SIGUSR1").then_some(()));
    assert!(station.said().contains("[1 line of the log could not be written]"), "{}", station.said());
    station.end();
}

#[test]
fn the_watch_on_hardware_begins_anew_whichever_of_its_threads_panics() {
    let station = Station::run(RECORDER);
    // They are begun with the watch that follows; the last one where there is USB.
    let parts = ["wifi-read", "hardware-start", "usb-events"];
    parts.iter().for_each(|part| drop(station.tell(&["panic", part])));
    station.tell(&["panic", "hardware-events"]);
    for part in ["hardware-events", "hardware-start", "wifi-read"] {
        until_it_has_panicked(&station, part);
    }
    until("usb-events panics, or cannot be", || {
        let has_panicked = station.said().contains("`mainstay panic usb-events`");
        (has_panicked || station.tell(&["devices"]).contains("libusb cannot watch USB")).then_some(())
    });
    until("it begins anew", || {
        station.said().contains("the watch on hardware panicked, and begins anew").then_some(())
    });
    station.until_service("recorder", "running");
    station.end();
}

#[test]
fn who_asked_what_panics_gets_no_answer_and_the_next_one_does() {
    let station = Station::run(RECORDER);
    station.until_service("recorder", "running");
    for (part, command) in [("caller", "status"), ("operator", "stop"), ("follower", "trace")] {
        let arguments: &[&str] = match command {
            "stop" => &["stop", "recorder"],
            "trace" => &["trace", "--follow"],
            other => &[other],
        };
        // Who is told so is a caller too.
        station.ask(&["panic", part]);
        station.ask(arguments);
        until_it_has_panicked(&station, part);
        station.tell(&["status"]);
    }
    station.tell(&["stop", "recorder"]);
    station.until_service("recorder", "held");
    station.end();
}

#[test]
fn a_call_that_panics_is_an_answer_and_costs_nobody_else_anything() {
    let station = Station::demo();
    for part in ["driver-call", "marks", "probe-rest", "hardware-end", "run-dir-end"] {
        station.tell(&["panic", part]);
    }
    until("a driver is called", || {
        station.tell(&["restart", "openwebrx"]);
        station.said().contains("`mainstay panic driver-call`").then_some(())
    });
    station.tell(&["restart", "openwebrx"]);
    station.until_service("openwebrx", "running");
    // Also though what ends the watches panics.
    station.end();
}

#[test]
fn a_log_keeper_of_which_a_part_panics_is_followed_by_another_and_what_is_printed_goes_on() {
    let station =
        Station::run("[services.talker]\ncommand = [\"sh\", \"-c\", \"while :; do echo line; sleep 0.1; done\"]\n");
    let pid = station.until_service("talker", "running").pid;
    for part in ["keeper-writer", "keeper-intake"] {
        let before = until("there is a log-keeper", || station.log_keepers().first().copied());
        station.tell(&["panic", part]);
        until("it has ended", || (!alive(before)).then_some(()));
        until("there is another", || (station.log_keepers().len() == 1).then_some(()));
        let lines = station.log("talker").lines().count();
        until("that one writes", || (station.log("talker").lines().count() > lines).then_some(()));
    }
    assert_eq!(station.service("talker").pid, pid);
    station.end();
}

#[test]
fn an_actor_that_does_not_return_is_named_in_the_log_in_status_and_to_whoever_gives_a_command() {
    let mut station = Station::run(RECORDER);
    let pid = station.until_service("recorder", "running").pid.unwrap();
    station.tell(&["freeze", "service/recorder"]);
    let words = "service/recorder has not returned from `Freeze` for more than 5s";
    until("the log names it", || station.said().contains(words).then_some(()));
    let status = station.tell(&["status"]);
    assert!(status.contains("service/recorder has not returned"), "{status}");
    assert_eq!(station.service("recorder").status, "running", "what is known is still shown");
    let refused = station.ask(&["stop", "recorder"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.err.contains("service/recorder has not returned"), "{refused:?}");
    assert!(refused.err.contains("SIGTERM"), "it says what helps: {refused:?}");
    assert!(alive(pid));
    // It does end by that, and says what it could not stop.
    station.signal(rustix::process::Signal::TERM);
    assert_eq!(station.wait().code(), Some(70), "{}", station.said());
    let said: String = station.said().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("It was left running: recorder (pid {pid})")), "{said}");
    assert!(alive(pid));
}

#[test]
fn every_part_is_made_to_panic_here_and_told_of_in_the_guide_for_contributors() {
    let (tests, guide) = (include_str!("owners.rs"), include_str!("../../docs/contributing.md"));
    for part in PARTS {
        assert!(tests.contains(&format!("\"{part}\"")), "no test panics {part}");
        assert!(guide.contains(&format!("`{part}`")), "the guide does not list {part}");
    }
}
