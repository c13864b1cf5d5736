//! A running `mainstay run`, and its command line as a user would use it.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;

use crate::observe::process::{self, Holdings};
use crate::status::{Device, Devices, Lease, Service, Status, Trace};
use crate::wait;

/// How long it may take to stop everything in order.
const STOPPING: Duration = Duration::from_secs(60);
/// Longer than an idle thread of a pool is kept (ten seconds in tokio's).
const REST: Duration = Duration::from_secs(12);

/// A daemon with its own configuration, run directory and state directory.
#[derive(Debug)]
pub(crate) struct Daemon {
    mainstay: PathBuf,
    socket: PathBuf,
    child: Child,
}

impl Daemon {
    /// Starts it and waits until it answers.
    pub(crate) fn start(mainstay: &Path, folder: &Path, configuration: &str, user: Option<u32>) -> Result<Self> {
        let (state, run) = (folder.join("state"), run_folder(folder));
        for part in [&state, &run] {
            fs::create_dir_all(part)?;
            if user.is_some() {
                chown(part, user, user)?;
            }
        }
        let file = folder.join("mainstay.toml");
        let runtime = format!("[runtime]\nstate_dir = {state:?}\nrun_dir = {run:?}\n");
        fs::write(&file, format!("{runtime}{configuration}"))?;

        let log: File = OpenOptions::new().create(true).append(true).open(folder.join("daemon.log"))?;
        let mut command = Command::new(mainstay);
        command.arg("run").arg("--config").arg(&file).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        let child = command.spawn().with_context(|| format!("{} cannot be started", mainstay.display()))?;
        let mut daemon = Self { mainstay: mainstay.to_owned(), socket: run.join("mainstay.sock"), child };
        wait::until("mainstay to answer", wait::STEP, || {
            if let Some(status) = daemon.child.try_wait()? {
                bail!("mainstay ended at once: {status}");
            }
            Ok(daemon.socket.exists() && daemon.ask(&["status", "--json"]).is_ok_and(|output| output.status.success()))
        })?;
        Ok(daemon)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// It does nothing while something else is done.
    pub(crate) fn frozen<T>(&self, act: impl FnOnce() -> Result<T>) -> Result<T> {
        let pid = Pid::from_raw(i32::try_from(self.pid())?).context("process 0")?;
        kill_process(pid, Signal::STOP)?;
        let done = act();
        kill_process(pid, Signal::CONT)?;
        done
    }

    /// Runs the command line against it, whatever the exit code.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.mainstay);
        command.env("MAINSTAY_SOCKET", &self.socket).args(arguments).stdin(Stdio::null());
        command.output().context("mainstay cannot be started")
    }

