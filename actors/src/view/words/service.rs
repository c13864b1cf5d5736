//! How services stand, what they wait for, why they stop and fail, and what helps.

use mainstay_config::counted;
use std::fmt;

use humantime::format_duration;

use super::process::LOADS_SLOWLY;
use super::{blocker_cure, each, listed, more};
use crate::cause::{
    Asked, End, Failed, Failure, HowLost, Listed, Matter, Missing, NotWanted, Origin, Reason, Requirement, Root, Said,
    Standing, Why,
};
use crate::message::Moment;
use crate::message::service::{ServiceSnapshot, ServiceStatus, Waiting};

in_words! {
    /// In words that follow "gpsd:".
    Standing, f:
    Self::Unknown => "not heard of yet",
    Self::Up => "running",
    Self::Starting(matter) | Self::Coming(matter) | Self::Down(matter) | Self::Held(matter) => "{matter}",
    Self::Leaving { why, .. } => ("about to stop: {}", why.what),
}

in_words! {
    Matter, f:
    Self::Starting => "starting",
    Self::Needs => "waiting for what it needs",
    Self::Stopping(origin) => ("stopping: {}", origin.what),
    Self::Leasing => "being given its leases",
    Self::Blocked(waits) => ("waiting for {}", listed(waits, "; ")),
    Self::Failing(failure) => "{failure}",
    Self::Restarting(failure) => "to be restarted: {failure}",
    Self::Failed(failed) => "failed: {failed}",
    Self::NotWanted(why) => "{why}",
    Self::Ended(exit) => "stopped: it ended: {exit}",
}

in_words! {
    Root, f:
    Self::Asked(asked) => "{asked}",
    Self::Failed(failure) => "{failure}",
    Self::At(matter) => "{matter}",
    Self::Unknown => "not heard of",
}

in_words! {
    NotWanted, f:
    Self::Closing => "mainstay is stopping",
    Self::Stopped => "stopped by the operator",
    Self::NoAutostart => "it starts only when told to (autostart = false)",
}

in_words! {
    Failure, f:
    Self::Ended(end) => "it ended: {end}",
    Self::Unready(end) => "it ended before it was ready: {end}",
    Self::Spawn(failure) => "{failure}",
    Self::Refused(refusal) => "{refusal}",
    Self::Unfillable(variable) => "its command needs {variable}, which the leased device does not have",
    Self::ProbeUnfillable(variable) => "its readiness probe needs {variable}, which it does not have",
    Self::NotReady { within, extended, said } => {
        write!(f, "not ready within {}", format_duration(*within))?;
        if let Some(more) = extended {
            write!(f, ", nor within the {} more that it asked for last", format_duration(*more))?;
        }
        if said.is_something() { write!(f, ": {said}") } else { Ok(()) }
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exit, said } = self;
        match &said.words {
            _ if said.is_empty() => exit.fmt(f),
            Some(words) if !words.is_empty() => write!(f, "{exit} (it said: {said})"),
            _ => write!(f, "{exit} ({said})"),
        }
    }
}

in_words! {
    Failed, f:
    Self::NotInThisVersion(parts) => {
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        write!(f, "not in this version: {}", parts.join(", "))
    },
    Self::NeverRestarted(failure) => "{failure}; restart.when = \"never\"",
    Self::Hopeless(failure) => "{failure}",
    Self::GivenUp { failure, attempts: 1 } => "{failure}; given up after 1 restart",
    Self::GivenUp { failure, attempts } => ("{failure}; given up after {}", counted(*attempts, "restart", "restarts")),
}

in_words! {
    Said, f:
    Self::Nothing => "",
    Self::NotToldReady => "it has not said READY=1 on its notification socket",
    Self::LoadsSlowly => ("{LOADS_SLOWLY}"),
    Self::NotYet(why) => "{why}",
    Self::Status(status) => "{status}",
}

in_words! {
    Asked, f:
    Self::NotWanted(why) => "{why}",
    Self::Withdrawn(withdrawal) => "{withdrawal}",
    Self::Returned(name) => "{name} is back, and on_return = \"restart\"",
    Self::Restart => "the operator asked for a restart",
}

in_words! {
    Why, f:
    Self::Asked(asked) => "{asked}",
    Self::Failed(failure) | Self::Died(failure) => "{failure}",
    Self::Lost { need, how, origin: Origin { who, what } } => {
        let how = match how {
            HowLost::Stops => "stops",
            HowLost::Down => "is lost",
        };
        if who == need {
            write!(f, "{need} {how}: {what}")
        } else {
            write!(f, "{need} {how}: {who} stops: {what}")
        }
    },
}

/// The same, with the dependents that it did not wait for when it stopped.
pub fn service_reason(shown: &ServiceSnapshot, root: impl Fn(&Missing) -> Option<Missing>) -> String {
    let reason = reason(&shown.reason, root);
    if shown.left.is_empty() || reason.is_empty() {
        return reason;
    }
    let mut left: Vec<String> = shown.left.first.iter().map(ToString::to_string).collect();
    more(&mut left, shown.left.more);
    format!("{reason}; {} outlived SIGKILL and was not waited for", left.join(", "))
}

