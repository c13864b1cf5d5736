//! What the supervisor of devices is told.

use mainstay_hardware::sighting::HardwareEvent;

use crate::message::inventory::InventoryMessage;
use crate::message::kind::kind;
use crate::message::{Described, Words};
use crate::view::words::device::event_words;

impl Described for InventoryMessage {
    fn kind(&self) -> &'static str {
        kind!(
            self,
            InventoryMessage { Disclaimed, Admitted, Timer },
            Self::Event(event) => kind!(event, HardwareEvent { Seen, Gone, Scanned, Trouble, Works }),
        )
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
