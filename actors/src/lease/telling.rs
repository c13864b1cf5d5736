//! What holders are told, whoever they are.

use mainstay_config::names::DeviceName;

use super::machine::tell_service;
use crate::cause::{Blocker, Holder, Refusal, Withdrawal};
use crate::message::Effect;
use crate::message::device::Offer;
use crate::message::lease::LeaseTimer;
use crate::message::lease::{Grant, Renewed, Token};
use crate::message::service::ServiceMessage;

/// What the registry has to say to one who asks for a lease or holds one.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// He has all that he asked for.
    Granted(Grant),
    /// He must wait.
    Queued(Vec<Blocker>),
    /// He will not get it.
    Refused(Refusal),
    /// Whether what he kept under this token can be used again.
    Renewed(Token, Renewed),
    /// He must stop, then release.
    Revoked(Token, Withdrawal),
    /// A device that he holds is known by other facts now.
    Corrected(DeviceName, Offer),
}

/// Tells a holder. Those outside and mainstay itself do not ask for leases in this version, and have nobody who listens.
pub(super) fn tell(holder: &Holder, news: News) -> Option<Effect<LeaseTimer>> {
    let Holder::Service(name) = holder else { return None };
    Some(tell_service(name, news.for_service()))
}

impl News {
    pub(super) fn for_service(self) -> ServiceMessage {
        match self {
            Self::Granted(grant) => ServiceMessage::Granted(grant),
            Self::Queued(blockers) => ServiceMessage::Queued(blockers),
            Self::Refused(refusal) => ServiceMessage::Refused(refusal),
            Self::Renewed(token, renewed) => ServiceMessage::Renewed(token, renewed),
            Self::Revoked(token, withdrawal) => ServiceMessage::Revoked(token, withdrawal),
            Self::Corrected(device, offer) => ServiceMessage::Corrected(device, offer),
        }
    }
}
