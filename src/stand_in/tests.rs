//! The real readiness checks against the stand-ins, and how they meet a taken port.

#![allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use futures::future::{FutureExt, LocalBoxFuture};
use mainstay_actors::action::not_ready::CommandFailure;
use mainstay_actors::action::probe::{Own, ProbeEvent, ProbeOrder, ProbeTarget, Sight};
use mainstay_actors::action::process::{Exit, Invocation, RunId, SpawnFailure};
use mainstay_actors::effect::probe::exec::RunCommand;
use mainstay_actors::effect::probe::{LogEnd, Probes};
use mainstay_actors::effect::watched::Watched;
use mainstay_config::names::ServiceName;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::program::Program;
use super::*;

struct NoCommands;

impl RunCommand for NoCommands {
    fn run(
        &self,
        _checked: &ServiceName,
        _command: Invocation,
        _time: Duration,
    ) -> LocalBoxFuture<'static, Result<Exit, CommandFailure>> {
        futures::future::err(CommandFailure::NotStarted(SpawnFailure::NoProgram)).boxed_local()
    }
}

fn on_one_thread(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async { tokio::time::timeout(Duration::from_secs(60), test).await };
    tokio::task::LocalSet::new().block_on(&runtime, bounded).expect("the test hangs");
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// What the real probe says first.
async fn probe(target: ProbeTarget) -> ProbeEvent {
    let (say, mut heard) = mpsc::unbounded_channel();
    let probes = Probes::new(PathBuf::new(), Rc::new(NoCommands), Watched::new().0, move |_run, event| {
        let _ = say.send(event);
    });
    let (interval, timeout) = (Duration::from_secs(1), Duration::from_secs(20));
    let service = ServiceName::new("stand-in").unwrap();
    let own = Own { service, pid: std::process::id(), ports: BTreeSet::new() };
    probes.watch(ProbeOrder { run: RunId(1), target, interval, timeout, own }, LogEnd::default());
    heard.recv().await.unwrap()
}

#[test]
fn the_check_for_gpsd_finds_its_stand_in_ready() {
    on_one_thread(async {
        let (listener, port) = listener().await;
        tokio::spawn(gpsd::serve(listener, "/dev/ttyACM0".into()));
        let expected = Sight::Gpsd { release: "3.25-stand-in".into(), device: "/dev/ttyACM0".into() };
        assert_eq!(probe(ProbeTarget::Gpsd { port }).await, ProbeEvent::Ready(expected));
    });
}

#[test]
fn who_watches_the_stand_in_for_gpsd_gets_reports_until_it_stops() {
    on_one_thread(async {
        let (listener, port) = listener().await;
        tokio::spawn(gpsd::serve(listener, "/dev/ttyACM0".into()));
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        stream.write_all(b"?WATCH={\"enable\":true,\"json\":true};\n").await.unwrap();
        for expected in ["VERSION", "DEVICES", "WATCH", "TPV", "SKY", "TPV", "SKY"] {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            let report: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(report["class"], expected);
        }
    });
}

#[test]
fn the_check_for_kismet_finds_its_stand_in_ready_with_and_without_credentials() {
    on_one_thread(async {
        let (listener, port) = listener().await;
        let station = kismet::Station { interface: "wlan2".into(), started: SystemTime::now() };
        tokio::spawn(http::serve(listener, move |path| station.page(path, SystemTime::now())));
        let answers = probe(ProbeTarget::Kismet { port, credentials: None }).await;
        assert!(matches!(&answers, ProbeEvent::Ready(Sight::Kismet(_))), "{answers:?}");
        let login = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(login.path(), "httpd_username=pi\nhttpd_password=secret\n").unwrap();
        let credentials = Some(login.path().to_owned());
        let expected = ProbeEvent::Ready(Sight::KismetSource("wlan2".into()));
        assert_eq!(probe(ProbeTarget::Kismet { port, credentials }).await, expected);
    });
}

#[test]
fn the_pages_of_the_other_stand_ins_are_there() {
    on_one_thread(async {
        let (listener, port) = listener().await;
        tokio::spawn(http::serve(listener, |path| openwebrx::page(path, "88c869dc2b5c8d1b", SystemTime::now())));
        for (path, ready) in [("", true), ("status.json", true), ("metrics", true), ("nothing", false)] {
            let seen = probe(ProbeTarget::Http { url: format!("http://127.0.0.1:{port}/{path}") }).await;
            assert_eq!(matches!(seen, ProbeEvent::Ready(_)), ready, "/{path}: {seen:?}");
        }
    });
    assert_eq!(wigletotak::page("/start_broadcast"), http::Page::not_found());
    assert_ne!(wigletotak::page("/list_wigle_files"), http::Page::not_found());
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    on_one_thread(async {
        let (_taken, port) = listener().await;
        let error = Program("gpsd").listen(port, "").await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot listen on 127.0.0.1:{port}: the port is in use; ")), "{error}");
    });
}
