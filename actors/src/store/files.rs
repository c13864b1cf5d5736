//! Both databases, opened and read when mainstay begins.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Error};

use super::database::{self, Kind, Opened};
use super::tables::{self, Subject};
use super::trouble::{Trouble, Troubles};
use crate::message::lasting::{Lasting, Remembered};
use crate::message::lease::Token;

/// Where the kernel says which boot this is (random(4)).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Where the databases are.
#[derive(Debug, Clone)]
pub struct Places {
    /// Of what ends with the boot.
    pub run_dir: PathBuf,
    /// Of what lasts.
    pub state_dir: PathBuf,
}

impl Places {
    /// With all links followed.
    fn resolved(&self) -> Self {
        let resolved = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        Self { run_dir: resolved(&self.run_dir), state_dir: resolved(&self.state_dir) }
    }
}

/// Both databases.
#[derive(Debug)]
pub struct Files {
    places: Places,
    /// Where these led when mainstay last made sure that they lead to what is its own.
    led: Places,
    boot: Option<Base>,
    lasting: Option<Base>,
    /// All that was written down: what is made anew is given it.
    known: BTreeMap<Subject, Lasting>,
    troubles: Troubles,
}

/// A database that is open, and which file that is.
#[derive(Debug)]
struct Base {
    connection: Connection,
    node: Option<(u64, u64)>,
}

impl Files {
    /// Opens both, and reads what an earlier mainstay has written down. May block, as disks do.
    #[must_use]
    pub fn open(places: Places, troubles: Troubles) -> (Self, Remembered) {
        let mut remembered = Remembered::default();
        let is_new = !places.state_dir.join(Kind::Lasting.file()).exists();
        let mut files =
            Self { led: places.resolved(), places, boot: None, lasting: None, known: BTreeMap::new(), troubles };
        let to_read = files.reopen(Kind::Lasting);
        let read = files.lasting.as_ref().map(|base| &base.connection).or(to_read.as_ref());
        let read = read.map(|connection| tables::read_lasting(connection, &mut remembered));
        if !is_new && remembered.tokens == Token(0) {
            // What was given out is not known any more: nobody gives out one in a second all the time.
            remembered.tokens = Token(seconds());
        }
        files.cannot_read(Kind::Lasting, read);
        files.reopen(Kind::Boot);
        let read = files.boot.as_mut().map(|base| tables::read_boot(&mut base.connection, &boot_id(), &mut remembered));
        files.cannot_read(Kind::Boot, read);
        files.known = remembered.words().map(|lasting| (Subject::of(&lasting), lasting)).collect();
        (files, remembered)
    }

    /// From now on they are where the directories lead to now.
    pub(super) fn follow(&mut self) {
        self.led = self.places.resolved();
    }

    fn cannot_read(&self, kind: Kind, read: Option<Result<(), Error>>) {
        if let Some(Err(error)) = read {
            self.troubles.note(kind, Some(Trouble::not_written(self.path(kind), &error)));
        }
    }

    fn directory(&self, kind: Kind) -> &Path {
        match kind {
            Kind::Boot => &self.led.run_dir,
            Kind::Lasting => &self.led.state_dir,
        }
    }

    fn path(&self, kind: Kind) -> PathBuf {
        self.directory(kind).join(kind.file())
    }

    fn base(&mut self, kind: Kind) -> &mut Option<Base> {
        match kind {
            Kind::Boot => &mut self.boot,
            Kind::Lasting => &mut self.lasting,
        }
    }

    /// Opens one, if that can be; gives one that can only be read.
    fn reopen(&mut self, kind: Kind) -> Option<Connection> {
        *self.base(kind) = None;
        let Opened { connection, to_read, trouble } = database::open(kind, self.directory(kind));
        let node = self.node(kind);
        *self.base(kind) = connection.map(|connection| Base { connection, node });
        if let Some(trouble) = trouble {
            self.troubles.note(kind, Some(trouble));
        }
        to_read
    }

    /// Which file is there now.
    fn node(&self, kind: Kind) -> Option<(u64, u64)> {
        std::fs::metadata(self.path(kind)).ok().map(|found| (found.dev(), found.ino()))
    }

    /// Whether it is open, and the next mainstay would find it.
    pub(super) fn is_in_place(&self, kind: Kind) -> bool {
        let base = match kind {
            Kind::Boot => &self.boot,
            Kind::Lasting => &self.lasting,
        };
        base.as_ref().is_some_and(|base| base.node.is_some() && base.node == self.node(kind))
    }

    /// Writes down all of this in one database, or nothing. Whether it was written.
    pub(super) fn write(&mut self, kind: Kind, words: &BTreeMap<Subject, Lasting>) -> Written {
        let words = words.iter().filter(|(subject, _)| subject.kind() == kind);
        let mut words: BTreeMap<Subject, Lasting> =
            words.map(|(subject, lasting)| (subject.clone(), lasting.clone())).collect();
        if !self.is_in_place(kind) {
            self.reopen(kind);
            // It may be an empty one, or one of another time.
            let known = self.known.iter().filter(|(subject, _)| subject.kind() == kind);
            for (subject, lasting) in known {
                words.entry(subject.clone()).or_insert_with(|| lasting.clone());
            }
        }
        let Some(base) = self.base(kind) else { return Written::No };
        match write_all(kind, &mut base.connection, words.values()) {
            Ok(()) => {
                self.known.extend(words);
                self.troubles.note(kind, None);
                Written::Yes
            }
            Err(error) => {
                let trouble = Trouble::not_written(self.path(kind), &error);
                self.troubles.note(kind, Some(trouble));
                *self.base(kind) = None;
                Written::No
            }
        }
    }
}

/// Whether something was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    No,
}

fn write_all<'a>(kind: Kind, connection: &mut Connection, all: impl Iterator<Item = &'a Lasting>) -> Result<(), Error> {
    let transaction = connection.transaction()?;
    if kind == Kind::Boot {
        tables::forget_other_boots(&transaction, &boot_id())?;
    }
    for lasting in all {
        tables::write(&transaction, lasting)?;
    }
    transaction.commit()
}

fn boot_id() -> String {
    std::fs::read_to_string(BOOT_ID).map(|id| id.trim().to_owned()).unwrap_or_default()
}

#[allow(clippy::disallowed_methods, reason = "a number above all that were given out")]
fn seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}
