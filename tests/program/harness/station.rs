//! A running daemon with its folders, and the command line that asks it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use super::answered::Answered;
use super::{PATIENCE, Service, Status, Trace, descendants, free_ports, log_keepers, processes_with, until};

/// The program under test.
pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_mainstay")
}

/// The configuration of the demo.
const DEMO: &str = include_str!("../../../config/profiles/demo.toml");

/// What every configuration begins with.
const HEAD: &str = "[runtime]\nrun_dir = \"@DIR@/run\"\nstate_dir = \"@DIR@/state\"\n";

/// The variable that holds the folder of the station that a process came of.
pub(crate) const MARK: &str = "MAINSTAY_TEST";

/// Where the daemon's own log goes.
enum Log {
    /// Where [`Station::said`] finds it.
    File,
    To(Stdio),
}

/// A station. When it is dropped, everything it started is killed, whatever the test came to.
pub(crate) struct Station {
    daemon: Child,
    dir: tempfile::TempDir,
}

/// A folder with a configuration in it.
fn folder(head: &str, text: &str) -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("mst").tempdir().unwrap();
    let text = marked(&format!("{head}{text}")).replace("@DIR@", dir.path().to_str().unwrap());
    let text = text.replace("@MAINSTAY@", program());
    fs::write(dir.path().join("station.toml"), text).unwrap();
    dir
}

/// The configuration, in which each service is given the variable by which its processes are found.
fn marked(text: &str) -> String {
    let mut in_service = false;
    let mut marked = String::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            let section = line.trim_start_matches('[').split(']').next().unwrap_or_default();
            in_service = section.starts_with("services.") && section.matches('.').count() == 1;
        }
        if in_service && line.starts_with("command = ") && !text.contains("environment_from") {
            marked.push_str(&format!("environment_from = [\"{MARK}\"]\n"));
        }
        marked.push_str(line);
    }
    marked
}

impl Station {
    /// The demo, on ports of its own.
    pub(crate) fn demo() -> Self {
        let mut text = DEMO.to_owned();
        for (prefer, range) in [(2947, "2948-2957"), (2501, "2502-2511"), (8073, "8074-8083"), (8000, "8001-8010")] {
            let first = free_ports();
            let before = format!("prefer = {prefer}, range = \"{range}\"");
            assert!(text.contains(&before), "the demo has another port than {before}");
            text = text.replace(&before, &format!("prefer = {first}, range = \"{first}-{}\"", first + 1));
        }
        let demo = Self::start(HEAD, &text, &["--demo"], Log::File);
        demo.until("the demo is up", |status| status.all(&["gpsd", "kismet", "openwebrx", "wigletotak"], "running"));
        demo
    }

    /// A station with these services. `@DIR@` stands for its folder, `@MAINSTAY@` for the program.
    pub(crate) fn run(services: &str) -> Self {
        Self::with_runtime("", services)
    }

    /// The same with more in `[runtime]`.
    pub(crate) fn with_runtime(runtime: &str, services: &str) -> Self {
        Self::start(&format!("{HEAD}{runtime}\n"), services, &[], Log::File)
    }

    /// Simulated hardware, and these services instead of the demo's.
    pub(crate) fn simulated(text: &str) -> Self {
        Self::start(HEAD, text, &["--demo"], Log::File)
    }

    /// One whose log goes elsewhere.
    pub(crate) fn logging_to(log: impl Into<Stdio>, services: &str, args: &[&str]) -> Self {
        Self::start(HEAD, services, args, Log::To(log.into()))
    }

    /// One that is started as nohup(1) starts it.
    pub(crate) fn under_nohup(services: &str) -> Self {
        Self::begun_by("trap '' HUP; exec \"$@\"", services)
    }

    /// One that a shell begins, which does something before: `"$@"` is the daemon with its arguments.
    pub(crate) fn begun_by(script: &str, services: &str) -> Self {
        let dir = folder(HEAD, services);
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", program(), "run", "--config"]).arg(dir.path().join("station.toml"));
        let station = Self { daemon: Self::begin(command, dir.path(), Log::File), dir };
        station.wait_until_it_answers();
        station
    }

    /// One whose program is the file `mainstay` in its folder, which is a copy.
    pub(crate) fn of_a_copy(services: &str) -> Self {
        let dir = folder(HEAD, services);
        let copy = dir.path().join("mainstay");
        fs::copy(program(), &copy).unwrap();
        let mut command = Command::new(copy);
        command.args(["run", "--config"]).arg(dir.path().join("station.toml"));
        let station = Self { daemon: Self::begin(command, dir.path(), Log::File), dir };
        station.wait_until_it_answers();
        station
    }

    fn start(head: &str, text: &str, args: &[&str], log: Log) -> Self {
        let dir = folder(head, text);
        let daemon = Self::spawn(dir.path(), args, log);
        let station = Self { daemon, dir };
        station.wait_until_it_answers();
        station
    }

    /// The demo exactly as a new user starts it, with this folder for its run directory.
    pub(crate) fn plain_demo(dir: tempfile::TempDir) -> Self {
        let mut command = Command::new(program());
        command.args(["run", "--demo"]).env("XDG_RUNTIME_DIR", dir.path());
        // `mainstay` is what the folder in the run directory is called there.
        std::os::unix::fs::symlink("mainstay", dir.path().join("run")).unwrap();
        let station = Self { daemon: Self::begin(command, dir.path(), Log::File), dir };
        station.wait_until_it_answers();
        station
    }

