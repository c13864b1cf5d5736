//! Why something that shall outlive mainstay is not written down, or not known any more, for people.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::ErrorCode;

use super::database::Kind;

/// What is wrong with a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It was damaged and is kept beside; a new one was begun.
    SetAside {
        /// Where it is kept.
        kept: PathBuf,
        /// What is wrong with it, by SQLite's word.
        why: String,
    },
    /// A newer mainstay has written it. It is left alone.
    Newer {
        /// Which it is.
        path: PathBuf,
        /// The version of its schema.
        version: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// It cannot be opened or written now. That is tried again.
    NotWritten {
        /// Which it is.
        path: PathBuf,
        /// The kind of error.
        code: Option<ErrorCode>,
        /// The same in SQLite's words.
        why: String,
    },
}

impl Trouble {
    pub(super) fn not_written(path: PathBuf, error: &rusqlite::Error) -> Self {
        let why = match path.parent() {
            Some(directory) if !directory.exists() => "its directory is gone".to_owned(),
            _ => error.to_string(),
        };
        Self::NotWritten { path, code: error.sqlite_error_code(), why }
    }
}

/// What becomes of it meanwhile.
fn forgotten(kind: Kind) -> &'static str {
    match kind {
        Kind::Boot => "radios are not put back if mainstay is killed",
        Kind::Lasting => "what `start` and `stop` ask for is forgotten when mainstay ends",
    }
}

/// A trouble of one of the databases, in a sentence.
struct Told<'a>(Kind, &'a Trouble);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(kind, trouble) = self;
        let what_is_lost = match kind {
            Kind::Boot => "how radios were before",
            Kind::Lasting => "what the operator last wanted of services",
        };
        match trouble {
            Trouble::SetAside { kept, why } => {
                write!(
                    f,
                    "{what_is_lost} is not known any more: the file was damaged ({why}) and is kept as {}",
                    kept.display()
                )
            }
            Trouble::Newer { path, version, known } => write!(
                f,
                "{} was written by a newer mainstay (version {version}, this one knows {known}) and is left alone: {}; \
                 run the newer one, or move the file away",
                path.display(),
                forgotten(*kind)
            ),
            Trouble::NotWritten { path, code, why } => {
                let why = match code {
                    Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another mainstay uses it",
                    Some(ErrorCode::DiskFull) => "no space is left on its disk",
                    Some(ErrorCode::ReadOnly) => "its disk is read-only",
                    Some(ErrorCode::PermissionDenied) => "this user may not",
                    _ => why,
                };
                write!(f, "{} cannot be written: {why}; until it can, {}", path.display(), forgotten(*kind))
            }
        }
    }
}

/// What is wrong with the databases now, to be asked from any thread.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<Kind, Trouble>>>);

impl Troubles {
    /// All of it, a sentence each.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.iter().map(|(kind, trouble)| Told(*kind, trouble).to_string()).collect()
    }

    /// A database has trouble, or none any more; it is said once in the log.
    pub(super) fn note(&self, kind: Kind, trouble: Option<Trouble>) {
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match &trouble {
            Some(trouble) => troubles.insert(kind, trouble.clone()),
            // That something was lost stays true when all goes well again.
            None if matches!(troubles.get(&kind), Some(Trouble::SetAside { .. })) => return,
            None => troubles.remove(&kind),
        };
        match (before, trouble) {
            (before, Some(trouble)) if before.as_ref() != Some(&trouble) => {
                tracing::warn!("{}", Told(kind, &trouble));
            }
            (Some(_), None) => tracing::info!("{} is written again", kind.file()),
            _ => {}
        }
    }
}
