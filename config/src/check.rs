//! The pure half of `mainstay check`: what it prints for a file.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::diagnostics::{Colour, Note, Problem};
use crate::load::{LoadError, Loaded, load};

/// What a check found.
#[derive(Debug)]
pub struct Verdict {
    file: String,
    outcome: Result<Loaded, LoadError>,
}

/// Reads and validates a file.
#[must_use]
pub fn check(path: &Path) -> Verdict {
    Verdict { file: path.display().to_string(), outcome: load(path) }
}

/// What `check --json` prints.
#[derive(Debug, Serialize)]
struct Json<'a> {
    file: &'a str,
    ok: bool,
    problems: Vec<JsonProblem<'a>>,
    notes: &'a [Note],
}

/// A problem of a file, or of reading it at all.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum JsonProblem<'a> {
    Of(&'a Problem),
    Reading {
        code: &'static str,
        message: String,
        line: usize,
        column: usize,
        source: &'static str,
        help: &'static str,
    },
}

impl Verdict {
    /// Whether the file can be used.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.outcome.is_ok()
    }

    /// What was found, for those who want to go on with it.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn into_outcome(self) -> Result<Loaded, LoadError> {
        self.outcome
    }

    /// The report for people; ends with a newline.
    #[must_use]
    pub fn render(&self, colour: Colour) -> String {
        let file = &self.file;
        let mut out = String::new();
        // Writing to a String does not fail.
        let _ = match &self.outcome {
            Ok(loaded) => {
                let (services, devices) = (loaded.station.services.len(), loaded.station.devices.len());
                writeln!(out, "{file}: good ({}, {})", many(services, "service"), many(devices, "device"))
            }
            Err(LoadError::Wrong(problems)) => write!(out, "{}", problems.render(colour)),
            Err(error) => writeln!(out, "{error}\n  help: {}", error.help()),
        };
        for note in self.notes() {
            let _ = writeln!(out, "note: {file}:{}:{}: {}", note.line, note.column, note.message);
        }
        out
    }

    /// The report for programs.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let problems = match &self.outcome {
            Ok(_) => Vec::new(),
            Err(LoadError::Wrong(problems)) => problems.list.iter().map(JsonProblem::Of).collect(),
            Err(error) => vec![reading(error)],
        };
        let json = Json { file: &self.file, ok: self.is_ok(), problems, notes: self.notes() };
        // Only maps with keys that are no text and numbers that are not finite cannot be written; here are neither.
        serde_json::to_value(json).unwrap_or_default()
    }

    fn notes(&self) -> &[Note] {
        match &self.outcome {
            Ok(loaded) => &loaded.notes,
            Err(LoadError::Wrong(problems)) => &problems.notes,
            Err(_) => &[],
        }
    }
}

/// A file that could not be read has its problem at its beginning, or at the byte that is not text.
fn reading(error: &LoadError) -> JsonProblem<'static> {
    let (code, line, column) = match error {
        LoadError::TooLarge { .. } => ("too-large", 1, 1),
        LoadError::NotText { line, column, .. } => ("not-text", *line, *column),
        LoadError::Unreadable { .. } | LoadError::Wrong(_) => ("unreadable", 1, 1),
    };
    JsonProblem::Reading { code, message: error.to_string(), line, column, source: "", help: error.help() }
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
