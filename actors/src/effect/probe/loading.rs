//! Of each service, one command that looks whether it is ready is loaded at a time. While the disk that it is on does not answer no other is
//! started: each would take a thread that services are to be started by. Pure: the shell and the world drive it.

use std::collections::BTreeMap;

use mainstay_config::names::ServiceName;

use crate::action::process::{ProcessEvent, RunId};

/// Whether a command is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    /// It is.
    Now,
    /// An earlier one is still being loaded: the look takes as long as it may, and is too slow.
    NotYet,
}

/// The commands that are being loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loading(BTreeMap<ServiceName, RunId>);

impl Loading {
    /// A service is to be looked at by this command.
    pub(crate) fn begin(&mut self, service: &ServiceName, command: RunId) -> Begins {
        if self.0.contains_key(service) {
            return Begins::NotYet;
        }
        self.0.insert(service.clone(), command);
        Begins::Now
    }

    /// Something has become of a command, also of one that nobody waits for any more.
    pub(crate) fn heard(&mut self, command: RunId, event: &ProcessEvent) {
        match event {
            ProcessEvent::LoadsSlowly => {}
            ProcessEvent::Spawned { .. }
            | ProcessEvent::SpawnFailed(_)
            | ProcessEvent::MainExited { .. }
            | ProcessEvent::TreeGone
            | ProcessEvent::Notified(_) => self.0.retain(|_, loading| *loading != command),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn while_a_command_is_being_loaded_no_other_of_its_service_begins() {
        let mut loading = Loading::default();
        let [a, b] = ["a", "b"].map(|name| ServiceName::new(name).unwrap());
        assert_eq!(loading.begin(&a, RunId(1)), Begins::Now);
        loading.heard(RunId(1), &ProcessEvent::LoadsSlowly);
        assert_eq!((loading.begin(&a, RunId(2)), loading.begin(&b, RunId(3))), (Begins::NotYet, Begins::Now));
        loading.heard(RunId(2), &ProcessEvent::TreeGone);
        assert_eq!(loading.begin(&a, RunId(4)), Begins::NotYet);
        loading.heard(RunId(1), &ProcessEvent::Spawned { pid: 7 });
        assert_eq!(loading.begin(&a, RunId(5)), Begins::Now);
    }
}
