//! Monitor mode for a service, and the former state afterwards, however the service ends.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::daemon::Daemon;
use crate::hardware::radio::{Radio, plug_radio};
use crate::observe::wireless;
use crate::stage::Stage;
use crate::{station, wait};

/// Killed as often as mainstay restarts it, it has failed.
const RESTARTS: &str = "restart = { attempts = 2, backoff = \"100ms\", factor = 1.0 }\n";
/// Holds the radio as it is.
const HOLDER: &str = r#"
[services.holder]
command = ["sleep", "infinity"]
devices = { survey = "exclusive" }
"#;

pub(super) fn run(stage: &Stage) -> Result<()> {
    let radio = plug_radio(station::SURVEY)?;
    let name = radio.interface()?;
    expect_mode(&name, "managed")?;
    let daemon = stage.daemon(&[&station::radio("survey", station::SURVEY), station::LISTENER, RESTARTS])?;

    daemon.until_running("listener")?;
    expect_mode(&name, "monitor")?;
    let lease = daemon.lease("device/survey")?;
    ensure!(lease.is_some_and(|lease| lease.holder == "listener"), "the radio is in monitor mode without a lease");

    stopped_by_the_operator(&daemon, &name)?;
    leaves_an_extra_interface_behind(&daemon, &radio)?;
    killed_until_it_has_failed(&daemon, &name)?;

    daemon.say(&["restart", "--force", "listener"])?;
    daemon.until_running("listener")?;
    expect_mode(&name, "monitor")?;
    daemon.stop()?;
    expect_mode(&name, "managed")?;
    renamed_by_who_leases_it(stage, &name)?;
    gets_the_default_route_while_leased_without_a_mode(stage, &name)
}

fn stopped_by_the_operator(daemon: &Daemon, name: &str) -> Result<()> {
    daemon.say(&["stop", "listener"])?;
    daemon.until_service("listener", "held")?;
    expect_mode(name, "managed")?;
    ensure!(daemon.lease("device/survey")?.is_none(), "the radio is still leased");
    daemon.say(&["start", "listener"])?;
    daemon.until_running("listener")?;
    expect_mode(name, "monitor")
}

/// Kismet makes `wlan2mon` and never takes it away.
fn leaves_an_extra_interface_behind(daemon: &Daemon, radio: &Radio) -> Result<()> {
    let name = radio.interface()?;
    let extra = format!("{name}mon");
    let added = Command::new("iw").args(["dev", &name, "interface", "add", &extra, "type", "monitor"]).status();
    ensure!(added.context("iw cannot be run")?.success(), "{extra} could not be made");
    daemon.say(&["stop", "listener"])?;
    daemon.until_service("listener", "held")?;
    expect_mode(&name, "managed")?;
    wait::until("the extra interface to be gone", wait::STEP, || Ok(wireless::siblings(&name)?.len() == 1))?;
    daemon.say(&["start", "listener"])?;
    daemon.until_running("listener").map(drop)
}

fn killed_until_it_has_failed(daemon: &Daemon, name: &str) -> Result<()> {
    let mut killed = None;
    wait::until("the service to have failed", wait::STEP * 2, || {
        let service = daemon.service("listener")?;
        match service.pid {
            Some(pid) if service.status == "running" && killed != Some(pid) => {
                let process = i32::try_from(pid).ok().and_then(Pid::from_raw).context("a process id above the limit")?;
                kill_process(process, Signal::KILL)?;
                killed = Some(pid);
                Ok(false)
            }
            _ => Ok(service.status == "failed"),
        }
    })?;
    let failed = daemon.service("listener")?;
    ensure!(failed.reason.contains("KILL"), "it failed for another reason: {:?}", failed.reason);
    expect_mode(name, "managed")?;
    ensure!(daemon.lease("device/survey")?.is_none(), "a failed service still leases the radio");
    Ok(())
}

/// As airmon-ng does it. The configuration means the name that the radio has when nobody leases it.
fn renamed_by_who_leases_it(stage: &Stage, name: &str) -> Result<()> {
    let by_name = format!("\n[hardware.survey]\nkind = \"wifi\"\nmatch = {{ name = \"{name}\" }}\n");
    let daemon = stage.daemon(&[&by_name, station::LISTENER])?;
    let pid = daemon.until_running("listener")?;
    for round in 1..=4 {
        let renamed = format!("{name}mon");
        ip(&["link", "set", name, "down"])?;
        ip(&["link", "set", name, "name", &renamed])?;
        ip(&["link", "set", &renamed, "up"])?;
        wait::until("the new name to be known", wait::STEP, || {
            Ok(daemon.device("survey")?.identity.is_some_and(|identity| identity.contains(&renamed)))
        })?;
        let listener = daemon.service("listener")?;
        ensure!(listener.status == "running", "round {round}: it is {}: {}", listener.status, listener.reason);
        ensure!(round > 1 || listener.pid == Some(pid), "it was restarted");
        daemon.say(&["stop", "listener"])?;
        daemon.until_service("listener", "held")?;
        daemon.until_device("survey", "ready")?;
        expect_mode(name, "managed")?;
        daemon.say(&["start", "listener"])?;
        daemon.until_running("listener")?;
    }
    daemon.stop()
}

/// As NetworkManager would do it: taking the interface down with the lease would cut the station off.
fn gets_the_default_route_while_leased_without_a_mode(stage: &Stage, name: &str) -> Result<()> {
    let daemon = stage.daemon(&[&station::radio("survey", station::SURVEY), HOLDER])?;
    daemon.until_running("holder")?;
    ensure!(!wireless::is_up(name), "{name} is up before anybody took it up");
    ip(&["link", "set", name, "up"])?;
    ip(&["address", "add", "192.0.2.1/24", "dev", name])?;
    ip(&["route", "add", "default", "via", "192.0.2.254", "dev", name])?;
    daemon.say(&["stop", "holder"])?;
    daemon.until_service("holder", "held")?;
    daemon.until_device("survey", "ready")?;
    ensure!(wireless::is_up(name), "{name} was taken down although it carries the default route");
    daemon.stop()
}

fn ip(arguments: &[&str]) -> Result<()> {
    let status = Command::new("ip").args(arguments).status().context("ip cannot be run")?;
    ensure!(status.success(), "`ip {}` failed", arguments.join(" "));
    Ok(())
}

fn expect_mode(name: &str, expected: &str) -> Result<()> {
    let mut mode = None;
    wait::until(&format!("{name} to be in mode {expected}"), wait::STEP, || {
        mode = wireless::mode(name)?;
        Ok(mode.as_deref() == Some(expected))
    })
    .with_context(|| format!("it was last seen in mode {mode:?}"))
}
