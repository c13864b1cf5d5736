//! One HackRF, wanted for itself by two. Never do both run, and `/proc` says who does.

use anyhow::{Context as _, Result, ensure};

use crate::daemon::Daemon;
use crate::hardware::hackrf::{SERIAL, plug_hackrf};
use crate::hardware::usbip::Port;
use crate::observe::process;
use crate::stage::{RUN_VARIABLE, Stage};
use crate::{invariants, station, wait};

/// Their names, and for how long each sleeps: by that they are known in `/proc`.
const OPENWEBRX: (&str, &str) = ("openwebrx", "sleep 86401");
const SWEEP: (&str, &str) = ("sweep", "sleep 86402");

pub(super) fn run(stage: &Stage) -> Result<()> {
    play(stage, "priority = 10", OPENWEBRX).context("openwebrx has priority")?;
    play(stage, "priority = 0", SWEEP).context("who asked first has priority")
}

/// In both cases it is openwebrx that is served first: the registry sorts by priority, then by who asked first, then by
/// name. `rightful` has the HackRF after a loss: who has priority, else the one that the loss stopped.
fn play(stage: &Stage, priority: &str, rightful: (&str, &str)) -> Result<()> {
    let daemon = stage.daemon(&[station::HACKRF, &service(OPENWEBRX, priority), &service(SWEEP, "priority = 0")])?;
    daemon.until_waiting("openwebrx", "hackrf")?;
    daemon.until_waiting("sweep", "hackrf")?;
    let hackrf = plug_hackrf(SERIAL, Port(0))?;
    runs_and_the_other_waits(&daemon, OPENWEBRX, SWEEP)?;

    daemon.say(&["stop", "openwebrx"])?;
    let sweep = daemon.until_running("sweep")?;
    until_only(Some(SWEEP))?;
    ensure!(daemon.service("openwebrx")?.status == "held", "what the operator stopped is not held");
    // It wants it back, but nobody is interrupted.
    daemon.say(&["start", "openwebrx"])?;
    runs_and_the_other_waits(&daemon, SWEEP, OPENWEBRX)?;
    ensure!(daemon.until_running("sweep")? == sweep, "sweep was interrupted");

    hackrf.unplug();
    until_only(None)?;
    for name in ["openwebrx", "sweep"] {
        let service = daemon.until_waiting(name, "hackrf")?;
        let for_whom = service.waiting_for.iter().any(|what| what.contains("held by"));
        ensure!(!for_whom, "{name} waits for a holder of what is not there: {service:?}");
    }
    let reason = daemon.service("sweep")?.reason;
    ensure!(reason.starts_with("hackrf is gone (USB "), "sweep was stopped because {reason:?}");
    ensure!(daemon.lease("device/hackrf")?.is_none(), "a HackRF that is gone is still leased");

    let _hackrf = plug_hackrf(SERIAL, Port(3))?;
    let other = if rightful == OPENWEBRX { SWEEP } else { OPENWEBRX };
    runs_and_the_other_waits(&daemon, rightful, other).context("after a replug")?;
    daemon.stop()
}

fn service((name, sleeps): (&str, &str), priority: &str) -> String {
    let command: Vec<&str> = sleeps.split(' ').collect();
    format!(
        "\n[services.{name}]\ncommand = {command:?}\ndevices = {{ hackrf = {{ lease = \"exclusive\", {priority} }} }}\n"
    )
}

/// Waits for it, and looks whether it stays so for a while and everybody is told the same.
fn runs_and_the_other_waits(daemon: &Daemon, runs: (&str, &str), other: (&str, &str)) -> Result<()> {
    let held = format!("held by {}", runs.0);
    daemon.until_running(runs.0)?;
    daemon.until_waiting(other.0, &held)?;
    until_only(Some(runs))?;
    let status = daemon.status()?;
    invariants::services_say_what_they_wait_for(&status)?;
    invariants::leases_fit_the_services(&status)?;
    let lease = daemon.lease("device/hackrf")?;
    ensure!(lease.as_ref().is_some_and(|lease| lease.holder == runs.0), "{} runs, and the lease is {lease:?}", runs.0);
    let why = daemon.say(&["why", other.0])?;
    for words in [held.as_str(), &format!("mainstay stop {}", runs.0)] {
        ensure!(why.contains(words), "`mainstay why {}` does not say {words:?}: {why}", other.0);
    }
    let leases = daemon.say(&["leases"])?;
    ensure!(leases.contains(&held) && leases.contains(other.0), "`mainstay leases` says {leases}");
    Ok(())
}

/// Waits until just this one lives, for a while; that both live at once is an error.
fn until_only(runs: Option<(&str, &str)>) -> Result<()> {
    let mut seen = Vec::new();
    let expected: Vec<&str> = runs.iter().map(|service| service.1).collect();
    wait::steady("only the right service to run", wait::QUIET, wait::STEP, || {
        seen = living()?;
        ensure!(seen.len() < 2, "both run: {seen:?}");
        Ok(seen == expected)
    })
    .with_context(|| format!("expected {expected:?}, last seen {seen:?}"))
}

/// Which of the two programs live.
fn living() -> Result<Vec<String>> {
    let ours = process::with_variable(RUN_VARIABLE)?.into_iter();
    let known = [OPENWEBRX.1, SWEEP.1];
    Ok(ours.map(|process| process.arguments).filter(|arguments| known.contains(&arguments.as_str())).collect())
}
