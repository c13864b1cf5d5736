//! The thread in which libusb tells of devices panics. It begins anew, and what is plugged in or unplugged later is heard of.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::hardware::hackrf::{SERIAL, plug_hackrf};
use crate::hardware::usbip::Port;
use crate::stage::Stage;
use crate::{station, wait};

/// The thread.
const PART: &str = "usb-events";

pub(super) fn run(stage: &Stage) -> Result<()> {
    let daemon = stage.daemon(&[station::HACKRF, station::OPENWEBRX])?;
    daemon.until_waiting("openwebrx", "hackrf")?;
    let told = daemon.ask(&["panic", PART])?;
    let complaint = String::from_utf8_lossy(&told.stderr).into_owned();
    // Only a build for debugging has the command.
    if complaint.contains("unrecognized subcommand") {
        println!("    not tried: it takes a build for debugging (tests/lab/run --debug)");
        return daemon.stop();
    }
    if !told.status.success() {
        bail!("`mainstay panic {PART}`: {complaint}");
    }
    // It panics with the next thing that it does.
    let hackrf = plug_hackrf(SERIAL, Port(0))?;
    let log = stage.folder.join("daemon.log");
    let has_panicked = || Ok(fs::read_to_string(&log)?.contains(&format!("`mainstay panic {PART}`")));
    wait::until("the thread to panic", wait::STEP, has_panicked)?;
    // The kernel tells of devices as well: that they come and go does not prove that this witness is there again.
    let is_back = || Ok(threads(daemon.pid())?.contains(&PART.to_owned()));
    wait::until("another such thread", wait::STEP, is_back)?;
    daemon.until_running("openwebrx").context("what was plugged in when it panicked")?;
    hackrf.unplug();
    daemon.until_waiting("openwebrx", "hackrf").context("what was unplugged after that")?;
    for port in [5, 0] {
        let hackrf = plug_hackrf(SERIAL, Port(port))?;
        daemon.until_running("openwebrx")?;
        hackrf.unplug();
        daemon.until_waiting("openwebrx", "hackrf")?;
    }
    daemon.stop()
}

/// The names of its threads.
fn threads(pid: u32) -> Result<Vec<String>> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))?;
    // One that has just ended has no name any more.
    let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
    Ok(tasks.flatten().filter_map(name).map(|name| name.trim_end().to_owned()).collect())
}
