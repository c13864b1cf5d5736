//! Figures, not a verdict: from the kernel's news to the service's first and last moment.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::hardware::hackrf::{SERIAL, plug_hackrf};
use crate::hardware::usbip::Port;
use crate::stage::Stage;
use crate::{station, wait};

const ROUNDS: usize = 10;

pub(super) fn run(stage: &Stage) -> Result<()> {
    let doorbell = stage.folder.join("doorbell");
    let made = Command::new("mkfifo").arg(&doorbell).status().context("mkfifo cannot be run")?;
    ensure!(made.success(), "{} cannot be made", doorbell.display());
    let ring = format!("echo started > {}; exec sleep infinity", doorbell.display());
    let service =
        format!("\n[services.receiver]\ncommand = [\"/bin/sh\", \"-c\", {ring:?}]\ndevices = {{ hackrf = \"exclusive\" }}\n");
    let (mut starts, mut stops) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // A new mainstay each time: one that remembers how the HackRF came and went would let it settle first.
        let daemon = stage.daemon(&[station::HACKRF, &service])?;
        daemon.until_waiting("receiver", "hackrf")?;
        let nonblocking = i32::try_from(OFlags::NONBLOCK.bits())?;
        let bell = File::options().read(true).custom_flags(nonblocking).open(&doorbell)?;
        let began = Instant::now();
        let hackrf = plug_hackrf(SERIAL, Port(0))?;
        let enumerated = Instant::now();
        until_readable(&bell).context("the service was not started")?;
        starts.push((began.elapsed(), enumerated.elapsed()));

        let pid = daemon.until_running("receiver")?;
        let process = pidfd_open(Pid::from_raw(i32::try_from(pid)?).context("process 0")?, PidfdFlags::empty())?;
        let pulled = Instant::now();
        hackrf.unplug();
        until_readable(&process).context("the service outlived its HackRF")?;
        stops.push(pulled.elapsed());
        daemon.stop()?;
    }
    println!("        plug → started:               {}", figures(starts.iter().map(|start| start.0)));
    println!("        enumerated → started:         {}", figures(starts.iter().map(|start| start.1)));
    println!("        unplug → process gone:        {}", figures(stops.into_iter()));
    Ok(())
}

fn until_readable(what: &impl AsFd) -> Result<()> {
    let bound = Timespec::try_from(wait::STEP)?;
    let ready = poll(&mut [PollFd::new(what, PollFlags::IN)], Some(&bound))?;
    ensure!(ready == 1, "nothing happened for {:?}", wait::STEP);
    Ok(())
}

/// Median and range, in milliseconds.
fn figures(times: impl Iterator<Item = Duration>) -> String {
    let mut times: Vec<f64> = times.map(|time| time.as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    format!(
        "median {:6.1} ms, from {:6.1} to {:6.1} ms, {} rounds",
        at(times.len() / 2),
        at(0),
        at(times.len().saturating_sub(1)),
        times.len()
    )
}
