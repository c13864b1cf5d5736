//! What a service keeps while it does not run. Who is restarted keeps its whole grant, unless something of it was lost: with
//! it nobody else gets in between, and a radio stays in its mode. So do those that stop and start again with a service that
//! they require. In back-off the leases are kept only while nobody waits for them (docs/decisions/0037-a-restart-keeps-its-grant.md).

use super::ending::Cause;
use super::machine::{Out, ServiceMachine, superseded, tell_leases};
use super::state::{Ignoring, Phase, Rest};
use crate::cause::Failure;
use crate::message::Moment;
use crate::message::lease::{Grant, LeaseMessage, Renewed, Token};

impl ServiceMachine {
    /// Whether it starts again with all it holds as soon as it has stopped, and as soon as what it requires has been restarted.
    pub(super) fn returns(&self) -> bool {
        let needs = self.ignoring == Ignoring::Yes || self.needs.required_are_returning();
        self.revoked.is_none() && self.rest == Rest::Fresh && self.reason_not_wanted().is_none() && needs
    }

    /// One that is idle gives back what it holds, unless it is to be used again.
    pub(super) fn release_unless_kept(&mut self, out: &mut Out) {
        let backs_off = matches!(self.rest, Rest::Backoff { .. }) && self.reason_not_wanted().is_none();
        let keeps = self.revoked.is_none() && (backs_off || self.returns());
        if self.grant.is_some() && !keeps {
            self.release(out);
        }
    }

    /// Goes on with what it has kept. A stranger may have taken a port since it was looked at, and would be met at each restart; a path
    /// may lead to another file.
    pub(super) fn use_again(&mut self, now: Moment, out: &mut Out) {
        if self.grant.as_ref().is_some_and(Grant::is_to_be_renewed) {
            self.phase = Phase::Renewing { since: now };
            out.push(tell_leases(LeaseMessage::Renew(self.lease_request(now))));
        } else {
            out.push(tell_leases(LeaseMessage::Busy(self.holder())));
            self.ask_slot(out);
        }
    }

    pub(super) fn renewed(&mut self, now: Moment, token: Token, renewed: Renewed, out: &mut Out) {
        let is_waited_for = matches!(self.phase, Phase::Renewing { .. });
        let Some(grant) = self.grant.as_mut().filter(|grant| is_waited_for && grant.token == token) else {
            return superseded(out);
        };
        match renewed {
            Renewed::With(ports) => {
                grant.ports = ports;
                self.ask_slot(out);
            }
            Renewed::MustWait => {
                self.grant = None;
                self.given_back = self.given_back.max(token);
                self.phase = Phase::Leasing { blockers: Vec::new(), arrival: self.asked.unwrap_or(now) };
                out.push(tell_leases(LeaseMessage::Stands(self.stands())));
            }
            Renewed::Refused(refusal) => {
                self.phase = Phase::Idle;
                self.rest_after(now, Cause::Failed(Failure::Refused(refusal)), out);
            }
        }
    }

    /// Gives back all leases.
    pub(super) fn release(&mut self, out: &mut Out) {
        self.revoked = None;
        if let Some(grant) = self.grant.take() {
            self.give_back(grant.token, out);
        }
    }

    /// Gives back what it was granted under this token.
    pub(super) fn give_back(&mut self, token: Token, out: &mut Out) {
        self.given_back = self.given_back.max(token);
        out.push(tell_leases(LeaseMessage::Release(self.holder(), token)));
    }
}
