//! Who restarts whom, how often, and when to give up (OTP's one-for-one with intensity and period).

use std::collections::BTreeMap;

use crate::message::{ActorId, Moment};
use crate::supervision::{Intensity, Verdict};

/// The deaths that each supervisor has seen lately.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Supervision {
    #[serde(with = "crate::message::pairs")]
    deaths: BTreeMap<ActorId, Intensity>,
    /// Those of the root, which has nobody above it.
    of_root: Intensity,
}

/// Whom a death concerns.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Decision {
    /// Only who died is restarted.
    One(std::time::Duration),
    /// All children of this supervisor are, also those that are well.
    AllOf(ActorId),
    /// Nobody is: it was too much.
    GiveUp,
}

impl Supervision {
    /// An actor has died.
    pub(super) fn died(&mut self, now: Moment, actor: &ActorId) -> Decision {
        let Some(above) = supervisor(actor) else {
            return match self.of_root.died(now) {
                Verdict::Restart(pause) => Decision::One(pause),
                Verdict::Escalate => Decision::GiveUp,
            };
        };
        let deaths = self.deaths.entry(above.clone()).or_default();
        match deaths.died(now) {
            Verdict::Restart(pause) => return Decision::One(pause),
            Verdict::Escalate => deaths.forget(),
        }
        let root = above == ActorId::Root;
        // The supervisor gives up in its turn, which the root bears so many times.
        let escalated = if root { Verdict::Escalate } else { self.deaths.entry(ActorId::Root).or_default().died(now) };
        match escalated {
            Verdict::Restart(_) => Decision::AllOf(above),
            Verdict::Escalate => Decision::GiveUp,
        }
    }
}

/// Who supervises an actor; nobody is above the root.
pub(super) fn supervisor(actor: &ActorId) -> Option<ActorId> {
    match actor {
        ActorId::Device(_) => Some(ActorId::Hardware),
        ActorId::Service(_) => Some(ActorId::Services),
        ActorId::Hardware | ActorId::Leases | ActorId::Services => Some(ActorId::Root),
        ActorId::Root => None,
    }
}
