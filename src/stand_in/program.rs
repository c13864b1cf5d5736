//! What all stand-ins do alike: say what they do, listen, take a bounded number of connections, fail with a clear message.

use std::fmt::Display;
use std::future::Future;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mainstay_actors::effect::watched;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections at once; further ones wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 32;
/// After an accept that failed for want of descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// Why a stand-in cannot do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(
        "cannot listen on {0}: the port is in use; stop the program that has it (`ss -ltnp` names it), or choose another with --port"
    )]
    PortTaken(SocketAddr),
    #[error("cannot listen on {place}: {error}")]
    Listen { place: SocketAddr, error: io::Error },
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
}

/// A stand-in, by the name of the program that it stands in for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Program(pub(super) &'static str);

impl Program {
    /// Writes a line to standard error.
    pub(super) fn say(self, text: impl Display) {
        // Where nobody takes the output, nobody can be told.
        let _ = writeln!(io::stderr().lock(), "stand-in for {}: {text}", self.0);
    }

    /// Listens on a port of 127.0.0.1; 0 is a free one.
    pub(super) async fn listen(self, port: u16, what: impl Display) -> Result<TcpListener, Failure> {
        let place = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(place).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Failure::PortTaken(place),
            _ => Failure::Listen { place, error },
        })?;
        let place = listener.local_addr().unwrap_or(place);
        self.say(format_args!("listening on {place}, {what}"));
        Ok(listener)
    }
}

/// Serves connections for ever, a bounded number at once.
pub(super) async fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F) -> std::convert::Infallible
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let serving = serve(stream);
                watched::serve("client", async move {
                    // A client that went away is no news.
                    let _ = serving.await;
                    drop(place);
                });
            }
            Err(_no_descriptors) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The time as gpsd and others write it: `2026-11-20T08:00:00.000Z`.
pub(super) fn timestamp(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// Whole seconds since 1970; 0 before.
pub(super) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
