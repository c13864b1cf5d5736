//! A radio is pulled out in use, comes back under another name, is renamed, and blocked.

use anyhow::{Context as _, Result, ensure};

use crate::hardware::radio::{Block, Mac, plug_radio};
use crate::observe::{process, wireless};
use crate::stage::Stage;
use crate::{station, wait};

pub(super) fn run(stage: &Stage) -> Result<()> {
    let radio = plug_radio(station::SURVEY)?;
    let name = radio.interface()?;
    let daemon = stage.daemon(&[&station::radio("survey", station::SURVEY), station::LISTENER])?;
    let pid = daemon.until_running("listener")?;

    radio.unplug();
    wait::until("the service's process to be gone", wait::STEP, || Ok(!process::lives(pid)))?;
    let service = daemon.until_waiting("listener", "survey")?;
    ensure!(service.reason.starts_with("survey is gone ("), "it was stopped because {:?}", service.reason);
    ensure!(daemon.lease("device/survey")?.is_none(), "a radio that is gone is still leased");
    ensure!(daemon.device("survey")?.status == "absent", "a radio that is gone is still thought to be there");

    // Its old name is taken by another radio meanwhile.
    let other = plug_radio(Mac(7))?;
    ensure!(other.interface()? == name, "the old name {name} should go to the next radio");
    let radio = plug_radio(station::SURVEY)?;
    let new_name = radio.interface()?;
    ensure!(new_name != name, "the radio came back as {name}");
    daemon.until_running("listener")?;
    ensure!(wireless::mode(&new_name)?.as_deref() == Some("monitor"), "{new_name} is not in monitor mode");
    ensure!(wireless::mode(&name)?.as_deref() == Some("managed"), "the wrong radio was taken: {name}");

    daemon.say(&["stop", "listener"])?;
    daemon.until_service("listener", "held")?;
    radio.until_put_back()?;
    radio.rename("antenna")?;
    until_known_as(&daemon, "antenna")?;
    radio.block(Block::Soft)?;
    until_known_as(&daemon, "blocked")?;
    radio.block(Block::None)?;
    wait::until("the block to be lifted", wait::STEP, || {
        Ok(!daemon.device("survey")?.identity.unwrap_or_default().contains("blocked"))
    })?;
    daemon.say(&["start", "listener"])?;
    daemon.until_running("listener")?;
    ensure!(wireless::mode("antenna")?.as_deref() == Some("monitor"), "the renamed radio is not in monitor mode");
    daemon.stop()
}

fn until_known_as(daemon: &crate::daemon::Daemon, word: &str) -> Result<()> {
    let mut identity = String::new();
    wait::until(&format!("the radio to be known as {word}"), wait::STEP, || {
        identity = daemon.device("survey")?.identity.unwrap_or_default();
        Ok(identity.contains(word))
    })
    .with_context(|| format!("it was last known as `{identity}`"))
}
