#![allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;

use futures::FutureExt;

use super::*;
use crate::client::{Client, ClientError, Configured};
use crate::fixtures;
use crate::places::Surroundings;
use crate::protocol::{ErrorAnswer, ErrorCode};

/// Answers from the fixtures; some names make it misbehave.
struct FakeStation {
    followers: Mutex<Vec<mpsc::Sender<Answer>>>,
}

impl Station for FakeStation {
    fn answer(&self, request: Request, peer: Peer) -> BoxFuture<'static, Answer> {
        let answer = match request {
            Request::Status => Answer::Status(fixtures::status()),
            Request::Why { name } if name == "sleeper" => return std::future::pending().boxed(),
            Request::Why { name } if name == "bomb" => panic!("asked to"),
            Request::Why { name } if name == "me" => {
                Answer::Done { said: vec![format!("{} {:?}", peer.uid, peer.pid)], trace: None }
            }
            Request::Why { name } if name == "flood" => {
                Answer::Done { said: vec!["x".repeat(crate::client::LONGEST_ANSWER)], trace: None }
            }
            Request::Why { name } if name == "long" => Answer::Done { said: vec!["x".repeat(8 << 20)], trace: None },
            Request::Why { .. } => Answer::Why(fixtures::why()),
            Request::Start { services, .. } => Answer::Done { said: services, trace: Some(43) },
            _ => Answer::Error(ErrorAnswer { code: ErrorCode::Nothing, message: "nothing".to_owned(), help: None }),
        };
        std::future::ready(answer).boxed()
    }

    fn follow(&self, _request: TraceRequest) -> mpsc::Receiver<Answer> {
        let (sender, receiver) = mpsc::channel(4);
        sender.try_send(Answer::Trace(fixtures::trace())).unwrap();
        self.followers.lock().unwrap().push(sender);
        receiver
    }
}

struct Served {
    dir: tempfile::TempDir,
    station: Arc<FakeStation>,
    server: Server,
}

impl Served {
    fn with(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let station = Arc::new(FakeStation { followers: Mutex::default() });
        let server = Server::start(&dir.path().join("s"), station.clone(), limits, &Watched::new().0).unwrap();
        Self { dir, station, server }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    fn client(&self) -> Client {
        Client::new(Some(self.socket()), Configured::Nowhere, &Surroundings::of_this_process())
    }

    fn raw(&self) -> UnixStream {
        let stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }
}

/// Waits until something is so; a minute is for ever.
#[track_caller]
fn eventually(mut is_so: impl FnMut() -> bool) {
    let tries = 6000;
    for _ in 0..tries {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never became so");
}

fn why(name: &str) -> Request {
    Request::Why { name: name.to_owned() }
}

/// The code of the error in what the server sent.
fn code(stream: UnixStream) -> ErrorCode {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    match serde_json::from_str(&line).unwrap() {
        Answer::Error(error) => error.code,
        other => panic!("no error: {other:?}"),
    }
}

fn short() -> Limits {
    let soon = Duration::from_millis(100);
    Limits { request_within: soon, answer_within: soon, taken_within: soon, ..Limits::default() }
}

#[test]
fn what_the_station_says_arrives_unchanged() {
    let served = Served::with(Limits::default());
    let client = served.client();
    assert_eq!(client.ask(&Request::Status).unwrap(), Answer::Status(fixtures::status()));
    assert_eq!(client.ask(&why("openwebrx")).unwrap(), Answer::Why(fixtures::why()));
    let start = Request::Start {
        services: vec!["gpsd".to_owned()],
        needs: mainstay_actors::message::service::NeedsPolicy::Ignore,
    };
    assert_eq!(client.ask(&start).unwrap(), Answer::Done { said: vec!["gpsd".to_owned()], trace: Some(43) });
}

#[test]
fn the_station_knows_who_asks() {
    let served = Served::with(Limits::default());
    let Answer::Done { said, .. } = served.client().ask(&why("me")).unwrap() else { panic!("another answer") };
    let uid = rustix::process::geteuid().as_raw();
    assert_eq!(said, [format!("{uid} {:?}", i32::try_from(std::process::id()).ok())]);
}

#[test]
fn a_thousand_questions_from_many_sides_are_all_answered() {
    let served = Served::with(Limits::default());
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(served.client().ask(&why("x")).unwrap(), Answer::Why(fixtures::why()));
                }
            });
        }
    });
}

