//! Invariant 6: a radio is brought back to how it was when its lease ends, once, whatever died in between.

use std::collections::BTreeSet;

use mainstay_config::names::DeviceName;

use super::{Checker, Verdict, View};
use crate::cause::Resource;
use crate::message::ActorId;
use crate::message::device::DeviceStatus;
use crate::world::environment::{Environment, Happening, Temper};

/// One arrival of a radio.
type Radio = (DeviceName, u32);

#[derive(Debug, Default)]
pub(super) struct Radios {
    /// Of these it is known how they were.
    read: BTreeSet<Radio>,
    /// These were put into a mode, and not put back.
    set: BTreeSet<Radio>,
    /// These were put back, or about to be, when the registry panicked, which may not have heard it: it may do it once more.
    unheard: BTreeSet<Radio>,
    restored: BTreeSet<Radio>,
}

impl Checker for Radios {
    fn invariant(&self) -> u8 {
        6
    }

    fn happened(&mut self, happening: &Happening, _environment: &Environment) -> Verdict {
        match happening {
            Happening::RadioRead(device, wiphy) => {
                let radio = (device.clone(), *wiphy);
                if self.set.contains(&radio) {
                    return Err(format!("{device} is read after it was changed: how it was is lost"));
                }
                self.restored.remove(&radio);
                self.unheard.remove(&radio);
                self.read.insert(radio);
                Ok(())
            }
            Happening::RadioSet(device, wiphy) => {
                self.set.insert((device.clone(), *wiphy));
                Ok(())
            }
            Happening::RadioRestored(device, wiphy) => {
                let radio = (device.clone(), *wiphy);
                self.set.remove(&radio);
                let due = self.read.remove(&radio) || self.unheard.remove(&radio);
                self.restored.insert(radio);
                due.then_some(()).ok_or_else(|| format!("{device} was put back twice"))
            }
            Happening::Panicked(ActorId::Leases) => {
                self.unheard = self.restored.union(&self.read).cloned().collect();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        as_it_was(view)
    }

    fn at_the_end(&mut self, view: &View<'_>) -> Verdict {
        as_it_was(view)
    }
}

fn as_it_was(view: &View<'_>) -> Verdict {
    for (device, plug) in view.environment.plugs() {
        let Some(radio) = plug.arrival.as_ref().and_then(|arrival| arrival.radio.as_ref()) else { continue };
        let mut uses = view.environment.trees().flat_map(|(_, tree)| &tree.uses);
        let used = uses.any(|(resource, _)| *resource == Resource::Device(device.clone()));
        // One that cannot be put back is said to be at fault, and nobody gets it.
        let shown = view.shown.devices.get(device).map(|shown| shown.status);
        let usable = matches!(shown, Some(DeviceStatus::Ready | DeviceStatus::InUse));
        let given_up = shown == Some(DeviceStatus::Faulted) || (radio.temper != Temper::Willing && !usable);
        if !used && !given_up && radio.mode != radio.first {
            return Err(format!(
                "nobody uses {device}, but it is in {:?} mode; it was in {:?}",
                radio.mode, radio.first
            ));
        }
    }
    Ok(())
}
