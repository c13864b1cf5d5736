//! What a service shows of itself, and what it tells its dependents.

use std::collections::BTreeSet;
use std::sync::Arc;

use mainstay_config::names::ServiceName;

use super::machine::ServiceMachine;
use super::state::{Phase, Rest};
use crate::cause::{Blocker, Failure, Listed, Matter, Next, Reason, Said, Soon, Standing, Why};
use crate::message::service::{Health, ServiceSnapshot, ServiceStatus, Waiting, Wanted};
use crate::message::{Effect, Left, Publication};

impl ServiceMachine {
    /// How it stands, for those that depend on it.
    pub(super) fn standing(&self) -> Standing {
        match &self.phase {
            Phase::Running(_) => Standing::Up,
            Phase::Starting(_) | Phase::Slotting | Phase::Renewing { .. } => Standing::Starting(Matter::Starting),
            Phase::Leasing { blockers, .. } => {
                let coming = blockers.iter().all(|blocker| match blocker {
                    Blocker::Device { soon, .. } => *soon == Soon::Yes,
                    Blocker::Restoring { .. } | Blocker::Preparing => true,
                    Blocker::Held { .. }
                    | Blocker::Behind { .. }
                    | Blocker::ForeignListener { .. }
                    | Blocker::UnknownFile { .. } => false,
                });
                if blockers.is_empty() {
                    Standing::Coming(Matter::Leasing)
                } else if coming {
                    Standing::Coming(Matter::Blocked(Arc::new(first_of(blockers))))
                } else {
                    Standing::Down(Matter::Blocked(Arc::new(first_of(blockers))))
                }
            }
            Phase::Leaving { why, episode, .. } => {
                let asked = matches!(why, Why::Asked(_) | Why::Lost { .. });
                let next = if asked && self.returns() { Next::Restart } else { Next::Rest };
                Standing::Leaving { why: why.origin(&self.spec.name), next, episode: *episode }
            }
            Phase::Stopping { why: Why::Failed(failure) | Why::Died(failure), .. } => failing(failure.clone()),
            Phase::Stopping { why, .. } => {
                let stopping = Matter::Stopping(why.origin(&self.spec.name));
                match self.wanted {
                    _ if self.returns() && !self.is_unkillable() => Standing::Starting(stopping),
                    Wanted::Down => Standing::Held(stopping),
                    Wanted::Auto | Wanted::Up => Standing::Down(stopping),
                }
            }
            Phase::Idle => self.idle_standing(),
        }
    }

    fn idle_standing(&self) -> Standing {
        match (&self.rest, self.reason_not_wanted()) {
            (Rest::Failed(failed), _) => Standing::Down(Matter::Failed(Arc::new(failed.clone()))),
            (_, Some(why)) => Standing::Held(Matter::NotWanted(why)),
            (Rest::Ended(exit), None) => Standing::Down(Matter::Ended(*exit)),
            (Rest::Backoff { cause, .. }, None) => Standing::Coming(Matter::Restarting(Arc::new(cause.clone()))),
            (Rest::Fresh, None) if self.grant.is_some() && self.returns() => Standing::Starting(Matter::Needs),
            (Rest::Fresh, None) if self.needs.held().is_some() => Standing::Held(Matter::Needs),
            (Rest::Fresh, None) if self.needs.are_coming() => Standing::Coming(Matter::Needs),
            (Rest::Fresh, None) => Standing::Down(Matter::Needs),
        }
    }

    pub(crate) fn status(&self) -> ServiceStatus {
        match &self.phase {
            Phase::Running(_) => ServiceStatus::Running,
            Phase::Starting(_) => ServiceStatus::Starting,
            Phase::Leaving { .. } | Phase::Stopping { .. } => ServiceStatus::Stopping,
            Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting => ServiceStatus::Waiting,
            Phase::Idle => match &self.rest {
                Rest::Failed(_) => ServiceStatus::Failed,
                _ if self.wanted == Wanted::Down => ServiceStatus::Held,
                _ if self.reason_not_wanted().is_some() => ServiceStatus::Stopped,
                Rest::Ended(_) => ServiceStatus::Stopped,
                Rest::Backoff { .. } => ServiceStatus::Backoff,
                Rest::Fresh => ServiceStatus::Waiting,
            },
        }
    }

