//! One function of a USB device that has several.

use std::fmt;
use std::str::FromStr;

/// An interface of a USB device, and the port on it where one interface has several. Written as udev's names in
/// `/dev/serial/by-id` end (60-serial.rules in systemd): `if01`, `if00-port1`. It stays the same whatever else is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct UsbInterface {
    /// `bInterfaceNumber`.
    pub number: u8,
    /// `port_number` of a serial port whose interface may have several; when it is matched, `None` is any of them.
    pub port: Option<u8>,
}

impl UsbInterface {
    /// Whether what is found is what is asked for.
    #[must_use]
    pub fn means(self, found: Self) -> bool {
        self.number == found.number && self.port.is_none_or(|port| found.port == Some(port))
    }

    /// Whether no function is both.
    #[must_use]
    pub fn excludes(self, other: Self) -> bool {
        !self.means(other) && !other.means(self)
    }
}

impl fmt::Display for UsbInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "if{:02x}", self.number)?;
        self.port.map_or(Ok(()), |port| write!(f, "-port{port}"))
    }
}

impl FromStr for UsbInterface {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "write the end of its name in /dev/serial/by-id: \"if01\", or \"if00-port1\" where one interface has several ports";
        let rest = text.strip_prefix("if").ok_or(SHAPE)?;
        let (number, port) = rest.split_once("-port").map_or((rest, None), |(number, port)| (number, Some(port)));
        let digits = number.len() == 2 && number.bytes().all(|b| b.is_ascii_hexdigit());
        let number = digits.then(|| u8::from_str_radix(number, 16).ok()).flatten().ok_or(SHAPE)?;
        let decimal = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        Ok(Self { number, port: port.map(|port| decimal(port).ok_or(SHAPE)).transpose()? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::UsbInterface;

    #[test]
    fn an_interface_is_written_as_udev_ends_its_names() {
        for good in ["if00", "if0a", "if00-port1", "ifff-port255"] {
            assert_eq!(good.parse::<UsbInterface>().unwrap().to_string(), good);
        }
        for bad in
            ["", "if", "if1", "00", "if001", "if+1", "if00-port", "if00-port256", "if00-port+1", "if00-", "IF00", "1.0"]
        {
            assert!(bad.parse::<UsbInterface>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_interface_without_a_port_means_each_of_its_ports() {
        let [any, first, second, other] =
            ["if00", "if00-port0", "if00-port1", "if01-port0"].map(|t| t.parse().unwrap());
        let any: UsbInterface = any;
        assert!(any.means(first) && any.means(second) && !any.means(other));
        assert!(!first.means(any) && !first.excludes(any) && first.excludes(second) && any.excludes(other));
    }

    proptest! {
        #[test]
        fn interfaces_read_as_they_are_written(number: u8, port: Option<u8>, text in ".{0,16}") {
            let interface = UsbInterface { number, port };
            prop_assert_eq!(interface.to_string().parse(), Ok(interface));
            let _ = text.parse::<UsbInterface>();
        }
    }
}
