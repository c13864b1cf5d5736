//! Every way to be ready, and what is said when a service never is.

use crate::harness::{MARK, Station, free_port, helper, until};

/// One service for each way, each really ready only after a moment.
#[test]
fn a_service_is_ready_in_each_of_the_nine_ways() {
    let [tcp, http, gpsd, kismet] = [free_port(), free_port(), free_port(), free_port()];
    let later = |name: &str, line: &str, ready: &str| {
        format!(
            "[services.{name}]\ncommand = [\"sh\", \"-c\", \"sleep 0.3; {line}\"]\nready = {{ {ready}, within = \"60s\" }}\n"
        )
    };
    let text = [
        "[services.process]\ncommand = [\"sleep\", \"1000\"]\nready = \"process\"\n".to_owned(),
        format!("[services.notify]\n{}ready = {{ notify = {{ within = \"60s\" }} }}\n", helper::service("notify")),
        later(
            "tcp",
            &format!("exec @MAINSTAY@ stand-in wigletotak --port {tcp}"),
            &format!("tcp = {{ port = {tcp} }}"),
        ),
        later(
            "http",
            &format!("exec @MAINSTAY@ stand-in openwebrx --port {http} --serial 1"),
            &format!("http = {{ url = \"http://127.0.0.1:{http}/status.json\" }}"),
        ),
        later("exec", "touch @DIR@/exec; sleep 1000", "exec = { command = [\"test\", \"-e\", \"@DIR@/exec\"] }"),
        later("file", "touch @DIR@/file; sleep 1000", "file = { path = \"@DIR@/file\" }"),
        later("log", "echo now serving; sleep 1000", "log = { contains = \"now serving\" }"),
        later(
            "gpsd",
            &format!("exec @MAINSTAY@ stand-in gpsd --port {gpsd} --device /dev/null"),
            &format!("gpsd = {{ port = {gpsd} }}"),
        ),
        later(
            "kismet",
            &format!("exec @MAINSTAY@ stand-in kismet --port {kismet} --interface wlan2"),
            &format!("kismet = {{ port = {kismet} }}"),
        ),
    ];
    let station = Station::with_runtime("max_parallel_starts = 9", &text.join("\n"));
    let others = ["process", "tcp", "http", "exec", "file", "log", "gpsd", "kismet"];
    station.until("all but one run", |status| status.all(&others, "running"));
    assert_eq!(station.service("notify").status, "starting", "it has not said READY=1 yet");
    std::fs::write(station.dir().join("go"), "").unwrap();
    station.until_service("notify", "running");
    station.end();
}

#[test]
fn a_command_that_checks_a_service_runs_as_the_service_does() {
    use std::os::unix::fs::PermissionsExt;
    let (tools, web) = (tempfile::tempdir().unwrap(), free_port());
    let tools = tools.path();
    let look = tools.join("look");
    std::fs::write(&look, "#!/bin/sh\necho $MAINSTAY_SERVICE as $(id -un) in $(pwd) at $WHERE in $LANG\n").unwrap();
    for path in [tools, &look] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let tools = tools.display();
    let root = rustix::process::geteuid().is_root();
    let user = if root { "user = \"nobody\"\n" } else { "" };
    let station = Station::begun_by(
        "LANG=C.UTF-8 exec \"$@\"",
        &format!(
            "[services.web]\ncommand = [\"sleep\", \"1000\"]\n{user}directory = \"{tools}\"\n\
             environment = {{ WHERE = \"{{port.web}}\", PATH = \"{tools}:/usr/bin:/bin\" }}\n\
             environment_from = [\"LANG\", \"{MARK}\"]\nports = {{ web = {web} }}\n\
             ready = {{ exec = {{ command = [\"look\"], within = \"60s\" }} }}\n"
        ),
    );
    station.until_service("web", "running");
    let whom = if root { "nobody" } else { "" };
    let expected = [format!("web as {whom}"), format!("in {tools} at {web} in C.UTF-8\n")];
    until("what the check has printed is written", || {
        let log = station.log("readiness-probes");
        expected.iter().all(|words| log.contains(words)).then_some(())
    });
    station.end();
}

