//! The services a service depends on: whether they are met, missing, or lost.

use std::collections::BTreeMap;

use mainstay_config::model::{Dependency, OnReturn};
use mainstay_config::names::ServiceName;

use super::machine::Out;
use super::messages::{Next, Standing};
use super::state::{Ignoring, ServiceTimer};
use crate::machine::{Effect, Moment};

/// One dependency.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) dependency: Dependency,
    pub(super) standing: Standing,
    loss: Loss,
    wait: Wait,
}

/// Whether a required service that is down counts as lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// It is not down, or this service does not run.
    No,
    /// It is down, and there is still time for it to come back: until then.
    Counting(Moment),
    /// It is lost.
    Lost,
}

/// The wait for a service that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    NotBegun,
    Counting,
    Over,
}

/// Whether the service that depends on others has a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dependent {
    Runs,
    Rests,
}

/// All dependencies of a service.
#[derive(Debug, Clone)]
pub(super) struct Needs(BTreeMap<ServiceName, Need>);

impl Needs {
    pub(super) fn new(dependencies: &BTreeMap<ServiceName, Dependency>) -> Self {
        let need = |dependency: &Dependency| Need {
            dependency: *dependency,
            standing: Standing::Unknown,
            loss: Loss::No,
            wait: Wait::NotBegun,
        };
        Self(dependencies.iter().map(|(name, dependency)| (name.clone(), need(dependency))).collect())
    }

