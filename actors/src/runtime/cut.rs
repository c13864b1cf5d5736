//! A consistent cut of everything that mainstay is, between two messages.

use crate::effect::known::Known;
use crate::engine::Engine;
use crate::message::{Moment, RequestId};

/// All machines with their mail and timers, and what the executor knows of all that is under way. It holds no thread, descriptor or clock:
/// it can be cloned and written down, and goes on in the simulated world.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Cut {
    /// When it was taken.
    pub at: Moment,
    /// The machines, their mail, timers, panics and restarts.
    pub engine: Engine,
    /// The number that an operator's request had last.
    pub last_request: RequestId,
    /// What is known outside the actors.
    pub executor: Known,
}
