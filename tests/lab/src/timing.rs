//! How long it takes from the kernel's news of a HackRF to the first and last moment of a program.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::hardware::hackrf::{Serial, plug_hackrf};
use crate::hardware::usbip::Port;
use crate::observe::process;
use crate::observe::uevent::{Action, Announcements};
use crate::wait;

/// What the program becomes; nothing else in the machine sleeps for just so long.
const SLEEPER: &str = "sleep 86399";

/// The shell of the program. It is static, and copied into memory: what is waited for is who starts it, and not the machine's file
/// system, from which `/bin/sh` is loaded with its libraries.
const SHELL: &str = "/bin/busybox";

/// One round: the program is started and ended once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// From the moment the device was put into the port to the program's first act.
    pub(crate) plugged_to_started: Duration,
    /// From the moment the kernel announced the device, enumerated, to the program's first act.
    pub(crate) announced_to_started: Duration,
    /// From the moment the device was pulled to the end of the program's process.
    pub(crate) pulled_to_gone: Duration,
    /// From the moment the kernel announced that the device is gone to the end of the program's process; zero if it had
    /// ended before.
    pub(crate) announced_to_gone: Duration,
}

/// A program whose first act is heard.
#[derive(Debug)]
pub(crate) struct Bell {
    pipe: PathBuf,
    shell: PathBuf,
}

impl Bell {
    /// A bell in a scenario's folder.
    pub(crate) fn hang(folder: &Path) -> Result<Self> {
        let (pipe, shell) = (folder.join("doorbell"), folder.join("sh"));
        let made = Command::new("mkfifo").arg(&pipe).status().context("mkfifo cannot be run")?;
        ensure!(made.success(), "{} cannot be made", pipe.display());
        fs::copy(SHELL, &shell).with_context(|| format!("{SHELL} cannot be copied"))?;
        Ok(Self { pipe, shell })
    }

    /// The program: it executes its last argument.
    pub(crate) fn command(&self) -> [String; 3] {
        let script = format!("echo started > {}; exec {SLEEPER}", self.pipe.display());
        [self.shell.display().to_string(), "-c".to_owned(), script]
    }

    /// Plugs a HackRF in and, after `settled`, pulls it out.
    pub(crate) fn round(&self, serial: Serial, settled: impl FnOnce() -> Result<()>) -> Result<Round> {
        // A reader that does not wait for a writer.
        let nonblocking = i32::try_from(OFlags::NONBLOCK.bits())?;
        let bell = File::options().read(true).custom_flags(nonblocking).open(&self.pipe)?;
        let announcements = Announcements::listen()?;
        let (plugged, hackrf, announced, started) = thread::scope(|scope| {
            let announced = scope.spawn(|| announcements.until_usb_device(Action::Add));
            let started = scope.spawn(|| wait::until_readable(&bell).context("the program was not started"));
            let plugged = Instant::now();
            let hackrf = plug_hackrf(serial, Port(0))?;
            anyhow::Ok((plugged, hackrf, moment(announced)?, moment(started)?))
        })?;
        settled()?;

        let process = sleeper()?;
        let (pulled, left, gone) = thread::scope(|scope| {
            let left = scope.spawn(|| announcements.until_usb_device(Action::Remove));
            let gone = scope.spawn(|| wait::until_readable(&process).context("the program outlived its HackRF"));
            let pulled = Instant::now();
            hackrf.unplug();
            anyhow::Ok((pulled, moment(left)?, moment(gone)?))
        })?;
        Ok(Round {
            plugged_to_started: started.saturating_duration_since(plugged),
            announced_to_started: started.saturating_duration_since(announced),
            pulled_to_gone: gone.saturating_duration_since(pulled),
            announced_to_gone: gone.saturating_duration_since(left),
        })
    }
}

fn moment(thread: ScopedJoinHandle<'_, Result<Instant>>) -> Result<Instant> {
    thread.join().map_err(|_| anyhow!("a thread that waited panicked"))?
}

/// The program's process.
fn sleeper() -> Result<impl std::os::fd::AsFd + Sync> {
    let pid = wait::value("the program to sleep", wait::STEP, || {
        Ok(process::all()?.into_iter().find(|process| process.arguments == SLEEPER).map(|process| process.pid))
    })?;
    let pid = Pid::from_raw(i32::try_from(pid)?).context("process 0")?;
    pidfd_open(pid, PidfdFlags::empty()).context("the program has ended already")
}

/// Medians and ranges of several rounds, in milliseconds.
#[derive(Debug)]
pub(crate) struct Figures(Vec<Round>);

type Moments = (&'static str, fn(&Round) -> Duration);

/// What is said of each set of rounds.
const MOMENTS: [Moments; 4] = [
    ("plugged → started", |round| round.plugged_to_started),
    ("kernel announces it → started", |round| round.announced_to_started),
    ("pulled → process gone", |round| round.pulled_to_gone),
    ("kernel announces its end → process gone", |round| round.announced_to_gone),
];

impl Figures {
    /// Of these rounds.
    pub(crate) fn of(rounds: Vec<Round>) -> Self {
        Self(rounds)
    }

    /// Prints them, under a heading.
    pub(crate) fn print(&self, heading: &str) {
        println!("        {heading}, {} rounds:", self.0.len());
        for (what, duration) in MOMENTS {
            let times = self.sorted(duration);
            let (first, last) = (times.first().copied().unwrap_or_default(), times.last().copied().unwrap_or_default());
            println!("          {what:40} {:7.1} ms  ({first:.1} … {last:.1})", median(&times));
        }
    }

    /// Prints how their medians compare with others.
    pub(crate) fn print_against(&self, others: &Self, heading: &str) {
        println!("        {heading}:");
        for (what, duration) in MOMENTS {
            println!("          {what:40} {:7.2}", median(&self.sorted(duration)) / median(&others.sorted(duration)));
        }
    }

    /// One of the moments of all rounds in milliseconds, the shortest first.
    fn sorted(&self, duration: fn(&Round) -> Duration) -> Vec<f64> {
        let mut times: Vec<f64> = self.0.iter().map(|round| duration(round).as_secs_f64() * 1000.0).collect();
        times.sort_by(f64::total_cmp);
        times
    }
}

/// The middle of a sorted list; of an even number the mean of the two in the middle.
fn median(sorted: &[f64]) -> f64 {
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    let last = sorted.len().saturating_sub(1);
    f64::midpoint(at(last / 2), at(last.div_ceil(2)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)]
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
        assert_eq!(median(&[]), 0.0);
    }
}
