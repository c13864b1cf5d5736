//! What outlives mainstay.

use std::fs;

use rustix::process::Signal;

use crate::harness::{Station, processes_with, until};

/// One that is started, one that only the operator starts; each waits for nothing.
const TWO: &str = "[services.usual]\ncommand = [\"sleep\", \"1000\"]\n\n\
     [services.asked]\ncommand = [\"sleep\", \"1000\"]\nautostart = false\n";

/// One that holds something.
const HOLDER: &str = "[services.holder]\ncommand = [\"sleep\", \"1000\"]\nfiles = [\"@DIR@/held\"]\n";

fn ends(station: &mut Station) {
    station.signal(Signal::TERM);
    assert_eq!(station.wait().code(), Some(0), "{}", station.said());
}

fn damages(station: &Station, with: &[u8]) {
    let _ = fs::remove_file(station.dir().join("state/mainstay.db-wal"));
    fs::write(station.dir().join("state/mainstay.db"), with).unwrap();
}

#[test]
fn what_the_operator_stopped_stays_stopped_and_what_he_started_runs_again_when_mainstay_begins_anew() {
    let mut station = Station::run(TWO);
    station.until_service("usual", "running");
    station.tell(&["stop", "usual"]);
    station.tell(&["start", "asked"]);
    station.until_service("asked", "running");
    ends(&mut station);
    station.again();
    station.until_service("asked", "running");
    let usual = station.service("usual");
    assert_eq!(usual.status, "held", "{usual:?}");
    station.tell(&["start", "usual"]);
    station.until_service("usual", "running");
    station.end();
}

#[test]
fn what_the_operator_said_last_is_known_after_mainstay_was_killed() {
    let mut station = Station::run(TWO);
    station.until_service("usual", "running");
    station.tell(&["stop", "usual"]);
    station.until_service("usual", "held");
    station.signal(Signal::KILL);
    station.wait();
    station.again();
    assert_eq!(station.service("usual").status, "held");
    station.end();
}

#[test]
fn a_damaged_store_is_set_aside_and_told_and_stops_nothing() {
    let mut station = Station::run(TWO);
    station.tell(&["stop", "usual"]);
    ends(&mut station);
    damages(&station, b"this is no database");
    station.again();
    station.until_service("usual", "running");
    let said = station.tell(&["status"]);
    assert!(said.contains("mainstay.db.damaged"), "{said}");
    assert_eq!(station.file("state/mainstay.db.damaged"), "this is no database");
    station.tell(&["stop", "usual"]);
    ends(&mut station);
    station.again();
    assert_eq!(station.service("usual").status, "held", "the new store is written");
    station.end();
}

#[test]
fn a_store_of_a_newer_version_is_left_alone_and_told() {
    let mut station = Station::run(TWO);
    ends(&mut station);
    let path = station.dir().join("state/mainstay.db");
    let mut newer = fs::read(&path).unwrap();
    // user_version is at offset 60 of the header, big-endian (SQLite file format, 1.3.13).
    newer[60..64].copy_from_slice(&1000_u32.to_be_bytes());
    damages(&station, &newer);
    station.again();
    station.until_service("usual", "running");
    let said = station.tell(&["status"]);
    assert!(said.contains("newer mainstay (version 1000"), "{said}");
    station.tell(&["stop", "usual"]);
    ends(&mut station);
    assert_eq!(fs::read(&path).unwrap(), newer, "it was changed");
}

#[test]
fn a_token_is_never_given_out_again_also_when_mainstay_is_killed_or_its_store_is_damaged() {
    let mut station = Station::run(HOLDER);
    let token = |station: &Station| {
        station.until_service("holder", "running");
        let leases: serde_json::Value = serde_json::from_str(&station.tell(&["leases", "--json"])).unwrap();
        leases["leases"][0]["token"].as_u64().unwrap_or_else(|| panic!("{leases}"))
    };
    let first = token(&station);
    station.tell(&["restart", "holder"]);
    station.signal(Signal::KILL);
    station.wait();
    for pid in processes_with(&format!("MAINSTAY_TEST={}", station.dir().display())) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
    until("nothing is left", || station.processes().is_empty().then_some(()));
    station.again();
    let second = token(&station);
    assert!(second > first, "{second} after {first}");
    ends(&mut station);
    damages(&station, b"");
    station.again();
    let third = token(&station);
    assert!(third > second, "{third} after {second}");
    station.end();
}
