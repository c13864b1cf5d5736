//! Radios are put into their mode before a grant, and back as they were after it.

use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, ErrorKind};

use super::machine::{LeaseMachine, LeaseTimer, Out, refuse, tell_device};
use super::preparation::Preparation;
use crate::device::DeviceMessage;
use crate::machine::{Action, Effect, OperationId, Outcome};

impl LeaseMachine {
    pub(super) fn radio_prepared(
        &mut self,
        operation: OperationId,
        device: &DeviceName,
        result: Result<WifiBaseline, Error>,
    ) -> Out {
        let waiting = self.queue.iter_mut().find_map(|queued| {
            let service = queued.request.service.clone();
            let preparation = queued.preparation.as_mut()?;
            (preparation.radios.get(device) == Some(&operation)).then_some((service, preparation))
        });
        let Some((service, preparation)) = waiting else {
            // Nobody waits for it any more. If it was changed, it is put back.
            self.unsettled.end(device, operation);
            return match result {
                Ok(baseline) => vec![self.restore(device.clone(), baseline)],
                Err(_) => vec![Effect::Note(Outcome::Superseded)],
            };
        };
        preparation.radios.remove(device);
        match result {
            Ok(baseline) => {
                preparation.baselines.insert(device.clone(), baseline);
                Vec::new()
            }
            Err(error) => {
                let mut out = self.withdraw(&service);
                out.extend(fault_if_hung(device, &error));
                out.push(refuse(&service, format!("{device} could not be made ready: {error}")));
                out
            }
        }
    }

    pub(super) fn radio_restored(
        &mut self,
        operation: OperationId,
        device: &DeviceName,
        result: Result<(), Error>,
    ) -> Out {
        if !self.unsettled.end(device, operation) {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        match result {
            Ok(()) => Vec::new(),
            // A radio that is gone needs no restoring.
            Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                vec![tell_device(device, DeviceMessage::Fault(format!("it could not be put back as it was: {error}")))]
            }
        }
    }

    /// Takes back what was prepared.
    pub(super) fn undo(&mut self, preparation: Preparation) -> Out {
        for (device, operation) in preparation.radios {
            // The change is under way: what becomes of it is dealt with when it is answered.
            self.unsettled.begin(device, operation);
        }
        preparation.baselines.into_iter().map(|(device, baseline)| self.restore(device, baseline)).collect()
    }

    pub(super) fn restore(&mut self, device: DeviceName, baseline: WifiBaseline) -> Effect<LeaseTimer> {
        let operation = self.operation.advance();
        self.unsettled.begin(device.clone(), operation);
        Effect::Act(Action::RestoreRadio(operation, device, baseline))
    }
}

fn fault_if_hung(device: &DeviceName, error: &Error) -> Option<Effect<LeaseTimer>> {
    let hung = error.kind == ErrorKind::TimedOut;
    hung.then(|| tell_device(device, DeviceMessage::Fault(format!("driver hung: {error}"))))
}
