//! What a device shows of itself, and what it offers to those who lease it.

use mainstay_config::model::Device;
use mainstay_hardware::bus::Findings;
use mainstay_hardware::sighting::Sort;
use mainstay_hardware::{harmless, matching};

use super::machine::{DeviceMachine, DeviceTimer, Mending, State};
use super::messages::{DeviceSnapshot, DeviceStatus, Offer};
use crate::machine::{Effect, Publication};

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

    pub(super) fn status(&self) -> DeviceStatus {
        match self.state {
            State::Absent { .. } => DeviceStatus::Absent,
            State::Settling { .. } | State::Checking { .. } => DeviceStatus::Settling,
            State::Probing { .. } => DeviceStatus::Probing,
            State::Ready if self.holder.is_some() => DeviceStatus::InUse,
            State::Ready if self.withheld.is_some() => DeviceStatus::Settling,
            State::Ready => DeviceStatus::Ready,
            State::Faulted { .. } => DeviceStatus::Faulted,
            State::Quarantined { .. } => DeviceStatus::Quarantined,
            State::Ejected => DeviceStatus::Ejected,
        }
    }

    pub(super) fn reason(&self) -> String {
        match &self.state {
            State::Absent { reason } | State::Faulted { reason, .. } | State::Quarantined { reason, .. } => {
                reason.clone()
            }
            State::Ejected => "taken out of use by the operator".to_owned(),
            State::Ready => match (&self.withheld, &self.findings) {
                (Some(withheld), _) => withheld.clone(),
                (None, Some(Findings::Unrecognised { why })) => format!("unrecognised: {why}"),
                _ => self.notes().join(". "),
            },
            State::Settling { .. } | State::Checking { .. } | State::Probing { .. } => String::new(),
        }
    }

    /// What is worth knowing of one that works: what else fits it, and what commands are not given as it says it.
    fn notes(&self) -> Vec<String> {
        let name = self.spec.name.as_str();
        let rivals = self.rivals.as_ref().map(|rivals| format!("{}. {}", rivals.words(), rivals.cure(name)));
        rivals.into_iter().chain(self.offer().and_then(|offer| replacements(name, &offer))).collect()
    }

    /// What keeps it from being leased, in words that follow "hackrf is" or "hackrf:".
    pub(super) fn why_unusable(&self) -> String {
        match &self.state {
            State::Absent { reason } => reason.clone(),
            State::Ejected => "ejected by the operator".to_owned(),
            _ => format!("{}: {}", self.status().as_str(), self.reason()),
        }
    }

    pub(super) fn unblock(&self) -> Option<String> {
        let name = &self.spec.name;
        match &self.state {
            State::Absent { .. } => Some(format!("Plug in {name} ({}).", describe_match(&self.spec))),
            State::Faulted { mending: Mending::Choice, .. } => {
                self.rivals.as_ref().map(|rivals| format!("{}.", rivals.cure(name.as_str())))
            }
            State::Faulted { mending: Mending::Later, .. } => {
                Some("It is tried again by itself; `mainstay devices` shows which others hang.".to_owned())
            }
            State::Faulted { .. } => Some(format!("Mend the cause, then replug it or say `mainstay admit {name}`.")),
            State::Quarantined { .. } => {
                Some(format!("Wait, or check its cable and power and say `mainstay admit {name}`."))
            }
            State::Ejected => Some(format!("Say `mainstay admit {name}`.")),
            _ => None,
        }
    }

    pub(super) fn publication(&self) -> Effect<DeviceTimer> {
        Effect::Publish(Publication::Device(DeviceSnapshot {
            name: self.spec.name.clone(),
            kind: self.spec.kind,
            status: self.status(),
            reason: self.reason(),
            until: match self.state {
                State::Quarantined { until, .. } => Some(until),
                _ => None,
            },
            holder: self.holder.as_ref().map(|(name, _)| name.clone()),
            identity: self.sighting.as_ref().map(|sighting| matching::identity(sighting, self.findings.as_ref())),
            unblock: self.unblock(),
        }))
    }
}

/// What commands are given instead of what the device says of itself.
fn replacements(name: &str, offer: &Offer) -> Option<String> {
    let said = [("serial", offer.serial.as_deref()), ("interface", offer.interface.as_deref())];
    let replaced = said.into_iter().filter_map(|(key, said)| {
        let given = said.map(harmless).filter(|given| Some(given.as_str()) != said)?;
        Some(format!(
            "commands get {{device.{name}.{key}}} as {given}, since not every program could take what it really is"
        ))
    });
    replaced.reduce(|all, next| format!("{all}; {next}"))
}

/// How a device is recognised, in words: `hackrf, serial 88c8…`.
fn describe_match(spec: &Device) -> String {
    let matching = &spec.matching;
    let parts = [
        Some(spec.kind.as_str().to_owned()),
        matching.serial.as_ref().map(|serial| format!("serial {serial}")),
        matching.usb.map(|id| format!("USB id {id}")),
        matching.path.as_ref().map(|path| format!("USB port {path}")),
        matching.interface.map(|interface| format!("interface {interface}")),
        matching.mac.map(|mac| format!("MAC {mac}")),
        matching.driver.as_ref().map(|driver| format!("driver {driver}")),
        matching.name.as_ref().map(|name| format!("name {name}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
