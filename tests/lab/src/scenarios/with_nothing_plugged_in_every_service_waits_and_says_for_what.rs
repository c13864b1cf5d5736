//! A cold start of a whole station whose hardware is still in its boxes.

use anyhow::{Result, ensure};

use crate::observe::process;
use crate::stage::{RUN_VARIABLE, Stage};
use crate::{stand_in, station, wait};

pub(super) fn run(stage: &Stage) -> Result<()> {
    let kismet = stand_in::write(&stage.folder, "kismet", stand_in::UNTIL_TERMINATED)?;
    let daemon = stage.daemon(&[
        station::HACKRF,
        station::GPS,
        &station::radio("survey", station::SURVEY),
        station::OPENWEBRX,
        &station::gpsd(),
        &station::kismet(&kismet),
        &station::idle("wigletotak", &["kismet"]),
        &station::idle("dashboard", &[]),
    ])?;

    let dashboard = daemon.until_running("dashboard")?;
    daemon.until_waiting("openwebrx", "hackrf")?;
    daemon.until_waiting("gpsd", "gps")?;
    daemon.until_waiting("kismet", "gpsd")?;
    daemon.until_waiting("wigletotak", "kismet")?;
    for device in ["hackrf", "gps", "survey"] {
        let device = daemon.until_device(device, "absent")?;
        ensure!(device.identity.is_none() && device.holder.is_none(), "{device:?} is not there, yet something is known of it");
    }
    let why = daemon.say(&["why", "openwebrx"])?;
    ensure!(why.contains("hackrf"), "`mainstay why openwebrx` does not name the HackRF: {why}");

    // It stays so, and nothing else runs.
    let still = || Ok(daemon.service("openwebrx")?.status == "waiting" && daemon.service("wigletotak")?.status == "waiting");
    wait::steady("the station to stay as it is", wait::QUIET, wait::STEP, still)?;
    let running: Vec<u32> = process::with_variable(RUN_VARIABLE)?.into_iter().map(|process| process.pid).collect();
    ensure!(running == [dashboard], "only the dashboard ({dashboard}) should run, but {running:?} do");
    ensure!(daemon.status()?.leases.is_empty(), "there is nothing to lease, yet something is leased");
    daemon.stop()
}
