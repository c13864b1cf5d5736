//! One database: opened, brought to the newest schema, set aside when it is damaged.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use super::trouble::Trouble;

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// What is true until the next boot.
    Boot,
    /// What is true for good.
    Lasting,
}

impl Kind {
    /// Its name in its directory.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Boot => "state.db",
            Self::Lasting => "mainstay.db",
        }
    }

    /// What brings it from each version to the next. A new one is of version 0.
    fn migrations(self) -> &'static [&'static str] {
        match self {
            Self::Boot => &["CREATE TABLE boot (id TEXT NOT NULL) STRICT;
                CREATE TABLE radio (device TEXT PRIMARY KEY, before TEXT NOT NULL) STRICT, WITHOUT ROWID;"],
            Self::Lasting => {
                &["CREATE TABLE wanted (service TEXT PRIMARY KEY, wanted TEXT NOT NULL) STRICT, WITHOUT ROWID;
                CREATE TABLE tokens (up_to INTEGER NOT NULL) STRICT;"]
            }
        }
    }

    /// A power cut may cost the last word on what ends with the boot anyway, and nothing else.
    fn synchronous(self) -> &'static str {
        match self {
            Self::Boot => "OFF",
            Self::Lasting => "FULL",
        }
    }
}

/// An old mainstay that is just ending may still hold it.
const BUSY: Duration = Duration::from_millis(500);

/// What came of opening one.
pub(super) struct Opened {
    /// It can be read and written.
    pub(super) connection: Option<Connection>,
    /// It can be read, and no more.
    pub(super) to_read: Option<Connection>,
    /// What is wrong.
    pub(super) trouble: Option<Trouble>,
}

/// Opens one; begins a new one where there is none, or where it was damaged.
pub(super) fn open(kind: Kind, directory: &Path) -> Opened {
    let path = directory.join(kind.file());
    match try_open(kind, &path) {
        Ok(connection) => Opened { connection: Some(connection), to_read: None, trouble: None },
        Err(Wrong::Damaged(why)) => match set_aside(&path) {
            Ok(kept) => {
                let (connection, wrong) = match try_open(kind, &path) {
                    Ok(connection) => (Some(connection), None),
                    Err(wrong) => (None, Some(wrong.into_trouble(&path))),
                };
                let trouble = wrong.unwrap_or(Trouble::SetAside { kept, why });
                Opened { connection, to_read: None, trouble: Some(trouble) }
            }
            Err(error) => {
                let why = format!("it is damaged ({why}), and cannot be moved away: {error}");
                let trouble = Trouble::NotWritten { path, code: None, why };
                Opened { connection: None, to_read: None, trouble: Some(trouble) }
            }
        },
        Err(Wrong::Sqlite(error)) => {
            let to_read = only_to_read(&path).ok();
            Opened { connection: None, to_read, trouble: Some(Trouble::not_written(path, &error)) }
        }
        Err(wrong) => Opened { connection: None, to_read: None, trouble: Some(wrong.into_trouble(&path)) },
    }
}

/// Why one cannot be used.
enum Wrong {
    Damaged(String),
    Newer { version: i64, known: i64 },
    Sqlite(Error),
}

impl Wrong {
    fn into_trouble(self, path: &Path) -> Trouble {
        let path = path.to_owned();
        match self {
            Self::Damaged(why) => Trouble::NotWritten { path, code: None, why },
            Self::Newer { version, known } => Trouble::Newer { path, version, known },
            Self::Sqlite(error) => Trouble::not_written(path, &error),
        }
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}

fn try_open(kind: Kind, path: &Path) -> Result<Connection, Wrong> {
    // SQLite would make it readable for everybody.
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| match (&made, error) {
        (Err(io), error) if io.kind() == io::ErrorKind::StorageFull => full(error),
        (_, error) => error,
    })?;
    connection.busy_timeout(BUSY)?;
    // EXCLUSIVE before WAL: then no memory is shared with others, and there is no -shm file.
    let settings = format!(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = {};
         PRAGMA cache_size = -64; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;
         PRAGMA journal_size_limit = 65536; PRAGMA wal_autocheckpoint = 16; PRAGMA trusted_schema = OFF;",
        kind.synchronous()
    );
    connection.execute_batch(&settings)?;
    let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if sound != "ok" {
        return Err(Wrong::Damaged(sound));
    }
    migrate(kind, &mut connection)?;
    Ok(connection)
}

/// Brings it to the newest schema, or leaves it as it was.
fn migrate(kind: Kind, connection: &mut Connection) -> Result<(), Wrong> {
    let steps = kind.migrations();
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let done = match usize::try_from(version) {
        Ok(done) if version <= known => done,
        _ => return Err(Wrong::Newer { version, known }),
    };
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    if version < known {
        for step in steps.iter().skip(done) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", known)?;
    }
    Ok(transaction.commit()?)
}

/// What this kind of error is when the disk is full: SQLite only says that it cannot open the file.
fn full(error: Error) -> Error {
    match error {
        Error::SqliteFailure(mut failure, words) => {
            failure.code = ErrorCode::DiskFull;
            Error::SqliteFailure(failure, words)
        }
        error => error,
    }
}

/// On a disk that is read-only: nobody changes it there.
fn only_to_read(path: &Path) -> Result<Connection, Error> {
    let path = path.to_str().ok_or_else(|| Error::InvalidPath(path.to_owned()))?;
    let escaped: String = path
        .chars()
        .map(|letter| match letter {
            '?' => "%3f".to_owned(),
            '#' => "%23".to_owned(),
            '%' => "%25".to_owned(),
            letter => letter.to_string(),
        })
        .collect();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
}

/// Moves it away with what belongs to it, in place of what was moved there before.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let with = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let kept = with(path, ".damaged");
    for part in ["-wal", "-shm"] {
        match std::fs::rename(with(path, part), with(&kept, part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(path, &kept)?;
    Ok(kept)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whatever_version_a_database_is_of_it_is_brought_to_the_newest_and_a_newer_one_is_left_alone() {
        for kind in [Kind::Boot, Kind::Lasting] {
            for version in 0..=kind.migrations().len() {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join(kind.file());
                let old = Connection::open(&path).unwrap();
                for step in &kind.migrations()[..version] {
                    old.execute_batch(step).unwrap();
                }
                old.pragma_update(None, "user_version", version as i64).unwrap();
                drop(old);
                let opened = open(kind, directory.path());
                assert_eq!(opened.trouble, None, "{kind:?} {version}");
                let connection = opened.connection.unwrap();
                let newest: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
                assert_eq!(newest, kind.migrations().len() as i64);
                connection.pragma_update(None, "user_version", 1000).unwrap();
                drop(connection);
                let before = std::fs::read(&path).unwrap();
                let opened = open(kind, directory.path());
                assert!(matches!(opened.trouble, Some(Trouble::Newer { version: 1000, .. })), "{kind:?}");
                assert!(opened.connection.is_none() && opened.to_read.is_none());
                assert_eq!(std::fs::read(&path).unwrap(), before, "it was changed");
            }
        }
    }
}
