//! Invariant 11: only processes of services are signalled. When one was waited for, its number may stand for a stranger; and one that
//! shows nothing of where it comes from is none.

use super::{Check, Checker, Verdict};
use crate::world::environment::{Environment, Happening};

pub(super) struct Strangers;

impl Checker for Strangers {
    fn check(&self) -> Check {
        Check::Strangers
    }

    fn happened(&mut self, happening: &Happening, _environment: &Environment) -> Verdict {
        match happening {
            Happening::StrangerSignalled(pid) => Err(format!("{pid} is signalled, which is no process of any service")),
            _ => Ok(()),
        }
    }
}
