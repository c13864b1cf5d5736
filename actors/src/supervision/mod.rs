//! Supervisors: how many deaths one bears, the start slots of services, closing down in order. Who restarts whom: `engine`.

mod intensity;
mod messages;
mod root;
mod services;
#[cfg(test)]
mod tests;

pub use intensity::{Intensity, Verdict};
pub use messages::{RootMessage, ServicesMessage};
pub use root::RootMachine;
pub use services::ServicesMachine;

/// A supervisor has no timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum NoTimer {}
