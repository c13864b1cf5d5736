//! What a device is recognised by, and what people write there who think of it by another of its names.

use schemars::{Schema, json_schema};

use super::shapes::from_str_value;
use super::text::{Filled, Refusal, TextValue, refused};
use crate::diagnostics::Code;
use crate::lower::match_keys;
use crate::model::DeviceKind;
use crate::names::{MacAddress, UsbId, UsbInterface, UsbPath};

/// A USB serial number.
#[derive(Debug, Clone)]
pub(crate) struct SerialNumber(pub(crate) String);

impl TextValue for SerialNumber {
    fn expected_text() -> String {
        "a USB serial number in quotes".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        let Filled(serial) = Filled::from_text(text)?;
        // A serial number may look like nearly anything, but not like this.
        let is_path = ["/dev/", "/sys/"].iter().any(|folder| serial.starts_with(folder));
        let help = is_path.then(|| instead_of(&serial, None)).flatten();
        match help {
            Some(help) => Err(refused(Code::BadValue, format!("is a path, not a serial number: \"{serial}\""), help)),
            None => Ok(Self(serial)),
        }
    }

    fn text_schema() -> Schema {
        Filled::text_schema()
    }
}

from_str_value! {
    UsbId: "a USB id such as \"1d50:6089\"", "^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}$", "is wrong", instead_or;
    UsbPath: "a USB port path such as \"1-1.4\"", r"^[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}$", "is wrong", instead_or;
    UsbInterface: "a USB interface such as \"if01\"", "^if[0-9A-Fa-f]{2}(-port[0-9]{1,3})?$", "is wrong", instead_or;
    MacAddress: "a MAC address such as \"02:00:00:00:02:00\"", "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$",
        "is wrong", instead_or;
}

fn instead_or(text: &str, shape: &str) -> String {
    instead_of(text, None).unwrap_or_else(|| shape.to_owned())
}

/// Where the right line can be copied from.
const SHOWN: &str = "`mainstay devices` shows the line for what is plugged in";

/// What to write for a device of this kind that was named in another way, whichever key that was written to. `None`: it is no other name.
pub(crate) fn instead_of(text: &str, kind: Option<DeviceKind>) -> Option<String> {
    let takes = |key| kind.is_none_or(|kind| match_keys(kind).contains(&key));
    let has_functions = takes("interface");
    let no_key = |what| {
        format!("{what}, which says nothing of a device of this kind: write the USB port, path = \"1-1.4\"; {SHOWN}")
    };
    if text.parse::<UsbId>().is_ok() {
        return Some(format!("that is a USB id: write usb = \"{text}\""));
    }
    if text.parse::<MacAddress>().is_ok() {
        let help = format!("that is a MAC address: write mac = \"{text}\"");
        return Some(if takes("mac") { help } else { no_key("that is a MAC address") });
    }
    if let Some(link) = text.strip_prefix("/dev/serial/by-id/") {
        return Some(by_id(link, has_functions));
    }
    if text.starts_with("/dev/serial/by-path/") {
        let help = "that link stands for a USB port: write path = \"1-1.4\", the bus and the ports on the way";
        return Some(format!("{help}; {SHOWN}"));
    }
    if numbers_on_the_bus(text) {
        return Some(format!(
            "that number is another one after each replug: write the USB port, path = \"1-1.4\"; {SHOWN}"
        ));
    }
    if let Some(help) = in_sysfs(text, has_functions) {
        return Some(help);
    }
    let name = text.strip_prefix("/dev/").unwrap_or(text);
    if is_kernel_name(name) {
        let help = format!(
            "that is the kernel's name: write name = \"{name}\", or better what stays, such as serial, usb or path; {SHOWN}"
        );
        return Some(if takes("name") { help } else { no_key("that is the kernel's name") });
    }
    let other = text.starts_with('/');
    other.then(|| format!("a path does not stay the same: write serial, usb or path (the USB port); {SHOWN}"))
}

/// A link of udev's: the names of maker and product, the serial number, and which function it is.
fn by_id(link: &str, has_functions: bool) -> String {
    let at = has_functions.then(|| link.rfind("-if")).flatten();
    let end = at.and_then(|at| link.get(at + 1..)).and_then(|end| end.parse::<UsbInterface>().ok());
    let interface = end.map_or(String::new(), |end| format!(", and interface = \"{end}\" if it has several functions"));
    format!(
        "that link is made of what the device says of itself: write serial = \"…\" and usb = \"…\"{interface}; {SHOWN}"
    )
}

/// `/dev/bus/usb/001/004`, `001/004`, and `001:004` as `lsusb` and `rtl_test` write it.
fn numbers_on_the_bus(text: &str) -> bool {
    let text = text.strip_prefix("/dev/bus/usb/").unwrap_or(text);
    let three = |text: &str| text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    text.split_once(['/', ':']).is_some_and(|(bus, device)| three(bus) && three(device))
}

