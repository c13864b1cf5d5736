//! The order of the rooms in `docs/contributing.md`: imports run one way.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms with the line of the list each stands on.
fn order() -> BTreeMap<String, usize> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/contributing.md")).unwrap();
    let list = page.split_once("```rooms\n").unwrap().1.split_once("```").unwrap().0;
    let names = |line: &str| line.split_once("  ").unwrap().0.split(' ').map(str::to_owned).collect::<Vec<_>>();
    list.lines().enumerate().flat_map(|(at, line)| names(line).into_iter().map(move |name| (name, at))).collect()
}

/// All source files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    };
    entries.flat_map(below).collect()
}

/// The code of a file, without comments, and without the tests at its end: these may look at anything.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let text = text.split("#[cfg(test)]\n#[allow").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The rooms that a piece of code names, as `crate::room` or within `use crate::{room, …}`.
fn named(code: &str) -> Vec<String> {
    let after = code.split("crate::").skip(1);
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let several = |text: &str| -> Vec<String> {
        match text.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').map(|part| word(part.trim())).collect(),
            None => vec![word(text)],
        }
    };
    after.flat_map(several).collect()
}

#[test]
fn rooms_import_only_from_rooms_that_stand_before_them() {
    let (order, source) = (order(), Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut wrong = Vec::new();
    for path in files(&source) {
        let place = path.strip_prefix(&source).unwrap();
        let room = place.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let is_test = place
            .iter()
            .any(|part| part == "tests" || part == "tests.rs" || part.to_str().unwrap().ends_with("_tests.rs"));
        if room == "lib" || is_test {
            continue;
        }
        let own = *order.get(&room).unwrap_or_else(|| panic!("`{room}` stands in no line of the list"));
        for other in named(&code(&path)) {
            let allowed = other == room || order.get(&other).is_none_or(|at| *at < own);
            if !allowed {
                wrong.push(format!("{} imports from `{other}`", place.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_room_of_the_list_is_there() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let is_there = |room: &str| source.join(room).is_dir() || source.join(format!("{room}.rs")).is_file();
    let missing: Vec<String> = order().into_keys().filter(|room| !is_there(room)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
