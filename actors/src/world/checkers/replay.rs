//! Invariant 9: a machine that is told again what it was told, at the same moments, becomes what it is.
//!
//! So a panicking actor goes on from what it was before the message that broke it, and a journal of messages is enough to
//! repeat whatever happened.

use std::collections::BTreeMap;

use super::{Check, Checker, Verdict, View};
use crate::engine::{AnyMachine, Letter};
use crate::machine::Beginning;
use crate::message::{ActorId, Message, Moment};
use crate::world::environment::{Environment, Happening};

/// What became of each machine by the journal.
#[derive(Debug, Default)]
pub(super) struct Replay {
    machines: BTreeMap<ActorId, Recorded>,
}

/// A machine when its actor began, and what it has handled since.
#[derive(Debug)]
struct Recorded {
    began: AnyMachine,
    since: Vec<(Moment, Message)>,
}

impl Recorded {
    fn replayed(&self) -> AnyMachine {
        let mut machine = self.began.clone();
        for (now, message) in &self.since {
            machine.handle(*now, message.clone());
        }
        machine
    }
}

impl Checker for Replay {
    fn check(&self) -> Check {
        Check::Replay
    }

    fn began(&mut self, now: Moment, machine: &AnyMachine) -> Verdict {
        let fresh = Recorded { began: machine.clone(), since: Vec::new() };
        let Some(before) = self.machines.insert(machine.id(), fresh) else { return Ok(()) };
        let as_it_was = before.replayed();
        // One that panics whatever it is told goes on without what it can be told again.
        let afresh = as_it_was.successor();
        let begun = |mut machine: AnyMachine| {
            machine.begin(now, Beginning::Again);
            format!("{machine:?}")
        };
        let is = format!("{machine:?}");
        if is == begun(as_it_was) || is == begun(afresh) {
            return Ok(());
        }
        Err(format!("{} goes on from something else than it was before the message that broke it: {is}", machine.id()))
    }

    fn handled(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        if let Some(recorded) = self.machines.get_mut(&letter.message.receiver()) {
            recorded.since.push((environment.now(), letter.message.clone()));
        }
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, _environment: &Environment) -> Verdict {
        if let Happening::Fell(actor, _) = happening
            && let Some(recorded) = self.machines.get_mut(actor)
        {
            // It panicked over that, and forgets it.
            recorded.since.pop();
        }
        Ok(())
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        self.compare(view)
    }

    fn at_the_end(&mut self, view: &View<'_>) -> Verdict {
        self.compare(view)
    }
}

impl Replay {
    fn compare(&self, view: &View<'_>) -> Verdict {
        for machine in view.engine.machines() {
            let Some(recorded) = self.machines.get(&machine.id()) else { continue };
            let (is, by_journal) = (format!("{machine:?}"), format!("{:?}", recorded.replayed()));
            if is != by_journal {
                let id = machine.id();
                return Err(format!("by its journal {id} is\n{by_journal}\nand really it is\n{is}"));
            }
        }
        Ok(())
    }
}
