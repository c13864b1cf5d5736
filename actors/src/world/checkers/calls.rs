//! Invariant 6: while the driver of a radio is at something, it is asked for nothing else; what would come of that nobody knows. Nor is a command
//! started that looks at a service while the disk does not answer that an earlier one is on.

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
            Happening::CommandsOverlap(service) => {
                Err(format!("a command that looks at {service} is started while another is being loaded"))
            }
            _ => Ok(()),
        }
    }
}
