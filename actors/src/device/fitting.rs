//! Whether what was found is still what the configuration means.

use std::time::Duration;

use mainstay_hardware::matching;

use super::machine::{DeviceMachine, Out};
use crate::message::device::DeviceTimer;
use crate::message::inventory::InventoryMessage;
use crate::message::{Effect, Message, Outcome};

/// What is seen may be older than what was just done: a radio that was put back can be seen once more as it was before.
const LASTING: Duration = Duration::from_secs(1);

/// Whether it still has to become again what it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Owed {
    #[default]
    Nothing,
    /// It was to be put back, and nobody has said that it was. It may have been given up.
    PuttingBack,
}

impl DeviceMachine {
    /// A radio that is matched by its name and is called otherwise now is another one, if that lasts. While it is leased its user may
    /// rename it, as `airmon-ng` does; it has its name back when it was put back.
    pub(super) fn mind_its_name(&self) -> Option<Effect<DeviceTimer>> {
        self.is_another().then_some(Effect::SetTimer(DeviceTimer::Mistaken, LASTING))
    }

    pub(super) fn is_another(&self) -> bool {
        let is_free = self.leased_since.is_none() && self.owed == Owed::Nothing;
        is_free && self.sighting.as_ref().is_some_and(|sighting| !matching::matches(&self.spec, sighting))
    }

    /// It is given up to the inventory, which looks for the right one.
    pub(super) fn disclaim(&self) -> Out {
        let arrival = self.sighting.as_ref().filter(|_| self.is_another()).map(|sighting| sighting.generation.clone());
        let disclaimed = |arrival| InventoryMessage::Disclaimed(self.spec.name.clone(), arrival);
        match arrival.map(disclaimed) {
            Some(message) => vec![Effect::Tell(Message::Hardware(message))],
            None => vec![Effect::Note(Outcome::Superseded)],
        }
    }
}
