//! What is leased, what is waited for, and why it is refused or withdrawn.

use std::fmt;

use humantime::format_duration;

use super::listed;
use crate::cause::{Blocker, Holder, Refusal, Resource, Withdrawal};

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

/// Services by their names.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => name.fmt(f),
            Self::Outside(id) => write!(f, "somebody outside ({})", id.0),
            Self::Mainstay => f.write_str("mainstay itself"),
        }
    }
}

/// What is waited for, and how that stands: `hackrf: held by sweep`. Services that are waited for are spoken of alike.
impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { device, reason, .. } => write!(f, "{device}: {reason}"),
            Self::Held { resource: Resource::Conflict(one, other), holder } => {
                let waits = if holder.is(one) { other } else { one };
                write!(f, "{holder}: it runs, and conflicts with {waits}")
            }
            Self::Behind { resource: Resource::Conflict(one, other), first } => {
                let waits = if first.is(one) { other } else { one };
                write!(f, "{first}: it comes first, and conflicts with {waits}")
            }
            Self::Held { resource, holder } => write!(f, "{}: held by {holder}", resource.spoken()),
            Self::Behind { resource, first } => write!(f, "{}: {first} comes first", resource.spoken()),
            Self::Restoring { device } => write!(f, "{device}: being put back as it was"),
            Self::ForeignListener { port, listener } => write!(f, "port {port}: {listener} listens there"),
            Self::UnknownFile { path, why } => {
                write!(f, "{}: which file that is could not be looked at: {why}", path.display())
            }
            Self::Preparing => f.write_str("its devices and ports to be made ready"),
        }
    }
}

/// All of them, one after the other.
#[must_use]
pub fn blockers(blockers: &[Blocker]) -> String {
    blockers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What would remove a blocker, a sentence.
#[must_use]
pub fn blocker_cure(blocker: &Blocker) -> Option<String> {
    match blocker {
        Blocker::Device { device, .. } => Some(format!("See `mainstay why {device}`.")),
        Blocker::Held { holder: Holder::Service(holder), .. } => {
            Some(format!("Say `mainstay stop {holder}`, or wait until it ends."))
        }
        Blocker::Held { holder, .. } => Some(format!("Wait until {holder} lets go.")),
        Blocker::Behind { first: Holder::Service(first), .. } => {
            Some(format!("Wait until {first} has been served, or say `mainstay stop {first}`."))
        }
        Blocker::Behind { first, .. } => Some(format!("Wait until {first} has been served.")),
        Blocker::ForeignListener { listener, .. } => Some(format!("Stop {listener}.")),
        Blocker::UnknownFile { .. } => {
            Some("See whether its disk or network share answers; mainstay looks again by itself.".to_owned())
        }
        Blocker::Restoring { .. } | Blocker::Preparing => None,
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WaitedTooLong { patience, blockers: waited } => {
                write!(f, "waited {} for {}", format_duration(*patience), listed(waited, "; "))
            }
            Self::PortInUse { wanted_by, port, listener } => {
                write!(f, "port {port} is in use by {listener}; stop that program, or give {wanted_by} another port")
            }
            Self::RangeInUse => f.write_str("every port of its range is in use by other programs"),
            Self::NotPrepared { device, error } => write!(f, "{device} could not be made ready: {error}"),
        }
    }
}

impl fmt::Display for Withdrawal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { device, why } => write!(f, "{device} is {why}"),
            Self::Replugged(device) => write!(f, "{device} was replugged"),
            Self::GivingWay { to, resource: Resource::Conflict(..) } => {
                write!(f, "{to} waits, which conflicts with it")
            }
            Self::GivingWay { to, resource } => write!(f, "{to} waits for {}", resource.spoken()),
        }
    }
}
