//! One look at a service, for each kind of probe.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use mainstay_config::names::ServiceName;

use super::blocking::{Blocking, Threads};
use super::connect::Door;
use super::exec::RunCommand;
use super::gpsd::GpsdLook;
use super::http::{Getter, HttpUrl};
use super::kismet::KismetLook;
use super::log_file::LogReader;
use super::log_text::Seen;
use super::progress::Progress;
use super::words::plain;
use crate::action::not_ready::{Awaited, NotReady};
use crate::action::probe::{ProbeTarget, Sight};
use crate::action::process::{Exit, Invocation};
use crate::effect::process::keeper::{LogEnd, log_path};

/// What is looked at, with all that is kept between two looks.
pub(super) enum Look {
    Tcp(Door),
    Http(Getter),
    Exec(Rc<dyn RunCommand>, ServiceName, Invocation),
    File(PathBuf, Blocking<io::Result<()>>),
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
    reading: Blocking<Result<Sight, NotReady>>,
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
                Err(bad) => Self::Never(NotReady::BadUrl(bad)),
            },
            ProbeTarget::Exec { service, command } => {
                Self::Exec(Rc::clone(commands), service.clone(), Invocation::clone(command))
            }
            ProbeTarget::File { path } => Self::File(path.clone(), Blocking::new(threads)),
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
    pub(super) async fn look(&mut self, progress: &Progress, timeout: Duration) -> Result<Sight, NotReady> {
        match self {
            Self::Tcp(door) => Ok(Sight::TakesConnections(door.open(progress).await?.place)),
            Self::Http(getter) => http(getter, progress).await,
            Self::Exec(commands, service, command) => exec(&**commands, service, command, progress, timeout).await,
            Self::File(path, stat) => file(path, stat, progress).await,
            Self::Log(log) => log.look(progress).await,
            Self::Gpsd(gpsd) => gpsd.look(progress).await,
            Self::Kismet(kismet) => kismet.look(progress).await,
            Self::Never(reason) => Err(reason.clone()),
        }
    }
}

async fn http(getter: &mut Getter, progress: &Progress) -> Result<Sight, NotReady> {
    let answer = getter.get(None, progress).await?;
    let seen = match answer.status.code {
        200..=399 => Ok(Sight::HttpAnswer { url: getter.url().to_owned(), status: answer.status.clone() }),
        _ => Err(answer.refused()),
    };
    answer.drain();
    seen
}

async fn exec(
    commands: &dyn RunCommand,
    service: &ServiceName,
    command: &Invocation,
    progress: &Progress,
    timeout: Duration,
) -> Result<Sight, NotReady> {
    let words = plain(&command.argv.join(" "), 120);
    progress.to(Awaited::Command(words.clone()));
    match commands.run(service, command.clone(), timeout).await {
        Ok(Exit::Code(0)) => Ok(Sight::CommandSaysYes(words)),
        Ok(exit) => Err(NotReady::CommandSaysNo { command: words, exit }),
        Err(failure) => Err(NotReady::CommandFailed { command: words, failure }),
    }
}

async fn file(path: &Path, stat: &mut Blocking<io::Result<()>>, progress: &Progress) -> Result<Sight, NotReady> {
    let target = path.to_owned();
    progress.to(Awaited::File(target.clone()));
    match stat.run(move || fs::metadata(target).map(drop)).await? {
        Ok(()) => Ok(Sight::FileExists(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(NotReady::NoFile(path.to_owned())),
        Err(error) => Err(NotReady::FileUnreadable { path: path.to_owned(), error: error.into() }),
    }
}

impl LogLook {
    fn new(path: PathBuf, text: &str, since: LogEnd, threads: &Threads) -> Self {
        let reader = Arc::new(Mutex::new(LogReader::new(path.clone(), text, since)));
        Self { path, text: text.to_owned(), reader, reading: Blocking::new(threads) }
    }

    async fn look(&mut self, progress: &Progress) -> Result<Sight, NotReady> {
        progress.to(Awaited::File(self.path.clone()));
        let (reader, path, text) = (Arc::clone(&self.reader), self.path.clone(), plain(&self.text, 100));
        // One look at once: the lock is never waited for.
        let read = move || match reader.lock().unwrap_or_else(PoisonError::into_inner).look() {
            Ok(Seen::Yes) => Ok(Sight::Logged(text)),
            Ok(Seen::No) => Err(unkept(&path).unwrap_or(NotReady::NotLogged(text))),
            Err(error) => Err(NotReady::FileUnreadable { path, error: error.into() }),
        };
        self.reading.run(read).await?
    }
}

/// What keeps the log from being written, where that can be seen: the text may have been said all the same.
fn unkept(log: &Path) -> Option<NotReady> {
    let folder = log.parent()?;
    let error = match rustix::fs::statvfs(folder) {
        Ok(disk) if disk.f_bfree == 0 => rustix::io::Errno::NOSPC,
        Ok(_) => return None,
        Err(error) => error,
    };
    Some(NotReady::NotKept { folder: folder.to_owned(), error: error.into() })
}
