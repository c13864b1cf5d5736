//! What is wrong with a file, and where: problems, notes, and how both are shown.
//!
//! A problem always names its place, shows the line and says what to write instead. [`Problems`] holds all of them.

mod excerpt;
mod render;
mod report;
mod visible;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

pub(crate) use report::{Later, Report};

crate::words! {
    /// The class of a problem: a stable word for programs that read `check --json`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Code {
        /// The file is not TOML.
        Syntax = "syntax",
        /// A key stands twice.
        DuplicateKey = "duplicate-key",
        /// A key that means nothing.
        UnknownKey = "unknown-key",
        /// A key that must be there is not.
        MissingKey = "missing-key",
        /// Text where a number belongs, and the like.
        WrongType = "wrong-type",
        /// A word, address or id that is not one.
        BadValue = "bad-value",
        /// A name of a device, service, port or variable that is not one.
        BadName = "bad-name",
        /// A number outside its range.
        OutOfRange = "out-of-range",
        /// Not a duration, or one that makes no sense here.
        BadDuration = "bad-duration",
        /// Not a size in bytes.
        BadSize = "bad-size",
        /// A path that depends on the working directory.
        RelativePath = "relative-path",
        /// A command with nothing to run.
        EmptyCommand = "empty-command",
        /// A template that cannot be filled in.
        BadTemplate = "bad-template",
        /// A device that is not configured.
        UnknownDevice = "unknown-device",
        /// A service that is not configured.
        UnknownService = "unknown-service",
        /// A template names a port that the service does not have.
        UnknownPort = "unknown-port",
        /// A key or variable that does not fit the kind of device.
        KindMismatch = "kind-mismatch",
        /// Two things that exclude each other.
        Contradiction = "contradiction",
        /// Services that depend on each other in a circle.
        DependencyCycle = "dependency-cycle",
        /// Two services with the same fixed port.
        PortClash = "port-clash",
        /// Two devices that the same hardware could be.
        Twins = "twins",
        /// More devices or services than mainstay handles.
        TooMany = "too-many",
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its class.
    pub code: Code,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line itself; of one with more than 200 characters those around the column, with `…` where it is cut.
    pub source: String,
    /// The cure: what to write instead.
    pub help: String,
    /// The bytes of the file that are meant; within one line.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// Something to know about a file that is right, such as what this version accepts but does not act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What to know, in a sentence that names all places it is true for.
    pub message: String,
    /// Line of the first place, from 1.
    pub line: usize,
    /// Column of the first place in characters, from 1.
    pub column: usize,
}

/// Whether a report is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With ANSI colours: for a terminal.
    Always,
    /// Plain text: for files, pipes and `NO_COLOR`.
    Never,
}

/// All that is wrong with one file, in the order of its lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {}", count(.list.len() + .left_off))]
pub struct Problems {
    /// The file as the user named it.
    pub file: String,
    /// The problems, at most [`Problems::MOST`].
    pub list: Vec<Problem>,
    /// What else was noticed.
    pub notes: Vec<Note>,
    /// How many further problems were left off.
    pub left_off: usize,
    /// `run_dir` of `[runtime]`, where a daemon that was started with an earlier state of the file may be.
    pub run_dir: Option<PathBuf>,
    text: Arc<str>,
}

impl Problems {
    /// This many problems of one file are shown; further ones are only counted.
    pub const MOST: usize = 100;

    /// The report for people, for lines of `width` columns: every problem with its line, and the number of problems at
    /// the end. Lines of the file are not broken; a long one is cut around the problem.
    #[must_use]
    pub fn render(&self, colour: Colour, width: usize) -> String {
        render::problems(self, colour, width)
    }
}

fn count(problems: usize) -> String {
    crate::counted(problems, "problem", "problems")
}

/// Line and column of a byte of the text, both from 1, and the line itself. Beyond the end: the end.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize, &str) {
    let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (before, after) = text.split_at_checked(offset).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = after.find('\n').map_or(text.len(), |at| offset + at);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.get(start..).unwrap_or("").chars().count() + 1;
    (line, column, text.get(start..end).unwrap_or("").trim_end_matches('\r'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::place;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        assert_eq!(place("a = 1\nß = 2\r\n", 9), (2, 3, "ß = 2"));
        assert_eq!(place("", 0), (1, 1, ""));
        assert_eq!(place("a\n", 99), (2, 1, ""));
    }

    proptest! {
        #[test]
        fn every_offset_has_a_place(text in "(?s).{0,60}", offset in 0usize..300) {
            let (line, column, source) = place(&text, offset);
            prop_assert!(line >= 1 && line <= text.matches('\n').count() + 1);
            prop_assert!(column >= 1 && column <= text.chars().count() + 1);
            prop_assert!(!source.contains('\n'));
        }
    }
}
