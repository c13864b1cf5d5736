//! Several pieces of hardware that fit one configured device: said, and left to the operator.

use super::machine::{DeviceMachine, Mending, Out, Sought, State};
use crate::cause::{Absence, DeviceFault, Rivals};
use crate::message::inventory::InventoryMessage;
use crate::message::{Effect, Message, Moment, OperatorAnswer, Reply, RequestId};

impl DeviceMachine {
    /// Others fit it as well.
    pub(super) fn has_rivals(&mut self, now: Moment, rivals: Rivals) -> Out {
        let is_taken = rivals.taken.is_some();
        // It was looked for: when they leave, it is known not to be there.
        self.sought = Sought::Yes;
        let mut out = if is_taken || self.sighting.is_none() {
            Vec::new()
        } else {
            // Nothing was unplugged: it does not count as one that comes and goes.
            self.leave(now, Absence::Undecided(rivals.clone()), None)
        };
        self.rivals = Some(rivals);
        if !is_taken && !self.is_out_of_use() {
            self.state = self.undecided();
            // Whoever used it hears the reason, and not that it is gone.
            out.retain(|effect| !matches!(effect, Effect::Tell(Message::Leases(_))));
            out.push(self.restated());
        }
        out
    }

    /// The operator says that what fits it is meant.
    pub(super) fn admit_only(&mut self, request: RequestId) -> Out {
        let name = self.spec.name.clone();
        match &self.rivals {
            Some(rivals) if rivals.others.len() > 1 => {
                vec![OperatorAnswer::refused(request, Reply::Undecided(name, rivals.clone()))]
            }
            _ => {
                self.departures.forget();
                vec![
                    Effect::Tell(Message::Hardware(InventoryMessage::Admitted(name.clone()))),
                    OperatorAnswer::done(request, Reply::Taken(name)),
                ]
            }
        }
    }

    /// What fitted it as well is gone, or is somebody else's.
    pub(super) fn has_no_rivals(&mut self) -> Out {
        let undecided = self.is_undecided();
        self.rivals = None;
        if undecided {
            self.state = State::Absent { reason: Absence::NothingFits };
            return vec![self.restated()];
        }
        Vec::new()
    }

    /// What it is when nothing was taken for it: absent, or one of several.
    pub(super) fn undecided(&self) -> State {
        match &self.rivals {
            Some(rivals) if rivals.taken.is_none() => {
                State::Faulted { reason: DeviceFault::Undecided(rivals.clone()), mending: Mending::Choice }
            }
            _ => State::Absent { reason: Absence::NotPluggedIn },
        }
    }

    pub(super) fn is_undecided(&self) -> bool {
        matches!(self.state, State::Faulted { mending: Mending::Choice, .. })
    }
}
