//! Probes against real sockets, files and a pretended process executor.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod http;
mod radio;
mod watching;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{FutureExt, LocalBoxFuture};
use mainstay_config::names::ServiceName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;

use super::exec::RunCommand;
use super::*;
use crate::action::not_ready::CommandFailure;
use crate::action::probe::{Own, ProbeEvent, ProbeOrder, ProbeTarget};
use crate::action::process::{Exit, Invocation, SpawnFailure};
use crate::effect::process::keeper::log_path;
use crate::effect::watched;
use crate::message::round_trip;

/// Answers commands from a list, then with exit code 0.
#[derive(Default)]
struct PretendedCommands {
    answers: RefCell<VecDeque<Result<Exit, CommandFailure>>>,
    asked: RefCell<Vec<Invocation>>,
}

impl RunCommand for PretendedCommands {
    fn run(
        &self,
        _checked: &ServiceName,
        command: Invocation,
        _timeout: Duration,
    ) -> LocalBoxFuture<'static, Result<Exit, CommandFailure>> {
        self.asked.borrow_mut().push(command);
        let answer = self.answers.borrow_mut().pop_front().unwrap_or(Ok(Exit::Code(0)));
        futures::future::ready(answer).boxed_local()
    }
}

/// Probes, and what they say.
struct Bench {
    probes: Probes,
    commands: Rc<PretendedCommands>,
    heard: mpsc::UnboundedReceiver<(RunId, ProbeEvent)>,
}

impl Bench {
    fn new(log_dir: &Path) -> Self {
        let (say, heard) = mpsc::unbounded_channel();
        let commands = Rc::new(PretendedCommands::default());
        let runner: Rc<dyn RunCommand> = Rc::clone(&commands) as _;
        let probes = Probes::new(log_dir.to_owned(), runner, Watched::new().0, move |run, event| {
            // A test that has seen enough no longer listens.
            let _ = say.send((run, event));
        });
        Self { probes, commands, heard }
    }

    /// Watches as run 1 with short times: a look ends after `timeout` milliseconds.
    fn watch_for(&self, target: ProbeTarget, timeout: u64) {
        let timeout = Duration::from_millis(timeout);
        let since = LogEnd::of(&log_path(&self.probes.log_dir, &ServiceName::new("kismet").unwrap()));
        self.probes.watch(
            ProbeOrder { run: RunId(1), target, interval: Duration::from_millis(20), timeout, own: own(&[]) },
            since,
        );
    }

    /// The next thing said.
    async fn hear(&mut self) -> ProbeEvent {
        let (run, event) = self.heard.recv().await.unwrap();
        assert_eq!(run, RunId(1));
        round_trip::survives(&event);
        event
    }

    async fn hear_not_yet(&mut self) -> String {
        match self.hear().await {
            ProbeEvent::NotYet(why) => why.to_string(),
            ready @ ProbeEvent::Ready(_) => panic!("{ready:?}"),
        }
    }

    /// The next thing said, which is that it is ready.
    async fn hear_sight(&mut self) -> String {
        match self.hear().await {
            ProbeEvent::Ready(sight) => sight.to_string(),
            not_yet @ ProbeEvent::NotYet(_) => panic!("{not_yet:?}"),
        }
    }

    /// Everything until it is ready.
    async fn hear_ready(&mut self) -> String {
        loop {
            if let ProbeEvent::Ready(sight) = self.hear().await {
                return sight.to_string();
            }
        }
    }
}

/// A run of which this test is the main process, with these ports.
fn own(ports: &[u16]) -> Own {
    let service = ServiceName::new("kismet").unwrap();
    Own { service, pid: std::process::id(), ports: ports.iter().copied().collect() }
}

/// Runs a test on the kind of runtime that actors have. Bounded, so that a probe that hangs fails the test.
fn on_actor_thread(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async { tokio::time::timeout(Duration::from_secs(60), test).await };
    tokio::task::LocalSet::new().block_on(&runtime, bounded).expect("the test hangs");
}

/// Says of a target what the first look says.
async fn first_reason(target: ProbeTarget) -> String {
    let mut bench = Bench::new(Path::new("/nonexistent"));
    bench.watch_for(target, 5_000);
    bench.hear_not_yet().await
}

/// A server on a free port of 127.0.0.1 that treats each connection in the same way.
async fn server<F: Future<Output = std::io::Result<()>> + 'static>(
    serve: impl Fn(TcpStream) -> F + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    watched::serve_here("server", async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A connection may break when the probe has seen enough.
            watched::serve_here("server", serve(stream).map(drop));
        }
    });
    place
}

/// A port that is taken, so that no other program listens there, and on which nothing listens.
fn closed_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let place = socket.local_addr().unwrap();
    (socket, place)
}

/// Reads a request head.
async fn request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(request).unwrap())
}

/// A server that answers every GET in the same way and closes.
async fn web_server(response: &'static str) -> SocketAddr {
    server(move |mut stream| async move {
        request(&mut stream).await?;
        stream.write_all(response.as_bytes()).await
    })
    .await
}
