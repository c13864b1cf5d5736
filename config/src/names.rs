//! Names and small values that are more than a string or a number.

mod usb_interface;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use usb_interface::UsbInterface;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a name: use 1 to 64 letters, digits, `-` and `_`, beginning with a letter or digit")]
pub struct BadName {
    /// What was written.
    pub name: String,
}

/// No service has this name: under it, the output of the commands of all `exec` checks is kept.
pub const READINESS_PROBES: &str = "readiness-probes";

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric());
    first && text.len() <= 64 && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// Checks and wraps a name.
            ///
            /// # Errors
            /// When it is empty, longer than 64 bytes, or holds anything but letters, digits, `-` and `_`.
            pub fn new(name: &str) -> Result<Self, BadName> {
                if is_name(name) { Ok(Self(name.into())) } else { Err(BadName { name: name.to_owned() }) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// A map by names is asked by what somebody wrote.
        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::new(text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::new(&String::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(
    /// The name of a device in the configuration: `[hardware.NAME]`.
    DeviceName
);
name!(
    /// The name of a service in the configuration: `[services.NAME]`.
    ServiceName
);
name!(
    /// The name of a port within a service: `ports = { NAME = 2947 }`.
    PortName
);

impl DeviceName {
    /// Stands in for a name where what was written is none; a file with such a name gives no station.
    pub(crate) fn misnamed(text: &str) -> Self {
        Self(text.into())
    }
}

impl ServiceName {
    /// Stands in for a name where what was written is none; a file with such a name gives no station.
    pub(crate) fn misnamed(text: &str) -> Self {
        Self(text.into())
    }
}

/// A USB vendor and product id, written `1d50:6089`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsbId {
    /// Vendor id.
    pub vendor: u16,
    /// Product id.
    pub product: u16,
}

impl fmt::Display for UsbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.product)
    }
}

impl FromStr for UsbId {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "a USB id is two groups of four hexadecimal digits, such as \"1d50:6089\"";
        let (vendor, product) = text.split_once(':').ok_or(SHAPE)?;
        let hex = |s: &str| {
            let digits = s.len() == 4 && s.bytes().all(|b| b.is_ascii_hexdigit());
            digits.then(|| u16::from_str_radix(s, 16).ok()).flatten().ok_or(SHAPE)
        };
        Ok(Self { vendor: hex(vendor)?, product: hex(product)? })
    }
}

/// A hardware (MAC) address, written `02:00:00:00:02:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for MacAddress {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "a MAC address is six groups of two hexadecimal digits, such as \"02:00:00:00:02:00\"";
        let mut out = [0u8; 6];
        let mut groups = text.split([':', '-']);
        for byte in &mut out {
            let group = groups.next().ok_or(SHAPE)?;
            let digits = group.len() == 2 && group.bytes().all(|b| b.is_ascii_hexdigit());
            *byte = digits.then(|| u8::from_str_radix(group, 16).ok()).flatten().ok_or(SHAPE)?;
        }
        if groups.next().is_some() { Err(SHAPE) } else { Ok(Self(out)) }
    }
}

/// Where a USB device is plugged in, as the kernel writes it: bus, then the ports on the way, `1-1.4`.
/// It stays the same when a device is replugged into the same socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsbPath(String);

impl UsbPath {
    /// The path as the kernel writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UsbPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UsbPath {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "a USB port path is the bus and the ports on the way, such as \"1-1.4\"";
        let number = |s: &str| !s.is_empty() && s.len() <= 3 && s.bytes().all(|b| b.is_ascii_digit());
        let (bus, ports) = text.split_once('-').ok_or(SHAPE)?;
        // USB allows at most seven tiers, the root hub among them.
        let good = number(bus) && ports.split('.').all(number) && ports.split('.').count() <= 7;
        if good { Ok(Self(text.to_owned())) } else { Err(SHAPE) }
    }
}

/// Serialised as it is written, and checked when it is read.
macro_rules! as_written {
    ($type:ident) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

as_written!(UsbId);
as_written!(MacAddress);
as_written!(UsbPath);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::{MacAddress, ServiceName, UsbId, UsbPath};

    #[test]
    fn names_are_short_and_plain() {
        let longest = "x".repeat(64);
        for good in ["gpsd", "wlan2mon", "a-b_c", "0", &longest] {
            assert_eq!(ServiceName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "_a", "a b", "a/b", "..", "ä", "a\n", &"x".repeat(65)] {
            assert!(ServiceName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn usb_paths_are_those_of_the_kernel() {
        for good in ["1-1", "3-1.4", "10-1.2.3.4.5.6"] {
            assert_eq!(good.parse::<UsbPath>().unwrap().as_str(), good);
        }
        for bad in ["", "1", "1-", "usb1", "1-1.", "1-1:1.0", "1-1/..", "1-1.2.3.4.5.6.7.8"] {
            assert!(bad.parse::<UsbPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn signs_are_no_hexadecimal_digits() {
        assert!("+d50:6089".parse::<UsbId>().is_err());
        assert!("+2:00:00:00:00:00".parse::<MacAddress>().is_err());
        assert!("02:00:00:00:00".parse::<MacAddress>().is_err());
        assert!("02:00:00:00:00:00:00".parse::<MacAddress>().is_err());
    }

    proptest! {
        #[test]
        fn ids_and_addresses_read_as_they_are_written(vendor: u16, product: u16, mac: [u8; 6]) {
            let (usb, mac) = (UsbId { vendor, product }, MacAddress(mac));
            prop_assert_eq!(usb.to_string().parse(), Ok(usb));
            prop_assert_eq!(mac.to_string().to_uppercase().parse(), Ok(mac));
        }

        #[test]
        fn they_are_written_down_as_people_write_them_and_read_back(vendor: u16, product: u16, mac: [u8; 6], port in 1u8..100) {
            let (usb, mac) = (UsbId { vendor, product }, MacAddress(mac));
            let path: UsbPath = format!("1-{port}").parse().unwrap();
            prop_assert_eq!(serde_json::to_string(&usb).unwrap(), format!("\"{usb}\""));
            prop_assert_eq!(serde_json::from_str::<UsbId>(&serde_json::to_string(&usb).unwrap()).unwrap(), usb);
            prop_assert_eq!(serde_json::from_str::<MacAddress>(&serde_json::to_string(&mac).unwrap()).unwrap(), mac);
            prop_assert_eq!(serde_json::from_str::<UsbPath>(&serde_json::to_string(&path).unwrap()).unwrap(), path);
            prop_assert!(serde_json::from_str::<UsbPath>("\"1-1/..\"").is_err(), "what is read is checked");
        }

        #[test]
        fn no_text_makes_them_panic(text in ".{0,20}") {
            let _ = (text.parse::<UsbId>(), text.parse::<MacAddress>(), text.parse::<UsbPath>());
        }
    }
}
