//! Invariant 8: everything has a trace that leads to an external cause.

use std::collections::VecDeque;

use super::{Checker, Verdict};
use crate::machine::Address;
use crate::world::envelope::Envelope;
use crate::world::environment::Environment;

/// How many messages back causes are followed; an older one is believed.
const REMEMBERED: usize = 1 << 16;

/// The trace of each message, the newest last; message numbers have no gaps.
#[derive(Debug, Default)]
pub(super) struct Traces {
    traces: VecDeque<u64>,
    newest: u64,
}

impl Checker for Traces {
    fn invariant(&self) -> u8 {
        8
    }

    fn sent(&mut self, envelope: &Envelope, _environment: &Environment) -> Verdict {
        let what = || format!("message {} from {} to {}", envelope.id, envelope.from, envelope.message.receiver());
        match (envelope.cause, &envelope.from) {
            (None, Address::Actor(_)) => return Err(format!("{} has no cause", what())),
            (None, Address::Outside(_)) if envelope.trace != envelope.id => {
                return Err(format!("{} begins no trace of its own", what()));
            }
            (Some(cause), _) if self.trace_of(cause).is_some_and(|trace| trace != envelope.trace) => {
                return Err(format!("{} is in another trace than its cause {cause}", what()));
            }
            (Some(cause), _) if cause >= envelope.id => return Err(format!("{} was caused by a later one", what())),
            _ => {}
        }
        self.newest = envelope.id;
        self.traces.push_back(envelope.trace);
        if self.traces.len() > REMEMBERED {
            self.traces.pop_front();
        }
        Ok(())
    }
}

impl Traces {
    fn trace_of(&self, message: u64) -> Option<u64> {
        let back = usize::try_from(self.newest.checked_sub(message)?).ok()?;
        self.traces.get(self.traces.len().checked_sub(back.checked_add(1)?)?).copied()
    }
}
