//! Answers from the socket, one line each, bounded in size and time.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::{ClientError, LONGEST_ANSWER};
use crate::protocol::Answer;

/// The lines of one connection.
#[derive(Debug)]
pub(super) struct Lines {
    stream: BufReader<UnixStream>,
}

impl Lines {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// The next answer; `None` when the daemon has closed. Without a deadline it waits for as long as the daemon lives.
    pub(super) fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Answer>, ClientError> {
        let mut line = Vec::new();
        loop {
            self.stream.get_ref().set_read_timeout(left(deadline)?)?;
            let piece = match self.stream.fill_buf() {
                Ok(piece) => piece,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if piece.is_empty() {
                return if line.is_empty() { Ok(None) } else { Err(ClientError::Closed) };
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(piece.len(), |end| end.saturating_add(1));
            line.extend_from_slice(piece.get(..taken).unwrap_or_default());
            self.stream.consume(taken);
            if line.len() > LONGEST_ANSWER {
                return Err(ClientError::TooLong);
            }
            if end.is_some() {
                return serde_json::from_slice(&line).map(Some).map_err(ClientError::NotUnderstood);
            }
        }
    }
}

/// What is left of the time. Never zero, which would mean "for ever".
fn left(deadline: Option<Instant>) -> Result<Option<Duration>, ClientError> {
    let Some(deadline) = deadline else { return Ok(None) };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ClientError::Silent) } else { Ok(Some(left)) }
}