#[test]
fn garbage_is_answered_with_bad_request_and_harms_nobody() {
    let served = Served::with(Limits::default());
    let deep = "[".repeat(60_000);
    for garbage in ["hello", "{}", "\"status\" x", "{\"why\":{}}", "\0\0", deep.as_str(), "{\"launch\":{}}"] {
        let mut stream = served.raw();
        stream.write_all(garbage.as_bytes()).unwrap();
        stream.write_all(b"\n").unwrap();
        assert_eq!(code(stream), ErrorCode::BadRequest, "{garbage}");
    }
    assert!(served.client().ask(&Request::Status).is_ok());
}

#[test]
fn a_question_that_is_too_long_is_refused() {
    let served = Served::with(Limits::default());
    let stream = served.raw();
    let mut writer = stream.try_clone().unwrap();
    // The server closes before it has read everything.
    let _ = writer.write_all(&vec![b' '; 65 * 1024]);
    assert_eq!(code(stream), ErrorCode::BadRequest);
}

#[test]
fn a_question_of_the_greatest_length_is_read() {
    let served = Served::with(Limits::default());
    let mut stream = served.raw();
    let mut question = b"\"status\"".to_vec();
    question.resize(64 * 1024, b' ');
    question.push(b'\n');
    stream.write_all(&question).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert_eq!(serde_json::from_str::<Answer>(&line).unwrap(), Answer::Status(fixtures::status()));
}

#[test]
fn callers_who_are_silent_are_told_so_while_others_are_served() {
    let served = Served::with(short());
    let silent = served.raw();
    assert!(served.client().ask(&Request::Status).is_ok());
    assert_eq!(code(silent), ErrorCode::BadRequest);
}

#[test]
fn a_caller_who_does_not_take_his_answer_is_cut_off_and_delays_nobody() {
    let served = Served::with(Limits { connections: 1, ..short() });
    let mut slow = served.raw();
    slow.write_all(b"{\"why\":{\"name\":\"long\"}}\n").unwrap();
    // The only place is free again when the slow one has been cut off.
    eventually(|| served.client().ask(&Request::Status).unwrap() == Answer::Status(fixtures::status()));
    let mut taken = Vec::new();
    let _ = slow.read_to_end(&mut taken);
    assert!(taken.len() < 8 << 20, "it was given everything: {}", taken.len());
}

#[test]
fn callers_who_say_nothing_make_room_and_are_told_to_come_again() {
    let served = Served::with(Limits { connections: 2, ..Limits::default() });
    let (one, two) = (served.raw(), served.raw());
    assert_eq!(served.client().ask(&Request::Status).unwrap(), Answer::Status(fixtures::status()));
    assert_eq!(code(one), ErrorCode::Busy);
    let _three = served.raw();
    let _four = served.raw();
    assert_eq!(code(two), ErrorCode::Busy);
}

#[test]
fn a_thousand_silent_callers_lock_nobody_out() {
    // Both ends are in this process.
    let limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let lifted = rustix::process::Rlimit { current: limits.maximum, ..limits };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, lifted).unwrap();
    let served = Served::with(Limits::default());
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.extend((0..100).map(|_| served.raw()));
        assert_eq!(served.client().ask(&Request::Status).unwrap(), Answer::Status(fixtures::status()));
    }
}

