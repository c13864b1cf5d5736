//! Invariant 6: a radio is brought back to how it was when its lease ends, once, whatever died in between.

use std::collections::BTreeSet;

use mainstay_config::names::DeviceName;

use super::{Checker, Verdict, View};
use crate::device::DeviceStatus;
use crate::lease::Resource;
use crate::world::environment::{Environment, Happening, Temper};

#[derive(Debug, Default)]
pub(super) struct Radios {
    /// Arrivals of radios that were changed and not put back.
    changed: BTreeSet<(DeviceName, u32)>,
}

impl Checker for Radios {
    fn invariant(&self) -> u8 {
        6
    }

    fn happened(&mut self, happening: &Happening, _environment: &Environment) -> Verdict {
        match happening {
            Happening::RadioPrepared(device, wiphy) => {
                let first = self.changed.insert((device.clone(), *wiphy));
                let again = || format!("{device} was changed again before it was put back: how it was is lost");
                first.then_some(()).ok_or_else(again)
            }
            Happening::RadioRestored(device, wiphy) => {
                let due = self.changed.remove(&(device.clone(), *wiphy));
                due.then_some(()).ok_or_else(|| format!("{device} was put back twice"))
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
