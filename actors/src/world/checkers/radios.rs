//! Invariant 6: a radio is brought back to how it was when its lease ends, once, whatever died in between.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::names::DeviceName;

use super::{Checker, Verdict, View};
use crate::lease::Resource;
use crate::machine::ActorId;
use crate::world::environment::{Environment, Happening};

#[derive(Debug, Default)]
pub(super) struct Radios {
    /// How often each arrival of a radio was changed and not put back.
    changed: BTreeMap<(DeviceName, u32), u32>,
    /// Those that may be put back once more: the registry's successor cannot know whether the answer was lost.
    forgiven: BTreeSet<(DeviceName, u32)>,
}

impl Checker for Radios {
    fn invariant(&self) -> u8 {
        6
    }

    fn happened(&mut self, happening: &Happening, _environment: &Environment) -> Verdict {
        match happening {
            Happening::RadioPrepared(device, ifindex) => {
                *self.changed.entry((device.clone(), *ifindex)).or_default() += 1;
            }
            Happening::RadioRestored(device, ifindex) => {
                let radio = (device.clone(), *ifindex);
                let changed = self.changed.entry(radio.clone()).or_default();
                match changed.checked_sub(1) {
                    Some(fewer) => *changed = fewer,
                    None if self.forgiven.remove(&radio) => {}
                    None => return Err(format!("{device} was put back twice")),
                }
            }
            Happening::Panicked(ActorId::Leases) => self.forgiven.extend(self.changed.keys().cloned()),
            _ => {}
        }
        Ok(())
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
        if !used && radio.mode != radio.first {
            return Err(format!(
                "nobody uses {device}, but it is in {:?} mode; it was in {:?}",
                radio.mode, radio.first
            ));
        }
    }
    Ok(())
}
