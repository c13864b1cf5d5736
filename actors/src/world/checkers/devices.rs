//! Invariant 4, of devices: when nothing has gone wrong for long, each is shown as it is. It is absent when it is not
//! plugged in, at fault only when it has failed since it was, in quarantine only for so long after it left, ejected when the
//! operator's last word on it was that; and not looked at for ever.

use std::collections::BTreeMap;

use mainstay_config::names::DeviceName;

use super::reach::DELAYS;
use super::{Check, Checker, Verdict, View};
use crate::message::Moment;
use crate::message::device::{DeviceSnapshot, DeviceStatus};
use crate::world::environment::{DeviceCommand, Environment, Happening};

/// A quarantine is at most so many times as long as the first.
const LONGEST_QUARANTINE: u32 = 32;

#[derive(Debug, Default)]
pub(super) struct Devices {
    /// What the operator has had done last with each.
    words: BTreeMap<DeviceName, DeviceCommand>,
    /// When each was last unplugged, or made anew.
    left: BTreeMap<DeviceName, Moment>,
}

impl Checker for Devices {
    fn check(&self) -> Check {
        Check::Devices
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        match happening {
            Happening::DeviceDone(device, command) => {
                self.words.insert(device.clone(), *command);
            }
            Happening::Unplugged(device) => {
                self.left.insert(device.clone(), environment.now());
            }
            _ => {}
        }
        Ok(())
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        for (name, plug) in view.environment.plugs() {
            let shown = view.shown.devices.get(name).ok_or_else(|| format!("{name} shows nothing"))?;
            let is_ejected = self.words.get(name) == Some(&DeviceCommand::Eject);
            let is_so = match shown.status {
                DeviceStatus::Settling | DeviceStatus::Probing => false,
                DeviceStatus::Ejected => is_ejected,
                _ if is_ejected => false,
                DeviceStatus::Absent => plug.arrival.is_none(),
                DeviceStatus::Ready | DeviceStatus::InUse => plug.arrival.is_some(),
                DeviceStatus::Faulted => plug.arrival.as_ref().is_some_and(|arrival| arrival.has_failed()),
                DeviceStatus::Quarantined => self.may_be_in_quarantine(shown, view),
            };
            if !is_so {
                let plugged = if plug.arrival.is_some() { "plugged in" } else { "not plugged in" };
                let (is, reason) = (shown.status.as_str(), &shown.reason);
                return Err(format!("{name} is said to be {is} ({reason:?}), but it is {plugged}, which is not that"));
            }
        }
        Ok(())
    }
}

impl Devices {
    fn may_be_in_quarantine(&self, shown: &DeviceSnapshot, view: &View<'_>) -> bool {
        let Some(spec) = view.environment.station().devices.get(&shown.name) else { return false };
        let longest = spec.flap.quarantine.saturating_mul(LONGEST_QUARANTINE) + DELAYS;
        let may_last = self.left.get(&shown.name).is_some_and(|left| view.environment.now().since(*left) <= longest);
        may_last && shown.until.is_some_and(|until| until >= view.environment.now())
    }
}
