//! Checkers of the invariants of DESIGN section 12, over what is true around the machines.
//!
//! For each there is a planted bug that it catches, and no other does ([`Check::planted`]).

mod bearing;
mod blockers;
mod calls;
mod devices;
mod exclusive;
mod failures;
mod giving_up;
mod goings;
mod holders;
mod ignoring;
mod keeping;
mod leftovers;
mod livelock;
mod losses;
mod missing;
mod needless;
mod order;
mod outliving;
mod quiet;
mod radios;
mod reach;
mod ready;
mod replay;
mod strangers;
mod traces;
mod wanted;

#[cfg(test)]
pub(super) use self::livelock::AT_ONE_MOMENT;
use std::collections::BTreeSet;

use super::environment::{Environment, Happening};
use super::faults::Sabotage;
use super::{Shown, World};
use crate::engine::{AnyMachine, Engine, Letter};
use crate::machine::closed::closed;
use crate::message::lease_table::LeaseSnapshot;
use crate::message::{ActorId, DaemonExit, Left, Message, Moment};
use mainstay_config::names::ServiceName;

closed! {
    /// Every checker. They are asked in this order.
    pub enum Check {
        /// 1: an exclusive resource has one holder.
        Exclusive,
        /// 2: nothing outlives what it needs.
        Outliving,
        /// 3: dependents stop first.
        Order,
        /// 5: what a loss stopped comes back; what the operator stopped does not. Before whether each state has a reason at all.
        Wanted,
        /// 4: a device is shown as it is.
        Devices,
        /// 4: every service runs, or says truly why not.
        Quiet,
        /// 4: what is ready is seen to be.
        Ready,
        /// 4: who uses something holds it, and who holds something uses it.
        Holders,
        /// 11: who is restarted keeps what it has.
        Keeping,
        /// 11: nothing is stopped without a cause in the world.
        Needless,
        /// 11: who is no child of ours is not signalled.
        Strangers,
        /// 6: radios are put back as they were, once.
        Radios,
        /// 6: the driver of a radio is asked for one thing at a time.
        Calls,
        /// 7: nothing is left.
        Leftovers,
        /// 8: everything has a cause.
        Traces,
        /// 9: told the same again, a machine becomes the same again.
        Replay,
        /// 10: nobody panics.
        Bearing,
        /// 10: mainstay gives up when a part of it is gone, says so, and leaves the services alone.
        GivingUp,
        /// 10: nothing goes on for ever.
        Livelock,
    }
}

impl Check {
    /// The number of its invariant in DESIGN section 12.
    #[must_use]
    pub fn invariant(self) -> u8 {
        match self {
            Self::Exclusive => 1,
            Self::Outliving => 2,
            Self::Order => 3,
            Self::Devices | Self::Quiet | Self::Ready | Self::Holders => 4,
            Self::Wanted => 5,
            Self::Radios | Self::Calls => 6,
            Self::Leftovers => 7,
            Self::Traces => 8,
            Self::Replay => 9,
            Self::Bearing | Self::GivingUp | Self::Livelock => 10,
            Self::Keeping | Self::Needless | Self::Strangers => 11,
        }
    }

    /// A bug that it catches, and no other checker does. [`Sabotage::caught_by`] tells of the others.
    #[must_use]
    pub fn planted(self) -> Sabotage {
        match self {
            Self::Exclusive => Sabotage::ShareAll,
            Self::Outliving => Sabotage::DelayRevoked,
            Self::Order => Sabotage::SkipDependents,
            Self::Wanted => Sabotage::StartHeld,
            Self::Devices => Sabotage::DropWorks,
            Self::Quiet => Sabotage::DropArrival,
            Self::Ready => Sabotage::SeenIsSaid,
            Self::Holders => Sabotage::DropLeased,
            Self::Keeping => Sabotage::IdleOverRestart,
            Self::Needless => Sabotage::StopForNothing,
            Self::Strangers => Sabotage::SignalStrangers,
            Self::Radios => Sabotage::ForgetRestore,
            Self::Calls => Sabotage::CallsTogether,
            Self::Leftovers => Sabotage::LeaveProbes,
            Self::Traces => Sabotage::LoseCause,
            Self::Replay => Sabotage::HiddenInput,
            Self::Bearing => Sabotage::Panic,
            Self::GivingUp => Sabotage::KillServices,
            Self::Livelock => Sabotage::AskForEver,
        }
    }

