//! Simulated readiness probes, under the real rules of when it is looked again and what is said: looks are slow, or are given up.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use mainstay_hardware::watched::PAUSE;

use super::commands::Check;
use super::death::ports;
use super::table::{Life, MILLISECOND, Tree};
use super::{Consequences, Environment, Event, Lie, Saying};
use crate::action::not_ready::{self, NotReady};
use crate::action::probe::{ProbeEvent, ProbeOrder, ProbeTarget, Sight};
use crate::action::process::RunId;
use crate::effect::ports::Whose;
use crate::effect::probe::own::judged;
use crate::effect::probe::watching::{Next, WORTH_A_WORD, Watching};
use crate::message::Moment;

/// A run that is looked at.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) watching: Watching,
    /// It is looked at by a command.
    pub(super) check: Option<Check>,
    /// Whose looks are those of an earlier watch is told by this.
    pub(super) number: u64,
    /// The task that looks panics over the next thing that it decides to say.
    stumbles: Option<Stumbles>,
}

/// When a task panics over something that it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stumbles {
    /// It was decided, and is not said.
    Before,
    /// It was said, and that is not known.
    After,
}

/// Whether a task that looks goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    GoesOn,
    IsGone,
}

impl Watch {
    /// What is true of it stays true; what is known of it is this.
    pub(super) fn knowing(watching: Watching, before: Option<&Self>, number: u64) -> Self {
        match before {
            Some(before) => Self { watching, check: before.check.clone(), ..*before },
            None => Self { watching, check: None, number, stumbles: None },
        }
    }
}

/// How far a look is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum LookStage {
    Begins,
    IsSlow,
    Ends,
    IsGivenUp,
    /// This command takes too long.
    IsTooSlow(RunId),
}

fn nobody_listens() -> NotReady {
    NotReady::Refused(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)))
}

impl Environment {
    pub(super) fn watch(&mut self, order: &ProbeOrder, so: &mut Consequences) {
        let run = order.run;
        // One that is over, or does not run yet, is not watched.
        if self.executor.log_end(run).is_none() {
            return;
        }
        self.give_up_check(run, so);
        self.watches += 1;
        let number = self.watches;
        let check = match &order.target {
            ProbeTarget::Exec { command, .. } => Some(Check::of((**command).clone())),
            _ => None,
        };
        self.watched.insert(run, Watch { watching: Watching::new(order), check, number, stumbles: None });
        so.later.push((self.now, Event::Look(run, number, LookStage::Begins), None));
    }

    pub(super) fn look(&mut self, run: RunId, number: u64, stage: LookStage, so: &mut Consequences) {
        let answered = self.answered(run);
        let Some(watch) = self.watched.get_mut(&run).filter(|watch| watch.number == number) else { return };
        let watching = &mut watch.watching;
        match stage {
            LookStage::Begins if watch.check.is_some() => self.begin_check(run, number, so),
            LookStage::IsTooSlow(command) => self.check_is_too_slow(run, number, command, so),
            LookStage::Begins => {
                let hangs = self.random.happens(self.weather.probes_hang);
                let (wait, end) = if hangs {
                    (watching.timeout(), LookStage::IsGivenUp)
                } else {
                    (self.random.between(MILLISECOND, MILLISECOND * 50), LookStage::Ends)
                };
                if wait > WORTH_A_WORD {
                    so.later.push((self.now + WORTH_A_WORD, Event::Look(run, number, LookStage::IsSlow), None));
                }
                so.later.push((self.now + wait, Event::Look(run, number, end), None));
            }
            LookStage::IsSlow => {
                if let Some(event) = watching.is_slow(NotReady::Waiting(not_ready::Awaited::default())) {
                    self.say_of(run, event, so);
                }
            }
            LookStage::Ends => {
                let next = watching.seen(answered);
                self.go_on(run, number, next, so);
            }
            LookStage::IsGivenUp => {
                let (stage, waited) = (not_ready::Awaited::default(), watching.timeout());
                let next = watching.seen(Err(NotReady::TooSlow { stage, waited }));
                self.go_on(run, number, next, so);
            }
        }
    }

