//! Both databases, opened and read when mainstay begins.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Error};

use super::database::{self, Kind, Opened};
use super::tables;
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

/// Both databases.
#[derive(Debug)]
pub struct Files {
    places: Places,
    boot: Option<Connection>,
    lasting: Option<Connection>,
    troubles: Troubles,
}

impl Files {
    /// Opens both, and reads what an earlier mainstay has written down. May block, as disks do.
    #[must_use]
    pub fn open(places: Places, troubles: Troubles) -> (Self, Remembered) {
        let mut remembered = Remembered::default();
        let is_new = !places.state_dir.join(Kind::Lasting.file()).exists();
        let mut files = Self { places, boot: None, lasting: None, troubles };
        let lasting = files.reopen(Kind::Lasting);
        let read = lasting.connection.as_ref().or(lasting.to_read.as_ref());
        let read = read.map(|connection| tables::read_lasting(connection, &mut remembered));
        if !is_new && remembered.tokens == Token(0) {
            // What was given out is not known any more: nobody gives out one in a second all the time.
            remembered.tokens = Token(seconds());
        }
        files.lasting = lasting.connection;
        files.note(Kind::Lasting, lasting.trouble, read);
        let mut boot = files.reopen(Kind::Boot);
        let read =
            boot.connection.as_mut().map(|connection| tables::read_boot(connection, &boot_id(), &mut remembered));
        files.boot = boot.connection;
        files.note(Kind::Boot, boot.trouble, read);
        (files, remembered)
    }

    fn note(&self, kind: Kind, trouble: Option<Trouble>, read: Option<Result<(), Error>>) {
        let unread = read.and_then(Result::err).map(|error| Trouble::not_written(self.path(kind), &error));
        if let Some(trouble) = unread.or(trouble) {
            self.troubles.note(kind, Some(trouble));
        }
    }

    fn directory(&self, kind: Kind) -> &Path {
        match kind {
            Kind::Boot => &self.places.run_dir,
            Kind::Lasting => &self.places.state_dir,
        }
    }

    fn path(&self, kind: Kind) -> PathBuf {
        self.directory(kind).join(kind.file())
    }

    fn reopen(&self, kind: Kind) -> Opened {
        database::open(kind, self.directory(kind))
    }

    fn connection(&mut self, kind: Kind) -> &mut Option<Connection> {
        match kind {
            Kind::Boot => &mut self.boot,
            Kind::Lasting => &mut self.lasting,
        }
    }

    /// Writes down all of this in one database, or nothing. Whether it was written.
    pub(super) fn write<'a>(&mut self, kind: Kind, all: impl Iterator<Item = &'a Lasting> + Clone) -> Written {
        // Something that clears /run leaves a file without a name, which the next mainstay would not find.
        if !self.path(kind).exists() {
            *self.connection(kind) = None;
        }
        if self.connection(kind).is_none() {
            let Opened { mut connection, trouble, .. } = self.reopen(kind);
            if let (Kind::Boot, Some(connection)) = (kind, &mut connection)
                && let Err(error) = tables::read_boot(connection, &boot_id(), &mut Remembered::default())
            {
                tracing::debug!("{} was made anew and cannot be read: {error}", kind.file());
            }
            *self.connection(kind) = connection;
            if let Some(trouble) = trouble {
                self.troubles.note(kind, Some(trouble));
            }
        }
        let Some(connection) = self.connection(kind) else { return Written::No };
        match write_all(connection, all) {
            Ok(()) => {
                self.troubles.note(kind, None);
                Written::Yes
            }
            Err(error) => {
                let trouble = Trouble::not_written(self.path(kind), &error);
                self.troubles.note(kind, Some(trouble));
                *self.connection(kind) = None;
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

fn write_all<'a>(connection: &mut Connection, all: impl Iterator<Item = &'a Lasting>) -> Result<(), Error> {
    let transaction = connection.transaction()?;
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
