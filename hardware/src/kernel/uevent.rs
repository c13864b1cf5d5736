//! Uevents: the kernel's, the first witness of everything that comes and goes, and udev's, which say that a device node
//! has got its permissions.

use std::io;

use kobject_uevent::{ActionType, UEvent};
use netlink_sys::protocols::NETLINK_KOBJECT_UEVENT;
use netlink_sys::{AsyncSocket, SocketAddr, TokioSocket};

use super::usb;
use crate::sighting::Generation;

/// The broadcast groups of the kernel and, where it runs, of udev.
const GROUPS: u32 = 1 | 2;
/// The kernel's own port.
const KERNEL: u32 = 0;
/// How a message of udev begins; then, each four bytes in the machine's order but the first: magic number, size of the
/// header, and where the properties are and how long (src/libsystemd/sd-device/device-monitor.c in systemd).
const UDEV_PREFIX: &[u8] = b"libudev\0";
const UDEV_PROPERTIES: std::ops::Range<usize> = 16..20;
/// The kernel's buffer for one uevent is 2 KiB (`UEVENT_BUFFER_SIZE`) and the header with the path comes before it.
pub(crate) const MESSAGE_BYTES: usize = 8192;
/// A hub with everything on it says a few hundred things at once.
const SOCKET_BYTES: i32 = 1024 * 1024;

/// What a uevent means for what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A USB device, by the kernel's name, came or changed.
    UsbChanged(String),
    /// A driver took a USB device or let go of it; its number when the kernel said it. It follows its arrival and precedes its departure.
    UsbBound(String, Option<Generation>),
    /// A USB device left; its number when the kernel said it.
    UsbLeft(String, Option<Generation>),
    /// A serial port came or changed.
    TtyChanged(String),
    /// A serial port left.
    TtyLeft(String),
    /// udev is done with a USB device: its node has its permissions.
    UsbSettled(String),
    /// udev is done with a serial port: its node has its permissions.
    TtySettled(String),
    /// Something about radios: a wiphy came or left, or an rfkill switch was moved.
    Radios,
}

/// A change, and its place in the order of all uevents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub(crate) change: Change,
    pub(crate) seqnum: u64,
}

/// A socket that hears uevents. Must be called within a tokio runtime.
///
/// # Errors
/// When the kernel refuses it, as in some containers.
pub(crate) fn socket() -> io::Result<TokioSocket> {
    let mut socket = TokioSocket::new(NETLINK_KOBJECT_UEVENT)?;
    // The kernel takes as much of it as it allows; a smaller buffer only means an earlier rescan.
    let _ = socket.socket_ref().set_rx_buf_sz(SOCKET_BYTES);
    // Not the process id as port: libusb's uevent socket in this process has that one.
    socket.socket_mut().bind(&SocketAddr::new(KERNEL, GROUPS))?;
    Ok(socket)
}

/// What a message means; `None` for what is none of our business, or no uevent. Only a process with `CAP_NET_ADMIN` can
/// send here, and only the kernel from its port.
pub(crate) fn parse(message: &[u8], sender: u32) -> Option<Numbered> {
    let from_udev = sender != KERNEL;
    let properties = if from_udev { udev_properties(message)? } else { message };
    let uevent = UEvent::from_netlink_packet(properties).ok()?;
    let name = uevent.devpath.file_name()?.to_str()?.to_owned();
    let left = uevent.action == ActionType::Remove;
    if from_udev && uevent.action != ActionType::Add {
        // Permissions are set on arrival.
        return None;
    }
    let change = match (uevent.subsystem.as_str(), left, from_udev) {
        ("usb", ..) if uevent.env.get("DEVTYPE").map(String::as_str) != Some("usb_device") => return None,
        ("usb", true, false) => Change::UsbLeft(name, number(&uevent)),
        ("usb", false, false) if matches!(uevent.action, ActionType::Bind | ActionType::Unbind) => {
            Change::UsbBound(name, number(&uevent))
        }
        ("usb", false, false) => Change::UsbChanged(name),
        ("usb", false, true) => Change::UsbSettled(name),
        ("tty", true, false) => Change::TtyLeft(name),
        ("tty", false, false) => Change::TtyChanged(name),
        ("tty", false, true) => Change::TtySettled(name),
        ("ieee80211" | "rfkill", _, false) => Change::Radios,
        _ => return None,
    };
    Some(Numbered { change, seqnum: uevent.seq })
}

