//! Whether what was found is still what the configuration means.

use mainstay_hardware::matching;

use super::machine::{DeviceMachine, DeviceTimer, Recovering};
use crate::inventory::InventoryMessage;
use crate::machine::{Effect, Message};

impl DeviceMachine {
    /// A radio that is matched by its name and is called otherwise now is another one. While it is leased its user may rename it, as
    /// `airmon-ng` does; it has its name back when it was put back.
    pub(super) fn disclaim(&self) -> Option<Effect<DeviceTimer>> {
        let sighting = self.sighting.as_ref()?;
        let is_free = self.recovering == Recovering::No && self.holder.is_none() && self.withheld.is_none();
        (is_free && !matching::matches(&self.spec, sighting)).then(|| {
            let message = InventoryMessage::Disclaimed(self.spec.name.clone(), sighting.generation.clone());
            Effect::Tell(Message::Hardware(message))
        })
    }
}
