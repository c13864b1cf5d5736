//! A radio refuses to be put back: another one has taken its name meanwhile.

use anyhow::{Result, ensure};

use crate::hardware::radio::{Mac, plug_radio};
use crate::observe::wireless;
use crate::stage::Stage;
use crate::station;

/// What is said of it.
const WORDS: &str = "it could not be put back as it was";

pub(super) fn run(stage: &Stage) -> Result<()> {
    let radio = plug_radio(station::SURVEY)?;
    let name = radio.interface()?;
    let daemon = stage.daemon(&[&station::radio("survey", station::SURVEY), station::LISTENER])?;
    daemon.until_running("listener")?;
    radio.rename("antenna")?;
    let thief = plug_radio(Mac(7))?;
    ensure!(thief.interface()? == name, "the old name {name} should go to the next radio");

    daemon.say(&["stop", "listener"])?;
    let device = daemon.until_device("survey", "faulted")?;
    ensure!(device.reason.contains(WORDS), "it is faulted because {:?}", device.reason);
    ensure!(wireless::mode("antenna")?.as_deref() == Some("monitor"), "there was nothing to refuse");
    ensure!(daemon.lease("device/survey")?.is_none(), "a service that was stopped still leases the radio");
    daemon.say(&["start", "listener"])?;
    daemon.until_waiting("listener", WORDS)?;

    // Taken out of use and back, it is not leased as it is either.
    daemon.say(&["eject", "survey"])?;
    daemon.until_waiting("listener", "ejected")?;
    daemon.say(&["admit", "survey"])?;
    daemon.until_waiting("listener", WORDS)?;

    thief.rename("elsewhere")?;
    daemon.say(&["admit", "survey"])?;
    daemon.until_running("listener")?;
    ensure!(radio.interface()? == name, "the radio is called {} instead of {name}", radio.interface()?);
    ensure!(wireless::mode(&name)?.as_deref() == Some("monitor"), "{name} is not in monitor mode");
    daemon.say(&["stop", "listener"])?;
    radio.until_put_back()?;
    daemon.until_device("survey", "ready")?;
    daemon.stop()
}
