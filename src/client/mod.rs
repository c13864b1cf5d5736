//! Asking the daemon: one JSON line there, one (or, when following, many) back, over a blocking Unix socket.

mod connect;
mod error;
mod line;

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) use connect::answers;
pub(crate) use error::{ClientError, Looked};

use crate::places::{Access, RunDir, SOCKET_NAME, Surroundings};
use crate::protocol::{Answer, Request};
use line::Lines;

/// The longest answer, bytes. The server keeps to it as well.
pub(crate) const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// How long the daemon may take to answer. It answers that it is busy long before.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a daemon may listen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    socket: PathBuf,
    access: Access,
}

/// What a configuration says of where its daemon is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Configured {
    /// Nothing; or there is none.
    Nowhere,
    /// In this run directory, or wherever else one is.
    In(PathBuf),
    /// In this run directory: another daemon is not meant.
    Only(PathBuf),
    /// It cannot be read: why.
    Unknown(String),
}

/// Finds the daemon and talks to it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    uid: u32,
    places: Vec<Place>,
    /// Why a place that is configured may not be among them.
    unread: Option<String>,
    patience: Duration,
}

impl Client {
    /// Looks at `socket` only, if one is given; else in the run directory of the configuration, if that is known, and
    /// wherever a daemon of these surroundings may be.
    pub(crate) fn new(socket: Option<PathBuf>, configured: Configured, surroundings: &Surroundings) -> Self {
        let anywhere = || surroundings.places().into_iter().map(Place::of);
        let in_dir = |run_dir| Place::of(RunDir::configured(run_dir));
        let (places, unread) = match (socket, configured) {
            (Some(socket), _) => (vec![Place { socket, access: Access::Everybody }], None),
            (None, Configured::Only(run_dir)) => (vec![in_dir(run_dir)], None),
            (None, Configured::In(run_dir)) => (std::iter::once(in_dir(run_dir)).chain(anywhere()).collect(), None),
            (None, Configured::Nowhere) => (anywhere().collect(), None),
            (None, Configured::Unknown(why)) => (anywhere().collect(), Some(why)),
        };
        Self { uid: surroundings.uid, places, unread, patience: PATIENCE }
    }

    /// Asks once.
    ///
    /// # Errors
    /// When no daemon answers in time, or not in words that this version understands.
    pub(crate) fn ask(&self, request: &Request) -> Result<Answer, ClientError> {
        let deadline = Instant::now().checked_add(self.patience);
        let stream = self.send(request)?;
        Lines::new(stream).next(deadline)?.ok_or(ClientError::Closed)
    }

    /// Asks for answers as they happen, without end: until the daemon ends.
    ///
    /// # Errors
    /// When no daemon answers. The iterator yields why an answer could not be read, and ends with the daemon.
    pub(crate) fn follow(
        &self,
        request: &Request,
    ) -> Result<impl Iterator<Item = Result<Answer, ClientError>> + use<>, ClientError> {
        let mut lines = Lines::new(self.send(request)?);
        Ok(std::iter::from_fn(move || lines.next(None).transpose()))
    }

    fn send(&self, request: &Request) -> Result<UnixStream, ClientError> {
        let mut line = serde_json::to_vec(request).map_err(ClientError::NotUnderstood)?;
        line.push(b'\n');
        let mut stream = connect::first(&self.places, self.uid, self.patience)
            .map_err(|error| error.with_unread(self.unread.as_deref()))?;
        match stream.write_all(&line) {
            // A daemon that refuses whoever asks may answer and close before it has read the question.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(stream),
            other => other.map(|()| stream).map_err(ClientError::from),
        }
    }
}

impl Place {
    fn of(dir: RunDir) -> Self {
        Self { socket: dir.path.join(SOCKET_NAME), access: dir.access }
    }
}

#[cfg(test)]
mod tests;
