//! A systemd with its udev, to compare with. It is the first process of a namespace of its own and mounts for itself;
//! everything else it shares with the machine: devices, `/sys`, uevents, control groups, `/run` and `/tmp`.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::observe::{cgroup, process};
use crate::wait;

const SYSTEMD: &str = "/lib/systemd/systemd";
const UDEV: &str = "/lib/systemd/systemd-udevd";
const UNITS: &str = "/run/systemd/system";
const RULES: &str = "/run/udev/rules.d";
/// What it makes in the machine's `/run`.
const TRACES: [&str; 3] = ["/run/systemd", "/run/udev", "/run/log"];

/// What it starts with: udev, and a journal for what services say. The rest of a boot would empty `/tmp`.
const TARGET: &str = "[Unit]
DefaultDependencies=no
Requires=systemd-journald.service systemd-udevd.service
After=systemd-journald.service systemd-udevd.service
";

/// Whether this computer has what it takes.
pub(crate) fn is_installed() -> bool {
    [SYSTEMD, UDEV].iter().all(|program| Path::new(program).exists())
}

/// It runs; dropping it ends it with everything it started.
#[derive(Debug)]
pub(crate) struct Systemd {
    namespace: Child,
    first: String,
}

impl Systemd {
    /// Starts it with a service and a rule for udev, and waits until udev runs. Control groups must be mounted.
    pub(crate) fn start(service: (&str, &str), rule: &str) -> Result<Self> {
        fs::create_dir_all(UNITS)?;
        fs::create_dir_all(RULES)?;
        fs::write(Path::new(UNITS).join("lab.target"), TARGET)?;
        fs::write(Path::new(UNITS).join(service.0), service.1)?;
        fs::write(Path::new(RULES).join("90-lab.rules"), rule)?;
        let namespace = Command::new("unshare")
            .args(["--pid", "--mount", "--fork", "--kill-child", "--mount-proc", SYSTEMD, "--unit=lab.target"])
            // What it is told instead of a boot loader's words: leave the console alone (systemd.io/CONTAINER_INTERFACE).
            .env("container", "lab")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("unshare cannot be run")?;
        let parent = namespace.id();
        let mut systemd = Self { namespace, first: String::new() };
        systemd.first = wait::value("systemd to start", wait::STEP, || {
            Ok(process::all()?.into_iter().find(|process| process.parent == parent).map(|first| first.pid.to_string()))
        })?;
        systemd.until("lab.target", "active")?;
        Ok(systemd)
    }

    /// Waits until udev has nothing to do and a unit is in this state.
    pub(crate) fn until(&self, unit: &str, state: &str) -> Result<()> {
        let mut said = String::new();
        wait::until(&format!("systemd's {unit} to be {state}"), wait::STEP, || {
            said = self.run(&["systemctl", "show", "--property=ActiveState", "--value", unit])?;
            Ok(said.trim() == state)
        })
        .with_context(|| format!("systemctl last said {said:?}"))?;
        self.run(&["udevadm", "settle"]).map(drop)
    }

    /// Runs a command in its namespace: systemd and udev do not answer anybody outside.
    fn run(&self, command: &[&str]) -> Result<String> {
        let output = Command::new("nsenter")
            .args(["--target", &self.first, "--pid", "--mount"])
            .args(command)
            .stdin(Stdio::null())
            .output()
            .context("nsenter cannot be run")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        // At its start it does not answer yet.
        let silent = complaint.contains("Failed to connect") || complaint.contains("not connected");
        ensure!(output.status.success() || silent, "`{}`: {}: {complaint}", command.join(" "), output.status);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        // The kernel ends a namespace with its first process, and that one ends with unshare.
        let ended = self.namespace.kill().and_then(|()| self.namespace.wait()).context("unshare");
        if let Err(error) = ended.and_then(|_| cgroup::remove_all()) {
            eprintln!("lab: systemd leaves something behind: {error:#}");
        }
        for folder in TRACES {
            // Not everything was made in every run.
            let _ = fs::remove_dir_all(folder);
        }
    }
}