    fn spawn(dir: &Path, args: &[&str], log: Log) -> Child {
        let mut command = Command::new(program());
        command.arg("run").args(args).arg("--config").arg(dir.join("station.toml"));
        Self::begin(command, dir, log)
    }

    fn begin(mut command: Command, dir: &Path, log: Log) -> Child {
        let output = fs::OpenOptions::new().create(true).append(true).open(dir.join("daemon.log")).unwrap();
        command
            .env(MARK, dir)
            .env_remove("MAINSTAY_CONFIG")
            .env("RUST_BACKTRACE", "0")
            .env_remove("MAINSTAY_LOG")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(match log {
                Log::File => output.into(),
                Log::To(other) => other,
            })
            // What is typed at the terminal of the tests is not for it.
            .process_group(0)
            .spawn()
            .unwrap()
    }

    fn wait_until_it_answers(&self) {
        until("the daemon answers", || {
            let answered = self.ask(&["status"]);
            assert!(answered.code == Some(0) || answered.code == Some(3), "{answered:?}\n{}", self.said());
            (answered.code == Some(0)).then_some(())
        });
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir().join("run/mainstay.sock")
    }

    /// The daemon's process.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.id()
    }

    /// A command to this daemon.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(args).env("MAINSTAY_SOCKET", self.socket()).env_remove("MAINSTAY_CONFIG").current_dir(self.dir());
        command
    }

    /// Asks it.
    pub(crate) fn ask(&self, args: &[&str]) -> Answered {
        Answered::from(&self.command(args).output().unwrap())
    }

    /// Asks it for something that it does; gives what it printed.
    #[track_caller]
    pub(crate) fn tell(&self, args: &[&str]) -> String {
        let answered = self.ask(args);
        assert_eq!(answered.code, Some(0), "{args:?}: {answered:?}\n{}", self.said());
        answered.out
    }

    /// `status --json`.
    #[track_caller]
    pub(crate) fn status(&self) -> Status {
        serde_json::from_str(&self.tell(&["status", "--json"])).unwrap()
    }

    /// One service of it.
    #[track_caller]
    pub(crate) fn service(&self, name: &str) -> Service {
        self.status().service(name).clone()
    }

    /// `trace --json` with these arguments.
    #[track_caller]
    pub(crate) fn trace(&self, args: &[&str]) -> Trace {
        let args: Vec<&str> = ["trace", "--json"].iter().chain(args).copied().collect();
        serde_json::from_str(&self.tell(&args)).unwrap()
    }

    /// Waits until its status is so.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, so: impl Fn(&Status) -> bool) -> Status {
        let begun = std::time::Instant::now();
        loop {
            let status = self.status();
            if so(&status) {
                return status;
            }
            if begun.elapsed() > PATIENCE {
                panic!("it never came about: {what}; {status:#?}\n{}", self.said());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Waits until a service has a status.
    #[track_caller]
    pub(crate) fn until_service(&self, name: &str, wanted: &str) -> Service {
        let status = self.until(&format!("{name} is {wanted}"), |status| status.service(name).status == wanted);
        status.service(name).clone()
    }

    /// What the daemon printed.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.dir().join("daemon.log")).unwrap_or_default()
    }

    /// A file in its folder; empty while it is not there.
    pub(crate) fn file(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.dir().join(name)).unwrap_or_default()).into_owned()
    }

    /// What a service printed.
    pub(crate) fn log(&self, service: &str) -> String {
        self.file(&format!("state/logs/{service}.log"))
    }

    /// Sends the daemon a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the daemon's end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let daemon = &mut self.daemon;
        until("the daemon ends", || daemon.try_wait().unwrap())
    }

    /// How it ended, once it has.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.daemon.try_wait().unwrap()
    }

    /// Starts another daemon in the same place, when the first has ended.
    pub(crate) fn again(&mut self) {
        self.daemon = Self::spawn(self.dir.path(), &[], Log::File);
        self.wait_until_it_answers();
    }

    /// Every process that came of this station and still runs: daemon, log-keeper, services.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let mut found = processes_with(&format!("{MARK}={}", self.dir().display()));
        // The demo as it is shipped gives its services no mark.
        found.extend(descendants(self.pid()));
        found.extend(self.log_keepers());
        found.retain(|pid| super::alive(*pid));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Its log-keepers: they are the daemon's children, or write into its folder.
    pub(crate) fn log_keepers(&self) -> Vec<u32> {
        log_keepers(self.pid(), self.dir())
    }

    /// Stops it as an operator would, and sees that nothing is left: no process, no socket.
    #[track_caller]
    pub(crate) fn end(mut self) {
        self.signal(rustix::process::Signal::TERM);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{}", self.said());
        self.nothing_is_left();
    }

    /// No process of it is left, and no socket.
    #[track_caller]
    pub(crate) fn nothing_is_left(&self) {
        // The log-keeper ends by itself a moment after the daemon.
        until("every process of the station has ended", || self.processes().is_empty().then_some(()));
        assert!(!self.socket().exists(), "the socket is still there");
        let notify: Vec<_> = fs::read_dir(self.dir().join("run/notify")).into_iter().flatten().flatten().collect();
        assert!(notify.is_empty(), "sockets are left: {notify:?}");
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        // Killed processes may just be starting others.
        for _ in 0..100 {
            let found = self.processes();
            if found.is_empty() {
                break;
            }
            for pid in found {
                if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
                    // It may have ended meanwhile.
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                }
            }
            let _ = self.daemon.try_wait();
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let _ = self.daemon.wait();
    }
}
