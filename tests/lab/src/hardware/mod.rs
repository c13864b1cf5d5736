//! Hardware that the kernel takes for real: it is enumerated, has nodes and drivers, and can be pulled out in use.

pub(crate) mod gadget;
pub(crate) mod gps;
pub(crate) mod hackrf;
pub(crate) mod hwsim;
pub(crate) mod netlink;
pub(crate) mod nmea;
pub(crate) mod radio;
pub(crate) mod usbip;

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Loads kernel modules with their parameters, as in `["mac80211_hwsim", "radios=0"]`.
pub(crate) fn load_module(arguments: &[&str]) -> Result<()> {
    run(&[&["modprobe"], arguments].concat())
}

/// Runs a command that must succeed.
fn run(command: &[&str]) -> Result<()> {
    let (program, arguments) = command.split_first().context("an empty command")?;
    let status = Command::new(program).args(arguments).status().with_context(|| format!("{program} cannot be run"))?;
    ensure!(status.success(), "{} failed: {status}", command.join(" "));
    Ok(())
}