    /// Only how each stands.
    pub(super) fn reduced(&self) -> Self {
        let reduced = |need: &Need| Need { loss: Loss::No, wait: Wait::NotBegun, ..need.clone() };
        Self(self.0.iter().map(|(name, need)| (name.clone(), reduced(need))).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ServiceName, &Need)> {
        self.0.iter()
    }

    /// Notes how a service stands. Answers whether an optional service has come back for which a restart is configured.
    pub(super) fn heard(
        &mut self,
        now: Moment,
        name: &ServiceName,
        standing: Standing,
        dependent: Dependent,
        out: &mut Out,
    ) -> OnReturn {
        let Some(need) = self.0.get_mut(name) else { return OnReturn::Keep };
        let came_back = standing == Standing::Up && need.standing != Standing::Up;
        // After a restart of the actor nothing is known yet: hearing of it is no return.
        let returned = came_back && need.standing != Standing::Unknown;
        need.standing = standing;
        if came_back {
            need.forget_waits(name, out);
        }
        match need.dependency {
            Dependency::Required { lost_after, .. } => match need.standing {
                Standing::Up => {}
                Standing::Leaving { .. } => need.loss = Loss::Lost,
                // Nothing brings it back by itself.
                Standing::Held(_) if dependent == Dependent::Runs && need.loss != Loss::Lost => {
                    out.push(Effect::CancelTimer(ServiceTimer::Lost(name.clone())));
                    need.loss = Loss::Lost;
                }
                _ if dependent == Dependent::Rests || need.loss != Loss::No => {}
                _ if lost_after.is_zero() => need.loss = Loss::Lost,
                _ => {
                    need.loss = Loss::Counting(now + lost_after);
                    out.push(Effect::SetTimer(ServiceTimer::Lost(name.clone()), lost_after));
                }
            },
            Dependency::Optional { on_return, .. } if returned && dependent == Dependent::Runs => return on_return,
            Dependency::Optional { .. } | Dependency::Soft => {}
        }
        OnReturn::Keep
    }

    /// A required service has been down too long.
    pub(super) fn count_as_lost(&mut self, name: &ServiceName) -> bool {
        match self.0.get_mut(name) {
            Some(need) if matches!(need.loss, Loss::Counting(_)) => {
                need.loss = Loss::Lost;
                true
            }
            _ => false,
        }
    }

    /// A wait is over.
    pub(super) fn waited(&mut self, name: &ServiceName) -> bool {
        match self.0.get_mut(name) {
            Some(need) if need.wait == Wait::Counting => {
                need.wait = Wait::Over;
                true
            }
            _ => false,
        }
    }

    /// Begins the waits that a start needs: for optional services that are coming, and to say so when a required one is late.
    pub(super) fn set_waits(&mut self, out: &mut Out) {
        for (name, need) in &mut self.0 {
            if need.standing == Standing::Up || need.wait != Wait::NotBegun {
                continue;
            }
            match need.dependency {
                Dependency::Required { timeout, .. } => {
                    need.wait = Wait::Counting;
                    out.push(Effect::SetTimer(ServiceTimer::Late(name.clone()), timeout));
                }
                Dependency::Optional { timeout, .. } => {
                    need.wait = Wait::Counting;
                    out.push(Effect::SetTimer(ServiceTimer::Optional(name.clone()), timeout));
                }
                Dependency::Soft => {}
            }
        }
    }

    /// The service has stopped: nothing is lost any more, and the next start waits anew.
    pub(super) fn stopped(&mut self, out: &mut Out) {
        for (name, need) in &mut self.0 {
            need.forget_waits(name, out);
        }
    }

    /// Whether nothing keeps the service from starting.
    pub(super) fn are_met(&self) -> bool {
        self.0.values().all(Need::is_met)
    }

    /// Whether every service that it cannot be without is there.
    pub(super) fn required_are_met(&self) -> bool {
        let required = |need: &&Need| matches!(need.dependency, Dependency::Required { .. });
        self.0.values().filter(required).all(Need::is_met)
    }

    /// Whether every service that it cannot be without is there, or is just being restarted.
    pub(super) fn required_are_returning(&self) -> bool {
        let required = |need: &&Need| matches!(need.dependency, Dependency::Required { .. });
        self.0.values().filter(required).all(Need::is_returning)
    }

    /// What is still waited for, in words.
    pub(super) fn missing(&self) -> Vec<String> {
        let late = |need: &Need| match need.dependency {
            Dependency::Required { timeout, .. } if need.wait == Wait::Over => {
                format!(" (for longer than {})", humantime::format_duration(timeout))
            }
            _ => String::new(),
        };
        let words = |(name, need): (&ServiceName, &Need)| format!("{name}: {}{}", need.standing, late(need));
        self.0.iter().filter(|(_, need)| !need.is_met()).map(words).collect()
    }

    /// The same for those that depend on the service in their turn: how long it waits is its own affair.
    pub(super) fn missing_to_others(&self) -> String {
        let words = |(name, need): (&ServiceName, &Need)| format!("{name}: {}", need.standing);
        self.0.iter().filter(|(_, need)| !need.is_met()).map(words).collect::<Vec<_>>().join("; ")
    }

    /// The names of those that are still waited for.
    pub(super) fn missing_names(&self) -> impl Iterator<Item = &ServiceName> {
        self.0.iter().filter(|(_, need)| !need.is_met()).map(|(name, _)| name)
    }

    /// Whether everything that is missing is on its way.
    pub(super) fn are_coming(&self) -> bool {
        let coming = |need: &Need| {
            matches!(need.standing, Standing::Up | Standing::Starting(_) | Standing::Coming(_) | Standing::Unknown)
        };
        self.0.values().all(|need| need.is_met() || coming(need))
    }

    /// What it requires that is not meant to run, in words.
    pub(super) fn held(&self) -> Option<String> {
        let required = |need: &Need| matches!(need.dependency, Dependency::Required { .. });
        let held = |need: &Need| required(need) && matches!(need.standing, Standing::Held(_));
        let (name, need) = self.0.iter().find(|(_, need)| held(need))?;
        Some(format!("{name}, which is not meant to run: {}", need.standing))
    }

    /// Why the service must stop: a required service is lost.
    pub(super) fn lost(&self) -> Option<String> {
        let (name, need) = self.0.iter().find(|(_, need)| need.loss == Loss::Lost)?;
        Some(match &need.standing {
            Standing::Leaving { why, .. } => format!("{name} stops: {why}"),
            standing => format!("{name} is lost: {standing}"),
        })
    }

    /// What it runs without, in words: optional services, and required ones by the operator's word.
    pub(super) fn degraded(&self, ignoring: Ignoring) -> Vec<String> {
        let missing = self.0.iter().filter(|(_, need)| need.standing != Standing::Up);
        let words = |(name, need): (&ServiceName, &Need)| match need.dependency {
            Dependency::Optional { .. } => Some(format!("{name}: {}", need.standing)),
            Dependency::Required { .. } if ignoring == Ignoring::Yes => {
                Some(format!("{name}: {} (it is required; started with --ignore-needs)", need.standing))
            }
            Dependency::Required { .. } | Dependency::Soft => None,
        };
        missing.filter_map(words).collect()
    }
}

impl Need {
    fn is_met(&self) -> bool {
        match self.dependency {
            Dependency::Required { .. } => self.standing == Standing::Up,
            Dependency::Optional { .. } => match self.standing {
                Standing::Unknown | Standing::Starting(_) | Standing::Coming(_) => self.wait == Wait::Over,
                Standing::Up | Standing::Leaving { .. } | Standing::Down(_) | Standing::Held(_) => true,
            },
            // Order only: it is let go first when it is on its way.
            Dependency::Soft => {
                !matches!(self.standing, Standing::Unknown | Standing::Starting(_) | Standing::Coming(_))
            }
        }
    }

    fn is_returning(&self) -> bool {
        match self.standing {
            Standing::Up | Standing::Starting(_) | Standing::Leaving { next: Next::Restart, .. } => true,
            Standing::Leaving { next: Next::Rest, .. } => false,
            Standing::Unknown | Standing::Coming(_) | Standing::Down(_) | Standing::Held(_) => false,
        }
    }

    fn forget_waits(&mut self, name: &ServiceName, out: &mut Out) {
        if let Loss::Counting(_) = self.loss {
            out.push(Effect::CancelTimer(ServiceTimer::Lost(name.clone())));
        }
        if self.wait == Wait::Counting {
            out.push(Effect::CancelTimer(match self.dependency {
                Dependency::Optional { .. } => ServiceTimer::Optional(name.clone()),
                Dependency::Required { .. } | Dependency::Soft => ServiceTimer::Late(name.clone()),
            }));
        }
        self.loss = Loss::No;
        self.wait = Wait::NotBegun;
    }
}
