//! What a service shows of itself, and what it tells its dependents.

use std::collections::BTreeSet;

use mainstay_config::names::ServiceName;

use super::machine::ServiceMachine;
use super::messages::{Health, ServiceSnapshot, ServiceStatus, Waiting, Wanted};
use super::state::{Phase, Rest, Why};
use crate::cause::{Listed, Matter, Standing};
use crate::effect::process::order::LOADS_SLOWLY;
use crate::lease::{Blocker, Soon};
use crate::machine::{Effect, Publication};
use crate::view::words;

impl ServiceMachine {
    /// How it stands, for those that depend on it.
    pub(super) fn standing(&self) -> Standing {
        match &self.phase {
            Phase::Running(_) => Standing::Up,
            Phase::Starting(_) | Phase::Slotting => Standing::Coming(Matter::Starting),
            Phase::Leasing { blockers, .. } => {
                let words = format!("waiting for {}", join(blockers));
                let coming = blockers.iter().all(|blocker| match blocker {
                    Blocker::Device { soon, .. } => *soon == Soon::Yes,
                    Blocker::Restoring { .. } | Blocker::Preparing => true,
                    Blocker::Held { .. } | Blocker::Behind { .. } | Blocker::ForeignListener { .. } => false,
                });
                if blockers.is_empty() {
                    Standing::Coming(own("being given its leases"))
                } else if coming {
                    Standing::Coming(own(&words))
                } else {
                    Standing::Down(own(&words))
                }
            }
            Phase::Leaving { why, episode, .. } => {
                Standing::Leaving { why: why.origin(&self.spec.name), episode: *episode }
            }
            Phase::Stopping { why: Why::Failed(words) | Why::Died(words), .. } => Standing::Coming(own(words)),
            Phase::Stopping { why, .. } => {
                let stopping = Matter::Stopping(why.origin(&self.spec.name));
                if self.wanted == Wanted::Down { Standing::Held(stopping) } else { Standing::Down(stopping) }
            }
            Phase::Idle => self.idle_standing(),
        }
    }

    fn idle_standing(&self) -> Standing {
        match &self.rest {
            Rest::Failed(words) => Standing::Down(own(&format!("failed: {words}"))),
            _ if self.reason_not_wanted().is_some() => {
                Standing::Held(own(&self.reason_not_wanted().unwrap_or_default()))
            }
            Rest::Ended(words) => Standing::Down(own(&format!("stopped: {words}"))),
            Rest::Backoff { cause, .. } => Standing::Coming(own(&format!("to be restarted: {cause}"))),
            Rest::Fresh if self.needs.held().is_some() => Standing::Held(Matter::Needs),
            Rest::Fresh if self.needs.are_coming() => Standing::Coming(Matter::Needs),
            Rest::Fresh => Standing::Down(Matter::Needs),
        }
    }

    fn status(&self) -> ServiceStatus {
        match &self.phase {
            Phase::Running(_) => ServiceStatus::Running,
            Phase::Starting(_) => ServiceStatus::Starting,
            Phase::Leaving { .. } | Phase::Stopping { .. } => ServiceStatus::Stopping,
            Phase::Leasing { .. } | Phase::Slotting => ServiceStatus::Waiting,
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
                if degraded.is_empty() { run.said.clone() } else { words::without(&degraded) }
            }
            Phase::Starting(run) if run.said.is_empty() => "not ready yet".to_owned(),
            Phase::Starting(run) => format!("not ready yet: {}", run.said),
            Phase::Leaving { why, awaiting, .. } => {
                format!("{}; first {} must stop", why.words(), words::names(&listed(awaiting)))
            }
            Phase::Stopping { run, why, .. } if self.is_unkillable() => match run.pid {
                Some(pid) => {
                    let hangs = "it hangs in the kernel, most likely in a driver";
                    format!("{}; it outlives SIGKILL (pid {pid}): {hangs}", why.words())
                }
                None => format!("{}; it outlives SIGKILL: {LOADS_SLOWLY}", why.words()),
            },
            Phase::Stopping { why, .. } => why.words(),
            Phase::Leasing { .. } | Phase::Slotting => self.last_stop.clone().unwrap_or_default(),
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

    fn waiting_for(&self) -> Waiting {
        match &self.phase {
            Phase::Leasing { blockers, .. } if blockers.is_empty() => Waiting::Leases(vec![Blocker::Preparing]),
            Phase::Leasing { blockers, .. } => Waiting::Leases(blockers.clone()),
            Phase::Slotting => Waiting::Slot,
            Phase::Leaving { awaiting, .. } => Waiting::Stops(listed(awaiting)),
            Phase::Idle if self.rest == Rest::Fresh && self.reason_not_wanted().is_none() => {
                let missing = self.needs.missing();
                if missing.is_empty() { Waiting::Nothing } else { Waiting::Needs(missing) }
            }
            _ => Waiting::Nothing,
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
                Rest::Fresh => {
                    let missing = self.needs.missing().first;
                    missing.iter().map(|missing| format!("See `mainstay why {}`.", missing.need)).collect()
                }
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

fn own(words: &str) -> Matter {
    Matter::Own(words.into())
}

fn listed(names: &BTreeSet<ServiceName>) -> Listed<ServiceName> {
    Listed::of(names.iter().cloned(), names.len())
}

pub(super) fn join(blockers: &[Blocker]) -> String {
    blockers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
