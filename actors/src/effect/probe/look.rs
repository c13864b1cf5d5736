//! One look at a service, for each kind of probe.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use super::connect::Door;
use super::errand::{Errand, Threads};
use super::exec::RunCommand;
use super::gpsd::GpsdLook;
use super::http::{Getter, HttpUrl};
use super::kismet::KismetLook;
use super::log_file::{LogEnd, LogReader};
use super::log_text::Seen;
use super::not_ready::{NotReady, Progress, Stage};
use super::words::plain;
use crate::action::probe::{CheckCommand, ProbeTarget};
use crate::action::process::Exit;
use crate::effect::process::keeper::log_path;

/// What is looked at, with all that is kept between two looks.
pub(super) enum Look {
    Tcp(Door),
    Http(Getter),
    Exec(Rc<dyn RunCommand>, CheckCommand),
    File(PathBuf, Errand<io::Result<()>>),
    Log(LogLook),
    Gpsd(GpsdLook),
    Kismet(KismetLook),
    /// It can never be looked at; the reason.
    Never(NotReady),
}

/// A log, shared with the thread that reads it.
pub(super) struct LogLook {
    path: PathBuf,
    text: String,
    reader: Arc<Mutex<LogReader>>,
    reading: Errand<io::Result<Found>>,
}

impl Look {
    pub(super) fn new(
        target: &ProbeTarget,
        (log_dir, since): (&Path, LogEnd),
        commands: &Rc<dyn RunCommand>,
        threads: &Threads,
    ) -> Self {
        match target {
            ProbeTarget::Tcp { host, port } => Self::Tcp(Door::new(host, *port, threads)),
            ProbeTarget::Http { url } => match HttpUrl::parse(url) {
                Ok(url) => Self::Http(Getter::new(url, threads)),
                Err(bad) => Self::Never(bad.into()),
            },
            ProbeTarget::Exec { command } => Self::Exec(Rc::clone(commands), CheckCommand::clone(command)),
            ProbeTarget::File { path } => Self::File(path.clone(), Errand::new(threads)),
            ProbeTarget::Log { service, contains } => {
                Self::Log(LogLook::new(log_path(log_dir, service), contains, since, threads))
            }
            ProbeTarget::Gpsd { port } => Self::Gpsd(GpsdLook::new(*port, threads)),
            ProbeTarget::Kismet { port, credentials } => {
                KismetLook::new(*port, credentials.clone(), threads).map_or_else(Self::Never, Self::Kismet)
            }
        }
    }

    /// Takes one look; the caller bounds it, and knows from `progress` where it stood.
    pub(super) async fn look(&mut self, progress: &Progress, timeout: Duration) -> Result<String, NotReady> {
        match self {
            Self::Tcp(door) => Ok(format!("{} takes connections", door.open(progress).await?.place)),
            Self::Http(getter) => http(getter, progress).await,
            Self::Exec(commands, command) => exec(&**commands, command, progress, timeout).await,
            Self::File(path, stat) => file(path, stat, progress).await,
            Self::Log(log) => log.look(progress).await,
            Self::Gpsd(gpsd) => gpsd.look(progress).await,
            Self::Kismet(kismet) => kismet.look(progress).await,
            Self::Never(reason) => Err(reason.clone()),
        }
    }
}

async fn http(getter: &mut Getter, progress: &Progress) -> Result<String, NotReady> {
    let answer = getter.get(None, progress).await?;
    let seen = match answer.status.code {
        200..=399 => Ok(format!("{} answered {}", getter.url(), answer.status)),
        _ => Err(answer.refused()),
    };
    answer.drain();
    seen
}

async fn exec(
    commands: &dyn RunCommand,
    command: &CheckCommand,
    progress: &Progress,
    timeout: Duration,
) -> Result<String, NotReady> {
    let words = plain(&command.argv.join(" "), 120);
    progress.to(Stage::Command(words.clone()));
    match commands.run(command.clone(), timeout).await {
        Ok(Exit::Code(0)) => Ok(format!("`{words}` ended with exit code 0")),
        Ok(exit) => Err(NotReady::CommandSaysNo { command: words, exit }),
        Err(failure) => Err(NotReady::CommandFailed { command: words, failure }),
    }
}

async fn file(path: &Path, stat: &mut Errand<io::Result<()>>, progress: &Progress) -> Result<String, NotReady> {
    let target = path.to_owned();
    progress.to(Stage::File(target.clone()));
    match stat.run(move || fs::metadata(target).map(drop)).await? {
        Ok(()) => Ok(format!("{} exists", path.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(NotReady::NoFile(path.to_owned())),
        Err(error) => Err(NotReady::FileUnreadable { path: path.to_owned(), why: error.to_string() }),
    }
}

impl LogLook {
    fn new(path: PathBuf, text: &str, since: LogEnd, threads: &Threads) -> Self {
        let reader = Arc::new(Mutex::new(LogReader::new(path.clone(), text, since)));
        Self { path, text: text.to_owned(), reader, reading: Errand::new(threads) }
    }

    async fn look(&mut self, progress: &Progress) -> Result<String, NotReady> {
        progress.to(Stage::File(self.path.clone()));
        let reader = Arc::clone(&self.reader);
        // One look at once: the lock is never waited for.
        let path = self.path.clone();
        let read = move || {
            let seen = reader.lock().unwrap_or_else(PoisonError::into_inner).look()?;
            Ok(match seen {
                Seen::Yes => Found::Text,
                Seen::No => unkept(&path).map_or(Found::NoText, Found::NotKept),
            })
        };
        match self.reading.run(read).await? {
            Ok(Found::Text) => Ok(format!("its output says `{}`", plain(&self.text, 100))),
            Ok(Found::NotKept(why)) => Err(NotReady::NotKept(why)),
            Ok(Found::NoText) => Err(NotReady::NotLogged(plain(&self.text, 100))),
            Err(error) => Err(NotReady::FileUnreadable { path: self.path.clone(), why: error.to_string() }),
        }
    }
}

/// What a look at a log found.
enum Found {
    Text,
    NoText,
    /// The text may have been said all the same: why.
    NotKept(String),
}

/// What keeps the log from being written, where that can be seen.
fn unkept(log: &Path) -> Option<String> {
    let folder = log.parent()?;
    match rustix::fs::statvfs(folder) {
        Ok(disk) if disk.f_bfree == 0 => Some(format!("the disk of {} is full", folder.display())),
        Ok(_) => None,
        Err(error) => Some(format!("{}: {error}", folder.display())),
    }
}
