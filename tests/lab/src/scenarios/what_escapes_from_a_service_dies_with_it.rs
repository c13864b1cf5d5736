//! Children that fork away twice and leave the session, with control groups and without them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::observe::{cgroup, process};
use crate::stage::Stage;
use crate::{stand_in, wait};

pub(super) fn run(stage: &Stage) -> Result<()> {
    let escapee = stage.folder.join("escapee.pid");
    // The inner shell is in a session of its own, its parent is gone, and it does not listen to SIGTERM or SIGHUP.
    let script = "(setsid bash -c 'trap \"\" TERM HUP; echo $$ > FILE; while :; do sleep 3600; done' &) &\nwait\nexec sleep infinity";
    let script = script.replace("FILE", &escapee.to_string_lossy());
    let program = stand_in::write(&stage.folder, "forker", &script)?;
    let configuration =
        format!("\n[services.forker]\ncommand = [{program:?}]\nstop = {{ signal = \"TERM\", grace = \"2s\" }}\n");

    play(stage, &configuration, &escapee, None)?;
    let mounted = cgroup::mount()?;
    let before = cgroup::groups()?;
    play(stage, &configuration, &escapee, Some("/"))?;
    let after = cgroup::groups()?;
    ensure!(after == before, "control groups are left: {after:?}");
    drop(mounted);
    Ok(())
}

/// Stops the service once by the operator and once with the daemon. With control groups it must be in another than `ours`.
fn play(stage: &Stage, configuration: &str, escapee: &Path, ours: Option<&str>) -> Result<()> {
    let daemon = stage.daemon(&[configuration])?;
    let pid = until_escaped(escapee)?;
    let service = daemon.until_running("forker")?;
    if let Some(ours) = ours {
        let group = cgroup::of_process(service)?;
        ensure!(group != ours, "the service is in mainstay's own control group {group}");
        ensure!(cgroup::of_process(pid)? == group, "what escaped is in another control group than its service");
    }
    daemon.say(&["stop", "forker"])?;
    daemon.until_service("forker", "held")?;
    ensure!(!process::lives(pid), "what escaped ({pid}) outlived its service");

    daemon.say(&["start", "forker"])?;
    let pid = until_escaped(escapee)?;
    daemon.until_running("forker")?;
    daemon.stop()?;
    ensure!(!process::lives(pid), "what escaped ({pid}) outlived mainstay");
    Ok(())
}

fn until_escaped(escapee: &Path) -> Result<u32> {
    let pid = wait::value("a child to escape", wait::STEP, || {
        Ok(fs::read_to_string(escapee).ok().and_then(|text| text.trim().parse().ok()))
    })?;
    ensure!(process::lives(pid), "the escapee {pid} does not live");
    fs::remove_file(escapee).context("the escapee's file")?;
    Ok(pid)
}
