//! A USB serial port made with the kernel's own gadget framework, on `dummy_hcd`: the host's end is `/dev/ttyACM…`,
//! the device's end is `/dev/ttyGS0`. Unlike a USB/IP device it keeps quiet when it has nothing to say.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::observe::usb;
use crate::wait;

const GADGETS: &str = "/sys/kernel/config/usb_gadget";
/// English, in `struct usb_gadget_strings`.
const LANGUAGE: &str = "strings/0x409";
/// How many sockets there are.
const SOCKETS: u8 = 4;

/// A socket of the dummy controller: each is a bus of its own, so another one is another USB path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Socket(pub(crate) u8);

/// A serial gadget, described once and plugged many times.
#[derive(Debug)]
pub(crate) struct Gadget {
    folder: PathBuf,
    vendor: u16,
    product: u16,
    ports: u8,
}

/// Where a plugged gadget ended up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// USB path, such as `3-1`.
    pub(crate) path: String,
    /// Its node, such as `/dev/ttyACM0`.
    pub(crate) node: PathBuf,
}

/// Makes the sockets.
pub(crate) fn set_up() -> Result<()> {
    super::load_module(&["dummy_hcd", &format!("num={SOCKETS}")])?;
    for module in ["libcomposite", "usb_f_acm", "cdc_acm"] {
        super::load_module(&[module])?;
    }
    if !Path::new(GADGETS).exists() {
        rustix::mount::mount("none", "/sys/kernel/config", "configfs", rustix::mount::MountFlags::empty(), None)
            .context("configfs cannot be mounted")?;
    }
    Ok(())
}

impl Gadget {
    /// Describes a serial gadget with so many ports, each a function of its own.
    pub(crate) fn describe(name: &str, vendor: u16, product: u16, product_name: &str, ports: u8) -> Result<Self> {
        let folder = Path::new(GADGETS).join(name);
        for part in ["", LANGUAGE, "configs/c.1"].map(|part| folder.join(part)) {
            fs::create_dir(&part).with_context(|| format!("{} cannot be made", part.display()))?;
        }
        fs::write(folder.join("idVendor"), format!("{vendor:#06x}"))?;
        fs::write(folder.join("idProduct"), format!("{product:#06x}"))?;
        fs::write(folder.join(LANGUAGE).join("product"), product_name)?;
        fs::write(folder.join(LANGUAGE).join("manufacturer"), "u-blox AG - www.u-blox.com")?;
        for port in 0..ports {
            let function = folder.join(format!("functions/acm.{port}"));
            fs::create_dir(&function)?;
            std::os::unix::fs::symlink(&function, folder.join(format!("configs/c.1/acm.{port}")))?;
        }
        Ok(Self { folder, vendor, product, ports })
    }

    /// Plugs it into a socket and waits for its node.
    pub(crate) fn plug(&self, socket: Socket) -> Result<Place> {
        fs::write(self.folder.join("UDC"), format!("dummy_udc.{}", socket.0))
            .with_context(|| format!("socket {} is taken", socket.0))?;
        wait::value("the node of a plugged serial port", wait::HARDWARE, || {
            let path =
                usb::devices()?.into_iter().find(|seen| (seen.vendor, seen.product) == (self.vendor, self.product));
            let Some(path) = path.map(|seen| seen.path) else { return Ok(None) };
            let node = usb::tty_of(&path)?.filter(|node| node.exists());
            Ok(node.map(|node| Place { path, node }))
        })
    }

    /// Pulls it out; nothing happens when it is not in.
    pub(crate) fn unplug(&self) -> Result<()> {
        let udc = self.folder.join("UDC");
        if fs::read_to_string(&udc)?.trim().is_empty() {
            return Ok(());
        }
        fs::write(&udc, "\n").context("a gadget cannot be pulled out")
    }
}

impl Drop for Gadget {
    /// Pulls it out and takes the description apart, in the order the kernel asks for.
    fn drop(&mut self) {
        let taken_apart = self.unplug().and_then(|()| {
            for port in 0..self.ports {
                fs::remove_file(self.folder.join(format!("configs/c.1/acm.{port}")))?;
                fs::remove_dir(self.folder.join(format!("functions/acm.{port}")))?;
            }
            for part in ["configs/c.1", LANGUAGE, ""] {
                fs::remove_dir(self.folder.join(part)).with_context(|| format!("part {part:?} of a gadget stays"))?;
            }
            Ok(())
        });
        if let Err(error) = taken_apart {
            eprintln!("lab: {}: {error:#}", self.folder.display());
        }
    }
}
