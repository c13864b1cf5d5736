//! Why those asked who wait for a start slot.
//!
//! Who is given one follows from his own question, as what a timer brings follows from what it was set for: that another has just
//! become ready, and made room, is not why he starts.

use std::collections::BTreeMap;

use mainstay_config::names::ServiceName;

use super::{Letter, Timer};
use crate::message::service::ServiceMessage;
use crate::message::supervision::ServicesMessage;
use crate::message::{Effect, Message};
use crate::trace::Cause;

/// Who waits for a start slot, and what his question was.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Asked(BTreeMap<ServiceName, Cause>);

impl Asked {
    /// A letter is about to be handled. Who asks again, after a panic, does so for his first reason.
    pub(super) fn hear(&mut self, letter: &Letter) {
        match &letter.message {
            Message::Services(ServicesMessage::AskSlot(name)) => {
                self.0.entry(name.clone()).or_insert_with(|| letter.as_cause());
            }
            Message::Services(ServicesMessage::ReturnSlot(name)) => drop(self.0.remove(name)),
            _ => {}
        }
    }

    /// What is done because of what.
    pub(super) fn cause(&mut self, handled: Cause, effect: &Effect<Timer>) -> Cause {
        match effect {
            Effect::Tell(Message::Service(name, ServiceMessage::SlotGranted(_))) => {
                self.0.remove(name).unwrap_or(handled)
            }
            _ => handled,
        }
    }
}