/// Why a service is as it is, in words; empty when there is nothing to say. `root` finds what a service that is missing
/// waits for in its turn.
pub fn reason(reason: &Reason, root: impl Fn(&Missing) -> Option<Missing>) -> String {
    match reason {
        Reason::Nothing => String::new(),
        Reason::Says(said) => said.to_string(),
        Reason::Without(missing) => without(missing, root),
        Reason::NotReady(said) if said.is_something() => format!("not ready yet: {said}"),
        Reason::NotReady(_) => "not ready yet".to_owned(),
        Reason::Leaving { why, first } => format!("{why}; first {} must stop", listed(first, ", ")),
        Reason::Stopping { why, said } if !said.is_empty() => format!("{why}; it says: {said}"),
        Reason::Stopping { why, .. } | Reason::Stopped(why) => why.to_string(),
        Reason::Unkillable { why, pid: Some(pid) } => {
            format!("{why}; it outlives SIGKILL (pid {pid}): it hangs in the kernel, in a driver or over a disk, say")
        }
        Reason::Unkillable { why, pid: None } => format!("{why}; it outlives SIGKILL: {LOADS_SLOWLY}"),
        Reason::Failed(failed) => failed.to_string(),
        Reason::NotWanted(why) => why.to_string(),
        Reason::Ended(exit) => format!("it ended: {exit}"),
        Reason::Backoff { failure, attempt, of } => format!("{failure}; restart {attempt} of {of}"),
    }
}

/// What a service runs without.
fn without(degraded: &Listed<Missing>, root: impl Fn(&Missing) -> Option<Missing>) -> String {
    let words = |missing: &Missing| {
        let is = stands(missing, root(missing).as_ref());
        match missing.requirement {
            Requirement::Required => format!("{}: {is} (it is required; started with --ignore-needs)", missing.need),
            Requirement::Optional => format!("{}: {is}", missing.need),
        }
    };
    let mut all: Vec<String> = degraded.first.iter().map(words).collect();
    more(&mut all, degraded.more);
    format!("without {}", all.join("; "))
}

/// How a service stands that is missing; `root` is what it waits for in its turn.
fn stands(missing: &Missing, root: Option<&Missing>) -> String {
    match (root, &missing.standing) {
        (Some(root), Standing::Held(_)) => {
            format!("waiting for {}, which is not meant to run: {}", root.need, root.standing)
        }
        (Some(root), _) => format!("waiting for {}: {}", root.need, root.standing),
        (None, standing) => standing.to_string(),
    }
}

/// What is needed and not there; `root` is what it waits for in its turn.
#[must_use]
pub fn missing(missing: &Missing, root: Option<&Missing>, now: Moment) -> String {
    let late = match &missing.patience {
        Some((since, timeout)) if now.since(Moment::after_boot(*since)) >= *timeout => {
            format!(" (for longer than {})", format_duration(*timeout))
        }
        _ => String::new(),
    };
    format!("{}: {}{late}", missing.need, stands(missing, root))
}

/// What a service waits for, each in words. `root` finds what a service that is waited for waits for in its turn.
pub fn waiting(waiting: &Waiting, now: Moment, root: impl Fn(&Missing) -> Option<Missing>) -> Vec<String> {
    match waiting {
        Waiting::Nothing => Vec::new(),
        Waiting::Needs(needs) => {
            let mut words: Vec<String> =
                needs.first.iter().map(|need| missing(need, root(need).as_ref(), now)).collect();
            more(&mut words, needs.more);
            words
        }
        Waiting::Leases(blockers) => each(blockers),
        Waiting::Slot => vec!["a start slot (max_parallel_starts)".to_owned()],
        Waiting::Stops(names) => {
            let mut words: Vec<String> = names.first.iter().map(|name| format!("{name} to stop")).collect();
            more(&mut words, names.more);
            words
        }
    }
}

/// What would make a service run, each a sentence.
#[must_use]
pub fn service_cures(shown: &ServiceSnapshot) -> Vec<String> {
    let name = &shown.name;
    let start = || format!("Say `mainstay start {name}`.");
    match (&shown.waiting_for, &shown.reason) {
        (Waiting::Leases(blockers), _) => return blockers.first.iter().filter_map(blocker_cure).collect(),
        (Waiting::Needs(needs), _) => {
            return needs.first.iter().map(|missing| format!("See `mainstay why {}`.", missing.need)).collect();
        }
        (_, Reason::Failed(Failed::NotInThisVersion(_))) => {
            return vec!["Take that out of its configuration, or wait for a version that knows it.".to_owned()];
        }
        (_, Reason::Failed(_)) => return vec![format!("Mend the cause, then say `mainstay restart {name} --force`.")],
        (_, Reason::NotWanted(_)) => return vec![start()],
        (_, Reason::Ended(_)) => return vec![format!("See `mainstay logs {name}` for what it printed."), start()],
        (_, Reason::Backoff { .. }) => return vec![format!("Wait, or say `mainstay restart {name}`.")],
        (_, Reason::Unkillable { pid: None, .. }) => {
            return vec!["Look after the disk that its program is on, or restart the machine.".to_owned()];
        }
        (_, Reason::Unkillable { pid: Some(pid), .. }) => {
            return vec![format!(
                "See what holds it (`cat /proc/{pid}/stack`): unplug the device that it uses, if it uses one, or restart the machine."
            )];
        }
        _ => {}
    }
    match shown.status {
        ServiceStatus::Starting => vec![format!("Wait, or see `mainstay logs {name}`.")],
        _ => Vec::new(),
    }
}
