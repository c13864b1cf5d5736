//! One caller: a question, and the answer.

use std::sync::Arc;

use futures::FutureExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::peer::{Gate, Peer, supplementary_groups};
use super::seats::Phase;
use super::{Limits, Seat, Station};
use crate::client::LONGEST_ANSWER;
use crate::protocol::{Answer, ErrorCode, Request};

/// What all callers share.
pub(super) struct Shared {
    pub(super) station: Arc<dyn Station>,
    pub(super) gate: Gate,
    pub(super) limits: Limits,
    pub(super) followers: Arc<Semaphore>,
    /// Changes (its sender goes) when the server ends.
    pub(super) stopped: watch::Receiver<()>,
}

/// Why a conversation ends early. The caller is gone or may as well be, so nobody is told.
struct CallerLost;

/// Serves one caller to the end.
pub(super) async fn attend(stream: &mut UnixStream, peer: Peer, seat: &Seat, shared: &Shared) {
    if converse(stream, peer, seat, shared).await.is_err() {
        tracing::debug!("a caller went away before the end of the answer");
    }
}

/// Tells a caller that there are too many, without waiting for it to read.
pub(super) fn turn_away(stream: &UnixStream) {
    let answer = Answer::error(ErrorCode::Busy, "too many commands at once", "try again in a moment");
    // A line this short fits into the buffer of a new socket.
    let _ = stream.try_write(&line(&answer));
}

async fn converse(stream: &mut UnixStream, peer: Peer, seat: &Seat, shared: &Shared) -> Result<(), CallerLost> {
    let limits = shared.limits;
    if !shared.gate.admits(peer, supplementary_groups) {
        let help = "join the group with `sudo usermod -aG mainstay $USER` and log in again, or use sudo";
        let message = "only root, the daemon's own user and the group `mainstay` may operate it";
        return send(stream, &Answer::error(ErrorCode::Forbidden, message, help), limits).await;
    }
    let request = match read_request(stream, limits).await? {
        Ok(request) => request,
        Err(answer) => return send(stream, &answer, limits).await,
    };
    match request {
        Request::Trace(trace) if trace.follow => match Arc::clone(&shared.followers).try_acquire_owned() {
            Ok(_place) => {
                seat.reach(Phase::Following);
                follow(stream, shared.station.follow(trace), shared).await
            }
            Err(_) => {
                let answer =
                    Answer::error(ErrorCode::Busy, "too many commands follow traces", "end one of them and try again");
                send(stream, &answer, limits).await
            }
        },
        request => {
            seat.reach(Phase::Answering);
            let answer = ask(request, peer, shared).await;
            send(stream, &answer, limits).await
        }
    }
}

/// One line, or the answer to what was no question.
async fn read_request(stream: &mut UnixStream, limits: Limits) -> Result<Result<Request, Answer>, CallerLost> {
    let bound = u64::try_from(limits.request).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    // The line end does not count.
    let mut reader = BufReader::new(stream.take(bound.saturating_add(1)));
    match timeout(limits.request_within, reader.read_until(b'\n', &mut bytes)).await {
        Err(_) => return Ok(Err(bad_request("the question did not arrive in time"))),
        Ok(Err(_)) => return Err(CallerLost),
        Ok(Ok(0)) => return Err(CallerLost),
        Ok(Ok(_)) => {}
    }
    if bytes.len() > limits.request && bytes.last() != Some(&b'\n') {
        return Ok(Err(bad_request("the question is too long")));
    }
    Ok(serde_json::from_slice(&bytes).map_err(|why| bad_request(&format!("the question cannot be understood: {why}"))))
}

/// Asks the station, bounded, whatever it does.
async fn ask(request: Request, peer: Peer, shared: &Shared) -> Answer {
    let asked = async { shared.station.answer(request, peer).await };
    let asked = std::panic::AssertUnwindSafe(asked).catch_unwind();
    match timeout(shared.limits.answer_within, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Answer::error(
            ErrorCode::Refused,
            "the daemon failed on this question; it goes on",
            "look at what the daemon says, and please report it",
        ),
        Err(_) => Answer::error(ErrorCode::Busy, "the daemon is too busy to answer", "try again in a moment"),
    }
}

/// Passes answers on until there are no more, the caller goes, or the server ends.
async fn follow(
    stream: &mut UnixStream,
    mut answers: mpsc::Receiver<Answer>,
    shared: &Shared,
) -> Result<(), CallerLost> {
    let mut stopped = shared.stopped.clone();
    loop {
        let mut ignored = [0; 64];
        let answer = tokio::select! {
            biased;
            _ = stopped.changed() => return Ok(()),
            // Nothing more is expected from a follower: this is how its end is noticed.
            read = stream.read(&mut ignored) => match read {
                Ok(0) | Err(_) => return Err(CallerLost),
                Ok(_) => continue,
            },
            answer = answers.recv() => answer,
        };
        match answer {
            Some(answer) => send(stream, &answer, shared.limits).await?,
            None => return Ok(()),
        }
    }
}

async fn send(stream: &mut UnixStream, answer: &Answer, limits: Limits) -> Result<(), CallerLost> {
    match timeout(limits.taken_within, stream.write_all(&line(answer))).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(CallerLost),
    }
}

/// The answer as a line; another one if it is longer than the client takes.
fn line(answer: &Answer) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(answer).unwrap_or_default();
    if bytes.is_empty() || bytes.len() >= LONGEST_ANSWER {
        let refused = Answer::error(
            ErrorCode::Refused,
            "the answer is too long",
            "ask for less, such as one trace by its number",
        );
        bytes = serde_json::to_vec(&refused).unwrap_or_default();
    }
    bytes.push(b'\n');
    bytes
}

fn bad_request(message: &str) -> Answer {
    Answer::error(ErrorCode::BadRequest, message, "use the version of mainstay that the daemon was started from")
}
