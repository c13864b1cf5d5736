//! `mainstay check [FILE]`.

use std::path::{Path, PathBuf};

use mainstay_config::{LoadError, Loaded, Note, Problem};
use serde::Serialize;

use super::args::CheckArgs;
use super::output::{json, print};
use super::{Ended, config_file};
use crate::exit::ExitStatus;
use crate::render::text::{plain, wrap};
use crate::render::{Look, style};

/// `check --json`.
#[derive(Debug, Serialize)]
struct CheckView<'a> {
    file: String,
    problems: &'a [Problem],
    /// How many further problems were left off.
    left_off: usize,
    notes: &'a [Note],
}

/// `check`.
pub(super) fn check(args: &CheckArgs, config: Option<PathBuf>) -> Result<(), Ended> {
    if args.schema {
        return json(&mainstay_config::schema_json());
    }
    let path = config_file::find(args.file.clone().or(config))?;
    if args.json {
        return check_json(&path);
    }
    let loaded = config_file::load(&path, config_file::Stream::Output)?;
    print(&all_right(&path, &loaded, &Look::of_stdout()))
}

fn check_json(path: &Path) -> Result<(), Ended> {
    let file = path.display().to_string();
    match mainstay_config::load(path) {
        Ok(loaded) => json(&CheckView { file, problems: &[], left_off: 0, notes: &loaded.notes }),
        Err(LoadError::Wrong(wrong)) => {
            json(&CheckView { file, problems: &wrong.list, left_off: wrong.left_off, notes: &wrong.notes })?;
            Err(Ended::Said(ExitStatus::Failed))
        }
        Err(other) => Err(config_file::cannot_load(&other).into()),
    }
}

/// What the file describes, and what this version does not act on yet.
fn all_right(path: &Path, loaded: &Loaded, look: &Look) -> String {
    let good = style::GOOD;
    let station = &loaded.station;
    let counted =
        format!("{} and {}", count(station.services.len(), "service"), count(station.devices.len(), "device"));
    let mut out = format!("{good}{} is right{good:#}: {counted}\n", plain(&path.display().to_string()));
    for note in &loaded.notes {
        let said = format!("note: line {}: {}", note.line, plain(&note.message));
        out.push_str(&wrap(&said, "", "      ", look.width));
        out.push('\n');
    }
    out
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