    /// Dependents that it did not wait for.
    fn not_waited_for(&self) -> Listed<Left> {
        if matches!(self.phase, Phase::Starting(_) | Phase::Running(_)) {
            return Listed::default();
        }
        let left = self.left.iter().map(|(name, pid)| Left { service: name.clone(), pid: *pid });
        Listed::of(left, self.left.len())
    }

    fn reason(&self) -> Reason {
        match &self.phase {
            Phase::Running(run) => {
                let degraded = self.needs.degraded(self.ignoring);
                if degraded.is_empty() { says(&run.said) } else { Reason::Without(degraded) }
            }
            Phase::Starting(run) => Reason::NotReady(run.said.clone()),
            Phase::Leaving { why, awaiting, .. } => Reason::Leaving { why: why.clone(), first: listed(awaiting) },
            Phase::Stopping { run, why, .. } if self.is_unkillable() => {
                Reason::Unkillable { why: why.clone(), pid: run.pid }
            }
            Phase::Stopping { run, why, .. } => Reason::Stopping { why: why.clone(), said: run.status.clone() },
            Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting => self.stopped_for(),
            Phase::Idle => self.idle_reason(),
        }
    }

    fn idle_reason(&self) -> Reason {
        match (&self.rest, self.reason_not_wanted()) {
            (Rest::Failed(failed), _) => Reason::Failed(failed.clone()),
            (_, Some(why)) => Reason::NotWanted(why),
            (Rest::Ended(exit), None) => Reason::Ended(*exit),
            (Rest::Backoff { cause, .. }, None) => {
                let (attempt, of) = (self.attempts, self.spec.restart.attempts);
                Reason::Backoff { failure: cause.clone(), attempt, of }
            }
            (Rest::Fresh, None) => self.stopped_for(),
        }
    }

    fn stopped_for(&self) -> Reason {
        self.last_stop.clone().map_or(Reason::Nothing, Reason::Stopped)
    }

    fn waiting_for(&self) -> Waiting {
        match &self.phase {
            Phase::Renewing { .. } => Waiting::Leases(first_of(&[Blocker::Preparing])),
            Phase::Leasing { blockers, .. } if blockers.is_empty() => Waiting::Leases(first_of(&[Blocker::Preparing])),
            Phase::Leasing { blockers, .. } => Waiting::Leases(first_of(blockers)),
            Phase::Slotting => Waiting::Slot,
            Phase::Leaving { awaiting, .. } => Waiting::Stops(listed(awaiting)),
            Phase::Idle if self.rest == Rest::Fresh && self.reason_not_wanted().is_none() => {
                let missing = self.needs.missing();
                if missing.is_empty() { Waiting::Nothing } else { Waiting::Needs(missing) }
            }
            Phase::Idle | Phase::Starting(_) | Phase::Running(_) | Phase::Stopping { .. } => Waiting::Nothing,
        }
    }

    pub(super) fn publication(&self) -> Effect<crate::message::service::ServiceTimer> {
        let running = matches!(self.phase, Phase::Running(_));
        let degraded = running && !self.needs.degraded(self.ignoring).is_empty();
        Effect::Publish(Publication::Service(ServiceSnapshot {
            name: self.spec.name.clone(),
            status: self.status(),
            health: if degraded { Health::Degraded } else { Health::Unknown },
            wanted: self.wanted,
            reason: self.reason(),
            left: self.not_waited_for(),
            pid: self.run().and_then(|run| run.pid),
            waiting_for: self.waiting_for(),
            last_start: self.last_start,
            retry_at: match self.rest {
                Rest::Backoff { until, .. } => Some(until),
                Rest::Fresh | Rest::Failed(_) | Rest::Ended(_) => None,
            },
        }))
    }
}

/// One that conflicts with thousands waits for many of them.
pub(super) fn first_of(blockers: &[Blocker]) -> Listed<Blocker> {
    Listed::of(blockers.iter().cloned(), blockers.len())
}

fn listed(names: &BTreeSet<ServiceName>) -> Listed<ServiceName> {
    Listed::of(names.iter().cloned(), names.len())
}

/// What a running service says of itself.
fn says(said: &Said) -> Reason {
    if said.is_something() { Reason::Says(said.clone()) } else { Reason::Nothing }
}

fn failing(failure: Failure) -> Standing {
    Standing::Coming(Matter::Failing(Arc::new(failure)))
}
