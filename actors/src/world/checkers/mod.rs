//! Checkers of the invariants of DESIGN section 12: one for each, over what is true around the machines.
//!
//! Invariant 9 (replaying a journal) waits for the recorded journal; invariant 10 is for the parsers of what comes from outside.

mod blockers;
mod exclusive;
mod failures;
mod holders;
mod keeping;
mod leftovers;
mod order;
mod outliving;
mod quiet;
mod radios;
mod reach;
mod traces;
mod wanted;

use super::environment::{Environment, Happening};
use super::{Shown, World};
use crate::engine::Letter;
use crate::message::Message;
use crate::message::lease_table::LeaseSnapshot;

/// What a checker says: how the invariant is broken, if it is.
pub type Verdict = Result<(), String>;

/// What can be seen when everything is quiet, and after closing down.
pub struct View<'a> {
    /// What is true around the machines.
    pub environment: &'a Environment,
    /// What they show of themselves.
    pub shown: &'a Shown,
    /// Of that, what is leased.
    pub leases: LeaseSnapshot,
    /// The timers that are set, as the messages that they become.
    pub timers: Vec<Message>,
    /// How many requests of the operator have no answer.
    pub unanswered: usize,
}

impl<'a> View<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        Self {
            environment: world.environment(),
            shown: world.shown(),
            leases: world.shown().leases.snapshot(),
            timers: world.timers(),
            unanswered: world.unanswered(),
        }
    }
}

/// Looks whether one invariant holds.
pub trait Checker {
    /// Its number in DESIGN section 12.
    fn invariant(&self) -> u8;

    /// A message was sent.
    ///
    /// # Errors
    /// When that breaks the invariant; so for the others.
    fn sent(&mut self, _letter: &Letter, _environment: &Environment) -> Verdict {
        Ok(())
    }

    /// A message is about to be handled.
    ///
    /// # Errors
    /// See [`Checker::sent`].
    fn handled(&mut self, _letter: &Letter, _environment: &Environment) -> Verdict {
        Ok(())
    }

    /// Something happened around the machines.
    ///
    /// # Errors
    /// See [`Checker::sent`].
    fn happened(&mut self, _happening: &Happening, _environment: &Environment) -> Verdict {
        Ok(())
    }

    /// Time has gone on: nobody has anything to do at the moment before.
    ///
    /// # Errors
    /// See [`Checker::sent`].
    fn time_passed(&mut self, _environment: &Environment) -> Verdict {
        Ok(())
    }

    /// Nothing has gone wrong for a long while.
    ///
    /// # Errors
    /// See [`Checker::sent`].
    fn when_quiet(&mut self, _view: &View<'_>) -> Verdict {
        Ok(())
    }

    /// Everything was closed down.
    ///
    /// # Errors
    /// See [`Checker::sent`].
    fn at_the_end(&mut self, _view: &View<'_>) -> Verdict {
        Ok(())
    }
}

/// One of each.
pub(super) fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(exclusive::Exclusive),
        Box::new(outliving::Outliving::default()),
        Box::new(order::Order::default()),
        // First what became of losses, then whether each state has a reason at all.
        Box::new(wanted::Wanted::default()),
        Box::new(quiet::Quiet::default()),
        Box::new(holders::Holders),
        Box::new(keeping::Keeping::default()),
        Box::new(radios::Radios::default()),
        Box::new(leftovers::Leftovers),
        Box::new(traces::Traces::default()),
    ]
}