    fn begin(self) -> Box<dyn Checker> {
        match self {
            Self::Exclusive => Box::new(exclusive::Exclusive),
            Self::Outliving => Box::new(outliving::Outliving::default()),
            Self::Order => Box::new(order::Order::default()),
            Self::Wanted => Box::new(wanted::Wanted::default()),
            Self::Devices => Box::new(devices::Devices::default()),
            Self::Quiet => Box::new(quiet::Quiet::default()),
            Self::Ready => Box::new(ready::Ready),
            Self::Holders => Box::new(holders::Holders),
            Self::Keeping => Box::new(keeping::Keeping::default()),
            Self::Needless => Box::new(needless::Needless::default()),
            Self::Strangers => Box::new(strangers::Strangers),
            Self::Radios => Box::new(radios::Radios::default()),
            Self::Calls => Box::new(calls::Calls),
            Self::Leftovers => Box::new(leftovers::Leftovers::default()),
            Self::Traces => Box::new(traces::Traces::default()),
            Self::Replay => Box::new(replay::Replay::default()),
            Self::Bearing => Box::new(bearing::Bearing),
            Self::GivingUp => Box::new(giving_up::GivingUp::default()),
            Self::Livelock => Box::new(livelock::Livelock::default()),
        }
    }
}

/// What a checker says: how the invariant is broken, if it is.
pub type Verdict = Result<(), String>;

/// What can be seen when everything is quiet, and after closing down.
pub struct View<'a> {
    /// What is true around the machines.
    pub environment: &'a Environment,
    /// The machines themselves.
    pub engine: &'a Engine,
    /// What they show of themselves.
    pub shown: &'a Shown,
    /// Of that, what is leased.
    pub leases: LeaseSnapshot,
    /// The timers that are set, as the messages that they become.
    pub timers: Vec<Message>,
    /// How many requests of the operator have no answer.
    pub unanswered: usize,
    /// Of those, how many nobody has taken out of an inbox.
    pub unread: usize,
    /// What the daemon has said to leave, when it has ended.
    pub left: &'a [Left],
}

impl<'a> View<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        Self {
            environment: world.environment(),
            engine: &world.engine,
            shown: world.shown(),
            leases: world.shown().leases.snapshot(),
            timers: world.timers(),
            unanswered: world.unanswered(),
            unread: world.unread(),
            left: match world.ended() {
                Some(DaemonExit::Left(left)) => left,
                _ => &[],
            },
        }
    }

    /// The machine of an actor.
    fn machine(&self, of: &ActorId) -> Option<&AnyMachine> {
        self.engine.machine(self.engine.place(of)?)
    }
}

/// Looks whether an invariant holds.
pub trait Checker {
    /// Which it is.
    fn check(&self) -> Check;

    /// mainstay is killed, before it answered what it was told about these services. Whether what was seen is of use in its next life;
    /// most begin anew.
    fn outlives_mainstay(&mut self, _unanswered: &BTreeSet<ServiceName>, _environment: &Environment) -> bool {
        false
    }

    /// An actor has begun, for the first time or again.
    ///
    /// # Errors
    /// See [`Checker::sent`].
    fn began(&mut self, _now: Moment, _machine: &AnyMachine) -> Verdict {
        Ok(())
    }

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

    /// mainstay has given up, and its executor has ended.
    ///
    /// # Errors
    /// See [`Checker::sent`].
    fn given_up(&mut self, _view: &View<'_>) -> Verdict {
        Ok(())
    }
}

/// One of each, but for one.
pub(super) fn all(without: Option<Check>) -> Vec<Box<dyn Checker>> {
    Check::ALL.iter().filter(|check| Some(**check) != without).map(|check| check.begin()).collect()
}
