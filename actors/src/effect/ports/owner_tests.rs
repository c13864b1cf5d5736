//! Owners of listening sockets in a made-up `/proc`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::action::process::RunId;
use crate::effect::process::MainState;

const US: u32 = 2;
const MAIN: u32 = 10;

/// A `/proc` in which one socket listens on 127.0.0.1:80 and mainstay runs.
fn proc() -> tempfile::TempDir {
    let proc = tempfile::tempdir().unwrap();
    fs::create_dir(proc.path().join("net")).unwrap();
    let address = u32::from_ne_bytes([127, 0, 0, 1]);
    let line = format!("0: {address:08X}:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000 5 0 77 1\n");
    fs::write(proc.path().join("net/tcp"), line).unwrap();
    add(proc.path(), 1, 0, None, &[]);
    add(proc.path(), US, 1, None, &[]);
    proc
}

fn add(proc: &Path, pid: u32, parent: u32, mark: Option<&str>, sockets: &[u64]) {
    let process = proc.join(pid.to_string());
    fs::create_dir_all(process.join("fd")).unwrap();
    fs::create_dir_all(process.join(format!("task/{pid}"))).unwrap();
    fs::write(process.join("comm"), "nginx\n").unwrap();
    let stat = format!("{pid} (x) S {parent} {pid} {pid} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {pid} 0");
    fs::write(process.join("stat"), stat).unwrap();
    let environment = mark.map(|mark| format!("A=1\0MAINSTAY_RUN={mark}\0")).unwrap_or_default();
    fs::write(process.join("environ"), environment).unwrap();
    symlink("/dev/null", process.join("fd/0")).unwrap();
    for inode in sockets {
        symlink(format!("socket:[{inode}]"), process.join(format!("fd/{inode}"))).unwrap();
    }
}

fn found(proc: &Path) -> Whose {
    Proc(proc).whose("127.0.0.1:80".parse().unwrap(), &run(), US).unwrap()
}

fn run() -> Root {
    let (run, mark, main_state) = (RunId(7), "web.7".to_owned(), MainState::There);
    Root { run, mark: mark.into(), output: None, main: MAIN, leader: MAIN, main_state, user: None }
}

fn stranger(pid: u32) -> Whose {
    Whose::Foreign(Listener { pid: Some(pid), command: Some("nginx".to_owned()), user: None })
}

fn unseen_stranger() -> Whose {
    Whose::Foreign(Listener { user: Some(5), ..Listener::default() })
}

/// It does not show any more what it has.
fn hide(proc: &Path, pid: u32) {
    fs::remove_dir_all(proc.join(format!("{pid}/fd"))).unwrap();
}

#[test]
fn a_listener_is_its_own_when_it_descends_from_the_main_process_has_its_mark_or_is_in_its_control_group() {
    let proc_with_child = proc();
    add(proc_with_child.path(), MAIN, US, Some("web.7"), &[]);
    fs::write(proc_with_child.path().join("10/task/10/children"), "11 ").unwrap();
    add(proc_with_child.path(), 11, MAIN, None, &[77]);
    assert_eq!(found(proc_with_child.path()), Whose::Own);
    let with_mark = proc();
    add(with_mark.path(), 12, US, Some("web.7"), &[77]);
    assert_eq!(found(with_mark.path()), Whose::Own);
    let in_group = proc();
    add(in_group.path(), 12, 1, None, &[77]);
    fs::write(in_group.path().join("12/cgroup"), "0::/system.slice/mainstay.2/web.7/sub\n").unwrap();
    assert_eq!(found(in_group.path()), Whose::Own);
}

#[test]
fn a_stranger_or_another_service_is_named() {
    let proc_of_stranger = proc();
    add(proc_of_stranger.path(), 20, 1, None, &[77]);
    assert_eq!(found(proc_of_stranger.path()), stranger(20));
    let with_a_copied_mark = proc();
    add(with_a_copied_mark.path(), 20, 1, Some("web.7"), &[77]);
    assert_eq!(found(with_a_copied_mark.path()), stranger(20));
    let other_service = proc();
    add(other_service.path(), 21, US, Some("other.3"), &[77]);
    assert_eq!(found(other_service.path()), stranger(21));
}

#[test]
fn what_a_process_of_another_service_or_user_says_of_itself_is_no_evidence() {
    let of_another_service = proc();
    add(of_another_service.path(), 12, US, Some("web.7"), &[77]);
    assert_eq!(found(of_another_service.path()), Whose::Own);
    fs::write(of_another_service.path().join("12/cgroup"), "0::/system.slice/mainstay.2/other.8\n").unwrap();
    assert_eq!(found(of_another_service.path()), stranger(12));
    let of_another_user = proc();
    add(of_another_user.path(), 12, US, Some("web.7"), &[77]);
    let user = Proc(of_another_user.path()).user(12).unwrap();
    let whose = |user| {
        let run = Root { user: Some(user), ..run() };
        Proc(of_another_user.path()).whose("127.0.0.1:80".parse().unwrap(), &run, US).unwrap()
    };
    assert_eq!((whose(user), whose(user + 1)), (Whose::Own, stranger(12)));
}

