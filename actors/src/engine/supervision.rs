//! Who restarts whom, how often, and when to give up (OTP's one-for-one with intensity and period).

use std::collections::BTreeMap;

use crate::message::{ActorId, Moment};
use crate::supervision::Intensity;

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
            return self.of_root.died(now).map_or(Decision::GiveUp, Decision::One);
        };
        let deaths = self.deaths.entry(above.clone()).or_default();
        if let Some(pause) = deaths.died(now) {
            return Decision::One(pause);
        }
        deaths.forget();
        // The supervisor gives up in its turn, which the root bears so many times.
        let is_borne = above != ActorId::Root && self.deaths.entry(ActorId::Root).or_default().died(now).is_some();
        if is_borne { Decision::AllOf(above) } else { Decision::GiveUp }
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