/// `/sys/bus/usb/devices/1-1.4`, `usb1/1-1.4`, `1-1.4:1.0`: the kernel's own name for a USB device, or an interface of it.
fn in_sysfs(text: &str, has_functions: bool) -> Option<String> {
    let (path, interface) = text.rsplit('/').find_map(|part| {
        let (path, interface) = part.split_once(':').map_or((part, None), |(path, rest)| (path, Some(rest)));
        Some((path.parse::<UsbPath>().ok()?, interface))
    })?;
    // The configuration, which is nearly always the first, and the interface, in decimal.
    let number = interface
        .filter(|_| has_functions)
        .and_then(|rest| rest.split_once('.'))
        .and_then(|(_, number)| number.parse().ok());
    let interface = number.map(|number| UsbInterface { number, port: None });
    let function =
        interface.map_or(String::new(), |interface| format!(", interface = \"{interface}\" (where it has several)"));
    Some(format!("that is a USB port: write path = \"{path}\"{function}"))
}

/// What the kernel calls serial ports and radios.
fn is_kernel_name(name: &str) -> bool {
    const BEGINNINGS: [&str; 5] = ["tty", "wlan", "wlp", "wlx", "rfcomm"];
    name.len() <= 32
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
        && BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn help<T: TextValue>(text: &str) -> String {
        T::from_text(text).err().map(|refusal| refusal.help).unwrap()
    }

    #[test]
    fn whoever_names_a_device_in_another_way_is_told_the_key_that_is_meant() {
        for (text, key) in [
            ("/dev/ttyACM0", "write name = \"ttyACM0\""),
            ("ttyUSB1", "write name = \"ttyUSB1\""),
            ("wlan2", "write name = \"wlan2\""),
            ("wlx00c0caab1234", "write name = \"wlx00c0caab1234\""),
            ("/dev/serial/by-id/usb-FTDI_Quad_RS232-HS-if02-port0", "interface = \"if02-port0\""),
            ("/dev/serial/by-id/usb-u-blox_7", "serial = \"…\" and usb = \"…\";"),
            ("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0", "write path = "),
            ("/dev/bus/usb/001/004", "another one after each replug"),
            ("001/004", "another one after each replug"),
            ("001:004", "another one after each replug"),
            ("/sys/bus/usb/devices/1-1.4", "write path = \"1-1.4\""),
            (
                "/sys/devices/pci0000:00/usb1/1-1/1-1.4/1-1.4:1.10/tty/ttyACM0",
                "write path = \"1-1.4\", interface = \"if0a\"",
            ),
            ("usb1/1-1.4", "write path = \"1-1.4\""),
            ("1d50:6089", "write usb = \"1d50:6089\""),
            ("02:00:00:00:02:00", "write mac = \"02:00:00:00:02:00\""),
            ("/dev/my-receiver", "write serial, usb or path"),
            ("usb1", "1-1.4"),
        ] {
            assert!(help::<UsbPath>(text).contains(key), "{text}: {}", help::<UsbPath>(text));
        }
        assert!(help::<UsbInterface>("wlan1").contains("write name = \"wlan1\""));
        assert!(help::<MacAddress>("wlan1").contains("write name = \"wlan1\""));
        assert!(help::<UsbId>("1-1.4").contains("write path = \"1-1.4\""));
        assert!(help::<SerialNumber>("/dev/ttyUSB0").contains("write name = \"ttyUSB0\""));
        assert!(SerialNumber::from_text("/AH03/B-1:2").is_ok(), "whatever a maker thinks of");
    }

    #[test]
    fn no_cure_names_a_key_that_says_nothing_of_a_device_of_this_kind() {
        use DeviceKind::{Gps, Hackrf, Serial, Usb, Wifi};
        let texts = [
            "/dev/ttyACM0",
            "wlan1",
            "02:00:00:00:02:00",
            "1-1.4:1.10",
            "/sys/bus/usb/devices/1-1.4",
            "/dev/serial/by-id/usb-FTDI_Quad_RS232-HS-if02-port0",
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0",
            "001/004",
            "1d50:6089",
            "/dev/my-receiver",
        ];
        for kind in [Gps, Hackrf, Serial, Usb, Wifi] {
            for (text, key) in texts.iter().flat_map(|text| ["mac", "interface", "name"].map(|key| (text, key))) {
                let help = instead_of(text, Some(kind)).unwrap();
                let is_named = help.contains(&format!("{key} = "));
                assert!(!is_named || match_keys(kind).contains(&key), "{kind:?}: {help}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", path in "(/dev/|/sys/|usb|tty|-if|[0-9:./-]){0,12}") {
            for text in [text, path] {
                let _ = (UsbPath::from_text(&text).is_ok(), UsbInterface::from_text(&text).is_ok());
                let _ = (SerialNumber::from_text(&text).is_ok(), MacAddress::from_text(&text).is_ok());
            }
        }
    }
}
