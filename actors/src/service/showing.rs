//! What a service shows of itself, and what it tells its dependents.

use super::machine::ServiceMachine;
use super::messages::{Health, Next, START_SLOT, ServiceSnapshot, ServiceStatus, Standing, Wanted};
use super::state::{Phase, Rest, Why};
use crate::effect::process::order::LOADS_SLOWLY;
use crate::lease::{Blocker, Soon};
use crate::machine::{Effect, Publication};

impl ServiceMachine {
    /// How it stands, for those that depend on it.
    pub(super) fn standing(&self) -> Standing {
        match &self.phase {
            Phase::Running(_) => Standing::Up,
            Phase::Starting(_) | Phase::Slotting | Phase::Renewing => Standing::Starting("starting".to_owned()),
            Phase::Leasing { blockers, .. } => {
                let words = format!("waiting for {}", join(blockers));
                let coming = blockers.iter().all(|blocker| match blocker {
                    Blocker::Device { soon, .. } => *soon == Soon::Yes,
                    Blocker::Restoring { .. } | Blocker::Preparing => true,
                    Blocker::Held { .. } | Blocker::Behind { .. } | Blocker::ForeignListener { .. } => false,
                });
                if blockers.is_empty() {
                    Standing::Coming("being given its leases".to_owned())
                } else if coming {
                    Standing::Coming(words)
                } else {
                    Standing::Down(words)
                }
            }
            Phase::Leaving { why, episode, .. } => {
                let restarts = matches!(why, Why::Asked(_)) && self.returns();
                let next = if restarts { Next::Restart } else { Next::Rest };
                Standing::Leaving { why: why.words().to_owned(), next, episode: *episode }
            }
            Phase::Stopping { why: Why::Asked(words), .. } if self.returns() && !self.is_unkillable() => {
                Standing::Starting(format!("stopping: {words}"))
            }
            Phase::Stopping { why: Why::Asked(words), .. } if self.wanted == Wanted::Down => {
                Standing::Held(format!("stopping: {words}"))
            }
            Phase::Stopping { why: Why::Asked(words), .. } => Standing::Down(format!("stopping: {words}")),
            Phase::Stopping { why: Why::Failed(words) | Why::Died(words), .. } => Standing::Coming(words.clone()),
            Phase::Idle => self.idle_standing(),
        }
    }

    fn idle_standing(&self) -> Standing {
        match &self.rest {
            Rest::Failed(words) => Standing::Down(format!("failed: {words}")),
            _ if self.reason_not_wanted().is_some() => Standing::Held(self.reason_not_wanted().unwrap_or_default()),
            Rest::Ended(words) => Standing::Down(format!("stopped: {words}")),
            Rest::Backoff { cause, .. } => Standing::Coming(format!("to be restarted: {cause}")),
            Rest::Fresh if self.grant.is_some() && self.returns() => {
                Standing::Starting(format!("waiting for {}", self.needs.missing_to_others()))
            }
            Rest::Fresh if self.needs.held().is_some() => {
                Standing::Held(format!("waiting for {}", self.needs.held().unwrap_or_default()))
            }
            Rest::Fresh if self.needs.are_coming() => {
                Standing::Coming(format!("waiting for {}", self.needs.missing_to_others()))
            }
            Rest::Fresh => Standing::Down(format!("waiting for {}", self.needs.missing_to_others())),
        }
    }

