//! Invariant 10: when a part of mainstay is gone that is not begun anew, mainstay soon ends for that and for nothing else, and says so. Giving up,
//! it leaves the services alone.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Check, Checker, Verdict, View};
use crate::action::process::RunId;
use crate::effect::check_commands::is_command;
use crate::message::{ActorId, GaveUp, Moment};
use crate::world::environment::{Environment, Happening};

/// How long it may take to be heard: who tells it may be at a look.
const ENDS_WITHIN: Duration = Duration::from_secs(3);
/// What runs for so long has not ended by itself in its beginning.
const SETTLED: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct GivingUp {
    /// What is gone, and since when.
    lost: Option<(&'static str, Moment)>,
    panics: Vec<(Moment, ActorId)>,
    /// What has been told to end.
    signalled: BTreeSet<RunId>,
    /// What ran when it gave up, and was not told to end.
    ran: Vec<RunId>,
}

impl Checker for GivingUp {
    fn check(&self) -> Check {
        Check::GivingUp
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        let now = environment.now();
        match happening {
            Happening::Lost(part) => self.lost = Some((part, now)),
            Happening::Panicked(actor) => self.panics.push((now, actor.clone())),
            Happening::Signalled(run) => drop(self.signalled.insert(*run)),
            Happening::GivesUp(why) => {
                let settled = environment.trees().filter(|(run, tree)| {
                    let since = Environment::runs_since(tree);
                    !is_command(**run) && since.is_some_and(|since| now.since(since) > SETTLED)
                });
                self.ran = settled.map(|(run, _)| *run).filter(|run| !self.signalled.contains(run)).collect();
                let verdict = self.is_reason(why, now);
                // It has ended.
                self.lost = None;
                return verdict;
            }
            _ => {}
        }
        Ok(())
    }

    fn time_passed(&mut self, environment: &Environment) -> Verdict {
        match self.lost {
            Some((part, since)) if environment.now().since(since) > ENDS_WITHIN => {
                Err(format!("mainstay goes on without `{part}`"))
            }
            _ => Ok(()),
        }
    }

    fn given_up(&mut self, view: &View<'_>) -> Verdict {
        match self.ran.iter().find(|run| view.environment.tree(**run).is_none()) {
            Some(run) => Err(format!("run {} was killed when mainstay gave up", run.0)),
            None => Ok(()),
        }
    }
}

impl GivingUp {
    fn is_reason(&self, why: &GaveUp, now: Moment) -> Verdict {
        let is_so = match why {
            GaveUp::PartLost(lost) => self.lost.is_some_and(|(part, _)| part == lost.part),
            GaveUp::Panics { borne, within, last } => {
                let lately = |(at, _): &&(Moment, ActorId)| now.since(*at) <= *within;
                let last_of_all = self.panics.last().map(|(_, actor)| actor);
                last_of_all == Some(last) && self.panics.iter().filter(lately).count() > *borne
            }
        };
        if is_so { Ok(()) } else { Err(format!("mainstay gives up and says: {why}; it is not so")) }
    }
}
