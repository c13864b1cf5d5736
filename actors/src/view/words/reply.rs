//! What operators are answered.

use super::device::rivals_cure;
use super::service::waiting;
use crate::cause::{Matter, Missing};
use crate::message::{Before, Moment, NextStep, Reply, Restart, Start, Stop};

/// What was done, or why not: a sentence. `root` finds what a service that is missing waits for in its turn.
pub fn reply(reply: &Reply, now: Moment, root: impl Fn(&Missing) -> Option<Missing>) -> String {
    match reply {
        Reply::Start(name, start) => match start {
            Start::Running => format!("{name} is running already"),
            Start::Starting => format!("{name} is starting already"),
            Start::GoesOnWithout => {
                format!("{name} is up already, and is not stopped for what it requires")
            }
            Start::WithNeeds => format!("{name} is wanted up, with what it needs"),
            Start::Wanted(next) => format!("{name} is wanted up: it {}", next_step(next, now, root)),
        },
        Reply::Stop(name, stop) => match stop {
            Stop::Held => format!("{name} is held already"),
            Stop::AtRest => format!("{name} does not run, and is held until `mainstay start {name}`"),
            Stop::Stopping => format!("{name} is stopping, and is held until `mainstay start {name}`"),
            Stop::DependentsFirst => {
                format!("{name} is stopping, its dependents first, and is held until `mainstay start {name}`")
            }
        },
        Reply::Restart(name, restart) => match restart {
            Restart::Restarting => format!("{name} is restarting"),
            Restart::DependentsFirst => format!("{name} is restarting, its dependents first"),
            Restart::From(was, next) => format!("{name} {was}, and it {}", next_step(next, now, root)),
        },
        Reply::Closing(name) => format!("mainstay is stopping: {name} is not started any more"),
        Reply::CannotRun(name, failed) => format!("{name} cannot run: {failed}"),
        Reply::HeldNeed(name, missing @ Missing { need, standing, .. }) => match (root(missing), standing.matter()) {
            (Some(Missing { need: last, standing, .. }), _) => {
                format!("{name} requires {need}, which waits for {last}, which is not meant to run: {standing}")
            }
            (None, Some(Matter::Needs)) => {
                format!("{name} requires {need}, which waits for something that is not meant to run")
            }
            (None, _) => format!("{name} requires {need}, which is not meant to run: {standing}"),
        },
        Reply::Ejected(name) => format!("{name} is ejected: out of use until `mainstay admit {name}`"),
        Reply::EjectedAlready(name) => format!("{name} is already ejected"),
        Reply::Admitted(name) => format!("{name} is taken back and looked at"),
        Reply::AdmittedAbsent(name) => format!("{name} is taken back; it is not plugged in"),
        Reply::NothingToAdmit(name, status) => format!("{name} is {}: there is nothing to admit", status.as_str()),
        Reply::Undecided(name, rivals) => format!("{name}: {rivals}"),
        Reply::Taken(name) => format!("{name}: what fits it is taken"),
        Reply::Panicked(actor) => {
            format!("{actor} panicked over this and is being restarted: it may be done in part, or not at all")
        }
    }
}

/// What to do next, where something was refused.
#[must_use]
pub fn reply_help(reply: &Reply) -> Option<String> {
    Some(match reply {
        Reply::Closing(_) => "wait until it has ended, and run it again".to_owned(),
        Reply::CannotRun(..) => "take that out of its configuration, or wait for a version that knows it".to_owned(),
        Reply::HeldNeed(name, Missing { need, .. }) => format!(
            "`mainstay start {name} --with-needs` starts what it needs as well; `--ignore-needs` starts {name} without {need}"
        ),
        Reply::Undecided(name, rivals) => rivals_cure(rivals, name),
        Reply::NothingToAdmit(..) => "only an ejected, faulted or quarantined device can be admitted".to_owned(),
        Reply::Panicked(_) => "see `mainstay status`, and ask again".to_owned(),
        _ => return None,
    })
}

fn next_step(next: &NextStep, now: Moment, root: impl Fn(&Missing) -> Option<Missing>) -> String {
    match next {
        NextStep::WhenStopped => "starts when it has stopped and has all it needs".to_owned(),
        NextStep::Waits(what) => format!("waits for {}", waiting(what, now, root).join("; ")),
        NextStep::Starts => "starts".to_owned(),
        NextStep::WhenLeased => "starts as soon as it has what it leases".to_owned(),
    }
}

in_words! {
    Before, f:
    Self::HeldAndStopping => "was held and is still stopping; it is wanted again",
    Self::Held => "was held; it is wanted again",
    Self::Stopping => "is stopping already",
    Self::NotWanted => "was not meant to run; it is wanted now",
    Self::FailedAnew => "had failed; its attempts count anew",
    Self::FailedOnceMore => "had failed; it is tried once more",
    Self::Ended => "had ended",
    Self::Backoff => "waits no longer before it is started again",
    Self::Waiting => "does not run yet: there is nothing to stop",
}
