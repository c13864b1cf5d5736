//! Where a scenario plays: a folder of its own, and the look afterwards whether anything was left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::daemon::Daemon;
use crate::observe::{cgroup, process};
use crate::wait;

/// The variable mainstay puts into the environment of everything it runs.
pub(crate) const RUN_VARIABLE: &str = "MAINSTAY_RUN";
/// How long what was left behind may take to go.
const GOING: Duration = Duration::from_secs(10);

/// The stage of one scenario.
#[derive(Debug)]
pub(crate) struct Stage {
    mainstay: PathBuf,
    /// For everything the scenario writes.
    pub(crate) folder: PathBuf,
    /// Where its random events begin.
    pub(crate) seed: u64,
}

/// The folder of a scenario.
pub(crate) fn folder(scenario: &str) -> PathBuf {
    Path::new("/tmp/lab").join(scenario)
}

impl Stage {
    /// A new stage with an empty folder.
    pub(crate) fn set(scenario: &str, mainstay: &Path, seed: u64) -> Result<Self> {
        let folder = folder(scenario);
        fs::create_dir_all(&folder)?;
        Ok(Self { mainstay: mainstay.to_owned(), folder, seed })
    }

    /// Starts a daemon whose configuration is these pieces; `[runtime]` is put in front.
    pub(crate) fn daemon(&self, configuration: &[&str]) -> Result<Daemon> {
        Daemon::start(&self.mainstay, &self.folder, &configuration.concat(), None)
    }

    /// Starts a daemon that runs as this user.
    pub(crate) fn daemon_as(&self, user: u32, configuration: &[&str]) -> Result<Daemon> {
        Daemon::start(&self.mainstay, &self.folder, &configuration.concat(), Some(user))
    }

    /// Looks whether the scenario, which has ended, left anything behind; and takes it away, for the next one's sake.
    pub(crate) fn strike(self) -> Result<()> {
        let mut left = Vec::new();
        let gone = wait::until("everything to be gone", GOING, || {
            left = self.leftovers()?;
            Ok(left.is_empty())
        });
        if gone.is_ok() {
            return Ok(());
        }
        for stray in self.strays()? {
            if let Some(pid) = i32::try_from(stray.pid).ok().and_then(Pid::from_raw) {
                // It may have ended by itself meanwhile.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        bail!("left behind: {}", left.join("; "));
    }

    fn leftovers(&self) -> Result<Vec<String>> {
        let mut left: Vec<String> = self
            .strays()?
            .into_iter()
            .map(|stray| format!("process {} ({} {})", stray.pid, stray.command, stray.arguments))
            .collect();
        let us = std::process::id();
        left.extend(
            process::all()?
                .into_iter()
                .filter(|process| process.state == 'Z' && (process.parent == us || process.parent == 1))
                .map(|zombie| format!("zombie {} ({})", zombie.pid, zombie.command)),
        );
        left.extend(cgroup::groups()?.into_iter().map(|group| format!("control group {}", group.display())));
        let sockets = fs::read_to_string("/proc/net/unix").context("/proc/net/unix")?;
        let folder = self.folder.to_string_lossy();
        left.extend(sockets.lines().filter(|line| line.contains(&*folder)).map(|line| format!("socket {line}")));
        let socket = self.folder.join("run/mainstay.sock");
        if socket.exists() {
            left.push(format!("{} (nobody listens there)", socket.display()));
        }
        Ok(left)
    }

    /// Processes of mainstay, and such as it started.
    fn strays(&self) -> Result<Vec<process::Process>> {
        let mut strays = process::with_variable(RUN_VARIABLE)?;
        let folder = self.folder.to_string_lossy();
        strays.extend(process::all()?.into_iter().filter(|process| {
            process.state != 'Z' && (process.command.starts_with("mainstay") || process.arguments.contains(&*folder))
        }));
        strays.retain(|stray| stray.pid != std::process::id());
        strays.sort_by_key(|stray| stray.pid);
        strays.dedup_by_key(|stray| stray.pid);
        Ok(strays)
    }
}
