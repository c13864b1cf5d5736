//! Text of a certain shape: addresses, ids, ranges, names of variables.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::str::FromStr;

use super::text::{Refusal, TextValue, refused};
use crate::diagnostics::Code;
use crate::names::{MacAddress, UsbId, UsbPath};

/// Implements [`TextValue`] for types with a `FromStr` that says what is wrong.
macro_rules! from_str_value {
    ($($type:ty: $expected:literal;)*) => { $(
        impl TextValue for $type {
            fn expected_text() -> String {
                $expected.to_owned()
            }

            fn from_text(text: &str) -> Result<Self, Refusal> {
                text.parse().map_err(|error| {
                    refused(Code::BadValue, format!("is wrong: \"{text}\""), error)
                })
            }
        }
    )* };
}

from_str_value! {
    UsbId: "a USB id such as \"1d50:6089\"";
    UsbPath: "a USB port path such as \"1-1.4\"";
    MacAddress: "a MAC address such as \"02:00:00:00:02:00\"";
    PortRange: "a range of ports such as \"8000-8010\"";
    HttpUrl: "an address such as \"http://127.0.0.1:8073/status.json\"";
}

impl TextValue for SocketAddr {
    fn expected_text() -> String {
        "an address and port such as \"127.0.0.1:8092\"".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        let help = || format!("write {}", Self::expected_text());
        text.parse().map_err(|_| refused(Code::BadValue, format!("is not an address and port: \"{text}\""), help()))
    }
}

/// The first and last port of a range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PortRange {
    pub(crate) first: NonZeroU16,
    pub(crate) last: NonZeroU16,
}

impl FromStr for PortRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "write the first and the last port, such as \"8000-8010\"";
        let (first, last) = text.split_once('-').ok_or(SHAPE)?;
        let port = |text: &str| text.trim().parse::<NonZeroU16>().map_err(|_| SHAPE);
        let range = Self { first: port(first)?, last: port(last)? };
        let order = "write the smaller port first, such as \"8000-8010\"";
        if range.first <= range.last { Ok(range) } else { Err(order) }
    }
}

/// An address that can be asked with a plain GET. Templates are looked at later.
#[derive(Debug, Clone)]
pub(crate) struct HttpUrl(pub(crate) String);

impl FromStr for HttpUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "write http://, a host and a path, such as \"http://127.0.0.1:8073/status.json\"";
        if text.starts_with("https://") {
            return Err("only http:// is asked; use the plain port on loopback, or a `tcp` probe");
        }
        let rest = text.strip_prefix("http://").ok_or(SHAPE)?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or("");
        let bad_character = text.contains(|c: char| c.is_whitespace() || c.is_control());
        if host.is_empty() || host.starts_with(':') || bad_character { Err(SHAPE) } else { Ok(Self(text.to_owned())) }
    }
}

/// The name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EnvironmentName(pub(crate) String);

/// Why it is not one.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a name for an environment variable: it must not be empty nor hold `=`")]
pub(crate) struct BadEnvironmentName(String);

impl FromStr for EnvironmentName {
    type Err = BadEnvironmentName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = !text.is_empty() && !text.contains(['=', '\0']);
        if good { Ok(Self(text.to_owned())) } else { Err(BadEnvironmentName(text.escape_debug().to_string())) }
    }
}
