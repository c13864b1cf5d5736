//! `mainstay check [FILE]`.

use std::path::{Path, PathBuf};

use mainstay_config::{LoadError, Loaded, Note, Problem, counted};
use serde::Serialize;

use super::args::CheckArgs;
use super::board::Board;
use super::output::{json, print};
use super::{Ended, Given, Options, config_file};
use crate::error::Told;
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
    notes: Vec<NoteView<'a>>,
}

/// A note; one on the machine is of no place in the file.
#[derive(Debug, Serialize)]
struct NoteView<'a> {
    message: &'a str,
    line: Option<usize>,
    column: Option<usize>,
}

/// `check`.
pub(super) fn check(args: &CheckArgs, config: Option<PathBuf>, given: Options) -> Result<(), Ended> {
    if given.socket == Given::Here {
        let words = "`check` takes no --socket: it reads a configuration and asks no daemon";
        return Err(Told::new(ExitStatus::Usage, words).help("name the file only: `mainstay check FILE`").into());
    }
    if args.schema {
        return json(&mainstay_config::schema_json());
    }
    let path = config_file::find(args.file.clone().or(config))?;
    if args.json {
        return check_json(&path);
    }
    let loaded = config_file::load(&path, config_file::Stream::Output)?;
    print(&all_right(&path, &loaded, &of_machine(&path), &Look::of_stdout()))
}

/// What is to be known of the board, and of who could change the file.
fn of_machine(path: &Path) -> Vec<String> {
    let for_root = config_file::note_for_root(path, rustix::process::geteuid().as_raw());
    Board::here().note().into_iter().chain(for_root).collect()
}

fn check_json(path: &Path) -> Result<(), Ended> {
    let file = path.display().to_string();
    let of_machine = of_machine(path);
    let notes = |of_file| note_views(of_file, &of_machine);
    match config_file::read(path) {
        Ok(loaded) => json(&CheckView { file, problems: &[], left_off: 0, notes: notes(&loaded.notes) }),
        Err(LoadError::Wrong(wrong)) => {
            let notes = notes(&wrong.notes);
            json(&CheckView { file, problems: &wrong.list, left_off: wrong.left_off, notes })?;
            Err(Ended::Said(ExitStatus::Failed))
        }
        Err(other) => Err(config_file::cannot_load(&other).into()),
    }
}

fn note_views<'a>(of_file: &'a [Note], of_machine: &'a [String]) -> Vec<NoteView<'a>> {
    let of_file = of_file.iter().map(|note| NoteView {
        message: &note.message,
        line: Some(note.line),
        column: Some(note.column),
    });
    of_file.chain(of_machine.iter().map(|message| NoteView { message, line: None, column: None })).collect()
}

/// What the file describes, what this version does not act on yet, and what is to be known of the machine.
fn all_right(path: &Path, loaded: &Loaded, of_machine: &[String], look: &Look) -> String {
    let good = style::GOOD;
    let station = &loaded.station;
    let services = counted(station.services.len(), "service", "services");
    let devices = counted(station.devices.len(), "device", "devices");
    let mut out = format!("{good}{} is right{good:#}: {services} and {devices}\n", plain(&path.display().to_string()));
    let of_file = loaded.notes.iter().map(|note| format!("line {}: {}", note.line, plain(&note.message)));
    for note in of_file.chain(of_machine.iter().cloned()) {
        let said = format!("note: {note}");
        out.push_str(&wrap(&said, "", "      ", look.width));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_to_be_known_of_the_board_is_a_note_without_a_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "[services.gpsd]\ncommand = [\"gpsd\"]\ncritical = true\n").unwrap();
        let loaded = mainstay_config::load(file.path()).unwrap();
        let look = Look { width: 80, now: std::time::SystemTime::UNIX_EPOCH };
        let text = all_right(Path::new("a.toml"), &loaded, &["the memory controller is off".to_owned()], &look);
        assert!(text.ends_with("\nnote: the memory controller is off\n"), "{text}");
        let views = serde_json::to_value(note_views(&loaded.notes, &["it is off".to_owned()])).unwrap();
        let lines: Vec<_> = views.as_array().unwrap().iter().map(|note| note["line"].as_u64()).collect();
        assert_eq!(lines, [Some(3), None], "{views}");
    }
}