    /// What is seen of a run. On a port of its own, somebody else may be the one who answers.
    pub(super) fn answered(&self, run: RunId) -> Result<Sight, NotReady> {
        let port = self.tree(run).and_then(|tree| ports(tree).first().copied());
        let place = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let foreign = port.filter(|port| self.foreign.contains(port)).and_then(|port| self.listener(port));
        match (place, foreign) {
            (Some(place), Some(listener)) => {
                judged(place, Sight::TakesConnections(place), Ok(Whose::Foreign(listener)))
            }
            _ if !self.table().is_ready(run) => Err(nobody_listens()),
            (Some(place), None) => judged(place, Sight::TakesConnections(place), Ok(Whose::Own)),
            _ => Ok(Sight::FileExists("/run/simulated".into())),
        }
    }

    /// Since when a program runs, and no part of it was told to end by anybody.
    #[must_use]
    pub fn runs_since(tree: &Tree) -> Option<Moment> {
        tree.born.filter(|_| !tree.orphaned && tree.swept.is_none() && tree.life == Life::Alive)
    }

    /// For how long a program has been ready that goes on, and may be believed to be: no stranger listens where it is looked.
    #[must_use]
    pub fn ready_for(&self, tree: &Tree) -> Option<Duration> {
        let is_masked = ports(tree).iter().any(|port| self.foreign.contains(port));
        let since = tree.ready_at.filter(|since| *since <= self.now && !tree.orphaned && !is_masked)?;
        Some(self.now.since(since))
    }

    /// The task panics that looks at some run, and begins anew: in the midst of a look, or over the next thing that it says.
    pub(in crate::world) fn probe_panics(&mut self, so: &mut Consequences) {
        let Some(run) = self.random.choose(&self.watched()).copied() else { return };
        let stumbles = self.random.choose(&[None, Some(Stumbles::Before), Some(Stumbles::After)]).copied().flatten();
        match (stumbles, self.watched.get_mut(&run)) {
            (Some(_), Some(watch)) => watch.stumbles = stumbles,
            _ => self.look_anew(run, so),
        }
    }

    /// What was said last is known, what was seen is not.
    fn look_anew(&mut self, run: RunId, so: &mut Consequences) {
        self.give_up_check(run, so);
        self.watches += 1;
        let number = self.watches;
        if let Some(watch) = self.watched.get_mut(&run) {
            (watch.number, watch.stumbles) = (number, None);
            so.later.push((self.now + PAUSE, Event::Look(run, number, LookStage::Begins), None));
        }
    }

    pub(super) fn go_on(&mut self, run: RunId, number: u64, next: Next, so: &mut Consequences) {
        let Next { say, again } = next;
        if say.is_some_and(|event| self.say_of(run, event, so) == Task::IsGone) {
            return;
        }
        match again {
            Some(pause) => {
                let at = self.now + pause.max(Duration::from_micros(1));
                so.later.push((at, Event::Look(run, number, LookStage::Begins), None));
            }
            None => drop(self.watched.remove(&run)),
        }
    }

    /// What was decided is said; mainstay may be killed over it, or the task panic that looks.
    fn say_of(&mut self, run: RunId, event: ProbeEvent, so: &mut Consequences) -> Task {
        let forgets = self.table().lie == Some(Lie::SeenIsSaid);
        let is_killed = self.executor.kernel_mut().is_killed();
        let Some(watch) = self.watched.get_mut(&run).filter(|_| !is_killed) else { return Task::IsGone };
        let stumbles = watch.stumbles.take();
        if stumbles.is_none() || forgets {
            watch.watching.said(&event);
        }
        let is_over = forgets && matches!(event, ProbeEvent::Ready(_));
        if stumbles != Some(Stumbles::Before) {
            so.said.push(Saying::Probe(run, event));
        }
        match stumbles {
            None => return Task::GoesOn,
            Some(_) if is_over => drop(self.watched.remove(&run)),
            Some(_) => self.look_anew(run, so),
        }
        Task::IsGone
    }
}