#[test]
fn a_service_that_is_never_ready_fails_with_the_words_of_the_last_look() {
    let [tcp, http] = [free_port(), free_port()];
    // So long that even on a machine that does much else something was looked at, and the one that talks has talked.
    let within = "8s";
    let never = |name: &str, ready: &str| {
        format!(
            "[services.{name}]\ncommand = [\"sleep\", \"1000\"]\nrestart = {{ attempts = 0 }}\nready = {{ {ready}, within = \"{within}\" }}\n"
        )
    };
    let text = [
        never("tcp", &format!("tcp = {{ port = {tcp} }}")),
        never("http", &format!("http = {{ url = \"http://127.0.0.1:{http}/\" }}")),
        never("exec", "exec = { command = [\"false\"] }"),
        never("file", "file = { path = \"@DIR@/none\" }"),
        never("log", "log = { contains = \"hello\" }"),
        format!(
            "[services.notify]\n{}restart = {{ attempts = 0 }}\nready = {{ notify = {{ within = \"{within}\" }} }}\n",
            helper::service("talk")
        ),
    ];
    let station = Station::with_runtime("max_parallel_starts = 6", &text.join("\n"));
    let names = ["tcp", "http", "exec", "file", "log", "notify"];
    let status = station.until("all have failed", |status| status.all(&names, "failed"));
    let expected = [
        ("tcp", format!("nothing listens on 127.0.0.1:{tcp}")),
        ("http", format!("nothing listens on 127.0.0.1:{http}")),
        ("exec", "`false` ended with exit code 1".to_owned()),
        ("file", "none does not exist".to_owned()),
        ("log", "its output does not say `hello` yet".to_owned()),
        ("notify", "looking for satellites".to_owned()),
    ];
    for (name, words) in expected {
        let service = status.service(name);
        assert!(service.reason.contains(&words), "{name}: no `{words}` in `{}`", service.reason);
        assert!(service.reason.contains("not ready"), "{name}: `{}`", service.reason);
        assert_eq!(service.pid, None, "{name} was left running");
    }
    station.end();
}

#[test]
fn what_is_said_before_anybody_could_listen_is_heard_all_the_same() {
    let names: Vec<String> = (0..8).map(|nth| format!("quick{nth}")).collect();
    let text: String = names
        .iter()
        .map(|name| {
            format!(
                "[services.{name}]\ncommand = [\"sh\", \"-c\", \"echo up; exec sleep 1000\"]\n\
                 ready = {{ log = {{ contains = \"up\", within = \"10m\" }} }}\n"
            )
        })
        .collect();
    let station = Station::with_runtime("max_parallel_starts = 8", &text);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    station.until("all run", |status| status.all(&names, "running"));
    station.end();
}

#[test]
fn a_log_is_heard_also_without_a_line_end_across_a_cut_and_after_a_rotation() {
    let log = |name: &str, script: &str| {
        format!(
            "[services.{name}]\ncommand = [\"sh\", \"-c\", \"\"\"{script}; exec sleep 1000\"\"\"]\n\
             ready = {{ log = {{ contains = \"now serving\" }}, within = \"60s\" }}\n"
        )
    };
    let flood = "i=0; while [ $i -lt 300 ]; do echo line $i of much that follows; i=$((i+1)); done";
    let text = [
        log("prompt", "printf 'now serving'"),
        log("halves", "printf 'now ser'; while ! [ -e @DIR@/cut ]; do sleep 0.05; done; echo ving"),
        log("long", "head -c 8185 /dev/zero | tr '\\\\0' x; echo now serving"),
        log("flood", &format!("echo now serving; {flood}")),
        "[logs]\nmax_size = \"10KB\"\nkeep = 3\n".to_owned(),
    ];
    let station = Station::with_runtime("max_parallel_starts = 9", &text.join("\n"));
    until("the first half is written", || station.log("halves").contains(" now ser").then_some(()));
    std::fs::write(station.dir().join("cut"), "").unwrap();
    station.until("all are heard", |status| status.all(&["prompt", "halves", "long", "flood"], "running"));
    let shown = station.tell(&["logs", "halves"]);
    let lines: Vec<&str> = shown.lines().map(|line| &line[24..]).collect();
    assert_eq!(lines, [" now ser", "+ving"]);
    station.end();
}

#[test]
fn what_a_running_service_says_of_itself_does_not_hide_how_it_came_to_run() {
    let station = Station::run(&format!(
        "[services.notify]\n{}ready = {{ notify = {{ within = \"60s\" }} }}\n",
        helper::service("notify")
    ));
    std::fs::write(station.dir().join("go"), "").unwrap();
    station.until("it says what it does", |status| status.service("notify").reason == "at work");
    let why = station.tell(&["why", "notify"]);
    assert!(why.starts_with("notify is running as pid") && why.contains(": at work."), "{why}");
    assert!(why.contains("READY=1"), "{why}");
    station.end();
}

#[test]
fn a_service_that_says_that_it_needs_more_time_to_start_is_given_it() {
    let service = helper::service("slow");
    let station = Station::run(&format!("[services.slow]\n{service}ready = {{ notify = {{ within = \"1s\" }} }}\n"));
    station.until_service("slow", "running");
    assert!(!station.trace(&["--service", "slow"]).messages.iter().any(|message| message.kind == "Signal"));
    station.end();
}

#[test]
fn what_a_service_said_of_its_failure_is_why_it_failed_and_the_main_process_that_it_named_is_shown() {
    let (fails, names) = (helper::service("fails"), helper::service("names"));
    let station = Station::run(&format!(
        "[services.fails]\n{fails}ready = {{ notify = {{ within = \"60s\" }} }}\nrestart = {{ attempts = 0 }}\n\
         [services.names]\n{names}ready = {{ notify = {{ within = \"60s\" }} }}\n"
    ));
    let reason = station.until_service("fails", "failed").reason;
    for words in ["no licence", "it reports: No such file or directory", "exit code 7"] {
        assert!(reason.contains(words), "no `{words}` in `{reason}`");
    }
    let named = until("another process is there", || station.file("named").parse::<u32>().ok());
    station.until("it is the one that is shown", |status| status.service("names").pid == Some(named));
    station.until_service("names", "running");
    station.end();
}

