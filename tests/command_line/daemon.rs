//! A daemon that takes one question and gives canned answers.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// It ends after its answers.
pub(crate) struct CannedDaemon {
    // Removed when this is dropped.
    _dir: tempfile::TempDir,
    socket: PathBuf,
    thread: JoinHandle<String>,
}

impl CannedDaemon {
    /// Listens, and answers the first question with these lines.
    pub(crate) fn start(answers: Vec<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("canned.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut question).unwrap();
            for answer in answers {
                writeln!(stream, "{answer}").unwrap();
            }
            question.trim_end().to_owned()
        });
        Self { _dir: dir, socket, thread }
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// What it was asked.
    pub(crate) fn asked(self) -> String {
        self.thread.join().unwrap()
    }
}
