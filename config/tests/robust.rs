//! No text can make the configuration panic, and what it answers is always sound.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use mainstay_config::{Code, Colour, Problems, parse};
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("example.toml");

/// What is in a configuration, so that random texts get far.
const WORDS: [&str; 40] = [
    "[services.a]\n",
    "[services.b]\n",
    "[hardware.h]\n",
    "[[services]]\n",
    "[runtime]\n",
    "[defaults]\n",
    "\n",
    " = ",
    "{ ",
    " }",
    "[",
    "]",
    ", ",
    "\"a\"",
    "\"b\"",
    "\"{port.web}\"",
    "\"{device.h.path}\"",
    "\"30s\"",
    "\"\"",
    "true",
    "0",
    "-1",
    "1e400",
    "2026-11-20",
    "command = [\"a\"]\n",
    "requires = ",
    "wants = ",
    "after = ",
    "conflicts = ",
    "devices",
    "ports",
    "ready",
    "kind = \"hackrf\"\n",
    "kind = \"wifi\"\n",
    "match = ",
    "serial",
    ".",
    "#",
    "\u{0}",
    "ß🙂",
];

/// Lines that are no TOML wherever they stand.
const BROKEN: [&str; 8] = ["x = ", "x = [", "x = [1, 2", "x = \"a", "= 3", "x = { a = 1", "x \"a\"", "x = 1 y = \"z\""];

/// Parses and draws, and checks what is true of every answer.
fn sound(text: &str) -> Result<(), TestCaseError> {
    let Err(problems) = parse("station.toml", text) else { return Ok(()) };
    prop_assert!(!problems.list.is_empty() && problems.list.len() <= Problems::MOST);
    for problem in &problems.list {
        prop_assert!(problem.line >= 1 && problem.line <= text.lines().count().max(1), "a line that there is");
        prop_assert!(problem.span.end <= text.len() && problem.span.start <= problem.span.end);
        prop_assert!(!problem.message.is_empty() && !problem.help.is_empty());
    }
    let report = problems.render(Colour::Never, 80);
    prop_assert!(report.contains("station.toml"));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in "(?s).{0,200}") {
        sound(&text)?;
    }

    #[test]
    fn arbitrary_pieces_of_a_configuration_never_panic(picks in proptest::collection::vec(0..WORDS.len(), 0..60)) {
        sound(&picks.into_iter().map(|pick| WORDS[pick]).collect::<String>())?;
    }

    #[test]
    fn a_mutilated_example_never_panics(cuts in proptest::collection::vec((0usize..4000, 0usize..40, 0..WORDS.len()), 1..6)) {
        let mut chars: Vec<char> = EXAMPLE.chars().collect();
        for (at, length, word) in cuts {
            let at = at.min(chars.len());
            let end = (at + length).min(chars.len());
            chars.splice(at..end, WORDS[word].chars());
        }
        sound(&chars.into_iter().collect::<String>())?;
    }

    #[test]
    fn lines_that_are_no_toml_bring_no_false_problems(breaks in proptest::collection::vec((0usize..60, 0..BROKEN.len()), 1..4)) {
        let mut lines: Vec<&str> = EXAMPLE.lines().collect();
        for (at, line) in breaks {
            lines.insert(at.min(lines.len()), BROKEN[line]);
        }
        let problems = parse("station.toml", &lines.join("\n")).expect_err("a broken line");
        let report = problems.render(Colour::Never, 80);
        prop_assert!(problems.list.iter().all(|problem| problem.code == Code::Syntax), "{}", report);
    }

    #[test]
    fn an_example_with_one_value_replaced_is_right_or_told(line in 0usize..80, word in 0..WORDS.len()) {
        let replaced = EXAMPLE.lines().enumerate().map(|(number, text)| match text.split_once(" = ") {
            Some((key, _)) if number == line => format!("{key} = {}\n", WORDS[word]),
            _ => format!("{text}\n"),
        });
        sound(&replaced.collect::<String>())?;
    }
}

