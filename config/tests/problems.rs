//! Every class of problem: its code, its exact place, and a word of its cure.
//!
//! The wrong texts are in `cases/`, each between what it is about (`== …`) and its problems in the order of their places
//! (`-> code: a word of the cure`). In a text `⟦` marks where a problem is expected; it is taken out before the text is parsed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use mainstay_config::{Colour, Problem, parse};

const MARK: char = '⟦';

/// The text without marks, and the line and column of each.
fn unmarked(marked: &str) -> (String, Vec<(usize, usize)>) {
    let (mut text, mut places, mut line, mut column) = (String::new(), Vec::new(), 1, 1);
    for c in marked.chars() {
        match c {
            MARK => {
                places.push((line, column));
                continue;
            }
            '\n' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
        text.push(c);
    }
    (text, places)
}

fn verify(cases: &str) {
    assert!(cases.contains("\n== "), "no case");
    for case in cases.split("\n== ").skip(1) {
        let (about, case) = case.split_once('\n').unwrap();
        let (text, problems) = case.split_once("-> ").expect(about);
        let problems: Vec<_> = problems.trim_end().split("\n-> ").map(|line| line.split_once(": ").unwrap()).collect();
        let (text, places) = unmarked(text);
        assert_eq!(places.len(), problems.len(), "{about}: as many marks as problems");
        let found = parse("station.toml", &text).expect_err(about);
        let seen: Vec<_> = found.list.iter().map(|p| (format!("{:?}", p.code), p.line, p.column)).collect();
        let expected: Vec<_> =
            problems.iter().zip(&places).map(|((code, _), (l, c))| ((*code).to_owned(), *l, *c)).collect();
        assert_eq!(seen, expected, "{about}:\n{}", found.render(Colour::Never, 80));
        for (problem, (_, word)) in found.list.iter().zip(problems) {
            assert!(problem.help.contains(word), "{about}: cure {:?} does not say {word:?}", problem.help);
            assert_eq!(problem.source, text.lines().nth(problem.line - 1).unwrap_or(""), "{about}");
        }
    }
}

#[test]
fn keys_and_types_are_told_with_place_and_cure() {
    verify(include_str!("cases/keys.txt"));
}

#[test]
fn what_is_no_toml_is_told_once_and_the_rest_of_the_file_is_checked() {
    verify(include_str!("cases/syntax.txt"));
}

#[test]
fn values_are_told_with_place_and_cure() {
    verify(include_str!("cases/values.txt"));
}

#[test]
fn commands_and_templates_are_told_with_place_and_cure() {
    verify(include_str!("cases/commands.txt"));
}

#[test]
fn devices_are_told_with_place_and_cure() {
    verify(include_str!("cases/devices.txt"));
}

#[test]
fn dependencies_are_told_with_place_and_cure() {
    verify(include_str!("cases/dependencies.txt"));
}

#[test]
fn ports_and_probes_are_told_with_place_and_cure() {
    verify(include_str!("cases/ports_and_probes.txt"));
}

#[test]
fn a_cycle_is_spelled_out() {
    let text = "services.a = { command = ['a'], requires = ['b'] }\n\
                services.b = { command = ['b'], wants = ['c'] }\n\
                services.c = { command = ['c'], after = ['a'] }\n";
    let problems = parse("station.toml", text).unwrap_err();
    let said = "a → b → c → a (`a` requires `b`, `b` wants `c`, `c` starts after `a`)";
    assert!(problems.list[0].message.ends_with(said), "{}", problems.list[0].message);
}

#[test]
fn cycles_that_overlap_are_told_at_once_each_at_its_own_place() {
    let text = "services.a = { command = ['a'], requires = ['b'] }\n\
                services.b = { command = ['b'], requires = ['a', 'c'] }\n\
                services.c = { command = ['c'], wants = ['a'] }\n";
    let problems = parse("station.toml", text).unwrap_err();
    let told: Vec<_> = problems.list.iter().map(|p| (p.line, p.message.rsplit(": ").next().unwrap())).collect();
    assert_eq!(told, [(1, "a → b → a"), (2, "a → b → c → a (`a` requires `b`, `b` requires `c`, `c` wants `a`)")]);
}

#[test]
fn more_problems_than_can_be_shown_are_counted() {
    let text: String = (0..150).map(|n| format!("key{n} = 1\n")).collect();
    let problems = parse("station.toml", &text).unwrap_err();
    assert_eq!((problems.list.len(), problems.left_off), (100, 50));
    assert!(problems.render(Colour::Never, 80).ends_with("station.toml: 150 problems, the first 100 of them shown\n"));
}

#[test]
fn the_report_shows_file_line_column_the_line_and_the_cure() {
    let problems = parse("station.toml", "[logs]\nkeep = 5\nmax_sice = \"10MB\"\n").unwrap_err();
    let report = problems.render(Colour::Never, 80);
    for part in ["station.toml:3:1", "max_sice = \"10MB\"", "did you mean `max_size`?", "unknown-key", "1 problem"] {
        assert!(report.contains(part), "{part:?} is missing in\n{report}");
    }
    assert!(!report.contains('\u{1b}'), "a plain report has no escapes");
    assert!(problems.render(Colour::Always, 80).contains('\u{1b}'), "a coloured report has");
}

#[test]
fn the_report_counts_columns_in_characters() {
    let problems = parse("f.toml", "[services.a]\ncommand = [\"é\", \"{zap}\"]\n").unwrap_err();
    assert_eq!(problems.list[0].column, 17);
    let report = problems.render(Colour::Never, 80);
    assert!(report.contains("f.toml:2:17"), "{report}");
    let lines: Vec<&str> = report.lines().collect();
    let nth = lines.iter().position(|line| line.contains("{zap}\"]")).unwrap();
    let column = |line: &str, what: char| line.chars().position(|c| c == what);
    let text = lines[nth].chars().collect::<Vec<_>>();
    assert_eq!(text[column(lines[nth + 1], '─').unwrap()..][..7], ['"', '{', 'z', 'a', 'p', '}', '"'], "{report}");
}

#[test]
fn a_long_line_is_shown_around_the_problem() {
    let text = format!("[services.a]\ncommand = [\"{}\", \"{{zap}}\", \"{}\"]\n", "é".repeat(400), "x".repeat(400));
    let problems = parse("f.toml", &text).unwrap_err();
    let Problem { column, source, .. } = &problems.list[0];
    assert_eq!(*column, 416);
    assert!(source.starts_with("…é") && source.contains("\"{zap}\"") && source.ends_with("x…"), "{source}");
    assert_eq!(source.chars().count(), 202);
    let report = problems.render(Colour::Never, 80);
    assert!(report.contains("f.toml:2:416") && report.contains("\"{zap}\", \"xxx"), "{report}");
    assert!(report.lines().all(|line| line.chars().count() <= 80), "{report}");
}

#[test]
fn nothing_in_a_file_drives_the_terminal() {
    let text = "\"k\u{202e}ey\" = 1\n[services.a]\ncommand = [\"a\"]\nuser = 5 # \u{200b}\u{2066}\n\
                directory = \"\\u001b[31m\\u202e\"\n";
    let problems = parse("f\u{1b}.toml", text).unwrap_err();
    let report = problems.render(Colour::Never, 80);
    let raw = |c: &char| matches!(c, '\u{1b}' | '\u{200b}' | '\u{202e}' | '\u{2066}');
    assert_eq!(report.chars().find(raw), None, "{report}");
    for told in [r"k\u{202e}ey", r"\u{200b}\u{2066}", r"\x1b[31m\u{202e}", r"f\x1b.toml"] {
        assert!(report.contains(told), "{told} is missing in\n{report}");
    }
}

#[test]
fn what_is_nested_too_deep_is_told_where_it_stands() {
    let deep = format!("a.b.c{}.z = 1", ".a".repeat(200));
    for (text, line, column) in [
        (format!("{deep}\n"), 1, 1),
        (format!("[logs]\nkeep = 1\n  {deep}\nmax_size = 1\n\n"), 3, 3),
        (format!("x = {}\n", "[\n".repeat(200)), 81, 1),
    ] {
        let problems = parse("f.toml", &text).unwrap_err();
        let first = &problems.list[0];
        assert_eq!((first.line, first.column), (line, column), "{}", problems.render(Colour::Never, 80));
        assert!(!first.source.is_empty());
    }
}

#[test]
fn a_conflict_is_no_cure_for_one_port_of_two_services_that_somebody_needs_both() {
    let two = "[services.s]\ncommand = ['x']\nports = { a = 80 }\n[services.t]\ncommand = ['x']\nports = { a = 80 }\n";
    let cure = |more: &str| parse("f.toml", &format!("{two}{more}")).unwrap_err().list[0].help.clone();
    assert!(cure("").ends_with("or say conflicts = [\"s\"] when they never run together"));
    let alone = "give one of them another number or a range";
    assert_eq!(
        [cure("requires = ['s']\n"), cure("[services.u]\ncommand = ['x']\nrequires = ['s', 't']\n")],
        [alone; 2]
    );
}

#[test]
fn each_service_that_lacks_a_port_is_offered_another_number() {
    let lacking = |name: &str, ports: &str| {
        format!("[services.{name}]\ncommand = ['x', '{{port.{name}}}', '{{port.{name}}}']\n{ports}")
    };
    let text = format!("{}{}", lacking("one", ""), lacking("two", "ports = { web = 8000 }\n"));
    let cures = parse("f.toml", &text).unwrap_err().list;
    let cures: Vec<_> = cures.iter().map(|problem| problem.help.split('`').nth(1).unwrap()).collect();
    let one = "ports = { one = 8001 }";
    assert_eq!(cures, [one, one, "two = 8002", "two = 8002"]);
}

#[test]
fn what_is_no_size_is_quoted() {
    let message =
        |size: &str| parse("f.toml", &format!("[logs]\nmax_size = {size}\n")).unwrap_err().list[0].message.clone();
    assert_eq!(message("'10mb'"), "`logs.max_size` is not a size: \"10mb\"");
    assert_eq!(message("-5"), "`logs.max_size` is not a size: -5");
}

#[test]
fn a_port_clash_of_two_addresses_says_that_the_address_does_not_matter() {
    let service = |name: &str, port: &str| format!("[services.{name}]\ncommand = ['x']\nports = {{ a = {port} }}\n");
    let message = |port: &str| {
        let text = service("s", "{ fixed = 80, address = '127.0.0.1' }") + &service("t", port);
        parse("f.toml", &text).unwrap_err().list[0].message.clone()
    };
    let said = "`s` and `t` both want port 80, and neither has a choice (services share no port number, whatever their `address`)";
    assert_eq!([message("{ fixed = 80, address = '127.0.0.2' }"), message("80")], [said; 2]);
}

#[test]
fn what_is_no_word_of_a_key_is_said_in_plain_words() {
    let message = |line: &str| {
        let text = format!("[services.s]\ncommand = ['x']\n{line}\n");
        parse("f.toml", &text).unwrap_err().list[0].message.clone()
    };
    let said = "`services.s.restart.when` is \"on-failure\", which is not a word for when to restart";
    assert_eq!(message("restart = { when = 'on-failure' }"), said);
    let said = "`services.s.stop.to` is \"group\", which is not a word for which processes to stop";
    assert_eq!(message("stop = { to = 'group' }"), said);
}
