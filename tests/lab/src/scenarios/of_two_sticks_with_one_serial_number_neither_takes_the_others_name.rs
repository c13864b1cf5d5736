//! Two HackRFs that say the same of themselves: the name stays with the one that it was given to, and with none where both are there
//! from the start. What `devices` advises passes `check`.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::daemon::Daemon;
use crate::hardware::hackrf::{SERIAL, plug_hackrf};
use crate::hardware::usbip::Port;
use crate::stage::Stage;
use crate::{invariants, station};

pub(super) fn run(stage: &Stage) -> Result<()> {
    a_stick_that_comes_later_is_said_and_left_alone(stage)?;
    of_two_that_are_there_none_is_taken(stage)
}

fn a_stick_that_comes_later_is_said_and_left_alone(stage: &Stage) -> Result<()> {
    let daemon = stage.daemon(&[station::HACKRF, station::OPENWEBRX])?;
    daemon.until_waiting("openwebrx", "hackrf")?;
    let first = plug_hackrf(SERIAL, Port(0))?;
    let openwebrx = daemon.until_running("openwebrx")?;
    let second = plug_hackrf(SERIAL, Port(1))?;
    until_said(&daemon, &second.path)?;
    ensure!(daemon.until_running("openwebrx")? == openwebrx, "the second stick disturbed who uses the first");

    first.unplug();
    daemon.until_waiting("openwebrx", "not taken unasked")?;
    let hackrf = daemon.until_device("hackrf", "faulted")?;
    ensure!(hackrf.identity.is_none(), "{hackrf:?} is the other stick");
    let first = plug_hackrf(SERIAL, Port(0))?;
    daemon.until_running("openwebrx")?;
    let hackrf = daemon.device("hackrf")?;
    ensure!(hackrf.identity.is_some_and(|is| is.ends_with(&first.path)), "its own stick is back where it was, and not taken");
    invariants::leases_fit_the_services(&daemon.status()?)?;
    first.unplug();
    second.unplug();
    daemon.until_device("hackrf", "absent")?;
    daemon.stop()
}

fn of_two_that_are_there_none_is_taken(stage: &Stage) -> Result<()> {
    let sticks = [plug_hackrf(SERIAL, Port(0))?, plug_hackrf(SERIAL, Port(1))?];
    let daemon = stage.daemon(&[station::HACKRF, station::OPENWEBRX])?;
    for stick in &sticks {
        until_said(&daemon, &stick.path)?;
    }
    daemon.until_device("hackrf", "faulted")?;
    daemon.until_waiting("openwebrx", "2 pieces of hardware fit it")?;
    let refused = daemon.ask(&["admit", "hackrf"])?;
    ensure!(!refused.status.success(), "two sticks are there, and one was taken");

    let others = daemon.devices()?.others;
    let advice: String = others.into_iter().filter(|other| other.identity.contains("HackRF")).map(|other| other.suggestion).collect();
    let file = stage.folder.join("advice.toml");
    fs::write(&file, &advice)?;
    daemon.say(&["check", &file.to_string_lossy()]).with_context(|| advice.clone())?;
    ensure!(sticks.iter().all(|stick| advice.contains(&format!("path = \"{}\"", stick.path))), "{advice}");

    let [first, second] = sticks;
    first.unplug();
    until_said(&daemon, "not taken unasked")?;
    daemon.say(&["admit", "hackrf"])?;
    daemon.until_running("openwebrx")?;
    let hackrf = daemon.device("hackrf")?;
    ensure!(hackrf.identity.is_some_and(|is| is.ends_with(&second.path)), "the operator's stick is not the one in use");
    second.unplug();
    daemon.until_device("hackrf", "absent")?;
    daemon.stop()
}

/// Waits until the device says this of the hardware that fits it.
fn until_said(daemon: &Daemon, what: &str) -> Result<()> {
    let mut reason = String::new();
    crate::wait::until("what else fits to be said", crate::wait::STEP, || {
        reason = daemon.device("hackrf")?.reason;
        Ok(reason.contains(what))
    })
    .with_context(|| format!("the last reason was {reason:?}, without {what}"))
}
