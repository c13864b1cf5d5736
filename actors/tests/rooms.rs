//! What `docs/contributing.md` says of the code is so: imports run one way between the rooms, and every path that it names is there.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn page() -> String {
    fs::read_to_string(repository().join("docs/contributing.md")).unwrap()
}

/// The rooms with the line of the list each stands on.
fn order() -> BTreeMap<String, usize> {
    let page = page();
    let list = page.split_once("```rooms\n").unwrap().1.split_once("```").unwrap().0;
    let names = |line: &str| line.split_once("  ").unwrap().0.split(' ').map(str::to_owned).collect::<Vec<_>>();
    list.lines().enumerate().flat_map(|(at, line)| names(line).into_iter().map(move |name| (name, at))).collect()
}

/// All files below a folder that are asked for, and not those below a folder that is not.
fn files(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| wanted(path));
    let below = |path: PathBuf| match path.is_dir() {
        true => files(&path, wanted),
        false => vec![path],
    };
    entries.flat_map(below).collect()
}

/// The code of a file, without comments, and without what is there for tests only: these may look at anything.
fn code(text: &str) -> String {
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut code = String::new();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            let item = lines.by_ref().find(|line| !line.starts_with("#["));
            // To the end of a body; what has none is one line.
            if item.is_some_and(|item| item.ends_with('{')) {
                lines.by_ref().find(|line| *line == "}");
            }
        } else {
            code += line;
            code += "\n";
        }
    }
    code
}

/// The rooms that a piece of code names, as `crate::room` or within `use crate::{room, …}`.
fn named(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let several = |text: &str| match text.strip_prefix('{') {
        Some(list) => parts(list).into_iter().map(|part| word(part.trim())).collect(),
        None => vec![word(text)],
    };
    code.split("crate::").skip(1).flat_map(several).filter(|name| !name.is_empty()).collect()
}

/// The parts of a list up to its closing brace; those within inner braces belong to the part that these are in.
fn parts(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                parts.push(&list[from..at]);
                from = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    parts
}

#[test]
fn whatever_is_imported_is_seen_wherever_it_stands_but_not_what_tests_import() {
    let text = r#"
mod a;
#[cfg(test)]
mod tests;

// Not crate::world.
use crate::device::Machine;
use crate::{
    lease::{Table, Want},
    board,
};
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod more_tests {
    use crate::world::World;
    fn f() {
    }
}

fn f() -> crate::view::Shown {}
"#;
    assert_eq!(named(&code(text)), ["device", "lease", "board", "view"]);
}

#[test]
fn rooms_import_only_from_rooms_that_stand_before_them() {
    let (order, source) = (order(), Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut wrong = Vec::new();
    for path in files(&source, &|_| true) {
        let place = path.strip_prefix(&source).unwrap();
        let room = place.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let is_test = place
            .iter()
            .any(|part| part == "tests" || part == "tests.rs" || part.to_str().unwrap().ends_with("_tests.rs"));
        if room == "lib" || is_test {
            continue;
        }
        let own = *order.get(&room).unwrap_or_else(|| panic!("`{room}` stands in no line of the list"));
        for other in named(&code(&fs::read_to_string(&path).unwrap())) {
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

/// Whether a word of the page is the path of a file or a folder, or the end of one.
fn is_path(word: &str) -> bool {
    let is_plain = word.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    // `service/NAME` is what people write, and no path; `/etc` is none of ours.
    let is_spelled = word.ends_with("/NAME") || word.starts_with('/');
    is_plain && !is_spelled && (word.contains('/') || [".rs", ".md", ".toml"].iter().any(|kind| word.ends_with(kind)))
}

#[test]
fn every_path_that_the_page_names_is_there() {
    let is_ours = |path: &Path| !path.ends_with("target") && !path.ends_with(".git");
    let all = files(&repository(), &is_ours);
    let is_there = |word: &str| {
        let word = Path::new(word.trim_start_matches("./"));
        all.iter().flat_map(|path| path.ancestors()).any(|path| path.ends_with(word))
    };
    let page = page();
    // Every other piece stands in backticks; blocks of code have three of them at both ends.
    let prose: String = page.split("```").step_by(2).collect();
    let named: Vec<&str> = prose.split('`').skip(1).step_by(2).filter(|word| is_path(word)).collect();
    assert!(named.len() > 100, "only {named:?}");
    let missing: Vec<&str> = named.into_iter().filter(|word| !is_there(word)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
