//! mainstay run by a user who may not open the GPS: the most common mistake on a new station.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};

use anyhow::{Result, ensure};

use crate::hardware::gadget::Socket;
use crate::hardware::gps::Gps;
use crate::stage::Stage;
use crate::station;

/// Debian's `nobody` and its group.
const NOBODY: u32 = 65_534;

pub(super) fn run(stage: &Stage) -> Result<()> {
    let gps = Gps::new()?;
    let place = gps.plug(Socket(0))?;
    // As udev leaves it: for root and the group dialout.
    fs::set_permissions(&place.node, Permissions::from_mode(0o660))?;
    let daemon = stage.daemon_as(NOBODY, &[station::GPS, &station::gpsd()])?;

    let device = daemon.until_device("gps", "faulted")?;
    let reason = device.reason.to_lowercase();
    let node = place.node.to_string_lossy();
    ensure!(reason.contains("permission") && device.reason.contains(&*node), "the reason names neither: {:?}", device.reason);
    ensure!(reason.contains("group"), "the reason does not say what to do: {:?}", device.reason);
    daemon.until_waiting("gpsd", "faulted")?;
    let why = daemon.say(&["why", "gpsd"])?;
    ensure!(why.to_lowercase().contains("permission"), "`mainstay why gpsd` does not say that it is a permission: {why}");

    // Once the cure is applied the operator takes it back, and the service starts, as that user.
    chown(&place.node, None, Some(NOBODY))?;
    daemon.say(&["admit", "gps"])?;
    daemon.until_running("gpsd")?;
    daemon.stop()
}
