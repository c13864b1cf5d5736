//! What two services cannot both have, against the plain definition of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use mainstay_config::{Code, parse};
use proptest::prelude::*;

/// One service: which earlier ones it requires, which it is in conflict with, and what it wants.
#[derive(Debug, Clone)]
struct Service {
    requires: Vec<usize>,
    conflicts: Vec<usize>,
    file: Option<u8>,
    /// 0: not at all, 1: shared, 2: to itself.
    device: u8,
}

fn service() -> impl Strategy<Value = Service> {
    let some = || proptest::collection::vec(0usize..8, 0..3);
    (some(), proptest::collection::vec(0usize..8, 0..2), proptest::option::weighted(0.3, 0u8..2), 0u8..4).prop_map(
        |(requires, conflicts, file, device)| Service { requires, conflicts, file, device: device.saturating_sub(1) },
    )
}

/// Of each service the numbers of those that it needs running, itself included. It requires only earlier ones.
fn needs(services: &[Service]) -> Vec<BTreeSet<usize>> {
    let mut needs: Vec<BTreeSet<usize>> = Vec::new();
    for (at, service) in services.iter().enumerate() {
        let mut own = BTreeSet::from([at]);
        for other in service.requires.iter().filter(|other| **other < at) {
            own.extend(needs[*other].iter().copied());
        }
        needs.push(own);
    }
    needs
}

fn clash(services: &[Service], a: usize, b: usize) -> bool {
    let (one, other) = (&services[a], &services[b]);
    (one.file.is_some() && one.file == other.file)
        || (one.device.min(other.device) > 0 && one.device.max(other.device) == 2)
        || one.conflicts.contains(&b)
        || other.conflicts.contains(&a)
}

fn text(services: &[Service]) -> String {
    let mut text = "[hardware.h]\nkind = 'hackrf'\n".to_owned();
    for (at, service) in services.iter().enumerate() {
        let list = |names: BTreeSet<usize>| names.iter().map(|n| format!("'s{n}'")).collect::<Vec<_>>().join(",");
        let requires = list(service.requires.iter().copied().filter(|other| *other < at).collect());
        let others = |other: &usize| *other != at && *other < services.len();
        let conflicts = list(service.conflicts.iter().copied().filter(others).collect());
        text += &format!("[services.s{at}]\ncommand = ['x']\nrequires = [{requires}]\nconflicts = [{conflicts}]\n");
        text += &service.file.map_or_else(String::new, |file| format!("files = ['/x/../{file}']\n"));
        text += ["", "devices = { h = 'shared' }\n", "devices = { h = 'exclusive' }\n"][usize::from(service.device)];
    }
    text
}

#[test]
fn two_paths_to_one_file_are_one_file_and_both_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    std::fs::create_dir(root.join("x")).unwrap();
    std::os::unix::fs::symlink("x", root.join("link")).unwrap();
    let problems = |one: &str, other: &str| {
        let [one, other] = [one, other].map(|path| root.join(path).display().to_string());
        let text = format!(
            "[services.a]\ncommand = ['x']\nfiles = ['{one}']\n[services.b]\ncommand = ['x']\nrequires = ['a']\nfiles = ['{other}', '{other}']\n"
        );
        let named = format!(
            "`b` requires `a`, and both want one file for themselves, `{other}` and `{one}`: `b` could never run"
        );
        let said = parse("station.toml", &text).map_or_else(|problems| problems.list, |_| Vec::new());
        said.into_iter().map(|problem| (problem.message == named, problem.line)).collect::<Vec<_>>()
    };
    assert_eq!(problems("x/db", "link/db"), [(true, 6)], "though it is not there yet");
    assert_eq!(problems("x/db", "x/other"), []);
    std::fs::write(root.join("x/db"), "").unwrap();
    std::fs::hard_link(root.join("x/db"), root.join("x/other")).unwrap();
    assert_eq!(problems("x/db", "link/db"), [(true, 6)]);
    assert_eq!(problems("x/db", "x/other"), [(true, 6)], "a hard link");
}

#[test]
fn a_service_may_name_its_own_file_twice() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    std::os::unix::fs::symlink("db", root.join("link")).unwrap();
    let root = root.display();
    assert!(parse("a.toml", &format!("[services.a]\ncommand = ['x']\nfiles = ['{root}/db', '{root}/link']\n")).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_configuration_is_right_unless_a_service_needs_two_that_cannot_both_run(services in proptest::collection::vec(service(), 1..8)) {
        let cannot = |needs: &BTreeSet<usize>| needs.iter().any(|a| needs.range(a + 1..).any(|b| clash(&services, *a, *b)));
        let expected = needs(&services).iter().any(cannot);
        match parse("station.toml", &text(&services)) {
            Ok(_) => prop_assert!(!expected),
            Err(problems) => {
                prop_assert!(expected, "{:?}", problems.list);
                prop_assert!(problems.list.iter().all(|problem| problem.code == Code::Contradiction));
            }
        }
    }
}
