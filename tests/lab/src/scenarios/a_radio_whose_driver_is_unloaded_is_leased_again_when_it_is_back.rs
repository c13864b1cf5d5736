//! The driver of a radio in use is taken out of the kernel: first alone, then with everything below it, so that even
//! nl80211 is gone for a while and comes back under another number.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::daemon::Daemon;
use crate::hardware::hwsim::{self, Depth};
use crate::hardware::radio::{Radio, plug_radio};
use crate::observe::{process, wireless};
use crate::stage::Stage;
use crate::{station, wait};

pub(super) fn run(stage: &Stage) -> Result<()> {
    let daemon = stage.daemon(&[&station::radio("survey", station::SURVEY), station::LISTENER])?;
    daemon.until_waiting("listener", "survey")?;
    let mut radio = plug_radio(station::SURVEY)?;
    until_listening(&daemon, &radio)?;
    let before = daemon.resting_holdings()?;
    hears_of_modes(&daemon, &radio).context("before anything was unloaded")?;
    // Twice and no more: a third loss within ten seconds of a start would be taken for a bad supply.
    for depth in [Depth::Driver, Depth::Everything] {
        radio = unload_and_load(&daemon, radio, depth).with_context(|| format!("unloaded: {depth:?}"))?;
        hears_of_modes(&daemon, &radio).with_context(|| format!("after it was unloaded: {depth:?}"))?;
    }
    daemon.until_it_holds_no_more_than(&before)?;
    daemon.stop()
}

/// That somebody else changes the mode is told by nl80211 alone.
fn hears_of_modes(daemon: &Daemon, radio: &Radio) -> Result<()> {
    daemon.say(&["stop", "listener"])?;
    daemon.until_service("listener", "held")?;
    radio.until_put_back()?;
    until_known_as(daemon, "managed")?;
    let name = radio.interface()?;
    for mode in ["monitor", "managed"] {
        wireless::set_mode(&name, mode)?;
        until_known_as(daemon, mode)?;
    }
    daemon.say(&["start", "listener"])?;
    until_listening(daemon, radio)
}

fn until_known_as(daemon: &Daemon, mode: &str) -> Result<()> {
    let mut identity = String::new();
    wait::until(&format!("the radio to be known as {mode}"), wait::STEP, || {
        identity = daemon.device("survey")?.identity.unwrap_or_default();
        Ok(identity.contains(&format!(", {mode} (can be ")))
    })
    .with_context(|| format!("it was last known as `{identity}`"))
}

fn unload_and_load(daemon: &Daemon, radio: Radio, depth: Depth) -> Result<Radio> {
    let pid = daemon.until_running("listener")?;
    let unloaded = hwsim::unload(depth);
    radio.forget();
    unloaded?;
    ensure!(!Path::new("/sys/module/mac80211_hwsim").exists(), "the driver is still there");
    let stack = Path::new("/sys/module/cfg80211").exists();
    ensure!(stack == (depth == Depth::Driver), "cfg80211 is {}", if stack { "still there" } else { "gone too" });

    wait::until("the service's process to be gone", wait::STEP, || Ok(!process::lives(pid)))?;
    let service = daemon.until_waiting("listener", "survey")?;
    ensure!(service.reason.starts_with("survey is gone ("), "it was stopped because {:?}", service.reason);
    ensure!(daemon.device("survey")?.status == "absent", "a radio without a driver is still thought to be there");
    ensure!(daemon.lease("device/survey")?.is_none(), "a radio without a driver is still leased");

    hwsim::set_up()?;
    let radio = plug_radio(station::SURVEY)?;
    until_listening(daemon, &radio)?;
    Ok(radio)
}

/// Waits until the service runs with the radio in monitor mode.
fn until_listening(daemon: &Daemon, radio: &Radio) -> Result<()> {
    let pid = daemon.until_running("listener")?;
    ensure!(process::lives(pid), "the service is said to run as {pid}, which does not");
    let mode = wireless::mode(&radio.interface()?)?;
    ensure!(mode.as_deref() == Some("monitor"), "the radio is {mode:?} while it is leased");
    let lease = daemon.lease("device/survey")?;
    ensure!(lease.as_ref().is_some_and(|lease| lease.holder == "listener"), "the radio is leased as {lease:?}");
    Ok(())
}
