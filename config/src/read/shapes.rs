//! Text of a certain shape: addresses, ids, ranges, names of variables.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::str::FromStr;

use schemars::{Schema, json_schema};
use serde_json::json;

use super::Key;
use super::text::{Refusal, TextValue, refused};
use crate::diagnostics::Code;
use crate::names::{DeviceName, PortName, READINESS_PROBES, ServiceName};

/// Implements [`TextValue`] for types with a `FromStr`: an example, a pattern, what a text is that has another shape, and what to write.
macro_rules! from_str_value {
    ($($type:ty: $expected:literal, $pattern:expr, $wrong:literal, $help:expr;)*) => { $(
        impl TextValue for $type {
            fn expected_text() -> String {
                $expected.to_owned()
            }

            fn from_text(text: &str) -> Result<Self, Refusal> {
                let help: fn(&str, <Self as std::str::FromStr>::Err) -> String = $help;
                text.parse().map_err(|error| {
                    refused(Code::BadValue, format!("{}: \"{text}\"", $wrong), help(text, error))
                })
            }

            fn text_schema() -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )* };
}
pub(super) use from_str_value;

from_str_value! {
    PortRange: "a range of ports such as \"8000-8010\"", r"^\s*\+?[0-9]+\s*-\s*\+?[0-9]+\s*$",
        "is wrong", |_, shape| shape.to_owned();
    HttpUrl: "an address such as \"http://127.0.0.1:8073/status.json\"", r"^http://[^\s/?#@:][^\s/?#@]*([/?#]\S*)?$",
        "is wrong", |_, shape| shape.to_owned();
    IpAddr: "an address such as \"127.0.0.1\"", r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$",
        "is not an address", |_, _| format!("write {}", Self::expected_text());
    SocketAddr: "an address and port such as \"127.0.0.1:8092\"",
        r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+(%[0-9]+)?\]):[0-9]+$",
        "is not an address and port", |_, _| format!("write {}", Self::expected_text());
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

/// An address that can be asked with a plain GET. The names in its templates are looked at later.
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
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(SHAPE);
        }
        let authority = authority(rest);
        if authority.contains('@') {
            return Err("leave out the user name and password; write http://, a host and a path");
        }
        let (host, port) = host_and_port(authority).ok_or(SHAPE)?;
        if !is_host(host) {
            return Err(SHAPE);
        }
        if !port.is_none_or(is_port) {
            return Err("write a port from 1 to 65535 or \"{port.NAME}\" behind the host, or none for port 80");
        }
        Ok(Self(text.to_owned()))
    }
}

impl HttpUrl {
    /// The host and the port of an address that is right.
    pub(crate) fn place(url: &str) -> Option<(&str, &str)> {
        let (host, port) = host_and_port(authority(url.strip_prefix("http://")?))?;
        Some((host, port.unwrap_or("80")))
    }
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or("")
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`, each part perhaps a template.
fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let after_v6 = authority.starts_with('[').then(|| authority.find(']')).flatten().map_or(0, |at| at + 1);
    let (v6, rest) = authority.split_at_checked(after_v6)?;
    match rest.split_once(':') {
        Some((host, port)) if v6.is_empty() => Some((host, Some(port))),
        Some(("", port)) => Some((v6, Some(port))),
        Some(_) => None,
        None if v6.is_empty() => Some((rest, None)),
        None => rest.is_empty().then_some((v6, None)),
    }
}

fn is_host(text: &str) -> bool {
    match text.strip_prefix('[') {
        // The zone of a link-local address is an interface, and any name may be one.
        Some(v6) => {
            v6.strip_suffix(']').and_then(|v6| v6.split('%').next()).is_some_and(|v6| v6.parse::<Ipv6Addr>().is_ok())
        }
        None => !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._{}".contains(c)),
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<NonZeroU16>().is_ok() || (text.starts_with('{') && text.ends_with('}'))
}

macro_rules! name_key {
    ($($name:ty),*) => { $(
        impl Key for $name {
            fn key_schema() -> Schema {
                json_schema!({ "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$" })
            }
        }
    )* };
}
name_key!(DeviceName, PortName);

impl Key for ServiceName {
    fn key_schema() -> Schema {
        let mut schema = DeviceName::key_schema();
        schema.insert("not".to_owned(), json!({ "const": READINESS_PROBES }));
        schema
    }
}

impl Key for EnvironmentName {
    fn key_schema() -> Schema {
        json_schema!({ "pattern": "^[^=]+$", "not": { "enum": EnvironmentName::MAINSTAYS_OWN } })
    }
}

impl TextValue for EnvironmentName {
    fn expected_text() -> String {
        "the name of an environment variable, such as \"LANG\"".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        let help = format!("write {}", Self::expected_text());
        text.parse().map_err(|bad: BadEnvironmentName| {
            refused(
                Code::BadName,
                format!("holds \"{}\", which is no name: it must not be empty nor hold `=`", bad.0),
                help,
            )
        })
    }

    fn text_schema() -> Schema {
        let mut schema = Self::key_schema();
        schema.insert("type".to_owned(), json!("string"));
        schema
    }
}

/// The name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EnvironmentName(pub(crate) String);

impl EnvironmentName {
    /// The variables that mainstay itself sets for a service.
    pub(crate) const MAINSTAYS_OWN: [&str; 3] = ["MAINSTAY_RUN", "MAINSTAY_SERVICE", "NOTIFY_SOCKET"];
}

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

#[cfg(test)]
mod tests {
    use super::HttpUrl;

    #[test]
    fn an_address_has_a_host_perhaps_a_port_and_nothing_before_them() {
        for good in [
            "http://h",
            "http://h:80/x",
            "http://127.0.0.1:8073/a?b=@#c",
            "http://[::1]",
            "http://[::1]:80/",
            "http://[fe80::1%eth0]:80/",
            "http://h?x",
            "http://h:{port.web}/",
            "http://a-b.c_d:65535",
            "http://{device.x.serial}:1/",
        ] {
            assert!(good.parse::<HttpUrl>().is_ok(), "{good}");
        }
        for bad in [
            "http://",
            "http://:80/",
            "http:///x",
            "http://u@h/",
            "http://u:p@h:80/",
            "http://h:99999/",
            "http://h:0/",
            "http://h:/",
            "http://h:80:81/",
            "http://[::1",
            "http://[::g]/",
            "http://[::1]x/",
            "http://::1/",
            "http://h h/",
            "http://ä/",
            "ftp://h/",
        ] {
            assert!(bad.parse::<HttpUrl>().is_err(), "{bad}");
        }
    }
}
