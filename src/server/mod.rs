//! The daemon's side of the socket: takes one question per connection, asks the station, writes the answers.
//!
//! It runs on a thread of its own, `control`, so that neither a slow caller nor a flood of them takes time from the
//! actors. Everything is bounded: connections, the length of a question, the time to send one, to answer it and to take
//! the answer.

mod connection;
mod peer;
mod seats;
mod socket;

use std::convert::Infallible;
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures::future::BoxFuture;
use mainstay_actors::effect::socket_file::SocketName;
use mainstay_actors::effect::watched::{self, Lost, Watched};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub(crate) use peer::Peer;
pub(crate) use socket::ServerError;

use crate::protocol::{Answer, Request, TraceRequest};
use peer::Gate;
use seats::{Admission, Bounds, Phase, SeatId, Seats};

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
    /// Of these, callers of one user, unless that is root or the daemon's own.
    pub(crate) of_one_user: usize,
    /// Of all, callers who follow traces, so that they cannot keep everybody else out.
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
            of_one_user: 16,
            followers: 32,
            request: 64 * 1024,
            request_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(20),
            taken_within: Duration::from_secs(10),
        }
    }
}

/// The thread's name.
const NAME: &str = "control";
/// The name of what attends to one caller.
const CALLER: &str = "caller";
/// How long callers have to take their answers when the server ends.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The pause after a connection could not be accepted (no descriptors left), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The running server. Dropping it stops it and removes the socket.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    renewals: mpsc::Sender<Renewal>,
}

/// Asks for a new socket in the place of one that was removed.
type Renewal = oneshot::Sender<Result<(), ServerError>>;

/// What the server listens on.
struct Door {
    listener: UnixListener,
    name: SocketName,
}

impl Door {
    /// Within the runtime that serves it.
    fn new((listener, name): (StdListener, SocketName)) -> Result<Self, ServerError> {
        Ok(Self { listener: UnixListener::from_std(listener).map_err(ServerError::Thread)?, name })
    }

    /// The same anew, unless the socket is still there.
    fn renew(&mut self, gate: Gate) -> Result<(), ServerError> {
        if !self.name.is_there() {
            *self = Self::new(socket::bind(self.name.path(), gate.group())?)?;
        }
        Ok(())
    }
}

/// The seats, and the way in which whoever sits there is told to go: this is dropped.
type SharedSeats = Arc<Mutex<Seats<oneshot::Sender<Infallible>>>>;

/// Those who are attended to. One of whom that panics gets no answer.
type Callers = JoinSet<Result<(), Lost>>;

/// A caller's own seat. Dropping it leaves it.
struct Seat {
    id: SeatId,
    seats: SharedSeats,
}

impl Seat {
    fn reach(&self, phase: Phase) {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner).reach(self.id, phase);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner).leave(self.id);
    }
}

/// A runtime that may be dropped also where actors run: no thread could be started for it.
struct Leaving(Option<tokio::runtime::Runtime>);

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
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
        // Before there is a runtime: one that is dropped where actors run is a panic.
        let bound = socket::bind(socket, gate.group())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(ServerError::Thread)?;
        let runtime = Leaving(Some(runtime));
        // Here and not on the thread: where nobody can be answered, mainstay does not begin.
        let door = {
            let _within = runtime.0.as_ref().map(tokio::runtime::Runtime::enter);
            Door::new(bound)?
        };
        let (stop, stopped) = watch::channel(());
        let shared = Arc::new(connection::Shared {
            station,
            gate,
            limits,
            followers: Arc::new(Semaphore::new(limits.followers)),
            stopped,
        });
        let (renewals, renew) = mpsc::channel(1);
        let work = move || {
            let Some(runtime) = &runtime.0 else { return };
            runtime.block_on(serve(door, renew, shared));
        };
        let thread = watched.thread(NAME, work).map_err(ServerError::Thread)?;
        Ok(Self { stop: Some(stop), thread: Some(thread), renewals })
    }

    /// Makes the socket anew, if it is no longer there. Callers who are being attended to stay.
    ///
    /// # Errors
    /// As for [`Server::start`].
    pub(crate) async fn renew(&self) -> Result<(), ServerError> {
        let (answer, answered) = oneshot::channel();
        let gone = || ServerError::Thread(std::io::ErrorKind::BrokenPipe.into());
        self.renewals.send(answer).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Takes no more callers, lets those that are being answered finish (a second at most), removes the socket.
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

async fn serve(mut door: Door, mut renew: mpsc::Receiver<Renewal>, shared: Arc<connection::Shared>) {
    let Limits { connections, of_one_user, .. } = shared.limits;
    let bounds = Bounds { all: connections, each: of_one_user, first: shared.gate.first() };
    let seats: SharedSeats = Arc::new(Mutex::new(Seats::new(bounds)));
    let mut stopped = shared.stopped.clone();
    let mut callers = Callers::new();
    loop {
        let accepted = tokio::select! {
            biased;
            // The sender never sends; it is dropped when the server ends.
            _ = stopped.changed() => break,
            Some(_) = callers.join_next() => continue,
            Some(answer) = renew.recv() => {
                // Whoever asked may be ending.
                let _ = answer.send(door.renew(shared.gate));
                continue;
            }
            accepted = door.listener.accept() => accepted,
        };
        watched::perhaps_panic(NAME);
        match accepted {
            Ok((stream, _)) => receive(stream, &seats, &shared, &mut callers),
            Err(error) => {
                tracing::warn!(%error, "a caller could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        // So that a question that has arrived already is read before its caller counts as silent.
        tokio::task::yield_now().await;
    }
    let finished = async { while callers.join_next().await.is_some() {} };
    // Whoever has not finished by then is cut off with the runtime.
    let _ = tokio::time::timeout(LAST_WORDS, finished).await;
}

/// Gives a caller a seat, and attends to it until it is done or has to make room.
fn receive(mut stream: UnixStream, seats: &SharedSeats, shared: &Arc<connection::Shared>, callers: &mut Callers) {
    // Whoever cannot be known is gone.
    let Ok(peer) = Peer::of(&stream) else { return };
    let (caller, told_to_go) = oneshot::channel();
    let admission = seats.lock().unwrap_or_else(PoisonError::into_inner).admit(peer.uid, caller);
    let Admission::Seat(id, _gone) = admission else { return connection::turn_away(&stream) };
    let (seat, shared) = (Seat { id, seats: Arc::clone(seats) }, Arc::clone(shared));
    watched::serve_in(callers, CALLER, async move {
        let must_go = tokio::select! {
            biased;
            () = connection::attend(&mut stream, peer, &seat, &shared) => false,
            _ = told_to_go => true,
        };
        if must_go {
            connection::turn_away(&stream);
        }
    });
}

#[cfg(test)]
mod tests;
