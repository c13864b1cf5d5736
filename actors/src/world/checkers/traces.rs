//! Invariant 8: everything has a trace that leads to an external cause.

use std::collections::VecDeque;

use super::{Check, Checker, Verdict};
use crate::engine::Letter;
use crate::message::Address;
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
    fn check(&self) -> Check {
        Check::Traces
    }

    fn sent(&mut self, letter: &Letter, _environment: &Environment) -> Verdict {
        let (id, trace) = (letter.id.0, letter.cause.trace.0);
        let what = || format!("message {id} from {} to {}", letter.from, letter.message.receiver());
        match (letter.cause.message, &letter.from) {
            (None, Address::Actor(_)) => return Err(format!("{} has no cause", what())),
            (None, Address::Outside(_)) if trace != id => return Err(format!("{} begins no trace of its own", what())),
            (Some(cause), _) if self.trace_of(cause.0).is_some_and(|known| known != trace) => {
                return Err(format!("{} is in another trace than its cause {}", what(), cause.0));
            }
            (Some(cause), _) if cause.0 >= id => return Err(format!("{} was caused by a later one", what())),
            _ => {}
        }
        self.newest = id;
        self.traces.push_back(trace);
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
