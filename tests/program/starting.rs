//! In which order services start, and with what.

use crate::harness::{Station, free_port};

/// A service that writes down when it begins and when it is ready.
fn noted(name: &str, more: &str) -> String {
    format!(
        "[services.{name}]\n\
         command = [\"sh\", \"-c\", \"echo begin {name} >> @DIR@/order; sleep 0.2; echo ready {name} >> @DIR@/order; touch @DIR@/{name}; sleep 1000\"]\n\
         ready = {{ file = {{ path = \"@DIR@/{name}\", within = \"60s\" }} }}\n{more}\n"
    )
}

fn place(order: &str, line: &str) -> usize {
    order.lines().position(|found| found == line).unwrap_or_else(|| panic!("no `{line}` in {order}"))
}

#[test]
fn what_is_required_is_ready_before_its_dependents_begin() {
    let services =
        [noted("web", "requires = [\"middle\"]"), noted("middle", "requires = [\"base\"]"), noted("base", "")];
    let station = Station::run(&services.join("\n"));
    station.until("all run", |status| status.all(&["base", "middle", "web"], "running"));
    let order = station.file("order");
    let steps = ["ready base", "begin middle", "ready middle", "begin web"].map(|line| place(&order, line));
    assert!(steps.is_sorted(), "{order}");
    station.end();
}

#[test]
fn one_parallel_start_means_one_after_the_other() {
    let services: Vec<String> = ["a", "b", "c"].iter().map(|name| noted(name, "")).collect();
    let station = Station::with_runtime("max_parallel_starts = 1", &services.join("\n"));
    station.until("all run", |status| status.all(&["a", "b", "c"], "running"));
    let order = station.file("order");
    let starting = order.lines().scan(0i32, |now, line| {
        *now += if line.starts_with("begin") { 1 } else { -1 };
        Some(*now)
    });
    assert_eq!(starting.max(), Some(1), "{order}");
    station.end();
}

#[test]
fn why_tells_a_services_own_story_also_when_it_waited_for_a_start_slot() {
    let station = Station::with_runtime(
        "max_parallel_starts = 1",
        "[services.first]\ncommand = [\"sleep\", \"1000\"]\nready = { file = { path = \"@DIR@/go\", within = \"60s\" } }\n\
         [services.second]\ncommand = [\"sleep\", \"1000\"]\nautostart = false\n",
    );
    station.until_service("first", "starting");
    station.tell(&["start", "second"]);
    station.until_service("second", "waiting");
    std::fs::write(station.dir().join("go"), "").unwrap();
    station.until_service("second", "running");
    let why = station.tell(&["why", "second"]);
    let words = why.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("operator: mainstay start second."), "{why}");
    assert!(words.contains("services told service/second: it has waited "), "{why}");
    assert!(words.contains(" for a start slot, and may start now."), "{why}");
    assert!(!why.contains("first"), "{why}");
    station.end();
}

#[test]
fn independent_services_start_beside_each_other() {
    let services: Vec<String> = ["a", "b"]
        .iter()
        .map(|name| {
            let other = if *name == "a" { "b" } else { "a" };
            // Each is ready only when the other has begun.
            format!(
                "[services.{name}]\ncommand = [\"sh\", \"-c\", \"touch @DIR@/{name}; sleep 1000\"]\n\
             ready = {{ file = {{ path = \"@DIR@/{other}\", within = \"60s\" }} }}\n"
            )
        })
        .collect();
    let station = Station::with_runtime("max_parallel_starts = 2", &services.join("\n"));
    station.until("both run", |status| status.all(&["a", "b"], "running"));
    station.end();
}

#[test]
fn a_required_service_that_fails_is_waited_for_an_optional_one_is_not() {
    // Were it ready for a moment, the strict one would start, and stop when it counts as lost.
    let station = Station::run(
        "[services.broken]\ncommand = [\"false\"]\nrestart = { attempts = 0 }\n\
         ready = { file = { path = \"@DIR@/never\", within = \"60s\" } }\n\
         [services.strict]\ncommand = [\"sleep\", \"1000\"]\nrequires = [\"broken\"]\n\
         [services.easy]\ncommand = [\"sleep\", \"1000\"]\nwants = { broken = { timeout = \"1s\" } }\n\
         [services.orderly]\ncommand = [\"sleep\", \"1000\"]\nafter = [\"broken\"]\n",
    );
    station.until("those that can run do", |status| status.all(&["easy", "orderly"], "running"));
    station.until_service("broken", "failed");
    station.until("the strict one has heard of it and waits", |status| {
        let strict = status.service("strict");
        strict.status == "waiting" && strict.waiting_for.iter().any(|what| what.starts_with("broken: failed"))
    });
    assert!(station.ask(&["why", "strict"]).words().contains("See `mainstay why broken`."));
    station.end();
}