#[test]
fn a_file_that_is_one_long_line_is_told_briefly() {
    let text = format!("x = [{}", "1,".repeat(150_000));
    let problems = parse("station.toml", &text).unwrap_err();
    assert!(problems.render(Colour::Never, 80).len() < 100_000);
    let key = "k".repeat(300_000);
    let problems = parse("station.toml", &format!("[services.{key}]\n{key} = 1\n")).unwrap_err();
    assert!(problems.render(Colour::Never, 80).len() < 100_000);
}

#[test]
fn deep_nesting_is_refused() {
    let problems = parse("station.toml", &format!("x = {}", "[".repeat(100_000))).unwrap_err();
    assert!(problems.list.iter().any(|problem| problem.code.as_str() == "syntax"));
}

/// Files that a slow check would take minutes for, and a greedy one gigabytes.
#[test]
fn the_largest_graphs_are_checked_and_what_cannot_run_in_them_is_found() {
    let text = |count: usize, more: &dyn Fn(usize) -> String| -> String {
        (0..count).map(|n| format!("[services.s{n}]\ncommand = ['x']\n{}", more(n))).collect()
    };
    let list = |names: std::ops::Range<usize>| names.map(|n| format!("'s{n}'")).collect::<Vec<_>>().join(",");
    let chain = |n: usize| if n == 0 { String::new() } else { format!("requires = ['s{}']\n", n - 1) };
    let right = [
        text(4096, &chain),
        text(4096, &|n| format!("requires = [{}]\n", list((n / 4).saturating_sub(1) * 4..n / 4 * 4))),
        text(4096, &|n| format!("requires = [{}]\n", list(n.saturating_sub(24)..n))),
        text(400, &|n| format!("requires = [{}]\n", list(n.saturating_sub(250)..n))),
        text(4096, &|_| "files = ['/one']\n".to_owned()),
    ];
    for text in right {
        let loaded = parse("station.toml", &text).unwrap();
        assert!(loaded.station.services.len() >= 400);
    }
    let wrong = [
        text(4096, &|n| chain(n) + if n % 4095 == 0 { "files = ['/one']\n" } else { "" }),
        text(4096, &|n| chain(n) + if n == 4095 { "conflicts = ['s0']\n" } else { "" }),
        text(400, &|n| format!("requires = [{}]\nfiles = ['/{}']\n", list(n.saturating_sub(250)..n), n % 399)),
    ];
    for text in wrong {
        let problems = parse("station.toml", &text).unwrap_err();
        assert_eq!(problems.list.len() + problems.left_off, 1, "{}", problems.render(Colour::Never, 80));
        assert_eq!(problems.list[0].code, Code::Contradiction);
    }
}

#[test]
fn a_custom_resource_may_be_called_as_people_like() {
    let text = "[services.a]\ncommand = ['x']\ncustom = ['either-a-or-b', 'conflict']\nconflicts = ['b']\n\
                [services.b]\ncommand = ['x']\n";
    parse("station.toml", text).unwrap();
}

#[test]
fn more_services_than_can_be_handled_are_refused_quickly() {
    let text: String = (0..5_000).map(|n| format!("services.s{n}.after = ['s{}']\n", n + 1)).collect();
    let problems = parse("station.toml", &text).unwrap_err();
    assert!(problems.list.iter().any(|problem| problem.code.as_str() == "too-many"), "{}", problems.list.len());
}

#[test]
fn thousands_of_wrong_names_are_told_quickly() {
    let names = (0..4000).map(|n| format!("\"x{n}\"")).collect::<Vec<_>>().join(", ");
    let mut text: String = (0..2000).map(|n| format!("services.y{n}.command = ['s']\n")).collect();
    text.push_str(&format!("services.s = {{ command = ['s'], after = [{names}] }}\n"));
    let problems = parse("station.toml", &text).unwrap_err();
    assert_eq!((problems.list.len(), problems.left_off), (100, 3900));
}
