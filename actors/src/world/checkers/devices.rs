//! Invariant 4, of devices: when nothing has gone wrong for long, each is shown as it is. It is absent when it is not
//! plugged in, at fault only when it has failed since it was, in quarantine only when and as long as it has really left so often,
//! ejected when the operator's last word on it was that; and not looked at for ever. What cannot be watched is said.

use std::collections::BTreeMap;

use mainstay_config::names::DeviceName;

use super::goings::AllGoings;
use super::{Check, Checker, Verdict, View};
use crate::cause::Unusable;
use crate::engine::Letter;
use crate::message::device::{DeviceMessage, DeviceSnapshot, DeviceStatus};
use crate::message::inventory::InventoryMessage;
use crate::message::lease::LeaseMessage;
use crate::message::{Message, Moment};
use crate::world::environment::{DeviceCommand, Environment, Happening, Plug};
use mainstay_hardware::sighting::{HardwareEvent, Sighting};

#[derive(Debug, Default)]
pub(super) struct Devices {
    /// What the operator has had done last with each.
    words: BTreeMap<DeviceName, DeviceCommand>,
    goings: AllGoings,
}

impl Checker for Devices {
    fn check(&self) -> Check {
        Check::Devices
    }

    fn sent(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        let Message::Leases(LeaseMessage::DeviceUnavailable { device, reason: Unusable::Quarantined(why), .. }) =
            &letter.message
        else {
            return Ok(());
        };
        let Some(spec) = environment.station().devices.get(device) else { return Ok(()) };
        let goings = self.goings.entry(device.clone()).or_default();
        let verdict = goings.is_quarantined(environment.now(), why, spec.flap);
        verdict.map_err(|words| format!("{device} is in quarantine without a reason: {words}"))
    }

    fn handled(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        match &letter.message {
            Message::Device(device, DeviceMessage::Leased { since, .. }) => {
                self.goings.entry(device.clone()).or_default().is_leased(*since);
            }
            // It is said late that it is there, and said anew that it is not.
            Message::Device(device, DeviceMessage::Seen(Sighting { generation, .. }))
                if environment.generation(device) != Some(generation) =>
            {
                self.leaves(device, environment.now());
            }
            // The kernel says so also of one whose interface is just made anew.
            Message::Hardware(InventoryMessage::Event(HardwareEvent::Gone { key, .. })) => {
                let is_it = |plug: &Plug| plug.arrival.as_ref().is_some_and(|arrival| arrival.sighting.key == *key);
                let there = environment.plugs().find(|(_, plug)| is_it(plug));
                there.into_iter().for_each(|(name, _)| self.leaves(name, environment.now()));
            }
            _ => {}
        }
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        match happening {
            Happening::DeviceDone(device, command) => {
                self.words.insert(device.clone(), *command);
                if *command == DeviceCommand::Admit {
                    self.goings.entry(device.clone()).or_default().forget(environment.now());
                }
            }
            // One that is called otherwise is another one.
            Happening::Unplugged(device) | Happening::Renamed(device) => self.leaves(device, environment.now()),
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
                DeviceStatus::Absent => !view.environment.is_there(name),
                DeviceStatus::Ready => view.environment.is_there(name),
                // Whoever leases it may call it as he likes.
                DeviceStatus::InUse => plug.arrival.is_some(),
                DeviceStatus::Faulted => view.environment.has_failed(name),
                DeviceStatus::Quarantined => self.is_rightly_in_quarantine(shown, view),
            };
            if !is_so {
                let plugged = if plug.arrival.is_some() { "plugged in" } else { "not plugged in" };
                let (is, reason) = (shown.status.as_str(), &shown.reason);
                return Err(format!("{name} is said to be {is} ({reason:?}), but it is {plugged}, which is not that"));
            }
        }
        let (said, are) = (&view.shown.inventory.troubles, view.environment.troubles());
        if said != are {
            return Err(format!("it is said that these cannot be watched: {said:?}; and really it is {are:?}"));
        }
        Ok(())
    }
}

impl Devices {
    fn leaves(&mut self, device: &DeviceName, now: Moment) {
        self.goings.entry(device.clone()).or_default().has_left(now);
    }

    fn is_rightly_in_quarantine(&self, shown: &DeviceSnapshot, view: &View<'_>) -> bool {
        let until = self.goings.get(&shown.name).and_then(|goings| goings.until());
        until.is_some_and(|until| shown.until == Some(until) && until >= view.environment.now())
    }
}
