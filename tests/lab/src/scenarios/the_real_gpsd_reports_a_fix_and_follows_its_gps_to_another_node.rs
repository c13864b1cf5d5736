//! The GPS arrives, leaves while gpsd reads it, and comes back as another node.

use std::fs::File;

use anyhow::{Context as _, Result, ensure};

use crate::daemon::Daemon;
use crate::hardware::gadget::{Place, Socket};
use crate::hardware::gps::Gps;
use crate::observe::process;
use crate::programs::gpsd_fix;
use crate::stage::Stage;
use crate::{stand_in, station, wait};

/// Reads until there is nothing more to read.
const READER: &str = r#"
[services.reader]
command = ["cat", "{device.gps.path}"]
devices = { gps = "exclusive" }
restart = { when = "failure" }
"#;

pub(super) fn run(stage: &Stage) -> Result<()> {
    let gps = Gps::new()?;
    a_gps_that_nobody_uses_is_recognised(stage, &gps)?;
    a_program_that_ends_well_when_its_gps_is_pulled_comes_back(stage, &gps)?;

    let _ = stand_in::write(&stage.folder, "tracker", stand_in::UNTIL_TERMINATED)?;
    let daemon = stage.daemon(&[station::GPS, &station::gpsd(), &station::idle("tracker", &["gpsd"])])?;
    daemon.until_waiting("gpsd", "gps")?;

    let first = gps.plug(Socket(0))?;
    let tracker = check_fix(&daemon, &first)?;
    // Somebody else keeps the old node busy, so that its number is not free when the GPS comes back.
    let held = File::open(&first.node).context("the GPS cannot be opened beside gpsd")?;
    gps.unplug()?;
    check_stopped(&daemon, tracker)?;

    let second = gps.plug(Socket(1))?;
    ensure!(second.node != first.node, "the GPS came back as {}", second.node.display());
    drop(held);
    check_fix(&daemon, &second)?;
    gps.unplug()?;
    daemon.until_waiting("gpsd", "gps")?;
    daemon.stop()
}

fn a_gps_that_nobody_uses_is_recognised(stage: &Stage, gps: &Gps) -> Result<()> {
    let daemon = stage.daemon(&[station::GPS])?;
    let place = gps.plug(Socket(2))?;
    daemon.until_device("gps", "ready")?;
    let node = place.node.to_string_lossy();
    let mut identity = String::new();
    wait::until("the GPS to be recognised", wait::STEP, || {
        identity = daemon.device("gps")?.identity.unwrap_or_default();
        Ok([&*node, "baud", "NMEA", "3D fix"].iter().all(|known| identity.contains(known)))
    })
    .with_context(|| format!("it was last known as `{identity}`"))?;
    gps.unplug()?;
    daemon.until_device("gps", "absent")?;
    daemon.stop()
}

/// It reads the end of its input, most often before anybody is told that the GPS is gone.
fn a_program_that_ends_well_when_its_gps_is_pulled_comes_back(stage: &Stage, gps: &Gps) -> Result<()> {
    let daemon = stage.daemon(&[station::GPS, READER])?;
    for socket in [1, 2, 3] {
        gps.plug(Socket(socket))?;
        daemon.until_running("reader")?;
        gps.unplug()?;
        daemon.until_waiting("reader", "gps")?;
    }
    daemon.stop()
}

/// Waits until gpsd runs on this node and reports its fix, and the service that needs it runs. Returns the latter's process.
fn check_fix(daemon: &Daemon, place: &Place) -> Result<u32> {
    let pid = daemon.until_running("gpsd")?;
    let gpsd = process::all()?.into_iter().find(|process| process.pid == pid).context("gpsd does not run")?;
    let node = place.node.to_string_lossy();
    ensure!(gpsd.command == "gpsd" && gpsd.arguments.contains(&*node), "{gpsd:?} is no gpsd on {node}");
    let report = gpsd_fix(station::GPSD_PORT)?;
    ensure!(report.device.as_deref() == Some(&*node), "gpsd reports from {:?}, not {node}", report.device);
    daemon.until_running("tracker")
}

/// Waits until gpsd and the service that needs it are stopped for want of a GPS.
fn check_stopped(daemon: &Daemon, tracker: u32) -> Result<()> {
    let gpsd = daemon.until_waiting("gpsd", "gps")?;
    ensure!(gpsd.reason.starts_with("gps is gone ("), "gpsd was stopped because {:?}", gpsd.reason);
    daemon.until_waiting("tracker", "gpsd")?;
    ensure!(!process::lives(tracker), "the service that needs gpsd still runs");
    ensure!(process::all()?.iter().all(|process| process.command != "gpsd"), "a gpsd still runs");
    ensure!(daemon.status()?.leases.is_empty(), "something is still leased");
    Ok(())
}
