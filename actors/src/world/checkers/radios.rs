//! Invariant 6: a radio is brought back to how it was when its lease ends, once, whatever died in between.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::names::{DeviceName, ServiceName};

use super::{Check, Checker, Verdict, View};
use crate::cause::Resource;
use crate::engine::Letter;
use crate::message::lease::LeaseMessage;
use crate::message::{ActorId, Message, OperationId};
use crate::world::environment::{Environment, GIVEN_UP_AFTER, Happening};

/// One arrival of a radio.
type Radio = (DeviceName, u32);

#[derive(Debug, Default)]
pub(super) struct Radios {
    /// How often each may be put back: once when it was read how it was, and once more for each panic of the registry while
    /// it had not heard what came of that.
    due: BTreeMap<Radio, u32>,
    /// These were put into a mode, and not put back.
    set: BTreeSet<Radio>,
    /// What the registry has ordered to be put back, and has not heard of.
    ordered: BTreeMap<OperationId, Radio>,
}

impl Checker for Radios {
    fn check(&self) -> Check {
        Check::Radios
    }

    /// What was written down of a radio is put back once more: that it was, nobody may have heard.
    fn outlives_mainstay(&mut self, _unanswered: &BTreeSet<ServiceName>, environment: &Environment) -> bool {
        self.ordered.clear();
        let written = environment.remembered().radios.iter();
        self.due = written.map(|(device, before)| ((device.clone(), before.wiphy), 1)).collect();
        true
    }

    fn handled(&mut self, letter: &Letter, _environment: &Environment) -> Verdict {
        if let Message::Leases(LeaseMessage::RadioRestored(operation, ..)) = &letter.message {
            self.ordered.remove(operation);
        }
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, _environment: &Environment) -> Verdict {
        match happening {
            Happening::RadioRead(device, wiphy) => {
                let radio = (device.clone(), *wiphy);
                if self.set.contains(&radio) {
                    return Err(format!("{device} is read after it was changed: how it was is lost"));
                }
                self.due.insert(radio, 1);
                Ok(())
            }
            Happening::RadioSet(device, wiphy) => {
                self.set.insert((device.clone(), *wiphy));
                Ok(())
            }
            Happening::RadioRestored(device, wiphy) => {
                let radio = (device.clone(), *wiphy);
                self.set.remove(&radio);
                match self.due.get_mut(&radio) {
                    Some(due @ 1..) => *due -= 1,
                    _ => return Err(format!("{device} was put back twice")),
                }
                Ok(())
            }
            Happening::RestoreOrdered(operation, device, wiphy) => {
                self.ordered.insert(*operation, (device.clone(), *wiphy));
                Ok(())
            }
            Happening::Panicked(ActorId::Leases) => {
                for radio in std::mem::take(&mut self.ordered).into_values().collect::<BTreeSet<_>>() {
                    *self.due.entry(radio).or_default() += 1;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        as_it_was(view, |_| false)
    }

    fn at_the_end(&mut self, view: &View<'_>) -> Verdict {
        // Who outlives SIGKILL keeps what he holds. He may have ended since, and nobody has heard that.
        as_it_was(view, |device| {
            let mut held = view.leases.held.iter().filter(|held| held.resource == Resource::Device(device.clone()));
            held.any(|held| view.left.iter().any(|left| held.holder.is(&left.service)))
        })
    }
}

fn as_it_was(view: &View<'_>, is_left: impl Fn(&DeviceName) -> bool) -> Verdict {
    for (device, plug) in view.environment.plugs() {
        let Some(radio) = plug.arrival.as_ref().and_then(|arrival| arrival.radio.as_ref()) else { continue };
        let mut uses = view.environment.trees().flat_map(|(_, tree)| &tree.uses);
        let used = uses.any(|(resource, _)| *resource == Resource::Device(device.clone()));
        // One that cannot be put back is given up.
        let given_up = radio.refusals >= GIVEN_UP_AFTER;
        // Of what a call of an earlier mainstay has changed, the present one knows nothing.
        if !used && !is_left(device) && !given_up && !radio.meddled_with && radio.mode != radio.first {
            return Err(format!(
                "nobody uses {device}, but it is in {:?} mode; it was in {:?}",
                radio.mode, radio.first
            ));
        }
    }
    Ok(())
}
