//! Whoever waits for a HackRF gets it as soon as the kernel says which it is. What only the device itself can tell, it is asked later.

use anyhow::{Result, ensure};

use crate::hardware::hackrf::{BOARD, FIRMWARE, SERIAL, plug_hackrf};
use crate::hardware::usbip::Port;
use crate::programs::hackrf_info;
use crate::stage::Stage;
use crate::{station, wait};

pub(super) fn run(stage: &Stage) -> Result<()> {
    let daemon = stage.daemon(&[station::HACKRF, station::OPENWEBRX])?;
    daemon.until_waiting("openwebrx", "hackrf")?;
    let hackrf = plug_hackrf(SERIAL, Port(0))?;
    let pid = daemon.until_running("openwebrx")?;
    let identity = || Ok::<_, anyhow::Error>(daemon.device("hackrf")?.identity.unwrap_or_default());
    let unasked = || Ok(!identity()?.contains(FIRMWARE));
    wait::steady("a HackRF in use not to be asked anything", wait::QUIET, wait::STEP, unasked)?;

    daemon.say(&["stop", "openwebrx"])?;
    daemon.until_service("openwebrx", "held")?;
    let asked = || Ok(identity()?.contains(FIRMWARE) && identity()?.contains(BOARD));
    wait::until("the HackRF to say what it is, once it is free", wait::STEP, asked)?;
    daemon.until_device("hackrf", "ready")?;
    ensure!(identity()?.contains(&hackrf.path), "`{}` does not say where it is: {}", identity()?, hackrf.path);
    // mainstay has let go of it.
    hackrf_info()?;

    // What it said is known from now on, whoever has it.
    daemon.say(&["start", "openwebrx"])?;
    ensure!(daemon.until_running("openwebrx")? != pid, "openwebrx was not started anew");
    ensure!(identity()?.contains(FIRMWARE), "what it said is forgotten: `{}`", identity()?);
    daemon.stop()
}
