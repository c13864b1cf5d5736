//! The daemon's side of the socket: takes one question per connection, asks the station, writes the answers.
//!
//! It runs on a thread of its own, `control`, so that neither a slow caller nor a flood of them takes time from the
//! actors. Everything is bounded: connections, the length of a question, the time to send one, to answer it and to take
//! the answer.

mod connection;
mod peer;
mod socket;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures::future::BoxFuture;
use mainstay_actors::effect::watched::{self, Watched};
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

pub(crate) use peer::Peer;
pub(crate) use socket::ServerError;

use crate::protocol::{Answer, Request, TraceRequest};
use peer::Gate;

/// What the server asks: the running station.
pub(crate) trait Station: Send + Sync + 'static {
    /// Answers one question of a caller who may operate the station. `Trace` with `follow` never comes this way.
    fn answer(&self, request: Request, peer: Peer) -> BoxFuture<'static, Answer>;

    /// Traces as they happen; the channel closes when there will be no more. A caller who takes too long is cut off by
    /// the server, so the sender may drop what does not fit but must not wait without bound.
    fn follow(&self, request: TraceRequest) -> mpsc::Receiver<Answer>;
}

/// The server's bounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Callers at the same time.
    pub(crate) connections: usize,
    /// Of these, callers who follow traces, so that they cannot keep everybody else out.
    pub(crate) followers: usize,
    /// Bytes of a question.
    pub(crate) request: usize,
    /// Time to send the question.
    pub(crate) request_within: Duration,
    /// Time for the station to answer. Below the client's patience, so that it is told.
    pub(crate) answer_within: Duration,
    /// Time to take one answer.
    pub(crate) taken_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            followers: 32,
            request: 64 * 1024,
            request_within: Duration::from_secs(10),
            answer_within: Duration::from_secs(20),
            taken_within: Duration::from_secs(10),
        }
    }
}

/// The thread's name.
const NAME: &str = "control";
/// How long callers have to take their answers when the server ends.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The pause after a connection could not be accepted (no descriptors left), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The running server. Dropping it stops it and removes the socket.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Binds `socket` and serves `station` on the thread `control`. The caller owns the run directory (see `instance`),
    /// so a socket that is there and on which nobody listens is a dead one and replaced.
    ///
    /// # Errors
    /// When the socket cannot be made, somebody listens on it, or the thread cannot be started.
    pub(crate) fn start(
        socket: &Path,
        station: Arc<dyn Station>,
        limits: Limits,
        watched: &Watched,
    ) -> Result<Self, ServerError> {
        let gate = Gate::of_system();
        let (listener, file) = socket::bind(socket, gate.group())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(ServerError::Thread)?;
        let (stop, stopped) = watch::channel(());
        let shared = Arc::new(connection::Shared {
            station,
            gate,
            limits,
            followers: Arc::new(Semaphore::new(limits.followers)),
            stopped,
        });
        let listener = {
            let _entered = runtime.enter();
            UnixListener::from_std(listener).map_err(ServerError::Thread)?
        };
        let work = move || {
            runtime.block_on(serve(&listener, shared));
            drop(file);
        };
        let thread = watched.thread(NAME, work).map_err(ServerError::Thread)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Takes no more callers, lets those that are being answered finish (a second at most), removes the socket.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that answers the command line panicked");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

async fn serve(listener: &UnixListener, shared: Arc<connection::Shared>) {
    let slots = Arc::new(Semaphore::new(shared.limits.connections));
    let mut stopped = shared.stopped.clone();
    let mut callers = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            // The sender never sends; it is dropped when the server ends.
            _ = stopped.changed() => break,
            Some(_) = callers.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        watched::perhaps_panic(NAME);
        match (accepted, Arc::clone(&slots).try_acquire_owned()) {
            (Ok((stream, _)), Ok(slot)) => {
                let shared = Arc::clone(&shared);
                callers.spawn(async move {
                    connection::attend(stream, &shared).await;
                    drop(slot);
                });
            }
            (Ok((stream, _)), Err(_)) => connection::turn_away(&stream),
            (Err(error), _) => {
                tracing::warn!(%error, "a caller could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    let finished = async { while callers.join_next().await.is_some() {} };
    // Whoever has not finished by then is cut off with the runtime.
    let _ = tokio::time::timeout(LAST_WORDS, finished).await;
}

#[cfg(test)]
mod tests;
