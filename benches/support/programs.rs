//! The programs that are started: the tiny service, the floor, and mainstay itself.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::kernel::monotonic;

/// Nothing takes as long; it only ends a bench that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with the compiled programs, which goes away at the end.
pub(crate) struct Workshop(tempfile::TempDir);

impl Workshop {
    /// Compiles them.
    pub(crate) fn new() -> Self {
        let workshop = Self(tempfile::tempdir().expect("a temporary folder"));
        compile("tiny.c", &workshop.tiny());
        compile("floor.c", &workshop.floor());
        workshop
    }

    /// The service.
    pub(crate) fn tiny(&self) -> PathBuf {
        self.0.path().join("tiny")
    }

    /// The floor.
    pub(crate) fn floor(&self) -> PathBuf {
        self.0.path().join("floor")
    }

    /// An empty folder.
    pub(crate) fn room(&self) -> tempfile::TempDir {
        tempfile::tempdir_in(self.0.path()).expect("a temporary folder")
    }
}

fn compile(source: &str, to: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(source);
    let done = Command::new("cc").args(["-O2", "-static", "-o"]).arg(to).arg(source).status();
    assert!(done.expect("a C compiler").success(), "a program of the benches cannot be compiled");
}

/// When each service started, and as which process: the file all of them write to.
pub(crate) struct Marks(PathBuf);

impl Marks {
    /// In this folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self(folder.join("marks"))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// All so far: when, and the process id.
    pub(crate) fn all(&self) -> Vec<(Duration, u32)> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let mark = |line: &str| {
            let (when, pid) = line.split_once(' ')?;
            Some((Duration::from_nanos(when.parse().ok()?), pid.parse().ok()?))
        };
        text.lines().filter_map(mark).collect()
    }

    /// Waits for so many.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<(Duration, u32)> {
        let begin = monotonic();
        loop {
            let marks = self.all();
            if marks.len() >= count {
                return marks;
            }
            assert!(monotonic() - begin < PATIENCE, "only {} of {count} services have started", marks.len());
            std::thread::sleep(Duration::from_micros(500));
        }
    }
}

/// A configuration of `count` independent services that write to `marks`.
pub(crate) fn configuration(count: usize, tiny: &Path, marks: &Marks, folder: &Path) -> PathBuf {
    services(count, |_| String::new(), tiny, marks, folder)
}

/// What one requires that requires those with these numbers.
pub(crate) fn requires(needs: Vec<usize>) -> String {
    let needs: Vec<String> = needs.into_iter().map(|need| format!("s{need:04}")).collect();
    if needs.is_empty() { String::new() } else { format!("requires = {needs:?}\n") }
}

/// The same of services that have further keys: `keys` says those of the one with this number.
pub(crate) fn services(
    count: usize,
    keys: impl Fn(usize) -> String,
    tiny: &Path,
    marks: &Marks,
    folder: &Path,
) -> PathBuf {
    let mut text = format!("[runtime]\nstate_dir = {folder:?}\nrun_dir = {:?}\n", folder.join("run"));
    for number in 0..count {
        let keys = keys(number);
        write!(
            text,
            "[services.s{number:04}]\ncommand = [{tiny:?}, {:?}]\nrestart = {{ backoff = \"0s\", attempts = 1000 }}\n{keys}",
            marks.path()
        )
        .expect("room for the text");
    }
    let path = folder.join("mainstay.toml");
    fs::write(&path, text).expect("a file that can be written");
    path
}

/// Starts mainstay on a configuration. Its log goes nowhere.
pub(crate) fn mainstay(configuration: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
    command.arg("run").arg("--config").arg(configuration);
    quiet(command)
}

/// Starts the floor with so many services.
pub(crate) fn floor(program: &Path, count: usize, tiny: &Path, marks: &Marks) -> Child {
    let mut command = Command::new(program);
    command.arg(count.to_string()).arg(tiny).arg(marks.path());
    quiet(command)
}

fn quiet(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("a program that can be started")
}
