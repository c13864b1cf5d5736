//! A weak power supply or a bad cable: the device leaves as soon as it is used, again and again.

use anyhow::{Result, ensure};

use crate::hardware::hackrf::{SERIAL, plug_hackrf};
use crate::hardware::usbip::Port;
use crate::stage::Stage;
use crate::{station, wait};

const HACKRF: &str = r#"
[hardware.hackrf]
kind = "hackrf"
flap = { departures = 64, quarantine = "10m" }
"#;
/// So often in a row, each within ten seconds of the start of the service, is no accident.
const DROPS: u32 = 3;

pub(super) fn run(stage: &Stage) -> Result<()> {
    let daemon = stage.daemon(&[HACKRF, station::OPENWEBRX])?;
    for drop in 1..=DROPS {
        let hackrf = plug_hackrf(SERIAL, Port(0))?;
        daemon.until_running("openwebrx")?;
        hackrf.unplug();
        daemon.until_waiting("openwebrx", "hackrf")?;
        let set_aside = daemon.device("hackrf")?.status == "quarantined";
        ensure!(set_aside == (drop == DROPS), "after {drop} drops: {:?}", daemon.device("hackrf")?);
    }
    let reason = daemon.device("hackrf")?.reason;
    ensure!(reason.contains("power") && reason.contains("cable"), "the reason names neither power nor cable: {reason:?}");

    let _hackrf = plug_hackrf(SERIAL, Port(0))?;
    let still = || Ok(daemon.device("hackrf")?.status == "quarantined" && daemon.service("openwebrx")?.pid.is_none());
    wait::steady("the HackRF to stay set aside", wait::QUIET, wait::STEP, still)?;
    let why = daemon.say(&["why", "openwebrx"])?;
    ensure!(why.contains("mainstay admit hackrf"), "`mainstay why openwebrx` does not say how to take it back: {why}");

    daemon.say(&["admit", "hackrf"])?;
    daemon.until_running("openwebrx")?;
    daemon.stop()
}
