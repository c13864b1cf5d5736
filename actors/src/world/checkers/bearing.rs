//! Invariant 10: no input makes a machine panic. That actors panic all the same is simulated, and is no panic of a machine.

use super::{Check, Checker, Verdict};
use crate::world::environment::{Environment, Happening};

pub(super) struct Bearing;

impl Checker for Bearing {
    fn check(&self) -> Check {
        Check::Bearing
    }

    fn happened(&mut self, happening: &Happening, _environment: &Environment) -> Verdict {
        match happening {
            Happening::Fell(actor, words) => Err(format!("{actor} really panicked: {words}")),
            _ => Ok(()),
        }
    }
}
