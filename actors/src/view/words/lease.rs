//! What is leased, what is waited for, and why it is refused or withdrawn.

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

in_words! {
    Resource, f:
    Self::Device(name) => "device/{name}",
    Self::Port(number) => "port/{number}",
    Self::File(path) => ("file/{}", path.display()),
    Self::Named(name) => "{name}",
    // A name of a service holds no `+`.
    Self::Conflict(one, other) => "conflict/{one}+{other}",
}

in_words! {
    /// Services by their names.
    Holder, f:
    Self::Service(name) => "{name}",
    Self::Outside(id) => ("somebody outside ({})", id.0),
    Self::Mainstay => "mainstay itself",
}

in_words! {
    /// What is waited for, and how that stands: `hackrf: held by sweep`. Services that are waited for are spoken of alike.
    Blocker, f:
    Self::Device { device, reason, .. } => "{device}: {reason}",
    Self::Held { resource: Resource::Conflict(one, other), holder } => {
        let waits = if holder.is(one) { other } else { one };
        write!(f, "{holder}: it runs, and conflicts with {waits}")
    },
    Self::Behind { resource: Resource::Conflict(one, other), first } => {
        let waits = if first.is(one) { other } else { one };
        write!(f, "{first}: it comes first, and conflicts with {waits}")
    },
    Self::Held { resource, holder } => ("{}: held by {holder}", resource.spoken()),
    Self::Behind { resource, first } => ("{}: {first} comes first", resource.spoken()),
    Self::Restoring { device } => "{device}: being put back as it was",
    Self::ForeignListener { port, listener } => "port {port}: {listener} listens there",
    Self::UnknownFile { path, why } => ("{}: which file that is could not be looked at: {why}", path.display()),
    Self::Preparing => "its devices and ports to be made ready",
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

in_words! {
    Refusal, f:
    Self::WaitedTooLong { patience, blockers: waited } => ("waited {} for {}", format_duration(*patience), listed(waited, "; ")),
    Self::PortInUse { wanted_by, port, listener } => "port {port} is in use by {listener}; stop that program, or give {wanted_by} another port",
    Self::RangeInUse => "every port of its range is in use by other programs",
    Self::NotPrepared { device, error } => "{device} could not be made ready: {error}",
}

in_words! {
    Withdrawal, f:
    Self::Lost { device, why } => "{device} is {why}",
    Self::Replugged(device) => "{device} was replugged",
    Self::GivingWay { to, resource: Resource::Conflict(..) } => "{to} waits, which conflicts with it",
    Self::GivingWay { to, resource } => ("{to} waits for {}", resource.spoken()),
}