    fn status(&self) -> ServiceStatus {
        match &self.phase {
            Phase::Running(_) => ServiceStatus::Running,
            Phase::Starting(_) => ServiceStatus::Starting,
            Phase::Leaving { .. } | Phase::Stopping { .. } => ServiceStatus::Stopping,
            Phase::Leasing { .. } | Phase::Renewing | Phase::Slotting => ServiceStatus::Waiting,
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

    fn reason(&self) -> String {
        match &self.phase {
            Phase::Running(run) => {
                let degraded = self.needs.degraded(self.ignoring);
                if degraded.is_empty() { run.said.clone() } else { format!("without {}", degraded.join("; ")) }
            }
            Phase::Starting(run) if run.said.is_empty() => "not ready yet".to_owned(),
            Phase::Starting(run) => format!("not ready yet: {}", run.said),
            Phase::Leaving { why, awaiting, .. } => {
                let names: Vec<&str> = awaiting.iter().map(mainstay_config::names::ServiceName::as_str).collect();
                format!("{}; first {} must stop", why.words(), names.join(", "))
            }
            Phase::Stopping { run, why, .. } if self.is_unkillable() => match run.pid {
                Some(pid) => {
                    let hangs = "it hangs in the kernel, most likely in a driver";
                    format!("{}; it outlives SIGKILL (pid {pid}): {hangs}", why.words())
                }
                None => format!("{}; it outlives SIGKILL: {LOADS_SLOWLY}", why.words()),
            },
            Phase::Stopping { why, .. } => why.words().to_owned(),
            Phase::Leasing { .. } | Phase::Renewing | Phase::Slotting => self.last_stop.clone().unwrap_or_default(),
            Phase::Idle => self.idle_reason(),
        }
    }

    fn idle_reason(&self) -> String {
        match &self.rest {
            Rest::Failed(words) => words.clone(),
            _ if self.reason_not_wanted().is_some() => self.reason_not_wanted().unwrap_or_default(),
            Rest::Ended(words) => words.clone(),
            Rest::Backoff { cause, .. } => {
                format!("{cause}; restart {} of {}", self.attempts, self.spec.restart.attempts)
            }
            Rest::Fresh => self.last_stop.clone().unwrap_or_default(),
        }
    }

    fn waiting_for(&self) -> Vec<String> {
        match &self.phase {
            Phase::Renewing => vec![Blocker::Preparing.to_string()],
            Phase::Leasing { blockers, .. } if blockers.is_empty() => vec![Blocker::Preparing.to_string()],
            Phase::Leasing { blockers, .. } => blockers.iter().map(ToString::to_string).collect(),
            Phase::Slotting => vec![START_SLOT.to_owned()],
            Phase::Leaving { awaiting, .. } => awaiting.iter().map(|name| format!("{name} to stop")).collect(),
            Phase::Idle if self.rest == Rest::Fresh && self.reason_not_wanted().is_none() => self.needs.missing(),
            _ => Vec::new(),
        }
    }

    /// What would make it run, each a sentence.
    fn unblock(&self) -> Vec<String> {
        let name = &self.spec.name;
        match &self.phase {
            Phase::Leasing { blockers, .. } => blockers.iter().filter_map(unblock_lease).collect(),
            Phase::Idle => match &self.rest {
                Rest::Failed(_) if super::machine::later(&self.spec).is_some() => {
                    vec!["Take that out of its configuration, or wait for a version that knows it.".to_owned()]
                }
                Rest::Failed(_) => vec![format!("Mend the cause, then say `mainstay restart {name} --force`.")],
                _ if self.reason_not_wanted().is_some() => vec![format!("Say `mainstay start {name}`.")],
                Rest::Ended(_) => vec![format!("Say `mainstay start {name}`.")],
                Rest::Backoff { .. } => vec![format!("Wait, or say `mainstay restart {name}`.")],
                Rest::Fresh => self.needs.missing_names().map(|need| format!("See `mainstay why {need}`.")).collect(),
            },
            Phase::Starting(_) => vec![format!("Wait, or see `mainstay logs {name}`.")],
            Phase::Stopping { run, .. } if self.is_unkillable() && run.pid.is_none() => {
                vec!["Look after the disk that its program is on, or restart the machine.".to_owned()]
            }
            _ if self.is_unkillable() => vec!["Unplug the device it uses, or restart the machine.".to_owned()],
            _ => Vec::new(),
        }
    }

    pub(super) fn publication(&self) -> Effect<super::ServiceTimer> {
        let running = matches!(self.phase, Phase::Running(_));
        let degraded = running && !self.needs.degraded(self.ignoring).is_empty();
        Effect::Publish(Publication::Service(ServiceSnapshot {
            name: self.spec.name.clone(),
            status: self.status(),
            health: if degraded { Health::Degraded } else { Health::Unknown },
            wanted: self.wanted,
            reason: self.reason(),
            pid: self.run().and_then(|run| run.pid),
            waiting_for: self.waiting_for(),
            unblock: self.unblock(),
            retry_at: match self.rest {
                Rest::Backoff { until, .. } => Some(until),
                _ => None,
            },
        }))
    }
}

fn unblock_lease(blocker: &Blocker) -> Option<String> {
    match blocker {
        Blocker::Device { device, .. } => Some(format!("See `mainstay why {device}`.")),
        Blocker::Held { holder, .. } => Some(format!("Say `mainstay stop {holder}`, or wait until it ends.")),
        Blocker::Behind { first, .. } => {
            Some(format!("Wait until {first} has been served, or say `mainstay stop {first}`."))
        }
        Blocker::ForeignListener { listener, .. } => Some(format!("Stop {listener}.")),
        Blocker::Restoring { .. } | Blocker::Preparing => None,
    }
}

pub(super) fn join(blockers: &[Blocker]) -> String {
    blockers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
