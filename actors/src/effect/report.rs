//! What was said of a run, as far as it still holds: it is said again after a panic of its service's actor.

use crate::action::probe::ProbeEvent;
use crate::action::process::{Notification, ProcessEvent, RunId};
use crate::message::service::ServiceMessage;

/// What was said of one run.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct RunReport {
    started: Option<ProcessEvent>,
    ended: Option<ProcessEvent>,
    over: Option<ProcessEvent>,
    notified: Option<Notification>,
    probed: Option<ProbeEvent>,
}

impl RunReport {
    /// Notes something that is said of the run.
    pub fn note(&mut self, said: &ServiceMessage) {
        match said {
            ServiceMessage::Process(_, event) => match event {
                ProcessEvent::Spawned { .. } => self.started = Some(event.clone()),
                ProcessEvent::MainExited { .. } => self.ended = Some(event.clone()),
                ProcessEvent::TreeGone | ProcessEvent::SpawnFailed(_) => self.over = Some(event.clone()),
                ProcessEvent::Notified(said) if said.ready => self.notified = Some(said.clone()),
                ProcessEvent::Notified(_) | ProcessEvent::LoadsSlowly => {}
            },
            ServiceMessage::Probe(_, event @ ProbeEvent::Ready(_)) => self.probed = Some(event.clone()),
            _ => {}
        }
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// What is said again, in the order in which it was said first.
    #[must_use]
    pub fn again(&self, run: RunId) -> Vec<ServiceMessage> {
        let Self { started, ended, over, notified, probed } = self.clone();
        let process = |event| ServiceMessage::Process(run, event);
        let ready = notified.map(|said| process(ProcessEvent::Notified(said)));
        let probed = probed.map(|event| ServiceMessage::Probe(run, event));
        let said = [started.map(process), ready, probed, ended.map(process), over.map(process)];
        said.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::not_ready::NotReady;
    use crate::action::process::Exit;

    #[test]
    fn what_is_said_again_is_what_still_holds_in_its_order() {
        let run = RunId(7);
        let mut report = RunReport::default();
        let events = [
            ProcessEvent::LoadsSlowly,
            ProcessEvent::Spawned { pid: 12 },
            ProcessEvent::MainExited { exit: Exit::Code(1), remaining: Vec::new() },
        ];
        for event in events {
            report.note(&ServiceMessage::Process(run, event));
        }
        assert!(!report.is_over());
        report.note(&ServiceMessage::Probe(run, ProbeEvent::NotYet(NotReady::NoThread(None))));
        report.note(&ServiceMessage::Process(run, ProcessEvent::TreeGone));
        assert!(report.is_over());
        let again = report.again(run);
        assert!(
            matches!(
                again[..],
                [
                    ServiceMessage::Process(RunId(7), ProcessEvent::Spawned { pid: 12 }),
                    ServiceMessage::Process(RunId(7), ProcessEvent::MainExited { .. }),
                    ServiceMessage::Process(RunId(7), ProcessEvent::TreeGone)
                ]
            ),
            "{again:?}"
        );
    }
}
