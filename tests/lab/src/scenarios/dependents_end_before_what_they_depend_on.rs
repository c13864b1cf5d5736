//! The order of stopping, told by the programs themselves.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::daemon::Daemon;
use crate::hardware::gadget::Socket;
use crate::hardware::gps::Gps;
use crate::hardware::radio::plug_radio;
use crate::stage::Stage;
use crate::{stand_in, station, wait};

pub(super) fn run(stage: &Stage) -> Result<()> {
    let kismet = reluctant(&stage.folder, "kismet", "pgrep -x gpsd")?;
    let wigletotak = reluctant(&stage.folder, "wigletotak", "kill -0 $(cat FOLDER/kismet.pid)")?;
    let gps = Gps::new()?;
    let _radio = plug_radio(station::SURVEY)?;
    gps.plug(Socket(0))?;
    let daemon = stage.daemon(&[
        station::GPS,
        &station::radio("survey", station::SURVEY),
        &station::gpsd(),
        &station::kismet(&kismet),
        &format!("\n[services.wigletotak]\ncommand = [{wigletotak:?}]\nrequires = [\"kismet\"]\n"),
    ])?;

    until_all_run(&daemon, &stage.folder)?;
    gps.unplug()?;
    daemon.until_waiting("wigletotak", "kismet")?;
    daemon.until_waiting("kismet", "gpsd")?;
    daemon.until_waiting("gpsd", "gps")?;
    check_order(&stage.folder)?;

    // The same when all are stopped because mainstay is told to end.
    gps.plug(Socket(0))?;
    until_all_run(&daemon, &stage.folder)?;
    daemon.stop()?;
    check_order(&stage.folder)
}

/// A program that takes its time to end, and writes down with its last act whether what it depends on is still there.
fn reluctant(folder: &Path, name: &str, look: &str) -> Result<std::path::PathBuf> {
    let script = "end() {
          sleep 1
          if LOOK > /dev/null; then echo lives > FOLDER/NAME.last; else echo gone > FOLDER/NAME.last; fi
          exit 0
        }
        trap end TERM
        echo $$ > FOLDER/NAME.pid
        while :; do sleep 3600 & wait $!; done";
    let script = script.replace("LOOK", look).replace("NAME", name).replace("FOLDER", &folder.to_string_lossy());
    stand_in::write(folder, name, &script)
}

/// Waits until all run; the programs have set their traps by then.
fn until_all_run(daemon: &Daemon, folder: &Path) -> Result<()> {
    for name in ["gpsd", "kismet", "wigletotak"] {
        daemon.until_running(name)?;
    }
    for name in ["kismet", "wigletotak"] {
        let pid_file = folder.join(format!("{name}.pid"));
        wait::until("a program to be ready to end", wait::STEP, || Ok(pid_file.exists()))?;
    }
    Ok(())
}

fn check_order(folder: &Path) -> Result<()> {
    for (name, needs) in [("wigletotak", "kismet"), ("kismet", "gpsd")] {
        let last = folder.join(format!("{name}.last"));
        let said = fs::read_to_string(&last).with_context(|| format!("{name} was not given the time to end"))?;
        ensure!(said.trim() == "lives", "when {name} ended, {needs} was {}", said.trim());
        fs::remove_file(last)?;
        fs::remove_file(folder.join(format!("{name}.pid")))?;
    }
    Ok(())
}
