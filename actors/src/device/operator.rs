//! What the operator says of a device.

use super::machine::{DeviceMachine, DeviceTimer, Out, State};
use crate::lease::Soon;
use crate::machine::{Effect, Moment, OperatorAnswer, Outcome, RequestId};

impl DeviceMachine {
    pub(super) fn eject(&mut self, request: RequestId) -> Out {
        let name = &self.spec.name;
        let words = match self.state {
            State::Ejected => format!("{name} is already ejected"),
            _ => format!("{name} is taken out of use until `mainstay admit {name}`"),
        };
        self.state = State::Ejected;
        vec![
            Effect::CancelTimer(DeviceTimer::Settling),
            Effect::CancelTimer(DeviceTimer::AccessRetry),
            Effect::CancelTimer(DeviceTimer::Quarantine),
            self.unavailable(format!("{} was ejected by the operator", self.spec.name), Soon::Unknown),
            Effect::Answer(OperatorAnswer { request, outcome: Outcome::Handled, words, help: None }),
        ]
    }

    pub(super) fn admit(&mut self, now: Moment, request: RequestId) -> Out {
        let name = self.spec.name.clone();
        if !matches!(self.state, State::Ejected | State::Faulted { .. } | State::Quarantined { .. }) {
            let words = format!("{name} is {}: there is nothing to admit", self.status().as_str());
            let help = Some("only an ejected, faulted or quarantined device can be admitted".to_owned());
            return vec![Effect::Answer(OperatorAnswer { request, outcome: Outcome::Refused, words, help })];
        }
        self.departures.forget();
        let mut out = vec![Effect::CancelTimer(DeviceTimer::Quarantine)];
        out.extend(self.back(now));
        let words = match self.sighting {
            Some(_) => format!("{name} is taken back and looked at"),
            None => format!("{name} is taken back; it is not plugged in"),
        };
        out.push(Effect::Answer(OperatorAnswer { request, outcome: Outcome::Handled, words, help: None }));
        out
    }
}
