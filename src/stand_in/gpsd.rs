//! The stand-in for gpsd.

use std::convert::Infallible;
use std::io;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::gpsd_reports::{self as reports, Receiver};
use super::program::{Failure, Program, accept};

const REQUEST_LIMIT: usize = 4 * 1024;
/// A client that does not take its reports for so long is let go.
const WRITE_TIME: Duration = Duration::from_secs(5);
/// As gpsd does: a client that neither watches nor asks is let go.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// What it is told on the command line.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Gpsd {
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = 2947)]
    port: u16,
    /// Receiver that it pretends to read
    #[arg(long)]
    device: String,
}

impl Gpsd {
    pub(super) async fn serve(&self, program: Program) -> Result<Infallible, Failure> {
        let listener = program.listen(self.port, format_args!("reading {} (simulated)", self.device)).await?;
        Ok(serve(listener, self.device.clone()).await)
    }
}

pub(super) async fn serve(listener: TcpListener, device: String) -> Infallible {
    let receiver = Receiver { path: device, activated: SystemTime::now() };
    accept(listener, move |stream| Talk::new(receiver.clone()).hold(stream)).await
}

/// Whether a client gets reports unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watching {
    Yes,
    No,
}

/// What stands behind `?WATCH=`.
#[derive(Deserialize)]
struct Watch {
    #[serde(default = "enabled")]
    enable: bool,
}

fn enabled() -> bool {
    true
}

/// A conversation with one client.
struct Talk {
    receiver: Receiver,
    watching: Watching,
    unfinished: Vec<u8>,
}

impl Talk {
    fn new(receiver: Receiver) -> Self {
        Self { receiver, watching: Watching::No, unfinished: Vec::new() }
    }

    async fn hold(mut self, mut stream: TcpStream) -> io::Result<()> {
        send(&mut stream, &[reports::version()]).await?;
        let mut seconds = every_second();
        let mut piece = [0; 1024];
        loop {
            let reports = tokio::select! {
                biased;
                _ = seconds.tick(), if self.watching == Watching::Yes => {
                    let now = SystemTime::now();
                    vec![self.receiver.tpv(now), self.receiver.sky(now)]
                }
                count = stream.read(&mut piece) => match piece.get(..count?).unwrap_or_default() {
                    [] => return Ok(()),
                    piece => self.hear(piece, SystemTime::now())?,
                },
                () = tokio::time::sleep(IDLE_TIME), if self.watching == Watching::No => return Ok(()),
            };
            send(&mut stream, &reports).await?;
        }
    }

    /// Takes what a client wrote; gives the answers. Requests end with `;` or a line end.
    fn hear(&mut self, piece: &[u8], now: SystemTime) -> io::Result<Vec<String>> {
        let mut answers = Vec::new();
        for byte in piece {
            if matches!(byte, b';' | b'\n') {
                let request = std::mem::take(&mut self.unfinished);
                answers.extend(self.answer(String::from_utf8_lossy(&request).trim(), now));
            } else if self.unfinished.len() < REQUEST_LIMIT {
                self.unfinished.push(*byte);
            } else {
                return Err(io::Error::other("a request without end"));
            }
        }
        Ok(answers)
    }

    fn answer(&mut self, request: &str, now: SystemTime) -> Vec<String> {
        match request.split_once('=').unwrap_or((request, "")) {
            ("", _) => Vec::new(),
            ("?VERSION", _) => vec![reports::version()],
            ("?DEVICES", _) => vec![self.receiver.devices()],
            ("?DEVICE", _) => vec![self.receiver.device()],
            ("?POLL", _) => vec![self.receiver.poll(now)],
            ("?WATCH", "") => vec![self.receiver.devices(), self.watch()],
            ("?WATCH", options) => match serde_json::from_str::<Watch>(options) {
                Ok(watch) => {
                    self.watching = if watch.enable { Watching::Yes } else { Watching::No };
                    vec![self.receiver.devices(), self.watch()]
                }
                Err(error) => vec![reports::error(format!("Invalid WATCH: {error}"))],
            },
            _ => vec![reports::error(format!("Unrecognized request '{request}'"))],
        }
    }

    fn watch(&self) -> String {
        reports::watch(self.watching == Watching::Yes)
    }
}

fn every_second() -> Interval {
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    seconds
}

async fn send(stream: &mut TcpStream, reports: &[String]) -> io::Result<()> {
    let lines: String = reports.iter().map(|report| format!("{report}\r\n")).collect();
    timeout(WRITE_TIME, stream.write_all(lines.as_bytes())).await?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    fn talk() -> Talk {
        Talk::new(Receiver { path: "/dev/ttyACM0".into(), activated: SystemTime::UNIX_EPOCH })
    }

    fn classes(talk: &mut Talk, request: &str) -> Vec<String> {
        let answers = talk.hear(request.as_bytes(), SystemTime::UNIX_EPOCH).unwrap();
        let class = |answer: &String| {
            serde_json::from_str::<serde_json::Value>(answer).unwrap()["class"].as_str().unwrap().to_owned()
        };
        answers.iter().map(class).collect()
    }

    #[test]
    fn requests_are_answered_as_gpsd_does() {
        for (request, expected) in [
            ("?VERSION;\n", vec!["VERSION"]),
            ("?DEVICES;?POLL;", vec!["DEVICES", "POLL"]),
            ("?WATCH={\"enable\":true,\"json\":true};\r\n", vec!["DEVICES", "WATCH"]),
            ("?WATCH={nonsense};", vec!["ERROR"]),
            ("GET / HTTP/1.1\r\n\r\n", vec!["ERROR"]),
            ("?DEVI", vec![]),
            ("\n;\n", vec![]),
        ] {
            assert_eq!(classes(&mut talk(), request), expected, "{request}");
        }
    }

    #[test]
    fn watching_begins_and_ends() {
        let mut talk = talk();
        for (request, expected) in
            [("?WATCH={};", Watching::Yes), ("?WATCH;", Watching::Yes), ("?WATCH={\"enable\":false};", Watching::No)]
        {
            classes(&mut talk, request);
            assert_eq!(talk.watching, expected, "{request}");
        }
    }

    #[test]
    fn a_request_may_come_in_pieces_but_not_without_end() {
        let mut talk = talk();
        assert!(classes(&mut talk, "?DEV").is_empty());
        assert_eq!(classes(&mut talk, "ICES;"), ["DEVICES"]);
        assert!(talk.hear(&[b'x'; REQUEST_LIMIT + 1], SystemTime::UNIX_EPOCH).is_err());
    }

    proptest! {
        #[test]
        fn no_request_can_crash_it(request in prop::collection::vec(any::<u8>(), 0..200), options in "\\PC{0,50}") {
            let _ = talk().hear(&request, SystemTime::UNIX_EPOCH);
            let _ = talk().hear(format!("?WATCH={options};").as_bytes(), SystemTime::UNIX_EPOCH);
        }
    }
}
