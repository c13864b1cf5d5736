//! Where the supervisors can be when they are told something: every pair, for seeing which of them were tried.

use super::root::{Closing, RootMachine};
use super::services::ServicesMachine;
use crate::machine::closed::{Taken, closed};
use crate::message::supervision::{RootMessage, ServicesMessage};

closed! {
    /// How far the root has come with closing down.
    pub(crate) enum RootIs { Open, ClosingServices, ClosingLeases, Done }
}

closed! {
    /// What the root is told.
    pub(crate) enum RootTold { Close, Hurry, ServicesClosed, LeasesClosed }
}

closed! {
    /// How the supervisor of services stands to the one that a message is about.
    pub(crate) enum ServicesIs { Open, Asking, Starting, Closing }
}

closed! {
    /// What the supervisor of services is told.
    pub(crate) enum ServicesTold { AskSlot, ReturnSlot, HoldsSlot, Close, Hurry, Closed, Stuck }
}

impl RootMachine {
    /// Where it is.
    pub(crate) fn is(&self) -> RootIs {
        match self.closing {
            Closing::No => RootIs::Open,
            Closing::Services => RootIs::ClosingServices,
            Closing::Leases => RootIs::ClosingLeases,
            Closing::Done => RootIs::Done,
        }
    }
}

impl RootTold {
    pub(crate) fn of(message: &RootMessage) -> Self {
        match message {
            RootMessage::Close => Self::Close,
            RootMessage::Hurry => Self::Hurry,
            RootMessage::ServicesClosed(_) => Self::ServicesClosed,
            RootMessage::LeasesClosed(_) => Self::LeasesClosed,
        }
    }
}

impl ServicesMachine {
    /// How it stands to whom a message is about, and what it is told.
    pub(crate) fn pair(&self, message: &ServicesMessage) -> (ServicesIs, ServicesTold) {
        let (of, told) = match message {
            ServicesMessage::AskSlot(name) => (Some(name), ServicesTold::AskSlot),
            ServicesMessage::ReturnSlot(name) => (Some(name), ServicesTold::ReturnSlot),
            ServicesMessage::HoldsSlot(name) => (Some(name), ServicesTold::HoldsSlot),
            ServicesMessage::Close => (None, ServicesTold::Close),
            ServicesMessage::Hurry => (None, ServicesTold::Hurry),
            ServicesMessage::Closed(name) => (Some(name), ServicesTold::Closed),
            ServicesMessage::Stuck(left) => (Some(&left.service), ServicesTold::Stuck),
        };
        let is = match of {
            _ if self.is_closing() => ServicesIs::Closing,
            Some(name) if self.has_slot(name) => ServicesIs::Starting,
            Some(name) if self.is_asked_by(name) => ServicesIs::Asking,
            _ => ServicesIs::Open,
        };
        (is, told)
    }
}

/// Why the root is never told this there.
pub(crate) fn root_impossible(is: RootIs, told: RootTold) -> Option<&'static str> {
    if is == RootIs::Done {
        return Some("the daemon has ended");
    }
    match told {
        RootTold::LeasesClosed => {
            (is != RootIs::ClosingLeases).then_some("the registry says so when the root has asked for it")
        }
        RootTold::ServicesClosed => (is == RootIs::Open).then_some("the services close when the root has asked for it"),
        RootTold::Close | RootTold::Hurry => None,
    }
}

/// Why the supervisor of services is never told this there.
pub(crate) fn services_impossible(is: ServicesIs, told: ServicesTold) -> Option<&'static str> {
    let of_one = matches!(is, ServicesIs::Asking | ServicesIs::Starting);
    match told {
        ServicesTold::Close | ServicesTold::Hurry => of_one.then_some("it is told of no service in particular"),
        ServicesTold::Closed | ServicesTold::Stuck => {
            (is != ServicesIs::Closing).then_some("services close when it has asked for it")
        }
        ServicesTold::AskSlot | ServicesTold::ReturnSlot | ServicesTold::HoldsSlot => None,
    }
}

/// How the root takes what it is told there.
pub(crate) fn root_taken(is: RootIs, told: RootTold) -> Taken {
    match told {
        RootTold::Close => Taken::passed_if(is != RootIs::Open, Taken::Handled),
        RootTold::ServicesClosed => Taken::passed_if(is != RootIs::ClosingServices, Taken::Handled),
        // What is left may have changed since it was said.
        RootTold::LeasesClosed => Taken::Either,
        RootTold::Hurry => Taken::Handled,
    }
}
