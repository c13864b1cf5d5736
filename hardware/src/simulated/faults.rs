//! What can be made to go wrong with simulated hardware.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind};

#[derive(Default)]
struct Fault {
    probe: Option<Error>,
    mode: Option<Error>,
    hanging: bool,
    /// How often access is refused after each arrival …
    settle: u32,
    /// … and how often it still is.
    refusals_left: u32,
}

/// The faults of all devices, by name.
pub(super) struct Faults {
    of: Mutex<BTreeMap<String, Fault>>,
    released: Condvar,
}

impl Faults {
    pub(super) fn new() -> Self {
        Self { of: Mutex::new(BTreeMap::new()), released: Condvar::new() }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Fault>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, name: &str, change: impl FnOnce(&mut Fault)) {
        change(self.all().entry(name.to_owned()).or_default());
    }

    pub(super) fn fail_probe(&self, name: &str, error: Option<Error>) {
        self.set(name, |fault| fault.probe = error);
    }

    pub(super) fn fail_mode(&self, name: &str, error: Option<Error>) {
        self.set(name, |fault| fault.mode = error);
    }

    pub(super) fn hang(&self, name: &str) {
        self.set(name, |fault| fault.hanging = true);
    }

    pub(super) fn release(&self, name: &str) {
        self.set(name, |fault| fault.hanging = false);
        self.released.notify_all();
    }

    pub(super) fn settle_after(&self, name: &str, refusals: u32) {
        self.set(name, |fault| {
            fault.settle = refusals;
            fault.refusals_left = refusals;
        });
    }

    /// A new arrival: permissions are set anew.
    pub(super) fn plugged(&self, name: &str) {
        if let Some(fault) = self.all().get_mut(name) {
            fault.refusals_left = fault.settle;
        }
    }

    pub(super) fn access(&self, name: &str) -> Result<(), Error> {
        match self.all().get_mut(name) {
            Some(fault) if fault.refusals_left > 0 => {
                fault.refusals_left -= 1;
                Err(Error::Simulated(ErrorKind::PermissionDenied))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn probe(&self, name: &str) -> Result<(), Error> {
        self.wait(name);
        self.all().get(name).and_then(|fault| fault.probe.clone()).map_or(Ok(()), Err)
    }

    pub(super) fn mode(&self, name: &str) -> Result<(), Error> {
        self.wait(name);
        self.all().get(name).and_then(|fault| fault.mode.clone()).map_or(Ok(()), Err)
    }

    /// Returns when the device's driver does: at once, unless it hangs.
    pub(super) fn wait(&self, name: &str) {
        let hanging = |all: &mut BTreeMap<String, Fault>| all.get(name).is_some_and(|fault| fault.hanging);
        drop(self.released.wait_while(self.all(), hanging).unwrap_or_else(PoisonError::into_inner));
    }
}
