//! Figures, not a verdict: from the kernel's news to the service's first and last moment, with mainstay and with systemd
//! and udev on the same machine, device and program.

use anyhow::Result;

use crate::daemon::Daemon;
use crate::hardware::hackrf::{SERIAL, Serial};
use crate::observe::cgroup;
use crate::stage::Stage;
use crate::station;
use crate::systemd::{self, Systemd};
use crate::timing::{Bell, Figures, Round};

const ROUNDS: usize = 10;
/// The HackRF that systemd's service wants.
const THEIRS: Serial = Serial([0, 0, 0x88c8_69dc, 0x5d5d_5d5d]);

pub(super) fn run(stage: &Stage) -> Result<()> {
    let bell = Bell::hang(&stage.folder)?;
    // With control groups for both: systemd cannot do without.
    let _groups = cgroup::mount()?;
    let daemon = station(stage, &bell)?;
    let alone: Vec<Round> = (0..ROUNDS).map(|_| with_mainstay(&daemon, &bell)).collect::<Result<_>>()?;
    daemon.stop()?;
    Figures::of(alone).print("mainstay, no udev in the machine");
    if !systemd::is_installed() {
        println!("        left out: the same with systemd and udev. To run it: apt-get install systemd udev");
        return Ok(());
    }

    let systemd = Systemd::start(("sdr.service", &unit(&bell)), &rule())?;
    let daemon = station(stage, &bell)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // In turn, so that whatever else this computer does meanwhile meets both.
    for _ in 0..ROUNDS {
        theirs.push(daemon.frozen(|| with_systemd(&systemd, &bell))?);
        ours.push(with_mainstay(&daemon, &bell)?);
    }
    daemon.stop()?;
    let (ours, theirs) = (Figures::of(ours), Figures::of(theirs));
    theirs.print("systemd and udev");
    ours.print("mainstay beside udev");
    ours.print_against(&theirs, "mainstay beside udev, as a part of systemd and udev (budget: 0.5)");
    Ok(())
}

/// A mainstay that has run for a while, as systemd has: the first time that it does something takes longer.
fn station(stage: &Stage, bell: &Bell) -> Result<Daemon> {
    let command = bell.command();
    let service =
        format!("\n[services.receiver]\ncommand = {command:?}\ndevices = {{ hackrf = \"exclusive\" }}\n");
    stage.daemon(&[station::HACKRF, &service])
}

fn with_mainstay(daemon: &Daemon, bell: &Bell) -> Result<Round> {
    // Who is admitted need not settle first, however often it came and went.
    daemon.say(&["eject", "hackrf"])?;
    daemon.say(&["admit", "hackrf"])?;
    daemon.until_waiting("receiver", "hackrf")?;
    bell.round(SERIAL, || daemon.until_running("receiver").map(drop))
}

fn with_systemd(systemd: &Systemd, bell: &Bell) -> Result<Round> {
    let round = bell.round(THEIRS, || systemd.until("sdr.service", "active"))?;
    systemd.until("sdr.service", "inactive")?;
    systemd.until("dev-hackrf.device", "inactive")?;
    Ok(round)
}

fn unit(bell: &Bell) -> String {
    let [shell, option, script] = bell.command();
    format!(
        "[Unit]\nDefaultDependencies=no\nBindsTo=dev-hackrf.device\nAfter=dev-hackrf.device\nStartLimitIntervalSec=0\n\
         [Service]\nExecStart={shell} {option} '{script}'\n"
    )
}

/// Not only for `add`: at `bind`, which follows at once, a device without the tag is gone for systemd.
fn rule() -> String {
    let matches = r#"ACTION!="remove", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="1d50", ATTR{idProduct}=="6089""#;
    let wants = r#"TAG+="systemd", ENV{SYSTEMD_ALIAS}+="/dev/hackrf", ENV{SYSTEMD_WANTS}+="sdr.service""#;
    format!("{matches}, ATTR{{serial}}==\"{}\", {wants}\n", THEIRS.digits())
}
