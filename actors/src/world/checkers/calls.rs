//! Invariant 6: while the driver of a radio is at something, it is asked for nothing else; what would come of that nobody knows.

use super::{Check, Checker, Verdict};
use crate::world::environment::{Environment, Happening};

pub(super) struct Calls;

impl Checker for Calls {
    fn check(&self) -> Check {
        Check::Calls
    }

    fn happened(&mut self, happening: &Happening, _environment: &Environment) -> Verdict {
        match happening {
            Happening::CallsOverlap(device) => {
                Err(format!("a call to the driver of {device} is begun while another is at it"))
            }
            _ => Ok(()),
        }
    }
}
