//! What can be leased, and what it is called.

use std::fmt;
use std::path::PathBuf;

use mainstay_config::names::{DeviceName, ServiceName};

/// What can be leased.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A configured device.
    Device(DeviceName),
    /// A port on this machine.
    Port(u16),
    /// A file, by one of its paths.
    File(PathBuf),
    /// Anything else with a name, spelled `custom/NAME`.
    Named(String),
    /// That two services never run side by side; in the order of their names.
    Conflict(ServiceName, ServiceName),
}

impl Resource {
    /// What people call it, in a sentence: devices by their names, ports by their numbers.
    #[must_use]
    pub fn spoken(&self) -> String {
        match self {
            Self::Device(name) => name.to_string(),
            Self::Port(number) => format!("port {number}"),
            Self::File(path) => path.display().to_string(),
            Self::Named(name) => name.clone(),
            Self::Conflict(one, other) => format!("{one} and {other} apart"),
        }
    }

    /// The conflict of two services.
    #[must_use]
    pub fn conflict(one: &ServiceName, other: &ServiceName) -> Self {
        Self::Conflict(one.min(other).clone(), one.max(other).clone())
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(name) => write!(f, "device/{name}"),
            Self::Port(number) => write!(f, "port/{number}"),
            Self::File(path) => write!(f, "file/{}", path.display()),
            Self::Named(name) => f.write_str(name),
            // A name of a service holds no `+`.
            Self::Conflict(one, other) => write!(f, "conflict/{one}+{other}"),
        }
    }
}
