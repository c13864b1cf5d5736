//! Readiness probes: each watches one run of a service until it is ready, and says why it is not.
//!
//! A probe is a task on the actor thread that looks again and again, never twice at once; what can block (file systems,
//! name servers) is looked at on a thread of its own. A probe that has seen "ready" has ended.

pub mod exec;

mod blocking;
mod connect;
mod credentials;
mod gpsd;
mod http;
mod http_response;
mod kismet;
pub(crate) mod loading;
mod log_file;
mod log_text;
mod look;
pub(crate) mod own;
mod pace;
mod progress;
mod reports;
#[cfg(test)]
mod tests;
pub(crate) mod watching;
mod words;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use tokio::task::AbortHandle;

use self::blocking::Threads;
use self::exec::RunCommand;
use self::look::Look;
use self::own::OwnLook;
use self::progress::Progress;
use self::watching::{Next, WORTH_A_WORD, Watching};
pub use super::process::keeper::LogEnd;
use super::watched::Watched;
use crate::action::not_ready::NotReady;
use crate::action::probe::{ProbeEvent, ProbeOrder};
use crate::action::process::RunId;

/// How many threads may look at files and names at once, for all probes together. When that many hang on dead disks
/// or name servers, further looks wait, and say so.
const THREADS: usize = 32;

type Say = Rc<dyn Fn(RunId, ProbeEvent)>;
type Running = Rc<RefCell<BTreeMap<RunId, Watch>>>;

/// A run that is looked at, and the task that does.
struct Watch {
    watching: Watching,
    task: AbortHandle,
}

/// All readiness probes of mainstay. Dropping it ends them.
pub struct Probes {
    log_dir: PathBuf,
    commands: Rc<dyn RunCommand>,
    threads: Threads,
    watched: Watched,
    say: Say,
    running: Running,
}

impl Probes {
    /// Probes that read logs in `log_dir`, run commands by `commands`, and tell `say` what they see. One that panics begins anew, and
    /// `watched` tells when that does not help.
    pub fn new(
        log_dir: PathBuf,
        commands: Rc<dyn RunCommand>,
        watched: Watched,
        say: impl Fn(RunId, ProbeEvent) + 'static,
    ) -> Self {
        let (threads, say) = (Threads::new(THREADS), Rc::new(say));
        Self { log_dir, commands, threads, watched, say, running: Running::default() }
    }

    /// Begins to watch a run, in place of what was watched for the same run before. The first look is taken at once.
    ///
    /// A log probe reads what was written after `since`, where the log ended just before the spawn: a program may have said that it is ready before anybody could begin to watch.
    ///
    /// # Panics
    /// Outside of a tokio `LocalSet` or local runtime, like every `spawn_local`.
    pub fn watch(&self, order: ProbeOrder, since: LogEnd) {
        let (run, watching) = (order.run, Watching::new(&order));
        let (log_dir, commands, threads) = (self.log_dir.clone(), Rc::clone(&self.commands), self.threads.clone());
        let (say, running) = (Rc::clone(&self.say), Rc::clone(&self.running));
        let begin = move || {
            let look = Look::new(&order.target, (&log_dir, since), &commands, &threads);
            let look = OwnLook::new(look, run, order.own.clone(), &threads);
            watch(run, look, Rc::clone(&say), Rc::clone(&running))
        };
        let task = self.watched.task_again("probe", begin).abort_handle();
        if let Some(former) = self.running.borrow_mut().insert(run, Watch { watching, task }) {
            former.task.abort();
        }
    }

    /// Ends the probe of a run; nothing more is said of it. An unknown run is not an error: its probe may have just ended.
    pub fn cancel(&self, run: RunId) {
        if let Some(watch) = self.running.borrow_mut().remove(&run) {
            watch.task.abort();
        }
    }

    /// How far the watch on each run is.
    #[must_use]
    pub(crate) fn watched(&self) -> BTreeMap<RunId, Watching> {
        self.running.borrow().iter().map(|(run, watch)| (*run, watch.watching.clone())).collect()
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        for watch in self.running.borrow().values() {
            watch.task.abort();
        }
    }
}

async fn watch(run: RunId, mut look: OwnLook, say: Say, running: Running) {
    let Some(timeout) = with(&running, run, |watching| watching.timeout()) else { return };
    let tell = |event: Option<ProbeEvent>| {
        if let Some(event) = event {
            say(run, event.clone());
            with(&running, run, |watching| watching.said(&event));
        }
    };
    loop {
        let progress = Progress::default();
        let looking = tokio::time::timeout(timeout, look.look(&progress, timeout));
        tokio::pin!(looking);
        let seen = match tokio::time::timeout(WORTH_A_WORD, &mut looking).await {
            Ok(seen) => seen,
            Err(_elapsed) => {
                let waits = NotReady::Waiting(progress.stage());
                tell(with(&running, run, |watching| watching.is_slow(waits)).flatten());
                looking.await
            }
        };
        let too_slow = |_elapsed| Err(NotReady::TooSlow { stage: progress.stage(), waited: timeout });
        let seen = seen.unwrap_or_else(too_slow);
        let Some(Next { say: event, again }) = with(&running, run, |watching| watching.seen(seen)) else { return };
        tell(event);
        let Some(pause) = again else {
            running.borrow_mut().remove(&run);
            return;
        };
        tokio::time::sleep(pause).await;
    }
}

/// The watch on a run, unless it is over.
fn with<T>(running: &Running, run: RunId, change: impl FnOnce(&mut Watching) -> T) -> Option<T> {
    running.borrow_mut().get_mut(&run).map(|watch| change(&mut watch.watching))
}