#[test]
fn templates_environment_and_directory_are_what_the_configuration_says() {
    let (web, range) = (free_port(), crate::harness::free_ports());
    let station = Station::simulated(&format!(
        "[hardware.gps]\nkind = \"gps\"\n\
         [hardware.hackrf]\nkind = \"hackrf\"\n\
         [hardware.wlan2]\nkind = \"wifi\"\nmatch = {{ mac = \"02:00:00:00:02:00\" }}\n\
         [services.probe]\n\
         command = [\"sh\", \"-c\", \"echo \\\"$0 $* $GREETING\\\"; pwd; sleep 1000\", \"{{device.gps.path}}\", \"{{device.wlan2.interface}}\", \"{{device.hackrf.serial}}\", \"{{port.web}}\", \"{{port.other}}\", \"{{{{plain}}}}\"]\n\
         environment = {{ GREETING = \"on {{port.web}}\" }}\n\
         directory = \"@DIR@\"\n\
         devices = {{ gps = \"exclusive\", wlan2 = \"exclusive\", hackrf = \"exclusive\" }}\n\
         ports = {{ web = {web}, other = {{ range = \"{range}-{}\" }} }}\n\
         ready = {{ log = {{ contains = \"/mst\", within = \"60s\" }} }}\n",
        range + 1
    ));
    station.until_service("probe", "running");
    let expected = format!("/dev/ttyACM0 wlan2 000000000000000088c869dc2b5c8d1b {web} {range} {{plain}} on {web}");
    let log = station.log("probe");
    assert!(log.contains(&expected), "no `{expected}` in {log}");
    assert!(log.contains(station.dir().to_str().unwrap()), "{log}");
    station.end();
}

#[test]
fn a_group_of_three_services_shares_one_shared_device() {
    let service =
        |name: &str| format!("[services.{name}]\ncommand = [\"sleep\", \"1000\"]\ndevices = {{ gps = \"shared\" }}\n");
    let text = format!("[hardware.gps]\nkind = \"gps\"\n{}{}{}", service("a"), service("b"), service("c"));
    let station = Station::simulated(&text);
    let status = station.until("all run", |status| status.all(&["a", "b", "c"], "running"));
    let holders = status.leases().iter().filter(|lease| lease.resource == "device/gps").count();
    assert_eq!(holders, 3);
    station.end();
}

#[test]
fn what_the_kernel_cannot_run_fails_at_once() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for (name, content) in
        [("bare", "echo no first line\n"), ("orphan", "#!/no/such/interpreter\n"), ("broken", "\x7fELF")]
    {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        text.push_str(&format!(
            "[services.{name}]\ncommand = [\"{}\"]\nrestart = {{ backoff = \"1h\" }}\n",
            path.display()
        ));
    }
    let station = Station::run(&text);
    // One that is tried again waits for an hour first.
    let status = station.until("all have failed", |status| status.all(&["bare", "orphan", "broken"], "failed"));
    for name in ["bare", "orphan", "broken"] {
        assert!(status.service(name).reason.contains("`#!`"), "{:?}", status.service(name));
    }
    station.end();
}

#[test]
fn a_file_has_one_holder_however_its_path_is_spelled() {
    let one = |name: &str, path: &str| {
        format!("[services.{name}]\ncommand = [\"sleep\", \"1000\"]\nfiles = [\"@DIR@/{path}\"]\nautostart = false\n")
    };
    let spellings = [("a", "x/db"), ("b", "/x/db"), ("c", "x/../x/db"), ("d", "link/db"), ("e", "hard")];
    let station = Station::run(&spellings.map(|(name, path)| one(name, path)).concat());
    std::fs::create_dir(station.dir().join("x")).unwrap();
    std::os::unix::fs::symlink("x", station.dir().join("link")).unwrap();
    station.tell(&["start", "a"]);
    station.until_service("a", "running");
    // Also when the holder has made it meanwhile.
    std::fs::write(station.dir().join("x/db"), "").unwrap();
    std::fs::hard_link(station.dir().join("x/db"), station.dir().join("hard")).unwrap();
    for (name, _) in &spellings[1..] {
        station.tell(&["start", name]);
        station.until(&format!("{name} waits"), |status| {
            let waiting = &status.service(name).waiting_for;
            waiting.len() == 1 && waiting[0].ends_with(": held by a")
        });
    }
    station.tell(&["stop", "a"]);
    station.until_service("b", "running");
    station.end();
}

#[test]
fn a_conflict_is_said_to_be_one() {
    let station = Station::run(
        "[services.gpsd]\ncommand = [\"sleep\", \"1000\"]\n\
         [services.mavgps]\ncommand = [\"sleep\", \"1000\"]\nconflicts = [\"gpsd\"]\nautostart = false\n",
    );
    station.until_service("gpsd", "running");
    station.tell(&["start", "mavgps"]);
    station.until("it waits for the other", |status| {
        status.service("mavgps").waiting_for == ["gpsd: it runs, and conflicts with mavgps"]
    });
    assert!(station.tell(&["leases"]).contains("conflict/gpsd+mavgps"));
    assert!(station.ask(&["why", "mavgps"]).words().contains("Say `mainstay stop gpsd`"));
    station.end();
}