fn udev_properties(message: &[u8]) -> Option<&[u8]> {
    if !message.starts_with(UDEV_PREFIX) {
        return None;
    }
    let offset = u32::from_ne_bytes(message.get(UDEV_PROPERTIES)?.try_into().ok()?);
    message.get(usize::try_from(offset).ok()?..)
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
        assert_eq!(parse(&message(&fields), KERNEL), Some(Numbered { change, seqnum: 1234 }));
    }

    #[test]
    fn that_a_driver_takes_a_usb_device_is_told_with_its_number() {
        for action in ["bind", "unbind"] {
            let (header, said) = (format!("{action}@/x/1-1"), format!("ACTION={action}"));
            let fields = [&header, &said, "DEVPATH=/x/1-1", "SUBSYSTEM=usb", "DEVTYPE=usb_device", "SEQNUM=9"];
            let numbered = [&fields[..], &["BUSNUM=001", "DEVNUM=005"]].concat();
            let bound = |which| Some(Numbered { change: Change::UsbBound("1-1".to_owned(), which), seqnum: 9 });
            assert_eq!(parse(&message(&fields), KERNEL), bound(None));
            assert_eq!(parse(&message(&numbered), KERNEL), bound(Some(usb::generation(1, 5))));
        }
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
        assert_eq!(parse(&message(&fields), KERNEL), None);
    }

    #[test]
    fn a_serial_port_and_a_radio_are_told_by_their_subsystem() {
        let tty = ["add@/x/tty/ttyACM0", "ACTION=add", "DEVPATH=/x/tty/ttyACM0", "SUBSYSTEM=tty", "SEQNUM=7"];
        assert_eq!(parse(&message(&tty), KERNEL).unwrap().change, Change::TtyChanged("ttyACM0".to_owned()));
        let rfkill = ["change@/x/rfkill0", "ACTION=change", "DEVPATH=/x/rfkill0", "SUBSYSTEM=rfkill", "SEQNUM=8"];
        assert_eq!(parse(&message(&rfkill), KERNEL).unwrap().change, Change::Radios);
    }

    #[test]
    fn udev_says_when_it_is_done_with_a_node() {
        let properties = message(&["ACTION=add", "DEVPATH=/x/tty/ttyACM0", "SUBSYSTEM=tty", "SEQNUM=7"]);
        let mut from_udev = UDEV_PREFIX.to_vec();
        from_udev.extend(0xfeed_cafe_u32.to_be_bytes());
        from_udev
            .extend([40u32, 40, u32::try_from(properties.len()).unwrap(), 0, 0, 0, 0].map(u32::to_ne_bytes).concat());
        from_udev.extend(&properties);
        let change = Change::TtySettled("ttyACM0".to_owned());
        assert_eq!(parse(&from_udev, 812), Some(Numbered { change, seqnum: 7 }));
        assert_eq!(parse(&properties, 812), None, "another process cannot speak for the kernel");
    }

    proptest! {
        #[test]
        fn no_message_is_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = parse(&bytes, KERNEL);
            let _ = parse(&[UDEV_PREFIX, &bytes].concat(), 812);
        }

        #[test]
        fn no_fields_are_too_strange(fields in proptest::collection::vec((
            "(ACTION|DEVPATH|SUBSYSTEM|DEVTYPE|SEQNUM|BUSNUM|DEVNUM)", "(add|remove|usb|tty|/|/a/b|\\PC{0,8})",
        ), 0..12)) {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let _ = parse(&message(&fields), KERNEL);
        }
    }
}
