//! What a user or a machine can get wrong, and what is said then. Nothing else suffers.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use crate::harness::{Station, free_port, free_ports, program};

#[test]
fn programs_that_cannot_be_started_fail_with_the_cure() {
    let station = Station::run(
        "[services.good]\ncommand = [\"sleep\", \"1000\"]\n\
         [services.missing]\ncommand = [\"no-such-program\"]\nrestart = { attempts = 0 }\n\
         [services.plain]\ncommand = [\"@DIR@/station.toml\"]\nrestart = { attempts = 0 }\n\
         [services.nowhere]\ncommand = [\"sleep\", \"1\"]\ndirectory = \"@DIR@/none\"\nrestart = { attempts = 0 }\n\
         [services.nobody]\ncommand = [\"sleep\", \"1\"]\nuser = \"no-such-user\"\nrestart = { attempts = 0 }\n",
    );
    let names = ["missing", "plain", "nowhere", "nobody"];
    let status = station.until("all have failed", |status| status.all(&names, "failed"));
    for (name, words) in [
        ("missing", "there is no program `no-such-program` in the service's PATH; install it, write its full path"),
        ("plain", "permission denied; `chmod +x` it"),
        ("nowhere", "/none cannot be entered"),
        ("nobody", "no-such-user"),
    ] {
        let reason = &status.service(name).reason;
        assert!(reason.contains(words), "{name}: no `{words}` in `{reason}`");
        assert!(station.ask(&["why", name]).words().contains(words), "{:?}", station.ask(&["why", name]));
    }
    assert_eq!(station.until_service("good", "running").status, "running");
    station.end();
}

