#![allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use super::*;
use crate::error::Told;
use crate::exit::ExitStatus;

fn place(socket: &Path) -> Place {
    Place { socket: socket.to_owned(), access: Access::Everybody }
}

fn client(places: Vec<Place>) -> Client {
    Client { uid: rustix::process::geteuid().as_raw(), places, unread: None, patience: Duration::from_secs(20) }
}

/// Answers one question with these bytes, however many the client takes.
fn answering(socket: &Path, answer: Vec<u8>) -> std::thread::JoinHandle<()> {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut byte = [0];
        while stream.read(&mut byte).unwrap() == 1 && byte != *b"\n" {}
        let _ = stream.write_all(&answer);
    })
}

#[test]
fn the_first_place_where_a_daemon_answers_wins() {
    let dir = tempfile::tempdir().unwrap();
    let dead = dir.path().join("dead");
    drop(UnixListener::bind(&dead).unwrap());
    let live = dir.path().join("live");
    let daemon = answering(&live, b"{\"done\":{\"said\":[\"here\"],\"trace\":null}}\n".to_vec());
    let places = vec![place(&dir.path().join("none")), place(&dead), place(&live)];
    let answer = client(places).ask(&Request::Status).unwrap();
    assert_eq!(answer, Answer::Done { said: vec!["here".to_owned()], trace: None });
    daemon.join().unwrap();
}

#[test]
fn a_directory_of_somebody_else_is_not_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let _listener = UnixListener::bind(&socket).unwrap();
    let mut client = client(vec![Place { socket, access: Access::Owner }]);
    client.uid += 1;
    let Err(ClientError::NoDaemon { looked, .. }) = client.ask(&Request::Status) else { panic!("it was used") };
    assert!(matches!(&looked[0].1, Looked::NotTrusted(_)), "{looked:?}");
}

#[test]
fn a_daemon_that_does_not_answer_is_not_waited_for_without_end() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let listener = UnixListener::bind(&socket).unwrap();
    let mut client = client(vec![place(&socket)]);
    client.patience = Duration::from_millis(50);
    let silent = client.ask(&Request::Status).unwrap_err();
    assert!(matches!(silent, ClientError::Silent));
    let told = Told::from(silent);
    assert_eq!((told.message.as_str(), told.status), ("the mainstay daemon does not answer", ExitStatus::NoDaemon));
    assert!(told.help.unwrap().contains("ps -C mainstay"));
    // Nobody takes callers until the queue is full: even connecting has a bound then.
    let mut waiting = Vec::new();
    rustix::net::listen(&listener, 0).unwrap();
    let stuck = std::iter::repeat_with(|| connect::first(&client.places, client.uid, client.patience))
        .take(5000)
        .find_map(|tried| tried.map(|stream| waiting.push(stream)).err());
    let Some(ClientError::NoDaemon { looked, .. }) = stuck else { panic!("the queue has no end") };
    assert!(matches!(looked[0].1, Looked::Stuck), "{looked:?}");
}

#[test]
fn an_answer_without_end_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let daemon = answering(&socket, vec![b' '; LONGEST_ANSWER + 1024 * 1024]);
    assert!(matches!(client(vec![place(&socket)]).ask(&Request::Status), Err(ClientError::TooLong)));
    daemon.join().unwrap();
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let daemon = answering(&socket, b"{\"status\":{\"serv".to_vec());
    assert!(matches!(client(vec![place(&socket)]).ask(&Request::Status), Err(ClientError::Closed)));
    daemon.join().unwrap();
}

#[test]
fn who_may_not_connect_is_told_which_group_may() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let _listener = UnixListener::bind(&socket).unwrap();
    let told = |mode| {
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(mode)).unwrap();
        Told::from(ClientError::denied(socket.clone()))
    };
    let (with_group, alone) = (told(0o660), told(0o600));
    assert_eq!(with_group.status, ExitStatus::Refused);
    let groups = mainstay_actors::effect::process::groups::Groups::of_system().unwrap();
    // A container may run the tests in a group that has no name.
    if let Some(name) = groups.name(rustix::process::getegid().as_raw()) {
        assert!(with_group.message.contains(&format!("members of the group `{name}`")), "{}", with_group.message);
        assert!(with_group.help.unwrap().contains("usermod -aG"));
    }
    assert!(alone.message.ends_with("it is for root and its owner"), "{}", alone.message);
}

#[test]
fn a_configuration_that_cannot_be_read_is_named_when_no_daemon_answers() {
    let dir = tempfile::tempdir().unwrap();
    let unread = Some("station.toml: 1 problem".to_owned());
    let client = Client { unread, ..client(vec![place(&dir.path().join("none"))]) };
    let told = Told::from(client.ask(&Request::Status).unwrap_err());
    assert!(told.message.ends_with("which is not known: station.toml: 1 problem"), "{}", told.message);
}

#[test]
fn what_is_no_socket_is_not_taken_for_a_daemon_that_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let Err(ClientError::NoDaemon { looked, .. }) = client(vec![place(dir.path())]).ask(&Request::Status) else {
        panic!("a directory answers")
    };
    assert!(matches!(looked[0].1, Looked::NoSocket), "{looked:?}");
}
