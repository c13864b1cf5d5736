//! From a file or a text to a validated station.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Note, Problems, Report, place};
use crate::model::Station;
use crate::read::{Item, Read as _};
use crate::{lower, schema, syntax};

/// The largest configuration file, in bytes: 1 MiB.
pub const MAX_BYTES: u64 = 1 << 20;

/// The number of `/dev/null`: 1:3 (the kernel's Documentation/admin-guide/devices.txt).
const NULL: u64 = (1 << 8) | 3;

/// A configuration that is right.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The station it describes.
    pub station: Station,
    /// What is accepted but not acted on in this version, each said once.
    pub notes: Vec<Note>,
}

/// Why a configuration file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It could not be opened or read.
    #[error("the configuration {} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is a pipe or a device: reading one may never end.
    #[error("the configuration {} is no regular file", .path.display())]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// It is above [`MAX_BYTES`].
    #[error("the configuration {} is larger than 1 MiB", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is not text.
    #[error("the configuration {} is not UTF-8 text: line {line}, column {column}", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Line of the first wrong byte, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
    },
    /// It can be read, and says something wrong.
    #[error(transparent)]
    Wrong(#[from] Problems),
}

impl LoadError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { source, .. } => match source.kind() {
                std::io::ErrorKind::NotFound => "check the path, or name another file with --config",
                std::io::ErrorKind::PermissionDenied => "let the user that runs mainstay read it",
                std::io::ErrorKind::IsADirectory => "name the file in it",
                _ => "check that it is a readable file",
            },
            Self::NoFile { .. } => "write it into a file, and name that",
            Self::TooLarge { .. } => "check that it is the right file; a configuration is a few kilobytes",
            Self::NotText { .. } => "save it as UTF-8 in the editor",
            Self::Wrong(_) => "correct the problems; each says how",
        }
    }
}

/// Reads and validates a configuration file.
///
/// # Errors
/// When it cannot be read, is no text, is too large, or says something wrong (all of it at once).
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    check_kind(path)?;
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(LoadError::TooLarge { path: path.to_owned() });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let readable = String::from_utf8_lossy(error.as_bytes().get(..good).unwrap_or_default());
        let (line, column, _) = place(&readable, good);
        LoadError::NotText { path: path.to_owned(), line, column }
    })?;
    Ok(parse(&path.display().to_string(), &text)?)
}

/// Whether a path leads to something that can be read to its end. Nothing is opened: to open a pipe waits for whoever writes into it.
///
/// # Errors
/// It is neither a file nor `/dev/null`, which is an empty one.
pub fn check_kind(path: &Path) -> Result<(), LoadError> {
    // What is not there, or a directory, is told of when it is read.
    let Ok(found) = std::fs::metadata(path) else { return Ok(()) };
    let is_null = found.file_type().is_char_device() && found.rdev() == NULL;
    if found.is_file() || found.is_dir() || is_null { Ok(()) } else { Err(LoadError::NoFile { path: path.to_owned() }) }
}

/// Validates the text of a configuration; `file_name` is for messages.
///
/// # Errors
/// All that is wrong with it at once. In a section that is no TOML, only that is said.
pub fn parse(file_name: &str, text: &str) -> Result<Loaded, Problems> {
    let mut report = Report::new(file_name, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    let station = if syntax::is_readable(&errors) {
        station(document.into_inner(), &errors, text, &mut report)
    } else {
        let rest = syntax::rest(text, &errors, &mut report);
        let (document, errors) = DeTable::parse_recoverable(&rest);
        station(document.into_inner(), &errors, &rest, &mut report)
    };
    match report.finish() {
        Ok(notes) => Ok(Loaded { station, notes }),
        Err(mut problems) => {
            problems.run_dir = station.runtime.run_dir;
            Err(problems)
        }
    }
}

fn station(document: DeTable<'_>, errors: &[toml::de::Error], text: &str, report: &mut Report) -> Station {
    syntax::duplicates(errors, text, report);
    let root = DeValue::Table(document);
    let item = Item { value: &root, span: 0..0, path: "" };
    let file = schema::File::read(item, report).unwrap_or_default();
    lower::station(&file, report)
}
