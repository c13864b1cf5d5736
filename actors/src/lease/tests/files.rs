//! Files, by what they are; and conflicts.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::renewing::{MUST_WAIT, renew};
use super::*;
use crate::cause::Resource;
use mainstay_config::paths::FileIdentity;
use mainstay_hardware::error::NoAnswer;

fn file(path: &str) -> Want {
    Want::Other(Resource::File(path.into()))
}

/// What is looked at, and by which operation.
fn look(bench: &Bench) -> (OperationId, BTreeSet<PathBuf>) {
    let look = |act: &Action| match act {
        Action::LookAtFiles(operation, paths) => Some((*operation, paths.clone())),
        _ => None,
    };
    bench.acts.iter().find_map(look).expect("nothing is looked at")
}

impl Bench {
    /// Every path is the file after its last slash.
    fn files_seen(&mut self, (operation, paths): (OperationId, BTreeSet<PathBuf>)) -> &mut Self {
        let identity = |path: PathBuf| {
            let real = path.file_name().unwrap().into();
            (path, FileIdentity { path: real, node: None, rest: PathBuf::new() })
        };
        self.tell(LeaseMessage::FilesSeen(operation, Ok(paths.into_iter().map(identity).collect())))
    }
}

#[test]
fn a_file_has_one_holder_however_it_is_spelled() {
    let mut bench = Bench::new();
    let first = look(bench.ask("a", vec![file("/x/db")]));
    assert_eq!(bench.files_seen(first).served(), ["a"]);
    // Until it is looked at, the other spelling seems free.
    let second = look(bench.ask("b", vec![file("/link/db"), exclusive("x")]));
    assert_eq!(second.1, BTreeSet::from(["/link/db".into(), "/x/db".into()]));
    assert!(bench.files_seen(second).served().is_empty());
    assert_eq!(bench.heard("b").last().map(String::as_str), Some("Queued: wait for /link/db: held by a"));
    assert!(bench.ask("c", vec![exclusive("x")]).served().is_empty(), "nobody overtakes");
    let again = look(bench.release("a"));
    assert_eq!(bench.files_seen(again).served(), ["b"]);
}

#[test]
fn of_two_for_whom_one_file_is_made_ready_at_once_the_first_has_it() {
    let mut bench = Bench::new();
    let first = look(bench.ask("a", vec![file("/x/db")]));
    let second = look(bench.ask("b", vec![file("/link/db")]));
    assert!(bench.files_seen(second).served().is_empty());
    assert_eq!(bench.heard("b").last().map(String::as_str), Some("Queued: wait for /link/db: a comes first"));
    assert_eq!(bench.files_seen(first).served(), ["a"]);
}

#[test]
fn a_file_that_could_not_be_looked_at_is_given_to_nobody_until_it_could() {
    let mut bench = Bench::new();
    let first = look(bench.ask("a", vec![file("/x/db")]));
    assert_eq!(bench.files_seen(first).served(), ["a"]);
    let second = look(bench.ask("b", vec![file("/link/db"), exclusive("x")]));
    bench.tell(LeaseMessage::FilesSeen(second.0, Err(NoAnswer::FilesHang)));
    assert!(bench.served().is_empty(), "it is the same file by another name");
    let waits = "Queued: wait for /link/db: which file that is could not be looked at: \
                 earlier looks at files hang; is a disk or share gone?";
    assert_eq!(bench.heard("b"), [waits]);
    assert_eq!(bench.ask("c", vec![exclusive("x")]).heard("c"), ["Queued: wait for x: b comes first"]);
    let again = LeaseTimer::LookAgain(name("b").into());
    let second = look(bench.tell(LeaseMessage::Timer(again.clone())));
    bench.tell(LeaseMessage::FilesSeen(second.0, Err(NoAnswer::Late(Duration::from_secs(5)))));
    assert!(bench.served().is_empty());
    assert_eq!(bench.timers, std::slice::from_ref(&again), "it is tried for as long as it takes");
    let second = look(bench.tell(LeaseMessage::Timer(again)));
    bench.files_seen(second);
    assert_eq!(bench.heard("b").last().map(String::as_str), Some("Queued: wait for /link/db: held by a"));
    let second = look(bench.release("a"));
    assert_eq!(bench.files_seen(second).served(), ["b"]);
}

#[test]
fn who_waits_until_a_file_can_be_looked_at_does_not_lose_his_patience() {
    let mut bench = Bench::new();
    let request = LeaseRequest { timeout: Some(PATIENCE), ..request("a", vec![file("/x/db")]) };
    let first = look(bench.tell(LeaseMessage::Request(request)));
    bench.tell(LeaseMessage::FilesSeen(first.0, Err(NoAnswer::FilesHang)));
    bench.tell(LeaseMessage::Timer(LeaseTimer::Wait(name("a").into())));
    assert!(bench.heard("a").is_empty(), "{:?}", bench.heard("a"));
}

#[test]
fn a_conflict_is_shown_as_one() {
    let apart = || Want::Other(Resource::conflict(&name("a"), &name("b")));
    let mut bench = Bench::new();
    assert_eq!(bench.ask("a", vec![apart()]).served(), ["a"]);
    bench.ask("b", vec![apart()]);
    assert_eq!(bench.heard("b"), ["Queued: wait for a: it runs, and conflicts with b"]);
    bench.ask("c", vec![Want::Other(Resource::Named("custom/either-a-or-b".to_owned()))]);
    assert_eq!(bench.served(), ["c"], "no name of a user's is a conflict");
    bench.tell(LeaseMessage::Idle(name("a").into()));
    assert_eq!(bench.heard("a"), ["Revoked: b waits, which conflicts with it"]);
}

#[test]
fn who_is_restarted_gives_back_a_file_that_is_by_now_anothers() {
    let mut bench = Bench::new();
    for (name, path) in [("a", "/link/db"), ("b", "/x/other")] {
        let seen = look(bench.ask(name, vec![file(path)]));
        assert_eq!(bench.files_seen(seen).served(), [name]);
    }
    let again = |bench: &mut Bench, leads_to: &str| {
        let (operation, _) = look(bench.tell(renew("a", vec![file("/link/db")])));
        let identity = FileIdentity { path: leads_to.into(), node: None, rest: PathBuf::new() };
        bench.tell(LeaseMessage::FilesSeen(operation, Ok([("/link/db".into(), identity)].into()))).heard("a")
    };
    let goes_on = "Renewed: it can use again what it holds with token 1";
    assert_eq!(again(&mut bench, "db"), [goes_on]);
    assert_eq!(again(&mut bench, "new-db"), [MUST_WAIT], "nobody has that: by a new grant, with a new token, he can");
    assert_eq!(again(&mut bench, "other"), [MUST_WAIT]);
    bench.release("a").ask("a", vec![file("/link/db")]);
    assert_eq!(bench.heard("a").last().map(String::as_str), Some("Queued: wait for /link/db: held by b"));
}

#[test]
fn who_is_restarted_keeps_its_files_when_they_cannot_be_looked_at() {
    let mut bench = Bench::new();
    let seen = look(bench.ask("a", vec![file("/x/db")]));
    bench.files_seen(seen);
    let (operation, _) = look(bench.tell(renew("a", vec![file("/x/db")])));
    bench.tell(LeaseMessage::FilesSeen(operation, Err(NoAnswer::FilesHang)));
    assert_eq!(bench.heard("a"), ["Renewed: it can use again what it holds with token 1"]);
}
