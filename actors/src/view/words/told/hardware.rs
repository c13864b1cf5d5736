//! What the supervisor of devices is told.

use mainstay_hardware::sighting::HardwareEvent;

use crate::message::inventory::InventoryMessage;
use crate::message::{Described, Words};
use crate::view::words::device::event_words;

impl Described for InventoryMessage {
    fn kind(&self) -> &'static str {
        match self {
            Self::Event(HardwareEvent::Seen(_)) => "Seen",
            Self::Event(HardwareEvent::Gone { .. }) => "Gone",
            Self::Event(HardwareEvent::Scanned { .. }) => "Scanned",
            Self::Event(HardwareEvent::Trouble(..)) => "Trouble",
            Self::Event(HardwareEvent::Works(_)) => "Works",
            Self::Disclaimed(..) => "Disclaimed",
            Self::Admitted(_) => "Admitted",
            Self::Timer(_) => "Timer",
        }
    }

    fn detail(&self) -> Words {
        match self {
            Self::Event(event) => event_words(event).into(),
            Self::Disclaimed(name, _) => Words::Device(name.clone(), "is no longer what the configuration means"),
            Self::Admitted(name) => Words::Device(name.clone(), "is what fits it, the operator says"),
            Self::Timer(timer) => format!("{timer:?} is over").into(),
        }
    }
}