#[test]
fn a_start_that_ends_before_it_is_ready_has_failed_and_its_dependents_hear_so() {
    let port = free_port();
    let station = Station::run(&format!(
        "[services.onfailure]\ncommand = [\"true\"]\nready = \"notify\"\n\
         restart = {{ when = \"failure\", attempts = 1, backoff = \"50ms\" }}\n\
         [services.never]\ncommand = [\"true\"]\nready = {{ tcp = {{ port = {port} }} }}\nrestart = {{ when = \"never\" }}\n\
         [services.user]\ncommand = [\"sleep\", \"1000\"]\nrequires = [\"onfailure\"]\n"
    ));
    let status = station.until("both have failed", |status| status.all(&["onfailure", "never"], "failed"));
    assert_eq!(status.service("never").reason, "it ended before it was ready: exit code 0; restart.when = \"never\"");
    let waits = station.until_service("user", "waiting").waiting_for;
    assert!(waits[0].contains("it ended before it was ready: exit code 0; given up after 1 restart"), "{waits:?}");
    station.end();
}

#[test]
fn a_stranger_who_answers_on_a_leased_port_is_named_and_not_taken_for_the_service() {
    for check in ["tcp = { port = \"{port.web}\" }", "http = { url = \"http://127.0.0.1:{port.web}/\" }"] {
        let port = free_port();
        let station = Station::run(&format!(
            "[services.web]\nports = {{ web = {port} }}\nready = {{ {check} }}\n\
             command = [\"sh\", \"-c\", \"until [ -e @DIR@/go ]; do sleep 0.05; done; exec @MAINSTAY@ stand-in wigletotak --port {port}\"]\n"
        ));
        station.until_service("web", "starting");
        // It was looked at before the port was given; now there is a stranger, who would answer well.
        let stranger = answers_everybody(port);
        // Another test may have had the port for a moment, and been named.
        let named = |reason: &str| {
            reason.contains(&format!("pid {} ", stranger.id()))
                && reason.contains(&format!("listens on 127.0.0.1:{port}, and is not of this service"))
        };
        let status = station.until("the stranger is named", |status| named(&status.service("web").reason));
        assert_eq!(status.service("web").status, "starting", "{check}");
        end(stranger);
        std::fs::write(station.dir().join("go"), "").unwrap();
        station.until_service("web", "running");
        station.end();
    }
}

/// Somebody who has nothing to do with mainstay.
fn answers_everybody(port: u16) -> std::process::Child {
    let args = ["stand-in", "wigletotak", "--port", &port.to_string()];
    std::process::Command::new(crate::harness::program()).args(args).spawn().unwrap()
}

fn end(mut stranger: std::process::Child) {
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_stranger_on_another_address_is_not_in_the_way_of_a_port_that_names_its_own() {
    let port = free_port();
    let _stranger = std::net::TcpListener::bind(("127.0.0.2", port)).unwrap();
    let station = Station::run(&format!(
        "[services.web]\nports = {{ web = {{ fixed = {port}, address = \"127.0.0.1\" }} }}\n\
         command = [\"@MAINSTAY@\", \"stand-in\", \"wigletotak\", \"--port\", \"{{port.web}}\"]\n\
         ready = {{ tcp = {{ port = \"{{port.web}}\" }} }}\n"
    ));
    station.until_service("web", "running");
    station.end();
}

#[test]
fn a_stranger_of_another_user_is_not_taken_for_the_service_of_an_ordinary_user() {
    let has_setpriv = std::process::Command::new("setpriv").arg("--version").output().is_ok();
    if !rustix::process::geteuid().is_root() || !has_setpriv {
        return;
    }
    let port = free_port();
    // The program may lie where others may not go.
    let as_nobody = "dir=${4%/*}; cp \"$1\" \"$dir/mainstay\"; chown -R 65534:65534 \"$dir\"; shift; \
                     exec setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=\"$dir\" \"$dir/mainstay\" \"$@\"";
    let station = Station::begun_by(
        as_nobody,
        &format!(
            "[services.web]\nports = {{ web = {port} }}\nready = {{ tcp = {{ port = \"{{port.web}}\" }} }}\n\
             command = [\"sleep\", \"1000\"]\n"
        ),
    );
    station.until_service("web", "starting");
    let _stranger = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let named = format!(
        "another process of user 0 (not visible to this user) listens on 127.0.0.1:{port}, and is not of this service"
    );
    let status = station.until("the stranger is named", |status| status.service("web").reason.contains(&named));
    assert_eq!(status.service("web").status, "starting");
    station.end();
}