#[test]
fn where_no_threads_can_be_made_it_does_not_begin_and_says_why() {
    if std::process::Command::new("prlimit").arg("--version").output().is_err() {
        println!("skipped: without prlimit(1) there is no limit to set");
        return;
    }
    let dir = tempfile::Builder::new().prefix("mst").tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    std::fs::copy(program(), dir.path().join("mainstay")).unwrap();
    let config = "[runtime]\nrun_dir = \"run\"\nstate_dir = \"state\"\n"
        .replace("\"run", &format!("\"{}/run", dir.path().display()));
    std::fs::write(
        dir.path().join("station.toml"),
        config.replace("\"state", &format!("\"{}/state", dir.path().display())),
    )
    .unwrap();
    // A user of its own, of whom nobody else counts; the limit does not hold for root.
    let begin = |limit: &str| {
        let mut command = std::process::Command::new("prlimit");
        command.arg(limit).args(["./mainstay", "run", "--config", "station.toml"]);
        command.current_dir(dir.path()).env_remove("MAINSTAY_CONFIG").env_remove("MAINSTAY_SOCKET");
        if rustix::process::geteuid().is_root() {
            command.uid(54_711).gid(54_711);
        }
        command.output().unwrap()
    };
    let of_threads = |limit| {
        (format!("--nproc={limit}"), format!("this user may have {limit} in all (RLIMIT_NPROC)"), "ulimit -u 4096")
    };
    let of_memory = (
        "--data=17500000".to_owned(),
        "its memory is limited to 17500000 bytes (RLIMIT_DATA)".to_owned(),
        "ulimit -d unlimited",
    );
    for (limit, fact, cure) in [of_threads(1), of_threads(3), of_threads(9), of_memory] {
        let output = begin(&limit);
        let said = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: mainstay cannot begin: it needs 13 threads and is given "), "{said}");
        let facts = format!("{fact}: Resource temporarily unavailable (os error 11)");
        assert!(said.contains(&facts) && said.contains(&format!("help: allow more: `{cure}`")), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_fixed_port_that_somebody_has_is_told_with_the_program_and_a_range_gives_the_next() {
    let (fixed, range) = (free_port(), free_ports());
    let _foreign = [fixed, range].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
    let station = Station::run(&format!(
        "[services.fixed]\ncommand = [\"sleep\", \"1000\"]\nports = {{ web = {fixed} }}\nrestart = {{ attempts = 0 }}\n\
         [services.flexible]\ncommand = [\"@MAINSTAY@\", \"stand-in\", \"wigletotak\", \"--port\", \"{{port.web}}\"]\n\
         ports = {{ web = {{ range = \"{range}-{}\" }} }}\nready = {{ tcp = {{ port = \"{{port.web}}\", within = \"60s\" }} }}\n",
        range + 1
    ));
    let failed = station.until_service("fixed", "failed");
    let expected = format!("port {fixed} is in use by pid {}", std::process::id());
    assert!(failed.reason.contains(&expected), "no `{expected}` in `{}`", failed.reason);
    let status = station.until("the other runs", |status| status.service("flexible").status == "running");
    let port = format!("port/{}", range + 1);
    assert!(status.leases().iter().any(|lease| lease.resource == port && lease.holder == "flexible"), "{status:?}");
    station.end();
}

#[test]
fn a_second_daemon_in_the_same_place_is_refused_and_the_first_goes_on() {
    let station = Station::run("[services.a]\ncommand = [\"sleep\", \"1000\"]\n");
    let before = station.until_service("a", "running");
    let second = station.ask(&["run", "--config", station.dir().join("station.toml").to_str().unwrap()]);
    assert_eq!(second.code, Some(5), "{second:?}");
    assert!(second.words().contains(&format!("pid {}", station.pid())), "{second:?}");
    assert_eq!(station.service("a").pid, before.pid);
    station.end();
}

#[test]
fn a_name_that_nobody_has_is_told_with_those_there_are() {
    let station = Station::demo();
    for args in [&["start", "gpds"][..], &["stop", "gpsd", "gpds"], &["restart", "gpds"], &["logs", "gpds"]] {
        let answered = station.ask(args);
        assert_eq!(answered.code, Some(4), "{answered:?}");
        let words = answered.words();
        assert!(words.contains("`gpds`") && words.contains("gpsd, kismet, openwebrx, sweep, wigletotak"), "{words}");
    }
    assert!(station.ask(&["why", "gpds"]).words().contains("gps, hackrf, uplink, wlan2"));
    assert_eq!(station.ask(&["eject", "camera"]).code, Some(4));
    assert_eq!(station.ask(&["trace", "--service", "gpds"]).code, Some(4));
    assert_eq!(station.service("gpsd").status, "running", "nothing was stopped because of the half that was right");
    station.end();
}

/// Runs a daemon that cannot begin; gives its exit code and what it said.
fn cannot_begin(runtime: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let text = format!("[runtime]\n{runtime}\n[services.a]\ncommand = [\"sleep\", \"1000\"]\n");
    let file = dir.path().join("station.toml");
    std::fs::write(&file, text.replace("@DIR@", dir.path().to_str().unwrap())).unwrap();
    let output = std::process::Command::new(program()).arg("run").arg("--config").arg(file).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!dir.path().join("run/mainstay.sock").exists(), "it left its socket");
    (output.status.code(), said.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn directories_that_cannot_be_used_are_told_with_the_cure() {
    let (code, said) = cannot_begin("run_dir = \"@DIR@/file\"\nstate_dir = \"@DIR@/state\"");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the run directory") && said.contains("as [runtime] run_dir"), "{said}");
    let (code, said) = cannot_begin("run_dir = \"@DIR@/run\"\nstate_dir = \"@DIR@/file\"");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("/file/logs") && said.contains("state_dir"), "{said}");
}

#[test]
fn services_of_kinds_that_this_version_does_not_run_say_so() {
    let station = Station::run(
        "[services.unit]\nsystemd = { unit = \"ssh.service\" }\n\
         [services.box]\ncontainer = { image = \"openwebrx:latest\" }\n\
         [services.needs]\ncommand = [\"sleep\", \"1000\"]\nrequires = [\"unit\"]\n",
    );
    let status = station.until("both have failed", |status| status.all(&["unit", "box"], "failed"));
    assert!(status.service("unit").reason.contains("not in this version"), "{status:?}");
    station.until("what needs one waits for it in vain", |status| {
        let needs = status.service("needs");
        needs.status == "waiting"
            && needs.waiting_for.iter().any(|what| what.starts_with("unit: failed: not in this version"))
    });
    station.end();
}

#[test]
fn starting_over_what_the_operator_holds_is_refused_and_can_be_insisted_on() {
    let station = Station::run(
        "[services.base]\ncommand = [\"sleep\", \"1000\"]\n\
         [services.top]\ncommand = [\"sleep\", \"1000\"]\nrequires = [\"base\"]\n",
    );
    station.until("both run", |status| status.all(&["base", "top"], "running"));
    station.tell(&["stop", "base"]);
    station.until("both are stopped", |status| status.pids().is_empty());
    let refused = station.ask(&["start", "top"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.words().contains("`mainstay start top --with-needs`"), "{refused:?}");
    station.tell(&["start", "top", "--with-needs"]);
    station.until("both run again", |status| status.all(&["base", "top"], "running"));
    station.end();
}

#[test]
fn the_name_of_a_device_in_the_place_of_a_service_is_told_as_that_and_the_other_way_round() {
    let station = Station::run(
        "[hardware.gps]\nkind = \"gps\"\nmatch = { serial = \"none\" }\n\
         [services.gpsd]\ncommand = [\"sleep\", \"1000\"]\ndevices.gps = {}\n",
    );
    for command in [&["stop", "gps"][..], &["start", "gps"], &["logs", "gps"], &["trace", "--service", "gps"]] {
        let said = station.ask(command).words();
        assert!(said.contains("`gps` is a device, and no service") && said.contains("`trace --device gps`"), "{said}");
    }
    for command in [&["eject", "gpsd"][..], &["admit", "gpsd"], &["trace", "--device", "gpsd"]] {
        let said = station.ask(command).words();
        assert!(said.contains("`gpsd` is a service, and no device") && said.contains("`stop gpsd`"), "{said}");
    }
    station.end();
}
