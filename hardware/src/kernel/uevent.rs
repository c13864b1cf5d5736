//! Kernel uevents: the first witness of everything that comes and goes.

use std::io;

use kobject_uevent::{ActionType, UEvent};
use netlink_sys::protocols::NETLINK_KOBJECT_UEVENT;
use netlink_sys::{AsyncSocket, SocketAddr, TokioSocket};

use super::usb;
use crate::sighting::Generation;

/// The kernel's own broadcast group; udev's is 2.
const GROUP_KERNEL: u32 = 1;
/// The kernel's buffer for one uevent is 2 KiB (`UEVENT_BUFFER_SIZE`) and the header with the path comes before it.
pub(crate) const MESSAGE_BYTES: usize = 8192;
/// A hub with everything on it says a few hundred things at once.
const SOCKET_BYTES: i32 = 1024 * 1024;

/// What a uevent means for what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A USB device, by the kernel's name, came or changed.
    UsbChanged(String),
    /// A USB device left; its number when the kernel said it.
    UsbLeft(String, Option<Generation>),
    /// A serial port came or changed.
    TtyChanged(String),
    /// A serial port left.
    TtyLeft(String),
    /// Something about radios: a wiphy came or left, or an rfkill switch was moved.
    Radios,
}

/// A change, and its place in the order of all uevents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub(crate) change: Change,
    pub(crate) seqnum: u64,
}

/// A socket that hears the kernel's uevents. Must be called within a tokio runtime.
///
/// # Errors
/// When the kernel refuses it, as in some containers.
pub(crate) fn socket() -> io::Result<TokioSocket> {
    let mut socket = TokioSocket::new(NETLINK_KOBJECT_UEVENT)?;
    // The kernel takes as much of it as it allows; a smaller buffer only means an earlier rescan.
    let _ = socket.socket_ref().set_rx_buf_sz(SOCKET_BYTES);
    // Not the process id as port: libusb's uevent socket in this process has that one.
    socket.socket_mut().bind(&SocketAddr::new(0, GROUP_KERNEL))?;
    Ok(socket)
}

/// What a message means; `None` for what is none of our business or no uevent.
pub(crate) fn parse(message: &[u8]) -> Option<Numbered> {
    let uevent = UEvent::from_netlink_packet(message).ok()?;
    let name = uevent.devpath.file_name()?.to_str()?.to_owned();
    let left = uevent.action == ActionType::Remove;
    let change = match (uevent.subsystem.as_str(), left) {
        ("usb", _) if uevent.env.get("DEVTYPE").map(String::as_str) != Some("usb_device") => return None,
        ("usb", true) => Change::UsbLeft(name, number(&uevent)),
        ("usb", false) => Change::UsbChanged(name),
        ("tty", true) => Change::TtyLeft(name),
        ("tty", false) => Change::TtyChanged(name),
        ("ieee80211" | "rfkill", _) => Change::Radios,
        _ => return None,
    };
    Some(Numbered { change, seqnum: uevent.seq })
}

fn number(uevent: &UEvent) -> Option<Generation> {
    let number = |name: &str| uevent.env.get(name)?.parse::<u8>().ok();
    Some(usb::generation(number("BUSNUM")?, number("DEVNUM")?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;

    fn message(fields: &[&str]) -> Vec<u8> {
        fields.iter().flat_map(|f| f.bytes().chain([0])).collect()
    }

    #[test]
    fn the_departure_of_a_usb_device_carries_its_number() {
        let path = "/devices/platform/dummy_hcd.0/usb1/1-1";
        let header = format!("remove@{path}");
        let devpath = format!("DEVPATH={path}");
        let fields = [
            header.as_str(),
            "ACTION=remove",
            &devpath,
            "SUBSYSTEM=usb",
            "MAJOR=189",
            "MINOR=4",
            "DEVNAME=bus/usb/001/005",
            "DEVTYPE=usb_device",
            "PRODUCT=1d50/6089/104",
            "BUSNUM=001",
            "DEVNUM=005",
            "SEQNUM=1234",
        ];
        let change = Change::UsbLeft("1-1".to_owned(), Some(Generation("usb 1:5".to_owned())));
        assert_eq!(parse(&message(&fields)), Some(Numbered { change, seqnum: 1234 }));
    }

    #[test]
    fn interfaces_of_usb_devices_are_none_of_our_business() {
        let fields = [
            "add@/x/1-1:1.0",
            "ACTION=add",
            "DEVPATH=/x/1-1:1.0",
            "SUBSYSTEM=usb",
            "DEVTYPE=usb_interface",
            "SEQNUM=1",
        ];
        assert_eq!(parse(&message(&fields)), None);
    }

    #[test]
    fn a_serial_port_and_a_radio_are_told_by_their_subsystem() {
        let tty = ["add@/x/tty/ttyACM0", "ACTION=add", "DEVPATH=/x/tty/ttyACM0", "SUBSYSTEM=tty", "SEQNUM=7"];
        assert_eq!(parse(&message(&tty)).unwrap().change, Change::TtyChanged("ttyACM0".to_owned()));
        let rfkill = ["change@/x/rfkill0", "ACTION=change", "DEVPATH=/x/rfkill0", "SUBSYSTEM=rfkill", "SEQNUM=8"];
        assert_eq!(parse(&message(&rfkill)).unwrap().change, Change::Radios);
    }

    proptest! {
        #[test]
        fn no_message_is_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_fields_are_too_strange(fields in proptest::collection::vec("(ACTION|DEVPATH|SUBSYSTEM|DEVTYPE|SEQNUM|BUSNUM|DEVNUM)=(add|remove|usb|tty|/|/a/b|\\PC{0,8})", 0..12)) {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let _ = parse(&message(&fields));
        }
    }
}