#[test]
fn what_the_kernel_hands_down_counts_where_the_environment_was_cleared() {
    let tagged = proc();
    add(tagged.path(), 12, US, None, &[77]);
    let limits = |run: u64| format!("Max realtime timeout  {0}  {0}  us\n", 1u64 << 62 | run);
    fs::write(tagged.path().join("12/limits"), limits(7)).unwrap();
    assert_eq!(found(tagged.path()), Whose::Own);
    fs::write(tagged.path().join("12/limits"), limits(8)).unwrap();
    assert_eq!(found(tagged.path()), Whose::Unknown);
    fs::write(tagged.path().join("12/cgroup"), "0::/system.slice/mainstay.2/other.8\n").unwrap();
    assert_eq!(found(tagged.path()), stranger(12), "it is in the control group of another service");
}

#[test]
fn a_control_group_of_the_same_name_in_another_place_is_no_evidence() {
    let proc = proc();
    add(proc.path(), 20, 1, None, &[77]);
    fs::write(proc.path().join("20/cgroup"), "0::/user.slice/web.7\n").unwrap();
    assert_eq!(found(proc.path()), stranger(20));
}

#[test]
fn where_it_cannot_be_told_it_is_not_called_foreign() {
    // An orphan of some service, without its mark.
    let orphan = proc();
    add(orphan.path(), 22, US, None, &[77]);
    assert_eq!(found(orphan.path()), Whose::Unknown);
    // Another machine answers, say (RFC 5737).
    let elsewhere = Proc(proc().path()).whose("192.0.2.9:80".parse().unwrap(), &run(), US).unwrap();
    assert_eq!(elsewhere, Whose::Unknown);
}

#[test]
fn where_nothing_listens_any_more_nobody_is_believed() {
    let proc = proc();
    fs::write(proc.path().join("net/tcp"), "").unwrap();
    assert_eq!(found(proc.path()), Whose::Nobody);
}

#[test]
fn who_is_not_seen_is_foreign_when_everybody_of_the_run_shows_what_he_has() {
    let proc = proc();
    assert_eq!(found(proc.path()), unseen_stranger());
    add(proc.path(), MAIN, US, Some("web.7"), &[]);
    add(proc.path(), 11, MAIN, None, &[]);
    add(proc.path(), 20, 1, None, &[]);
    // A program of another service that has become another user's, as sudo(8) does.
    add(proc.path(), 30, US, Some("other.3"), &[]);
    add(proc.path(), 31, 30, None, &[]);
    for pid in [1, 20, 31] {
        hide(proc.path(), pid);
    }
    assert_eq!(found(proc.path()), unseen_stranger());
    hide(proc.path(), 11);
    assert_eq!(found(proc.path()), Whose::Unknown);
    fs::remove_dir_all(proc.path().join("11")).unwrap();
    assert_eq!(found(proc.path()), unseen_stranger());
    add(proc.path(), 12, US, None, &[]);
    hide(proc.path(), 12);
    assert_eq!(found(proc.path()), Whose::Unknown, "an orphan of whichever service");
}

#[test]
fn who_is_not_seen_is_not_called_foreign_where_other_users_are_hidden_altogether() {
    let proc = proc();
    fs::remove_dir_all(proc.path().join("1")).unwrap();
    assert_eq!(found(proc.path()), Whose::Unknown);
}

#[test]
fn one_of_the_run_whose_main_thread_has_ended_may_have_it_and_one_that_has_ended_has_nothing() {
    let proc = proc();
    add(proc.path(), MAIN, US, Some("web.7"), &[]);
    fs::remove_file(proc.path().join("10/fd/0")).unwrap();
    let stat = |threads: u32| {
        let text = format!("10 (x) Z {US} 10 10 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 10 0");
        fs::write(proc.path().join("10/stat"), text).unwrap();
    };
    stat(2);
    assert_eq!(found(proc.path()), Whose::Unknown);
    stat(1);
    assert_eq!(found(proc.path()), unseen_stranger());
}

#[test]
fn a_child_that_has_not_executed_its_program_yet_is_not_named_for_what_its_parent_has() {
    let with_child = proc();
    add(with_child.path(), 20, 1, None, &[77]);
    // Numbers begin again from the smallest when there are no larger ones.
    add(with_child.path(), 19, 20, None, &[77]);
    assert_eq!(found(with_child.path()), stranger(20));
    // One that was handed its socket by somebody who has not got it any more has it alone.
    let handed_on = proc();
    add(handed_on.path(), 19, 20, None, &[77]);
    add(handed_on.path(), 20, 1, None, &[]);
    assert_eq!(found(handed_on.path()), stranger(19));
}

#[test]
fn one_who_lets_go_of_it_while_he_is_looked_at_is_not_named_by_what_he_becomes() {
    let proc = proc();
    add(proc.path(), 19, 1, None, &[77]);
    let (process, comm) = (proc.path().join("19"), proc.path().join("19/comm"));
    fs::remove_file(&comm).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &comm, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    // Opened when its name is asked for: by then it has executed its program.
    let executes = move || {
        let mut name = fs::OpenOptions::new().write(true).open(comm).unwrap();
        fs::remove_file(process.join("fd/77")).unwrap();
        std::io::Write::write_all(&mut name, b"mainstay\n").unwrap();
    };
    let child = crate::effect::watched::call("child", executes).unwrap();
    assert_eq!(found(proc.path()), unseen_stranger());
    child.blocking_recv().unwrap();
}
