//! What a daemon that runs as root takes, and from whom. As an ordinary user there is nothing to see here.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::harness::program;

/// Somebody else than root.
const SOMEBODY: u32 = 4711;

/// `mainstay run` in this folder. What is not refused ends by itself: its run directory is a file.
fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.arg("run").args(args).current_dir(folder).env_remove("MAINSTAY_CONFIG").env_remove("MAINSTAY_SOCKET");
    command.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A folder with a configuration that anybody would be refused a moment later.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let text = format!("[runtime]\nrun_dir = \"{}/file\"\n", dir.path().display());
    fs::write(dir.path().join("mainstay.toml"), text).unwrap();
    dir
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[track_caller]
fn is_refused(output: &Output) {
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let said = said(output);
    assert!(said.contains("root does not run the configuration") && said.contains("--trust-config"), "{said}");
}

#[track_caller]
fn is_taken(output: &Output) {
    assert!(said(output).contains("is a file or a link to nothing: name another directory"), "{output:?}");
}

#[test]
fn root_runs_no_configuration_that_others_can_change_unless_it_is_named_and_trusted() {
    if !is_root() {
        return;
    }
    let dir = folder();
    let file = dir.path().join("mainstay.toml");
    is_taken(&run(dir.path(), &[]));
    is_taken(&run(dir.path(), &["--config", "mainstay.toml"]));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    is_refused(&run(dir.path(), &[]));
    is_refused(&run(dir.path(), &["--config", "mainstay.toml"]));
    is_taken(&run(dir.path(), &["--config", "mainstay.toml", "--trust-config"]));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    chown(&file, Some(SOMEBODY), None).unwrap();
    is_refused(&run(dir.path(), &["--config", "mainstay.toml"]));
    is_refused(&run(dir.path(), &["--demo", "--config", "mainstay.toml"]));
}

#[test]
fn check_tells_root_of_a_file_that_it_would_not_run() {
    if !is_root() {
        return;
    }
    let dir = folder();
    let check = || {
        let output = Command::new(program()).args(["check", "mainstay.toml"]).current_dir(dir.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!check().contains("--trust-config"), "{}", check());
    chown(dir.path().join("mainstay.toml"), Some(SOMEBODY), None).unwrap();
    assert!(check().contains("--trust-config"), "{}", check());
}

#[test]
fn root_runs_no_configuration_from_a_folder_that_others_can_change() {
    if !is_root() {
        return;
    }
    let dir = folder();
    chown(dir.path(), Some(SOMEBODY), None).unwrap();
    is_refused(&run(dir.path(), &["--config", "mainstay.toml"]));
    chown(dir.path(), Some(0), None).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    is_refused(&run(dir.path(), &["--config", "mainstay.toml"]));
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    is_taken(&run(dir.path(), &["--config", "mainstay.toml"]));
}

#[test]
fn what_the_environment_names_is_not_trusted_by_a_word_on_the_command_line() {
    let dir = folder();
    let mut command = Command::new(program());
    command.args(["run", "--trust-config"]).current_dir(dir.path()).env("MAINSTAY_CONFIG", "mainstay.toml");
    assert_eq!(command.output().unwrap().status.code(), Some(2));
    assert_eq!(run(dir.path(), &["--trust-config"]).status.code(), Some(2));
}

#[test]
fn a_state_directory_that_others_can_change_is_refused_unless_it_is_named_and_trusted() {
    if !is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (state, run_dir) = (dir.path().join("state"), dir.path().join("run"));
    fs::create_dir(&state).unwrap();
    // What is not refused ends by itself: its logs are in the way.
    fs::write(state.join("logs"), "").unwrap();
    let text = format!("[runtime]\nrun_dir = {run_dir:?}\nstate_dir = {state:?}\n");
    fs::write(dir.path().join("mainstay.toml"), text).unwrap();
    let refused = |why: &str| {
        let output = run(dir.path(), &["--config", "mainstay.toml"]);
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        let said = said(&output);
        assert!(said.contains("state directory") && said.contains(why) && said.contains("--trust-config"), "{said}");
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1, "something was put there");
    };
    fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
    refused("chmod go-w");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).unwrap();
    chown(&state, Some(SOMEBODY), None).unwrap();
    refused("belongs to user 4711");
    let output = run(dir.path(), &["--config", "mainstay.toml", "--trust-config"]);
    assert!(!said(&output).contains("cannot be trusted"), "{output:?}");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn a_run_directory_of_somebody_else_is_refused() {
    if !is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let run_dir = dir.path().join("run");
    fs::create_dir(&run_dir).unwrap();
    chown(&run_dir, Some(SOMEBODY), None).unwrap();
    fs::write(dir.path().join("mainstay.toml"), format!("[runtime]\nrun_dir = {run_dir:?}\n")).unwrap();
    let output = run(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(said(&output).contains("belongs to user 4711"), "{output:?}");
    assert_eq!(fs::read_dir(run_dir).unwrap().count(), 0, "something was put there");
}
