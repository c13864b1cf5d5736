//! A stick that is two serial ports, as those are that one dials and asks by different ones.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::hardware::gadget::{Gadget, Socket};
use crate::stage::Stage;
use crate::wait;

/// By what it is; `more` may say which of its ports.
fn port(more: &str) -> String {
    format!("\n[hardware.port]\nkind = \"serial\"\nmatch = {{ usb = \"1199:68c0\"{more} }}\n")
}

pub(super) fn run(stage: &Stage) -> Result<()> {
    let stick = Gadget::describe("stick", 0x1199, 0x68c0, "Modem", 2)?;
    let place = stick.plug(Socket(0))?;

    let daemon = stage.daemon(&[&port("")])?;
    daemon.until_device("port", "faulted")?;
    let said = daemon.say(&["devices"])?;
    ensure!(said.contains("2 pieces of hardware fit it"), "{said}");
    ensure!(["if00", "if02"].iter().all(|one| said.contains(one)), "nothing tells them apart in {said}");
    daemon.stop()?;

    let node = stage.folder.join("node");
    let user = format!(
        "\n[services.user]\ndevices = {{ port = \"exclusive\" }}\ncommand = [\"sh\", \"-c\", \"echo {{device.port.path}} > {}; exec sleep infinity\"]\n",
        node.display()
    );
    let daemon = stage.daemon(&[&port(", interface = \"if02\""), &user])?;
    daemon.until_running("user")?;
    // The kernel's own word: the third interface of the stick, of which each port has two.
    let ttys = Path::new("/sys/bus/usb/devices").join(format!("{}:1.2/tty", place.path));
    let second = fs::read_dir(&ttys)?.flatten().next().map(|tty| Path::new("/dev").join(tty.file_name()));
    wait::until("the service to write down its node", wait::STEP, || Ok(node.exists()))?;
    wait::until("it to be that of the second port", wait::STEP, || {
        Ok(second.as_ref().is_some_and(|second| fs::read_to_string(&node).is_ok_and(|is| Path::new(is.trim()) == second)))
    })?;
    stick.unplug()?;
    daemon.until_device("port", "absent")?;
    daemon.stop()
}
