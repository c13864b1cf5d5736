//! Wi-Fi radios that come and go.

use std::path::Path;
use std::process::Command;
use std::{fmt, fs, mem};

use anyhow::{Context as _, Result, ensure};

use super::hwsim;
use crate::observe::wireless;
use crate::wait;

/// A permanent address, `02:00:00:00:NN:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mac(pub(crate) u8);

impl Mac {
    fn bytes(self) -> [u8; 6] {
        [0x02, 0, 0, 0, self.0, 0]
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "02:00:00:00:{:02x}:00", self.0)
    }
}

/// A radio that is there; dropping it takes it away.
#[derive(Debug)]
pub(crate) struct Radio {
    id: hwsim::RadioId,
    mac: Mac,
}

/// Plugs a radio in and waits for its interface.
pub(crate) fn plug_radio(mac: Mac) -> Result<Radio> {
    let radio = Radio { id: hwsim::create(mac.bytes())?, mac };
    wait::value("the interface of a plugged radio", wait::HARDWARE, || radio.find_interface())?;
    Ok(radio)
}

impl Radio {
    /// The present name of its main interface.
    pub(crate) fn interface(&self) -> Result<String> {
        self.find_interface()?.with_context(|| format!("radio {} has no interface", self.mac))
    }

    fn find_interface(&self) -> Result<Option<String>> {
        let address = self.mac.to_string();
        Ok(wireless::interfaces()?
            .into_iter()
            .filter(|interface| interface.address == address)
            // The main interface is the oldest one of the radio.
            .min_by_key(|interface| interface.index)
            .map(|interface| interface.name))
    }

    /// Gives the main interface another name, as udev may at any time.
    pub(crate) fn rename(&self, name: &str) -> Result<()> {
        let old = self.interface()?;
        ip(&["link", "set", "dev", &old, "down"])?;
        ip(&["link", "set", "dev", &old, "name", name])
    }

    /// Blocks or unblocks it as `rfkill` does.
    pub(crate) fn block(&self, block: Block) -> Result<()> {
        let phy = fs::canonicalize(Path::new("/sys/class/net").join(self.interface()?).join("phy80211"))?;
        let switch = fs::read_dir(&phy)?
            .flatten()
            .find(|entry| entry.file_name().to_string_lossy().starts_with("rfkill"))
            .with_context(|| format!("{} has no rfkill switch", phy.display()))?;
        let value = match block {
            Block::Soft => "1",
            Block::None => "0",
        };
        fs::write(switch.path().join("soft"), value).context("the rfkill switch does not move")
    }

    /// Waits until its main interface is again as that of a plugged radio: managed and down. A service that has stopped says
    /// so before its radio is put back.
    pub(crate) fn until_put_back(&self) -> Result<()> {
        let mut last = (String::new(), None, false);
        wait::until("the radio to be put back", wait::STEP, || {
            let name = self.interface()?;
            last = (name.clone(), wireless::mode(&name)?, wireless::is_up(&name));
            Ok(last.1.as_deref() == Some("managed") && !last.2)
        })
        .with_context(|| format!("name, mode, and whether it is up, were last {last:?}"))
    }

    /// Takes the radio away at once, as when a USB stick is pulled out.
    pub(crate) fn unplug(self) {}

    /// It has gone with its driver: there is nothing left to take away.
    pub(crate) fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for Radio {
    fn drop(&mut self) {
        if let Err(error) = hwsim::remove(self.id) {
            eprintln!("lab: radio {}: {error:#}", self.mac);
        }
    }
}

/// A position of the rfkill switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// Blocked by software.
    Soft,
    /// Not blocked.
    None,
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(arguments).output().context("ip cannot be run")?;
    ensure!(output.status.success(), "ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
