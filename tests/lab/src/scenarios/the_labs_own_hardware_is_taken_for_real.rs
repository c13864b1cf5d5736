//! Before mainstay is tried: what the lab plugs in must look real to the programs people use.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};

use anyhow::{Context as _, Result, ensure};

use crate::hardware::gadget::Socket;
use crate::hardware::gps::Gps;
use crate::hardware::hackrf::{FIRMWARE, SERIAL, plug_hackrf};
use crate::hardware::radio::{Block, Mac, plug_radio};
use crate::hardware::usbip::Port;
use crate::observe::{usb, wireless};
use crate::programs::{gpsd_fix, hackrf_info};
use crate::stage::Stage;
use crate::wait;

pub(super) fn run(_stage: &Stage) -> Result<()> {
    hackrf_tools_accept_the_hackrf_on_any_port()?;
    gpsd_reports_the_fix_of_the_gps()?;
    the_node_of_a_gps_moves_while_somebody_holds_the_old_one()?;
    radios_vanish_and_return_under_another_name()
}

fn hackrf_tools_accept_the_hackrf_on_any_port() -> Result<()> {
    let first = plug_hackrf(SERIAL, Port(0))?;
    let said = hackrf_info()?;
    ensure!(said.contains(&SERIAL.digits()) && said.contains(FIRMWARE), "hackrf_info said {said}");
    let path = first.path.clone();
    first.unplug();
    wait::until("the HackRF to be gone", wait::HARDWARE, || Ok(usb::devices()?.iter().all(|device| device.path != path)))?;
    let second = plug_hackrf(SERIAL, Port(3))?;
    ensure!(second.path != path, "another port has the same path {path}");
    ensure!(hackrf_info()?.contains(&SERIAL.digits()), "hackrf_info misses it on another port");
    Ok(())
}

fn gpsd_reports_the_fix_of_the_gps() -> Result<()> {
    let gps = Gps::new()?;
    let place = gps.plug(Socket(0))?;
    let _gpsd = Running::start(Command::new("gpsd").args(["-N", "-n", "-S", "2947"]).arg(&place.node))?;
    gpsd_fix(2947).map(drop)
}

fn the_node_of_a_gps_moves_while_somebody_holds_the_old_one() -> Result<()> {
    let gps = Gps::new()?;
    let first = gps.plug(Socket(0))?;
    let held = File::open(&first.node).context("the GPS cannot be opened")?;
    gps.unplug()?;
    wait::until("the node to be gone", wait::HARDWARE, || Ok(!first.node.exists()))?;
    let second = gps.plug(Socket(1))?;
    drop(held);
    ensure!(second.node != first.node && second.path != first.path, "{first:?} came back as {second:?}");
    Ok(())
}

fn radios_vanish_and_return_under_another_name() -> Result<()> {
    let _first = plug_radio(Mac(0))?;
    let second = plug_radio(Mac(1))?;
    let name = second.interface()?;
    ensure!(wireless::mode(&name)?.as_deref() == Some("managed"), "{name} is not managed at first");
    second.block(Block::Soft)?;
    second.block(Block::None)?;
    second.unplug();
    wait::until("the radio to be gone", wait::HARDWARE, || Ok(!Path::new("/sys/class/net").join(&name).exists()))?;
    let _other = plug_radio(Mac(2))?;
    let back = plug_radio(Mac(1))?;
    ensure!(back.interface()? != name, "the name {name} was free though another radio has it");
    back.rename("uplink")?;
    ensure!(back.interface()? == "uplink", "the new name is not seen");
    Ok(())
}

/// A program that ends with the scenario.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.spawn().with_context(|| format!("{command:?} cannot be started"))?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
