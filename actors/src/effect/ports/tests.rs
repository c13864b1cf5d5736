//! Listeners in a made-up `/proc`, and a real one of this process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

/// A `/proc` with listening sockets (port, inode) and no processes.
fn proc(sockets: &[(u16, u64)]) -> tempfile::TempDir {
    let proc = tempfile::tempdir().unwrap();
    fs::create_dir(proc.path().join("net")).unwrap();
    let line = |(port, inode): &(u16, u64)| {
        format!("0: 00000000:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 {inode} 1\n")
    };
    fs::write(proc.path().join("net/tcp"), sockets.iter().map(line).collect::<String>()).unwrap();
    proc
}

fn add_process(proc: &Path, pid: u32, comm: &str, sockets: &[u64]) {
    let process = proc.join(pid.to_string());
    fs::create_dir_all(process.join("fd")).unwrap();
    fs::write(process.join("comm"), comm).unwrap();
    symlink("/dev/null", process.join("fd/0")).unwrap();
    for (inode, number) in sockets.iter().zip(3..) {
        symlink(format!("socket:[{inode}]"), process.join(format!("fd/{number}"))).unwrap();
    }
}

fn any(ports: &[u16]) -> Places {
    ports.iter().map(|port| (*port, None)).collect()
}

fn words(proc: &Path, ports: &[u16]) -> Vec<(u16, String)> {
    let [answer] = &listeners_under(Proc(proc), &[any(ports)]).unwrap()[..] else { panic!("one question, one answer") };
    answer.iter().map(|(port, listener)| (*port, listener.to_string())).collect()
}

#[test]
fn a_server_is_named_rather_than_its_workers() {
    let proc = proc(&[(80, 11), (8080, 12), (22, 13)]);
    // So many that no way of listing a folder gives the server first by chance.
    for pid in (700..730).rev().chain(900..930) {
        let comm = if pid == 700 { "nginx\n" } else { "nginx-worker\n" };
        add_process(proc.path(), pid, comm, &[11, 12]);
    }
    let expected = vec![(80, "pid 700 nginx".to_owned()), (8080, "pid 700 nginx".to_owned())];
    assert_eq!(words(proc.path(), &[80, 8080, 443]), expected);
}

#[test]
fn a_process_that_cannot_be_looked_into_is_another_process() {
    let proc = proc(&[(2947, 11)]);
    let other = "another process of user 0 (not visible to this user)";
    assert_eq!(words(proc.path(), &[2947]), [(2947, other.to_owned())]);
}

#[test]
fn of_two_sockets_on_one_port_the_visible_one_is_named() {
    let proc = proc(&[(2947, 11), (2947, 12)]);
    add_process(proc.path(), 30, "gps\x1bd", &[12]);
    assert_eq!(words(proc.path(), &[2947]), [(2947, "pid 30 gps?d".to_owned())]);
}

#[test]
fn without_a_table_the_answer_is_an_error_and_not_nobody() {
    let nothing = tempfile::tempdir().unwrap();
    assert!(listeners_under(Proc(nothing.path()), &[any(&[80])]).is_err());
}

#[test]
fn this_process_finds_itself() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        // A machine without IPv6 has only the first.
        let Ok(listener) = TcpListener::bind(address) else { continue };
        let port = listener.local_addr().unwrap().port();
        let found = listeners(&[any(&[port])]).unwrap();
        assert_eq!(found[0].get(&port).and_then(|listener| listener.pid), Some(std::process::id()));
    }
}

#[test]
fn a_listener_on_another_address_is_not_in_the_way_and_one_on_all_addresses_is() {
    let proc = tempfile::tempdir().unwrap();
    fs::create_dir(proc.path().join("net")).unwrap();
    let line = |address: u32, port: u16, inode: u64| {
        format!("0: {address:08X}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 {inode} 1\n")
    };
    let raw = |address: [u8; 4]| u32::from_ne_bytes(address);
    let table = [line(raw([127, 0, 0, 2]), 80, 11), line(0, 81, 12), line(raw([10, 0, 0, 1]), 82, 13)].concat();
    fs::write(proc.path().join("net/tcp"), table).unwrap();
    let asked = ["127.0.0.1", "10.0.0.1", "0.0.0.0", "::"];
    // All of them at once, as when many services begin.
    let places = asked.map(|address| [80, 81, 82].map(|port| (port, Some(address.parse().unwrap()))).into());
    let found = listeners_under(Proc(proc.path()), &places).unwrap();
    let found: Vec<Vec<u16>> = found.into_iter().map(|answer| answer.into_keys().collect()).collect();
    assert_eq!(found, [vec![81], vec![81, 82], vec![80, 81, 82], vec![80, 81, 82]]);
}

#[test]
fn who_has_forked_a_moment_ago_is_named_and_not_his_child() {
    let proc = proc(&[(80, 11)]);
    add_process(proc.path(), 700, "nginx\n", &[11]);
    add_process(proc.path(), 690, "mainstay\n", &[11]);
    let stat = "690 (mainstay) S 700 690 690 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 690 0";
    fs::write(proc.path().join("690/stat"), stat).unwrap();
    assert_eq!(words(proc.path(), &[80]), [(80, "pid 700 nginx".to_owned())]);
}