    /// Runs a command that must succeed, and returns what it says.
    pub(crate) fn say(&self, arguments: &[&str]) -> Result<String> {
        let output = self.ask(arguments)?;
        let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "`mainstay {}`: {}: {said}{complaint}", arguments.join(" "), output.status);
        Ok(said.into_owned())
    }

    fn read<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T> {
        let said = self.say(arguments)?;
        serde_json::from_str(&said).with_context(|| format!("`mainstay {}` said {said}", arguments.join(" ")))
    }

    /// `status --json`.
    pub(crate) fn status(&self) -> Result<Status> {
        self.read(&["status", "--json"])
    }

    /// `devices --json`.
    pub(crate) fn devices(&self) -> Result<Devices> {
        self.read(&["devices", "--json"])
    }

    /// `trace --json` with these arguments.
    pub(crate) fn trace(&self, arguments: &[&str]) -> Result<Trace> {
        self.read(&[&["trace", "--json"], arguments].concat())
    }

    /// One service.
    pub(crate) fn service(&self, name: &str) -> Result<Service> {
        let services = self.status()?.services;
        services
            .into_iter()
            .find(|service| service.name == name)
            .with_context(|| format!("status has no service {name}"))
    }

    /// One device.
    pub(crate) fn device(&self, name: &str) -> Result<Device> {
        let devices = self.status()?.devices;
        devices.into_iter().find(|device| device.name == name).with_context(|| format!("status has no device {name}"))
    }

    /// The lease of a resource.
    pub(crate) fn lease(&self, resource: &str) -> Result<Option<Lease>> {
        Ok(self.status()?.leases.into_iter().find(|lease| lease.resource == resource))
    }

    /// Waits until a service is in a state, and returns it. The error says what state it stayed in.
    pub(crate) fn until_service(&self, name: &str, status: &str) -> Result<Service> {
        let mut last = None;
        wait::value(&format!("service {name} to be {status}"), wait::STEP, || {
            let service = self.service(name)?;
            last = Some(service.clone());
            Ok((service.status == status).then_some(service))
        })
        .with_context(|| format!("it was last seen as {last:?}"))
    }

    /// Waits until a service runs, and returns its process.
    pub(crate) fn until_running(&self, name: &str) -> Result<u32> {
        self.until_service(name, "running")?.pid.with_context(|| format!("service {name} runs without a process"))
    }

    /// Waits until a service waits for something about which `word` is said, and returns it.
    pub(crate) fn until_waiting(&self, name: &str, word: &str) -> Result<Service> {
        let mut last = None;
        wait::value(&format!("service {name} to wait for {word}"), wait::STEP, || {
            let service = self.service(name)?;
            last = Some(service.clone());
            let waits = service.status == "waiting" && service.waiting_for.iter().any(|what| what.contains(word));
            Ok(waits.then_some(service))
        })
        .with_context(|| format!("it was last seen as {last:?}"))
    }

    /// Waits until a device is in a state, and returns it.
    pub(crate) fn until_device(&self, name: &str, status: &str) -> Result<Device> {
        let mut last = None;
        wait::value(&format!("device {name} to be {status}"), wait::STEP, || {
            let device = self.device(name)?;
            last = Some(device.clone());
            Ok((device.status == status).then_some(device))
        })
        .with_context(|| format!("it was last seen as {last:?}"))
    }

    /// What it holds open when nothing has changed for a while: threads that were lent out have ended by then.
    pub(crate) fn resting_holdings(&self) -> Result<Holdings> {
        let mut holdings = process::holdings(self.pid())?;
        wait::steady("mainstay to come to rest", REST, wait::STEP * 2, || {
            let now = process::holdings(self.pid())?;
            let same = now == holdings;
            holdings = now;
            Ok(same)
        })?;
        Ok(holdings)
    }

    /// Waits until it holds nothing open beyond what it once held.
    pub(crate) fn until_it_holds_no_more_than(&self, before: &Holdings) -> Result<()> {
        let mut more = Vec::new();
        wait::until("mainstay to hold no more than before", wait::STEP, || {
            more = process::holdings(self.pid())?.beyond(before);
            Ok(more.is_empty())
        })
        .with_context(|| format!("it holds more: {more:?}; before: {before:?}"))
    }

    /// Tells it to stop, and waits until it has, with success.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let status = wait::value("mainstay to stop everything", STOPPING, || Ok(self.child.try_wait()?))?;
        ensure!(status.success(), "mainstay ended with {status} after SIGTERM");
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process id above the limit")?;
        kill_process(pid, signal).context("mainstay cannot be signalled")
    }
}

impl Drop for Daemon {
    /// For a scenario that failed half-way: give it a chance to stop its services, then none.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let ended = self
            .signal(Signal::TERM)
            .and_then(|()| wait::until("mainstay to stop", STOPPING, || Ok(self.child.try_wait()?.is_some())));
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Where the sockets of this scenario's daemon are: the end of its name, as the path of a socket has a limit.
fn run_folder(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let end: String = name.chars().skip(name.chars().count().saturating_sub(40)).collect();
    Path::new("/run/lab").join(end)
}
