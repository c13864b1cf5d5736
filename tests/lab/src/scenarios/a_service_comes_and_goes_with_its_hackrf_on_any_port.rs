//! The HackRF arrives, leaves, and arrives on another port.

use anyhow::{Result, ensure};

use crate::daemon::Daemon;
use crate::hardware::hackrf::{BOARD, FIRMWARE, SERIAL, plug_hackrf};
use crate::hardware::usbip::Port;
use crate::{invariants, station, wait};
use crate::observe::process;
use crate::programs::hackrf_info;
use crate::stage::Stage;

/// The serial number as people write it: without the zeros in front.
const SHORT_SERIAL: &str = "88c869dc2b5c8d1b";

pub(super) fn run(stage: &Stage) -> Result<()> {
    nobody_waits_for_it(stage)?;
    somebody_waits_for_it(stage)
}

/// While nobody waits there is time to ask it everything.
fn nobody_waits_for_it(stage: &Stage) -> Result<()> {
    let daemon = stage.daemon(&[station::HACKRF])?;
    let hackrf = plug_hackrf(SERIAL, Port(0))?;
    let device = daemon.until_device("hackrf", "ready")?;
    let identity = device.identity.unwrap_or_default();
    for known in [BOARD, FIRMWARE, SHORT_SERIAL, hackrf.path.as_str()] {
        ensure!(identity.contains(known), "`{identity}` does not say {known}");
    }
    let listed = daemon.devices()?;
    ensure!(
        listed.devices.iter().any(|device| device.identity.as_deref() == Some(identity.as_str())),
        "`devices` lists {listed:?}, `status` knows {identity}"
    );
    // mainstay has let go of it.
    ensure!(hackrf_info()?.contains(SHORT_SERIAL), "hackrf_info cannot use it beside mainstay");
    daemon.stop()
}

fn somebody_waits_for_it(stage: &Stage) -> Result<()> {
    let daemon = stage.daemon(&[station::HACKRF, station::OPENWEBRX, &station::idle("dashboard", &[])])?;
    daemon.until_waiting("openwebrx", "hackrf")?;
    let dashboard = daemon.until_running("dashboard")?;

    let first = plug_hackrf(SERIAL, Port(0))?;
    let path = first.path.clone();
    let pid = check_running(&daemon)?;
    first.unplug();
    check_stopped(&daemon, pid, &path)?;

    let second = plug_hackrf(SERIAL, Port(5))?;
    ensure!(second.path != path, "the other port has the same path {path}");
    let pid = check_running(&daemon)?;
    let identity = daemon.device("hackrf")?.identity.unwrap_or_default();
    ensure!(identity.contains(&second.path), "`{identity}` does not say where it is now: {}", second.path);
    let path = second.path.clone();
    second.unplug();
    check_stopped(&daemon, pid, &path)?;

    ensure!(daemon.until_running("dashboard")? == dashboard, "a service that needs no HackRF was restarted");
    daemon.stop()
}

fn check_running(daemon: &Daemon) -> Result<u32> {
    let pid = daemon.until_running("openwebrx")?;
    ensure!(process::lives(pid), "openwebrx is said to run as {pid}, which does not");
    let device = daemon.until_device("hackrf", "in use")?;
    ensure!(device.holder.as_deref() == Some("openwebrx"), "{device:?} should be held by openwebrx");
    let lease = daemon.lease("device/hackrf")?;
    ensure!(
        lease.as_ref().is_some_and(|lease| lease.holder == "openwebrx" && lease.mode == "exclusive"),
        "openwebrx runs with the lease {lease:?}"
    );
    Ok(pid)
}

fn check_stopped(daemon: &Daemon, pid: u32, path: &str) -> Result<()> {
    wait::until("the service's process to be gone", wait::STEP, || Ok(!process::lives(pid)))?;
    let service = daemon.until_waiting("openwebrx", "hackrf")?;
    let reason = format!("hackrf is gone (USB {path} unplugged)");
    ensure!(service.reason == reason, "openwebrx was stopped because {:?}, not {reason:?}", service.reason);
    ensure!(daemon.device("hackrf")?.status == "absent", "the HackRF is still thought to be there");
    ensure!(daemon.lease("device/hackrf")?.is_none(), "the HackRF is still leased");
    let why = daemon.say(&["why", "openwebrx"])?;
    // It is wrapped to 80 columns.
    let unwrapped = why.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(unwrapped.contains(&reason), "`mainstay why openwebrx` does not say {reason:?}: {why}");
    let trace = daemon.trace(&["--service", "openwebrx"])?;
    invariants::trace_leads_from_outside(&trace, "hardware", "service/openwebrx")
}
