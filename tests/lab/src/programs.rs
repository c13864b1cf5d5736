//! The real programs of the field, as Debian has them.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::hardware::nmea::LATITUDE;
use crate::wait;

/// What `hackrf_info` says. It exits with 0 even when it could not open the device, so its words are looked at.
pub(crate) fn hackrf_info() -> Result<String> {
    let output = Command::new("hackrf_info").output().context("hackrf_info cannot be run")?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success() && !said.contains("failed"), "hackrf_info: {}: {said}", output.status);
    Ok(said)
}

/// A report of gpsd: where it is, as far as it knows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Position {
    class: String,
    /// The node it comes from.
    pub(crate) device: Option<String>,
    /// 3 is a fix in three dimensions.
    mode: Option<u8>,
    lat: Option<f64>,
}

/// Waits until the gpsd on a port reports a three-dimensional fix at the place our GPS speaks of.
pub(crate) fn gpsd_fix(port: u16) -> Result<Position> {
    let mut said = String::new();
    wait::value("gpsd to report a fix", wait::STEP, || {
        // It listens for three seconds at a time; while nobody answers it ends at once.
        let output = Command::new("gpspipe").args(["-w", "-x", "3", &format!("127.0.0.1:{port}")]).output();
        let output = output.context("gpspipe cannot be run")?;
        said = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut reports = said.lines().filter_map(|line| serde_json::from_str::<Position>(line).ok());
        Ok(reports.find(|report| report.class == "TPV" && report.mode == Some(3)))
    })
    .with_context(|| format!("gpspipe last said {said:?}"))
    .and_then(|report| match report.lat {
        Some(latitude) if (latitude - LATITUDE).abs() < 0.001 => Ok(report),
        other => bail!("gpsd reports latitude {other:?} instead of {LATITUDE}"),
    })
}
