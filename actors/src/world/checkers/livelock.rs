//! Invariant 10: mainstay never hangs. Actors that send each other messages without any time going by would do so for ever.

use super::{Check, Checker, Verdict};
use crate::engine::Letter;
use crate::world::environment::Environment;

/// More messages than this at one moment are too many.
pub(in crate::world) const AT_ONE_MOMENT: u32 = 50_000;

#[derive(Debug, Default)]
pub(super) struct Livelock {
    at_this_moment: u32,
}

impl Checker for Livelock {
    fn check(&self) -> Check {
        Check::Livelock
    }

    fn handled(&mut self, _letter: &Letter, _environment: &Environment) -> Verdict {
        self.at_this_moment += 1;
        if self.at_this_moment > AT_ONE_MOMENT {
            return Err("actors send each other messages for ever".to_owned());
        }
        Ok(())
    }

    fn time_passed(&mut self, _environment: &Environment) -> Verdict {
        self.at_this_moment = 0;
        Ok(())
    }
}
