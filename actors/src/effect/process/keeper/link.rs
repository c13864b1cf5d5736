//! mainstay's side of the log-keeper: which pipes it was given, and what to do when it dies.
//!
//! mainstay keeps a copy of every pipe's reading end, so that a program can go on printing while there is no keeper, and a new
//! keeper is given all of them again.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::names::ServiceName;
use tokio::time::Instant;

use super::log_path;
use super::wire::{self, Header};
use crate::effect::process::order::{ProcessSettings, RunId};
use crate::effect::process::spawn::Keeper;

/// A keeper that lived this long was a good one: the next starts at once.
const GOOD_LIFE: Duration = Duration::from_secs(10);
/// The wait before a second keeper that dies early is followed by a third; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait. A program that prints more than its pipe holds (64 KiB) waits as long.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Outputs of runs that are over, kept for a keeper that is not there; the oldest are given up beyond this.
const MAX_LEFT_OVER: usize = 1024;

/// The keeper and what it is given.
#[derive(Debug)]
pub(crate) struct KeeperLink {
    log_dir: PathBuf,
    max_size: u64,
    keep: u32,
    state: State,
    early_deaths: u32,
    outputs: BTreeMap<RunId, Output>,
    /// Not given to the present keeper yet, oldest first.
    waiting: VecDeque<RunId>,
    /// Of runs that are over, with something left in the pipe; oldest first.
    left_over: VecDeque<RunId>,
}

#[derive(Debug)]
enum State {
    /// It runs since then.
    Up(Keeper, Instant),
    /// It is being started, or will be.
    Down,
    /// mainstay ends: no further keeper is started. The last one may still have work to do.
    Closing(Option<u32>),
}

#[derive(Debug)]
struct Output {
    header: Header,
    pipe: OwnedFd,
}

/// Whether everything was given to the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    /// All of it; or there is no keeper, and the next one is given it.
    All,
    /// It has too much unread; look again in a moment.
    NotYet,
}

impl KeeperLink {
    /// A link to a keeper that was just started.
    pub(crate) fn new(settings: &ProcessSettings, keeper: Keeper) -> Self {
        Self {
            log_dir: settings.log_dir.clone(),
            max_size: settings.log_max_size,
            keep: settings.log_keep,
            state: State::Up(keeper, now()),
            early_deaths: 0,
            outputs: BTreeMap::new(),
            waiting: VecDeque::new(),
            left_over: VecDeque::new(),
        }
    }

    /// Adds the output of a new run.
    pub(crate) fn add(&mut self, run: RunId, service: &ServiceName, pipe: OwnedFd) -> Given {
        let path = log_path(&self.log_dir, service);
        let header = Header { service: service.to_string(), path, max_size: self.max_size, keep: self.keep };
        self.outputs.insert(run, Output { header, pipe });
        self.waiting.push_back(run);
        self.give()
    }

    /// Gives the keeper what it has not got yet, and lets go of what nobody needs any more.
    pub(crate) fn give(&mut self) -> Given {
        self.drop_what_is_empty();
        let State::Up(keeper, _) = &self.state else { return Given::All };
        while let Some(run) = self.waiting.front() {
            if let Some(output) = self.outputs.get(run) {
                match wire::send(&keeper.socket, &output.header, output.pipe.as_fd()) {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Given::NotYet,
                    // ETOOMANYREFS: too many descriptors are under way, until the keeper has taken some.
                    Err(error) if error.raw_os_error() == Some(libc::ETOOMANYREFS) => return Given::NotYet,
                    // It is just dying; its successor is given everything.
                    Err(_) => return Given::All,
                }
            }
            self.waiting.pop_front();
        }
        if self.left_over.is_empty() { Given::All } else { Given::NotYet }
    }

    /// A run is over. Its pipe is kept until it is empty: this keeper may die, or be dead already, before it has read the rest.
    pub(crate) fn run_over(&mut self, run: RunId) -> Given {
        if self.outputs.contains_key(&run) {
            self.left_over.push_back(run);
        }
        if self.left_over.len() > MAX_LEFT_OVER {
            self.left_over.pop_front().and_then(|oldest| self.outputs.remove(&oldest));
        }
        self.give()
    }

    fn drop_what_is_empty(&mut self) {
        let outputs = &mut self.outputs;
        self.left_over.retain(|run| {
            let is_empty = |output: &Output| rustix::io::ioctl_fionread(&output.pipe).is_ok_and(|bytes| bytes == 0);
            if outputs.get(run).is_none_or(is_empty) {
                outputs.remove(run);
                return false;
            }
            true
        });
    }

    /// Whether this is the keeper's process id.
    pub(crate) fn is(&self, pid: u32) -> bool {
        self.pid() == Some(pid)
    }

    /// The keeper's process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        match &self.state {
            State::Up(keeper, _) => Some(keeper.pid),
            State::Down => None,
            State::Closing(pid) => *pid,
        }
    }

    /// Whether a keeper is being started.
    pub(crate) fn is_down(&self) -> bool {
        matches!(self.state, State::Down)
    }

    /// The keeper has died, or could not be started. How long to wait before the next; `None`: there is none.
    pub(crate) fn died(&mut self) -> Option<Duration> {
        match std::mem::replace(&mut self.state, State::Down) {
            State::Closing(_) => {
                self.state = State::Closing(None);
                return None;
            }
            State::Up(_, since) if since.elapsed() >= GOOD_LIFE => self.early_deaths = 0,
            State::Up(..) | State::Down => {}
        }
        let wait = wait_after(self.early_deaths);
        self.early_deaths = self.early_deaths.saturating_add(1);
        Some(wait)
    }

    /// A new keeper runs: it is given everything.
    pub(crate) fn up(&mut self, keeper: Keeper) -> Given {
        if matches!(self.state, State::Closing(_)) {
            // Without its socket it ends by itself.
            return Given::All;
        }
        self.state = State::Up(keeper, now());
        self.waiting = self.outputs.keys().copied().collect();
        self.give()
    }

    /// mainstay ends. The keeper goes on until every program has closed its output.
    pub(crate) fn close(&mut self) {
        self.give();
        self.state = State::Closing(self.pid());
        self.outputs.clear();
    }
}

fn wait_after(early_deaths: u32) -> Duration {
    match early_deaths.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_WAIT.saturating_mul(1 << doublings.min(10)).min(LONGEST_WAIT),
    }
}

/// How long the keeper has lived decides how soon it is replaced.
#[allow(clippy::disallowed_methods, reason = "no decision of a machine: the executor paces itself, on tokio's clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_that_keeps_dying_is_started_less_and_less_often() {
        let waits: Vec<u64> =
            [0, 1, 2, 3, 7, 40].map(|n| u64::try_from(wait_after(n).as_millis()).unwrap_or(0)).to_vec();
        assert_eq!(waits, [0, 100, 200, 400, 5000, 5000]);
    }
}
