//! Commands that readiness probes run: short-lived processes of mainstay's own, by the same executor as services,
//! because one reaper owns every child.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use mainstay_config::names::ServiceName;
use tokio::sync::oneshot;

use super::probe::exec::RunCommand;
use super::probe::loading::{Begins, Loading};
use super::process::{Processes, SERVICE};
use crate::action::not_ready::CommandFailure;
use crate::action::process::{
    Exit, Invocation, LogSearch, NotifySocket, ProcessEvent, RunId, SpawnFailure, SpawnOrder,
};

/// Runs with this bit belong to commands of checks; services never reach it.
const CHECK: u64 = 1 << 63;
/// Under this name their output is kept.
const NAME: &str = mainstay_config::names::READINESS_PROBES;

/// Whether a run is a command of a check.
pub(crate) fn is_command(run: RunId) -> bool {
    run.0 & CHECK != 0
}

/// The run of the command with this number.
pub(crate) fn run_of_command(number: u64) -> RunId {
    RunId(CHECK | number)
}

type Waiting = oneshot::Sender<Result<Exit, SpawnFailure>>;

/// Runs commands for probes.
#[derive(Default)]
pub(super) struct CheckCommands {
    processes: RefCell<Weak<Processes>>,
    waiting: Rc<RefCell<BTreeMap<RunId, Waiting>>>,
    loading: Rc<RefCell<Loading>>,
    next: RefCell<u64>,
}

impl CheckCommands {
    /// From now on commands are run by this executor.
    pub(super) fn begin(&self, processes: &Rc<Processes>) {
        *self.processes.borrow_mut() = Rc::downgrade(processes);
    }

    /// What became of such a command.
    pub(super) fn heard(&self, run: RunId, event: ProcessEvent) {
        self.loading.borrow_mut().heard(run, &event);
        let outcome = match event {
            ProcessEvent::SpawnFailed(failure) => Err(failure),
            ProcessEvent::MainExited { exit, .. } => {
                // What it left behind is of no use to anybody.
                if let Some(processes) = self.processes.borrow().upgrade() {
                    processes.sweep(run);
                }
                Ok(exit)
            }
            ProcessEvent::Spawned { .. }
            | ProcessEvent::LoadsSlowly
            | ProcessEvent::TreeGone
            | ProcessEvent::Notified(_) => return,
        };
        if let Some(waiting) = self.waiting.borrow_mut().remove(&run) {
            // The probe may have been cancelled.
            let _ = waiting.send(outcome);
        }
    }
}

impl RunCommand for CheckCommands {
    fn run(
        &self,
        checked: &ServiceName,
        mut program: Invocation,
        timeout: Duration,
    ) -> LocalBoxFuture<'static, Result<Exit, CommandFailure>> {
        // Its processes and its output are the checks' own; everything else is as the service has it.
        program.environment.insert(SERVICE.to_owned(), checked.to_string());
        let number = self.next.replace_with(|number| number.wrapping_add(1) & !CHECK);
        let run = run_of_command(number);
        let processes = self.processes.borrow().clone();
        let waiting = Rc::clone(&self.waiting);
        let (loading, checked) = (Rc::clone(&self.loading), checked.clone());
        async move {
            let (ended, outcome) = oneshot::channel();
            waiting.borrow_mut().insert(run, ended);
            let _command = Running { run, processes: processes.clone(), waiting };
            let nowhere = || CommandFailure::NotStarted(SpawnFailure::Ending);
            let processes = processes.upgrade().ok_or_else(nowhere)?;
            let service = ServiceName::new(NAME).map_err(|_| nowhere())?;
            let (notify, log) = (NotifySocket::Omit, LogSearch::Omit);
            if loading.borrow_mut().begin(&checked, run) == Begins::Now {
                processes.spawn(SpawnOrder { service, run, program, notify, log });
            }
            match tokio::time::timeout(timeout, outcome).await {
                Ok(Ok(outcome)) => outcome.map_err(CommandFailure::NotStarted),
                Ok(Err(_)) => Err(nowhere()),
                Err(_) => Err(CommandFailure::TooSlow(timeout)),
            }
        }
        .boxed_local()
    }
}

/// Kills a command that nobody waits for any more.
struct Running {
    run: RunId,
    processes: Weak<Processes>,
    waiting: Rc<RefCell<BTreeMap<RunId, Waiting>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let unfinished = self.waiting.borrow_mut().remove(&self.run).is_some();
        if let (true, Some(processes)) = (unfinished, self.processes.upgrade()) {
            processes.sweep(self.run);
        }
    }
}
