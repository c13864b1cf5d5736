//! Simulated commands of readiness checks: short-lived programs under the executor's real rules, also of who is killed. Whoever looks waits
//! for the end of one; when he does not wait any more it is killed: it takes too long, the run is not looked at any more, or the task
//! has panicked that looks.

use mainstay_config::names::{READINESS_PROBES, ServiceName};

use super::probes::LookStage;
use super::table::{Course, MILLISECOND, Table};
use super::{Consequences, Environment, Event, Happening, Lie, Life};
use crate::action::not_ready::{CommandFailure, NotReady};
use crate::action::process::{Exit, Invocation, LogSearch, NotifySocket, ProcessEvent, RunId, SpawnOrder};
use crate::effect::check_commands::{is_command, run_of_command};
use crate::effect::probe::loading::Begins;

/// A command by which a run is looked at.
#[derive(Debug, Clone)]
pub(super) struct Check {
    program: Invocation,
    /// As long as it runs.
    at_work: Option<RunId>,
}

impl Check {
    pub(super) fn of(program: Invocation) -> Self {
        Self { program, at_work: None }
    }

    fn failed(&self, failure: CommandFailure) -> NotReady {
        NotReady::CommandFailed { command: self.program.argv.join(" "), failure }
    }
}

impl Environment {
    /// Begins to look by a command.
    pub(super) fn begin_check(&mut self, run: RunId, number: u64, so: &mut Consequences) {
        let Some(watch) = self.watched.get_mut(&run) else { return };
        let (Some(check), timeout) = (&mut watch.check, watch.watching.timeout()) else { return };
        let Ok(service) = ServiceName::new(READINESS_PROBES) else { return };
        self.commands += 1;
        let command = run_of_command(self.commands);
        check.at_work = Some(command);
        let (program, notify, log) = (check.program.clone(), NotifySocket::Omit, LogSearch::Omit);
        so.later.push((self.now + timeout, Event::Look(run, number, LookStage::IsTooSlow(command)), None));
        let Some(looked_at) = self.tree(run).map(|tree| tree.service.clone()) else { return };
        let begins = self.loading.begin(&looked_at, command);
        if begins == Begins::NotYet && self.table().lie != Some(Lie::LoadTogether) {
            return;
        }
        self.is_loaded_alone(looked_at, command, so);
        self.execute(so, |executor| executor.spawn(SpawnOrder { service, run: command, program, notify, log }));
    }

    fn is_loaded_alone(&mut self, looked_at: ServiceName, command: RunId, so: &mut Consequences) {
        let mut others = self.commands_of.iter().filter(|(_, service)| **service == looked_at);
        let is_loaded = |other: &RunId| self.tree(*other).is_some_and(|tree| tree.life == Life::Pending);
        if others.any(|(other, _)| is_loaded(other)) {
            so.happened.push(Happening::CommandsOverlap(looked_at.clone()));
        }
        self.commands_of.insert(command, looked_at);
    }

    /// What became of a command.
    pub(super) fn check_heard(&mut self, command: RunId, event: ProcessEvent, so: &mut Consequences) {
        self.loading.heard(command, &event);
        let outcome = match event {
            ProcessEvent::SpawnFailed(failure) => Err(CommandFailure::NotStarted(failure)),
            ProcessEvent::MainExited { exit, .. } => {
                // What it left behind is of no use to anybody.
                self.kill_command(command, so);
                Ok(exit)
            }
            _ => return,
        };
        let waits =
            self.watched.iter().find(|(_, watch)| watch.check.as_ref().is_some_and(|it| it.at_work == Some(command)));
        let Some((run, number)) = waits.map(|(run, watch)| (*run, watch.number)) else { return };
        let ready = self.answered(run);
        self.check_ends(
            run,
            number,
            |check| match outcome {
                Ok(Exit::Code(0)) => ready,
                Ok(exit) => Err(NotReady::CommandSaysNo { command: check.program.argv.join(" "), exit }),
                Err(failure) => Err(check.failed(failure)),
            },
            so,
        );
    }

    /// A command takes too long.
    pub(super) fn check_is_too_slow(&mut self, run: RunId, number: u64, command: RunId, so: &mut Consequences) {
        let Some(watch) = self.watched.get(&run) else { return };
        if watch.check.as_ref().is_some_and(|check| check.at_work == Some(command)) {
            let within = watch.watching.timeout();
            self.kill_command(command, so);
            self.check_ends(run, number, |check| Err(check.failed(CommandFailure::TooSlow(within))), so);
        }
    }

    fn check_ends(
        &mut self,
        run: RunId,
        number: u64,
        seen: impl FnOnce(&Check) -> Result<crate::action::probe::Sight, NotReady>,
        so: &mut Consequences,
    ) {
        let Some(watch) = self.watched.get_mut(&run) else { return };
        let Some(check) = &mut watch.check else { return };
        check.at_work = None;
        let next = watch.watching.seen(seen(check));
        self.go_on(run, number, next, so);
    }

    /// Nobody waits any more for the command by which a run is looked at.
    pub(super) fn give_up_check(&mut self, run: RunId, so: &mut Consequences) {
        let check = self.watched.get_mut(&run).and_then(|watch| watch.check.as_mut());
        if let Some(command) = check.and_then(|check| check.at_work.take()) {
            self.kill_command(command, so);
        }
    }

    fn kill_command(&mut self, command: RunId, so: &mut Consequences) {
        self.executor.kernel_mut().is_to_be_killed(command);
        self.execute(so, |executor| executor.sweep(command));
    }
}

impl Table {
    /// A command does what it is for, and ends; or hangs.
    pub(super) fn checks(&mut self, run: RunId) {
        let Some(pid) = self.trees.get(&run).filter(|_| is_command(run)).map(|tree| tree.pid) else { return };
        if !self.random.happens(self.weather.probes_hang) {
            let exit = Exit::Code(i32::from(self.random.happens(self.weather.never_ready)));
            self.within(MILLISECOND, MILLISECOND * 50, Course::Ends(run, pid, exit));
        }
    }
}
