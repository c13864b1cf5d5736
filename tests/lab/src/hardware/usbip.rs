//! Plugs simulated USB devices into the kernel's virtual host controller (`vhci_hcd`), each on a port of choice.
//!
//! The device side is the `usbip` crate; the kernel is handed one end of a socket pair, over which it speaks USB/IP
//! (Documentation/usb/usbip_protocol.rst in the kernel's sources).

use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context as _, Result, ensure};
use usbip::{UsbDevice, UsbIpServer};

use crate::observe::usb;
use crate::wait;

const CONTROLLER: &str = "/sys/devices/platform/vhci_hcd.0";

/// `OP_REQ_IMPORT` with the protocol's version in front and status 0 behind it.
const IMPORT_REQUEST: [u8; 8] = [0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0];
/// Header of eight bytes and the description of the device.
const IMPORT_REPLY: usize = 8 + 312;
/// `USB_SPEED_HIGH` of the kernel's `enum usb_device_speed`.
const HIGH_SPEED: u32 = 3;

/// A port of the virtual controller: another one is another USB path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Port(pub(crate) u8);

/// A device that is plugged in; dropping it pulls it out.
#[derive(Debug)]
pub(crate) struct Plugged {
    port: Port,
    /// The kernel's name for where it is, such as `1-2`.
    pub(crate) path: String,
}

/// Makes the virtual controller ready.
pub(crate) fn set_up() -> Result<()> {
    super::load_module(&["vhci_hcd"])
}

/// Plugs a device in and waits until the kernel has enumerated it.
pub(crate) fn plug(device: UsbDevice, port: Port) -> Result<Plugged> {
    let before: Vec<String> = usb::devices()?.into_iter().map(|device| device.path).collect();
    let (vendor, product) = (device.vendor_id, device.product_id);
    let kernels_end = serve(device)?;
    fs::write(
        format!("{CONTROLLER}/attach"),
        format!("{} {} {} {HIGH_SPEED}", port.0, kernels_end.as_raw_fd(), (1_u32 << 16) | (u32::from(port.0) + 1)),
    )
    .with_context(|| format!("the kernel took no device on virtual port {}", port.0))?;
    let path = wait::value("the kernel to enumerate a plugged USB device", wait::HARDWARE, || {
        Ok(usb::devices()?
            .into_iter()
            .find(|seen| seen.vendor == vendor && seen.product == product && !before.contains(&seen.path))
            .map(|seen| seen.path))
    })?;
    Ok(Plugged { port, path })
}

impl Plugged {
    /// Pulls the device out; the kernel sees it at once.
    pub(crate) fn unplug(self) {}
}

impl Drop for Plugged {
    fn drop(&mut self) {
        if let Err(error) = fs::write(format!("{CONTROLLER}/detach"), self.port.0.to_string()) {
            eprintln!("lab: virtual port {} cannot be emptied: {error}", self.port.0);
        }
    }
}

/// Serves a device on a thread of its own until the kernel hangs up. Returns the kernel's end of the wire, imported.
fn serve(mut device: UsbDevice) -> Result<UnixStream> {
    device.bus_id = "1-1".to_owned();
    let mut request = IMPORT_REQUEST.to_vec();
    request.extend_from_slice(b"1-1");
    request.resize(IMPORT_REQUEST.len() + 32, 0);

    let (mut kernels, ours) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    thread::Builder::new().name("usbip".to_owned()).spawn(move || {
        let ended = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
            runtime.block_on(async move {
                let mut wire = tokio::net::UnixStream::from_std(ours)?;
                usbip::handler(&mut wire, Arc::new(UsbIpServer::new_simulated(vec![device]))).await
            })
        });
        if let Err(error) = ended
            && error.kind() != std::io::ErrorKind::ConnectionReset
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            eprintln!("lab: a simulated USB device failed: {error}");
        }
    })?;
    kernels.set_read_timeout(Some(Duration::from_secs(10)))?;
    kernels.write_all(&request)?;
    let mut reply = [0; IMPORT_REPLY];
    kernels.read_exact(&mut reply).context("the simulated USB device did not answer")?;
    ensure!(reply.starts_with(&[0x01, 0x11, 0x00, 0x03, 0, 0, 0, 0]), "the simulated USB device refused the import");
    kernels.set_read_timeout(None)?;
    Ok(kernels)
}
