//! How services stand, what they wait for, and why they stop.

use mainstay_config::names::ServiceName;

use super::more;
use crate::cause::{Listed, Loss, Matter, Missing, Origin, Requirement, Standing};
use crate::machine::Moment;
use crate::service::{START_SLOT, Waiting};

/// How a service stands, in words that follow "gpsd:".
#[must_use]
pub fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Unknown => "not heard of yet".to_owned(),
        Standing::Up => "running".to_owned(),
        Standing::Coming(matter) | Standing::Down(matter) | Standing::Held(matter) => match matter {
            Matter::Starting => "starting".to_owned(),
            Matter::Needs => "waiting for what it needs".to_owned(),
            Matter::Stopping(origin) => format!("stopping: {}", origin.what),
            Matter::Own(words) => words.to_string(),
        },
        Standing::Leaving { why, .. } => format!("about to stop: {}", why.what),
    }
}

/// Why a service must stop that requires another.
#[must_use]
pub fn lost(need: &ServiceName, how: Loss, Origin { who, what }: &Origin) -> String {
    let how = match how {
        Loss::Stops => "stops",
        Loss::Down => "is lost",
    };
    if who == need { format!("{need} {how}: {what}") } else { format!("{need} {how}: {who} stops: {what}") }
}

/// What is needed and not there; `root` is what it waits for in its turn.
#[must_use]
pub fn missing(missing: &Missing, root: Option<&Missing>, now: Moment) -> String {
    let Missing { need, standing: is, patience, .. } = missing;
    let is = match (root, is) {
        (Some(root), Standing::Held(_)) => {
            format!("waiting for {}, which is not meant to run: {}", root.need, standing(&root.standing))
        }
        (Some(root), _) => format!("waiting for {}: {}", root.need, standing(&root.standing)),
        (None, is) => standing(is),
    };
    let late = match patience {
        Some((since, timeout)) if now.since(Moment::after_boot(*since)) >= *timeout => {
            format!(" (for longer than {})", humantime::format_duration(*timeout))
        }
        _ => String::new(),
    };
    format!("{need}: {is}{late}")
}

/// What a service runs without.
#[must_use]
pub fn without(degraded: &Listed<Missing>) -> String {
    let words = |missing: &Missing| {
        let is = standing(&missing.standing);
        match missing.requirement {
            Requirement::Required => format!("{}: {is} (it is required; started with --ignore-needs)", missing.need),
            Requirement::Optional => format!("{}: {is}", missing.need),
        }
    };
    let mut all: Vec<String> = degraded.first.iter().map(words).collect();
    more(&mut all, degraded.more);
    format!("without {}", all.join("; "))
}

/// Names, one after the other.
#[must_use]
pub fn names(names: &Listed<ServiceName>) -> String {
    let mut all: Vec<String> = names.first.iter().map(ToString::to_string).collect();
    more(&mut all, names.more);
    all.join(", ")
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
        Waiting::Leases(blockers) => blockers.iter().map(ToString::to_string).collect(),
        Waiting::Slot => vec![START_SLOT.to_owned()],
        Waiting::Stops(names) => {
            let mut words: Vec<String> = names.first.iter().map(|name| format!("{name} to stop")).collect();
            more(&mut words, names.more);
            words
        }
    }
}
