//! What a device shows of itself, and what it offers to those who lease it.

use std::sync::Arc;

use mainstay_hardware::bus::Findings;
use mainstay_hardware::matching::Identity;
use mainstay_hardware::sighting::Sort;
use mainstay_hardware::{harmless, harmless_path, matching};

use super::machine::{DeviceMachine, Mending, Sought, State};
use crate::cause::{DeviceCure, DeviceReason, OwnWord, Replaced, Unusable};
use crate::message::device::{DeviceSnapshot, DeviceStatus, DeviceTimer, Offer};
use crate::message::{Effect, Publication};

impl DeviceMachine {
    pub(super) fn offer(&self) -> Option<Offer> {
        let sighting = self.sighting.as_ref()?;
        let ifindex = match &sighting.sort {
            Sort::Wifi(facts) => Some(facts.ifindex),
            Sort::Usb { .. } | Sort::Tty { .. } => None,
        };
        Some(Offer {
            generation: sighting.generation.clone(),
            node: matching::present_node(sighting).map(std::path::Path::to_path_buf),
            interface: matching::interface(sighting).map(str::to_owned),
            ifindex,
            serial: matching::serial(sighting, self.findings.as_ref()),
        })
    }

    pub(crate) fn status(&self) -> DeviceStatus {
        match self.state {
            State::Absent { .. } => DeviceStatus::Absent,
            State::Settling { .. } | State::Checking { .. } => DeviceStatus::Settling,
            State::Probing { .. } => DeviceStatus::Probing,
            State::Ready if self.leased_since.is_some() => DeviceStatus::InUse,
            State::Ready if self.withheld.is_some() => DeviceStatus::Settling,
            State::Ready => DeviceStatus::Ready,
            State::Faulted { .. } => DeviceStatus::Faulted,
            State::Quarantined { .. } => DeviceStatus::Quarantined,
            State::Ejected => DeviceStatus::Ejected,
        }
    }

    pub(super) fn reason(&self) -> DeviceReason {
        match &self.state {
            State::Absent { .. } | State::Faulted { .. } | State::Quarantined { .. } | State::Ejected => {
                DeviceReason::Unusable(self.why_unusable())
            }
            State::Ready => match (&self.withheld, &self.findings) {
                (Some(withheld), _) => DeviceReason::Withheld(withheld.clone()),
                (None, Some(Findings::Unrecognised(why))) => DeviceReason::Unrecognised(why.clone()),
                (None, Some(Findings::Hackrf { .. } | Findings::Gps { .. } | Findings::Wifi))
                | (None, Some(Findings::Opened | Findings::Unread) | None) => self.notes(),
            },
            State::Settling { .. } | State::Checking { .. } if self.refused.is_some() => {
                DeviceReason::Unusable(self.why_unusable())
            }
            State::Settling { .. } | State::Checking { .. } | State::Probing { .. } => DeviceReason::Nothing,
        }
    }

    /// What is worth knowing of one that works: what else fits it, and what commands are not given as it says it.
    fn notes(&self) -> DeviceReason {
        let replaced = self.offer().map(|offer| replacements(&offer)).unwrap_or_default();
        if self.rivals.is_none() && replaced.is_empty() {
            return DeviceReason::Nothing;
        }
        DeviceReason::Noted { device: self.spec.name.clone(), rivals: self.rivals.clone(), replaced }
    }

    /// What keeps it from being leased.
    pub(super) fn why_unusable(&self) -> Unusable {
        match &self.state {
            State::Absent { .. } if self.sought == Sought::NotYet => Unusable::NotHeardOf,
            State::Absent { reason } => Unusable::Absent(reason.clone()),
            State::Ejected => Unusable::Ejected,
            State::Faulted { reason, .. } => Unusable::Faulted(reason.clone()),
            State::Quarantined { reason, .. } => Unusable::Quarantined(reason.clone()),
            State::Settling { .. } => self.refused.clone().map_or(Unusable::Settling, Unusable::NotOpen),
            State::Checking { .. } => self.refused.clone().map_or(Unusable::LookedAt, Unusable::NotOpen),
            State::Probing { .. } | State::Ready => Unusable::LookedAt,
        }
    }

    fn cure(&self) -> Option<DeviceCure> {
        match &self.state {
            State::Absent { .. } => (self.sought == Sought::Yes).then_some(DeviceCure::PlugIn),
            State::Faulted { mending: Mending::Choice, .. } => self.rivals.clone().map(DeviceCure::Choose),
            State::Faulted { mending: Mending::Later, .. } => Some(DeviceCure::Wait),
            State::Faulted { .. } => Some(DeviceCure::Mend),
            State::Quarantined { .. } => Some(DeviceCure::WaitOrAdmit),
            State::Ejected => Some(DeviceCure::Admit),
            State::Settling { .. } | State::Checking { .. } | State::Probing { .. } | State::Ready => None,
        }
    }

    pub(super) fn publication(&self) -> Effect<DeviceTimer> {
        Effect::Publish(Publication::Device(DeviceSnapshot {
            name: self.spec.name.clone(),
            kind: self.spec.kind,
            status: self.status(),
            reason: self.reason(),
            until: if let State::Quarantined { until, .. } = self.state { Some(until) } else { None },
            leased_since: self.leased_since,
            identity: self
                .sighting
                .as_ref()
                .map(|sighting| Identity { sighting: Arc::new(sighting.clone()), findings: self.findings.clone() }),
            unblock: self.cure(),
        }))
    }
}

/// What commands are given instead of what the device says of itself.
fn replacements(offer: &Offer) -> Vec<Replaced> {
    let path = offer.node.as_ref().map(|node| node.to_string_lossy());
    let said = [
        (OwnWord::Serial, offer.serial.as_deref(), harmless as fn(&str) -> String),
        (OwnWord::Interface, offer.interface.as_deref(), harmless),
        (OwnWord::Path, path.as_deref(), harmless_path),
    ];
    let replaced = said.into_iter().filter_map(|(what, said, harmless)| {
        let given = said.map(harmless).filter(|given| Some(given.as_str()) != said)?;
        Some(Replaced { what, given })
    });
    replaced.collect()
}