#[test]
fn a_socket_that_was_removed_is_made_anew() {
    let served = Served::with(Limits::default());
    let before = std::fs::symlink_metadata(served.socket()).unwrap();
    futures::executor::block_on(served.server.renew()).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::ino(&before), inode(&served), "it is there: nothing is done");
    std::fs::remove_file(served.socket()).unwrap();
    futures::executor::block_on(served.server.renew()).unwrap();
    assert_eq!(served.client().ask(&Request::Status).unwrap(), Answer::Status(fixtures::status()));
}

#[tokio::test]
async fn a_server_that_cannot_begin_says_so_also_where_actors_run() {
    let served = Served::with(Limits::default());
    let refused = Server::start(&served.socket(), served.station.clone(), Limits::default(), &Watched::new().0);
    assert!(matches!(refused, Err(ServerError::InUse(_))), "{refused:?}");
}

fn inode(served: &Served) -> u64 {
    std::os::unix::fs::MetadataExt::ino(&std::fs::symlink_metadata(served.socket()).unwrap())
}

#[test]
fn a_station_that_hangs_or_panics_costs_only_its_own_caller() {
    let served = Served::with(Limits { answer_within: Duration::from_millis(100), ..Limits::default() });
    let code = |name| match served.client().ask(&why(name)).unwrap() {
        Answer::Error(error) => error.code,
        other => panic!("no error: {other:?}"),
    };
    assert_eq!(code("sleeper"), ErrorCode::Busy);
    assert_eq!(code("bomb"), ErrorCode::Refused);
    assert_eq!(code("flood"), ErrorCode::Refused);
    assert!(served.client().ask(&Request::Status).is_ok());
}

#[test]
fn a_follower_gets_traces_as_they_happen_until_the_daemon_ends() {
    let Served { dir, station, server } = Served::with(Limits::default());
    let client = Client::new(Some(dir.path().join("s")), Configured::Nowhere, &Surroundings::of_this_process());
    let request = Request::Trace(TraceRequest { follow: true, ..TraceRequest::default() });
    let mut answers = client.follow(&request).unwrap();
    assert_eq!(answers.next().unwrap().unwrap(), Answer::Trace(fixtures::trace()));
    station.followers.lock().unwrap()[0].try_send(Answer::Status(fixtures::status())).unwrap();
    assert_eq!(answers.next().unwrap().unwrap(), Answer::Status(fixtures::status()));
    drop(server);
    assert!(answers.next().is_none());
}

#[test]
fn a_follower_who_goes_away_is_noticed_although_nothing_happens() {
    let served = Served::with(Limits { followers: 1, ..Limits::default() });
    let request = Request::Trace(TraceRequest { follow: true, ..TraceRequest::default() });
    let mut answers = served.client().follow(&request).unwrap();
    assert!(answers.next().unwrap().is_ok());
    let Answer::Error(error) = served.client().follow(&request).unwrap().next().unwrap().unwrap() else {
        panic!("two may follow")
    };
    assert_eq!(error.code, ErrorCode::Busy);
    drop(answers);
    eventually(|| served.station.followers.lock().unwrap()[0].is_closed());
}

#[test]
fn the_socket_goes_with_the_server() {
    let Served { dir, server, .. } = Served::with(Limits::default());
    let socket = dir.path().join("s");
    assert!(socket.exists());
    drop(server);
    assert!(!socket.exists());
    let client = Client::new(Some(socket), Configured::Nowhere, &Surroundings::of_this_process());
    assert!(matches!(client.ask(&Request::Status), Err(ClientError::NoDaemon { .. })));
}

#[test]
fn a_server_with_a_caller_in_the_middle_of_his_question_still_ends() {
    let served = Served::with(Limits::default());
    let mut stream = served.raw();
    stream.write_all(b"{\"why\"").unwrap();
    drop(served.server);
    let mut rest = String::new();
    let _ = stream.read_to_string(&mut rest);
    assert_eq!(rest, "");
}
