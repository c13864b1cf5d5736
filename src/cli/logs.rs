//! `mainstay logs NAME`: the daemon says where the files are, they are read here.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use mainstay_actors::effect::process::keeper::{Added, Follower, Gap};
use serde::Serialize;

use super::Ended;
use super::args::LogsArgs;
use super::ask::unexpected;
use super::output::{complain, json, print};
use crate::client::Client;
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::logs::{Piece, Pieces, last_lines};
use crate::protocol::{Answer, Request};
use crate::render::text::plain_but_tabs;

/// How often a followed log is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Bytes that are read at once.
const BLOCK: usize = 64 * 1024;

/// One line with `--json`.
#[derive(Debug, Serialize)]
struct LogLine<'a> {
    service: &'a str,
    /// What is not UTF-8 is replaced.
    line: &'a str,
    /// The line was longer than 64 KiB, or not ended yet: the next object goes on with it.
    continues: bool,
}

/// `logs`.
pub(super) fn logs(client: &Client, args: &LogsArgs) -> Result<(), Ended> {
    let (path, why_none) = match client.ask(&Request::Logs { service: args.name.clone() })? {
        Answer::Logs { path, never_started, lost } => (path, (never_started, lost)),
        other => return Err(unexpected(other)),
    };
    let mut printer = Printer { args, pieces: Pieces::default() };
    let unreadable = |error: io::Error| cannot_read(&path, &error);
    let mut files = last_lines(&path, args.lines).map_err(unreadable)?;
    if files.is_empty() && !args.follow {
        return Err(no_log(&args.name, &path, why_none).into());
    }
    for file in &mut files {
        printer.copy(file, &path)?;
    }
    if !args.follow {
        return printer.finish();
    }
    let mut follower = Follower::from(path.clone(), files.pop()).map_err(unreadable)?;
    loop {
        let take = |added: Added<'_>| match added {
            Added::Bytes(bytes) => printer.take(bytes).map_err(Interrupted::Ended),
            Added::Gap(gap) => {
                tell_gap(gap);
                Ok(())
            }
        };
        follower.poll(u64::MAX, take).map_err(|why| match why {
            Interrupted::Io(error) => unreadable(error).into(),
            Interrupted::Ended(ended) => ended,
        })?;
        printer.pause()?;
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn no_log(name: &str, path: &Path, (never_started, lost): (Option<String>, Option<String>)) -> Told {
    if let Some(now) = never_started {
        let said = format!("there is no log of {name} yet: it has not been started since mainstay began");
        return Told::new(ExitStatus::Failed, said).help(format!("{now} `mainstay why {name}` says more"));
    }
    if let Some(why) = lost {
        let said = format!(
            "there is no log of {name}: what it printed cannot be written to {}, and is lost: {why}",
            path.display()
        );
        return Told::new(ExitStatus::Failed, said).help("see `df`, and `ls -ld` on that folder");
    }
    let said = format!("there is no log of {name} yet: {} is not there", path.display());
    Told::new(ExitStatus::Failed, said).help("it has printed nothing")
}

/// Between two lines that are shown others may be missing.
fn tell_gap(gap: Gap) {
    let words = match gap {
        Gap::Emptied => return,
        Gap::RotatedAway => "some lines were rotated away before they could be shown",
        Gap::Unknown => "the log begins anew; nobody knows whether lines in between are missing",
    };
    complain(&Told::new(ExitStatus::Ok, words));
}

/// Why following ended.
enum Interrupted {
    Io(io::Error),
    Ended(Ended),
}

impl From<io::Error> for Interrupted {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Told {
    let told = Told::new(ExitStatus::Failed, format!("{} cannot be read: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::PermissionDenied => told.help(
            "logs are for root, the user that the daemon runs as and members of the group `mainstay`: join it with \
             `sudo usermod -aG mainstay $USER` and log in again, or use sudo",
        ),
        _ => told,
    }
}

/// Prints bytes of a log as lines.
struct Printer<'a> {
    args: &'a LogsArgs,
    pieces: Pieces,
}

impl Printer<'_> {
    fn copy(&mut self, file: &mut File, path: &Path) -> Result<(), Ended> {
        let mut block = vec![0; BLOCK];
        loop {
            match file.read(&mut block) {
                Ok(0) => return Ok(()),
                Ok(read) => self.take(block.get(..read).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(cannot_read(path, &error).into()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let pieces = self.pieces.feed(bytes);
        self.print(&pieces)
    }

    /// Nothing more is there for now: people see an unfinished line (a prompt, a progress display), programs wait for
    /// its end.
    fn pause(&mut self) -> Result<(), Ended> {
        if self.args.json {
            return Ok(());
        }
        let piece = self.pieces.flush();
        self.print(piece.as_slice())
    }

    /// Nothing more will come: the shell's prompt begins on a new line.
    fn finish(mut self) -> Result<(), Ended> {
        match self.pieces.flush() {
            Some(piece) => self.print(&[Piece { ends_line: true, ..piece }]),
            None => Ok(()),
        }
    }

    fn print(&self, pieces: &[Piece]) -> Result<(), Ended> {
        if self.args.json {
            let service = self.args.name.as_str();
            return pieces
                .iter()
                .try_for_each(|piece| json(&LogLine { service, line: &piece.text, continues: !piece.ends_line }));
        }
        let mut text = String::new();
        for piece in pieces {
            // Programs that speak to serial ports end their lines with both.
            let line = if piece.ends_line { piece.text.strip_suffix('\r') } else { None };
            text.push_str(&plain_but_tabs(line.unwrap_or(&piece.text)));
            if piece.ends_line {
                text.push('\n');
            }
        }
        if text.is_empty() { Ok(()) } else { print(&text) }
    }
}
