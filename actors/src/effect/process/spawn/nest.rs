//! The control group of a run, made before it is time to start it. Making one takes longer than to look whether it is still as it was made.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mainstay_config::names::ServiceName;

use crate::action::process::RunId;
use crate::effect::process::tree::cgroup::{self, Cgroups, Cradle};

/// Shared by who may let go of it and by the threads that make and use it. What is not used is removed with the last of them.
#[derive(Debug)]
pub(in crate::effect::process) struct Nest {
    service: ServiceName,
    run: RunId,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Nobody has got to it.
    Wanted,
    Made {
        cradle: Cradle,
        /// Its `cgroup.events`.
        events: File,
    },
    /// It is the run's, or could not be made.
    Gone,
}

impl Nest {
    pub(super) fn new(service: ServiceName, run: RunId) -> Self {
        Self { service, run, state: Mutex::new(State::Wanted) }
    }

    /// Whether it is for this run.
    pub(in crate::effect::process) fn is_for(&self, run: RunId) -> bool {
        self.run == run
    }

    /// Makes it, unless its run has started without it.
    pub(super) fn make(&self, cgroups: &Cgroups) {
        let mut state = self.state();
        if matches!(*state, State::Wanted) {
            let made = cgroups.create(&super::environment::mark(&self.service, self.run)).and_then(|cradle| {
                let events = File::open(cradle.path.join("cgroup.events"));
                let events = events.inspect_err(|_| {
                    cgroup::remove(&cradle.path);
                })?;
                Ok(State::Made { cradle, events })
            });
            // Whoever starts the run tries again, and says why it cannot be made.
            *state = made.unwrap_or(State::Gone);
        }
    }

    /// The group, if it was made and nobody has been in it since. From now on none is made.
    pub(super) fn take(&self) -> Option<Cradle> {
        let state = std::mem::replace(&mut *self.state(), State::Gone);
        let State::Made { cradle, events } = state else { return None };
        if is_empty(&events) {
            return Some(cradle);
        }
        cgroup::remove(&cradle.path);
        None
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Nest {
    fn drop(&mut self) {
        if let State::Made { cradle, .. } = &*self.state() {
            cgroup::remove(&cradle.path);
        }
    }
}

/// Whether a group is there, with nobody in it: of one that somebody has removed nothing can be read.
fn is_empty(events: &File) -> bool {
    let mut text = [0; 64];
    let read = events.read_at(&mut text, 0).unwrap_or_default();
    cgroup::says_empty(&String::from_utf8_lossy(text.get(..read).unwrap_or_default()))
}
