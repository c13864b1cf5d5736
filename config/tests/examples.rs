//! The lines that are shown to somebody who wrote something of another shape: `check` takes each of them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mainstay_config::{Problem, parse};

/// Around the line in question; `@` stands for it.
const SERVICE: &str =
    "[hardware.gps]\nkind = \"gps\"\n[services.gpsd]\ncommand = [\"gpsd\"]\n[services.a]\ncommand = [\"a\"]\n@\n";
const DEVICE: &str = "[hardware.gps]\nkind = \"gps\"\n@\n";
const RUNTIME: &str = "[runtime]\n@\n";

fn problem(around: &str, line: &str) -> Problem {
    let text = around.replace('@', line);
    let found = parse("station.toml", &text).expect_err(line);
    assert_eq!(found.list.len(), 1, "{line}: {:#?}", found.list);
    found.list.into_iter().next().unwrap()
}

/// The line that the cure shows.
fn shown(problem: &Problem) -> &str {
    let quoted = problem.help.split('`').skip(1).step_by(2);
    let mut lines = quoted.filter(|words| words.contains(" = ") && !words.contains('…'));
    lines.next().unwrap_or_else(|| panic!("no line in `{}`", problem.help))
}

#[test]
fn what_is_of_another_shape_is_answered_with_a_line_that_passes() {
    for (around, wrong, right) in [
        (SERVICE, "ready = \"tcp\"", "ready = { tcp = { port = 8000 } }"),
        (SERVICE, "ready = \"http\"", "ready = { http = { url = \"http://127.0.0.1:8000/\" } }"),
        (SERVICE, "ready = true", "ready = { tcp = { port = 8000 } }"),
        (SERVICE, "ready = { tcp = 8000 }", "ready = { tcp = { port = 8000 } }"),
        (SERVICE, "ready = { tcp = {} }", "ready = { tcp = { port = 8000 } }"),
        (SERVICE, "ready = { log = \"started\" }", "ready = { log = { contains = \"started\" } }"),
        (
            SERVICE,
            "ready = { http = \"http://127.0.0.1/\" }",
            "ready = { http = { url = \"http://127.0.0.1:8000/\" } }",
        ),
        (SERVICE, "ready = { exec = \"true\" }", "ready = { exec = { command = [\"test\", \"-e\", \"/run/ready\"] } }"),
        (SERVICE, "ready = { file = \"/x\" }", "ready = { file = { path = \"/run/ready\" } }"),
        (SERVICE, "ready = { gpsd = 2947 }", "ready = { gpsd = { port = 2947 } }"),
        (SERVICE, "ready = { kismet = 2501 }", "ready = { kismet = { port = 2501 } }"),
        (SERVICE, "tcp = { port = 1 }", "ready = { tcp = { port = 8000 } }"),
        (SERVICE, "restart = \"never\"", "restart = { when = \"never\" }"),
        (SERVICE, "restart = 3", "restart = { when = \"always\" }"),
        (SERVICE, "attempts = 3", "restart = { when = \"always\" }"),
        (SERVICE, "stop = \"INT\"", "stop = { signal = \"INT\", grace = \"30s\" }"),
        (SERVICE, "stop = \"SIGTERM\"", "stop = { signal = \"TERM\", grace = \"30s\" }"),
        (SERVICE, "grace = 3", "stop = { signal = \"TERM\", grace = \"30s\" }"),
        (SERVICE, "directory = \"srv\"", "directory = \"/srv\""),
        (SERVICE, "devices = [\"gps\"]", "devices = { gps = \"exclusive\" }"),
        (SERVICE, "devices = { gps = true }", "devices = { gps = \"exclusive\" }"),
        (SERVICE, "ports = 8000", "ports = { web = 8000 }"),
        (SERVICE, "environment = [\"A=b\"]", "environment = { LANG = \"C.UTF-8\" }"),
        (SERVICE, "requires = 1", "requires = [\"gpsd\"]"),
        (SERVICE, "wants = { gpsd = \"30s\" }", "wants = { gpsd = { timeout = \"30s\" } }"),
        (DEVICE, "match = \"1d50:6089\"", "match = { usb = \"1d50:6089\" }"),
        (DEVICE, "match = \"02:00:00:00:02:00\"", "match = { mac = \"02:00:00:00:02:00\" }"),
        (DEVICE, "match = \"1-1.4\"", "match = { path = \"1-1.4\" }"),
        (DEVICE, "serial = \"1\"", "match = { usb = \"1546:01a7\" }"),
        (DEVICE, "flap = 5", "flap = { departures = 5, within = \"60s\" }"),
        (RUNTIME, "run_dir = \"run\"", "run_dir = \"/run/mainstay\""),
        (RUNTIME, "state_dir = 3", "state_dir = \"/var/lib/mainstay\""),
    ] {
        let problem = problem(around, wrong);
        assert_eq!(shown(&problem), right, "{wrong}: {}", problem.help);
        // A GPS has no MAC address, but a radio may.
        let around = if right.contains("mac =") { around.replace("\"gps\"", "\"wifi\"") } else { around.to_owned() };
        let passes = parse("station.toml", &around.replace('@', right));
        assert!(passes.is_ok(), "{right}: {:#?}", passes.err());
    }
}

#[test]
fn a_number_that_belongs_in_quotes_is_shown_in_quotes() {
    for (wrong, cure, right) in [
        ("stop = { grace = 3 }", "write it in quotes: \"3s\"", "stop = { grace = \"3s\" }"),
        ("user = 1000", "write it in quotes: \"1000\"", "user = \"1000\""),
        ("environment = { A = 3 }", "write it in quotes: \"3\"", "environment = { A = \"3\" }"),
    ] {
        assert_eq!(problem(SERVICE, wrong).help, cure);
        assert!(parse("station.toml", &SERVICE.replace('@', right)).is_ok());
    }
}

#[test]
fn no_key_is_offered_that_is_not_acted_on_yet() {
    let later = ["oneshot", "systemd", "external", "fallback", "live", "recovery", "breaker", "strategy", "preempt"];
    let later =
        later.into_iter().chain(["preemptible", "on_return", "optional", "ageing", "channel", "critical", "api"]);
    let later: Vec<String> = later.map(|key| format!("`{key}`")).collect();
    let wrong = [
        problem(SERVICE, "colour = 1"),
        problem(SERVICE, "devices = { gps = { colour = 1 } }"),
        problem(SERVICE, "devices = { gps = 1 }"),
        problem(SERVICE, "restart = { colour = 1 }"),
        problem(SERVICE, "stop = { colour = 1 }"),
        problem("@\n", "colour = 1"),
        problem("@\n", "[services.a]"),
        problem("@\n", "services = { a = 1 }"),
    ];
    for problem in wrong {
        for key in &later {
            assert!(!problem.help.contains(key) && !problem.message.contains(key), "{key}: {problem:#?}");
        }
    }
}
