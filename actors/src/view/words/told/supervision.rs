//! What the other supervisors are told.

use crate::machine::{Described, Words};
use crate::supervision::{RootMessage, ServicesMessage};

impl Described for RootMessage {
    fn kind(&self) -> &'static str {
        match self {
            Self::Died(..) => "Died",
            Self::Escalated(..) => "Escalated",
            Self::Close => "Close",
            Self::Hurry => "Hurry",
            Self::ServicesClosed => "ServicesClosed",
            Self::LeasesClosed => "LeasesClosed",
        }
    }

    fn detail(&self) -> Words {
        match self {
            Self::Died(actor, panic) => format!("{actor} panicked: {panic}").into(),
            Self::Escalated(actor, why) => format!("{actor} gives up: {why}").into(),
            Self::Close => "stop everything in order".into(),
            Self::Hurry => "stop everything at once".into(),
            Self::ServicesClosed => "every service has stopped".into(),
            Self::LeasesClosed => "every lease is given back".into(),
        }
    }
}

impl Described for ServicesMessage {
    fn kind(&self) -> &'static str {
        match self {
            Self::AskSlot(_) => "AskSlot",
            Self::ReturnSlot(_) => "ReturnSlot",
            Self::HoldsSlot(_) => "HoldsSlot",
            Self::Died(..) => "Died",
            Self::RestartAll => "RestartAll",
            Self::Close => "Close",
            Self::Hurry => "Hurry",
            Self::Closed(_) => "Closed",
        }
    }

    fn detail(&self) -> Words {
        match self {
            Self::AskSlot(name) => Words::Service(name.clone(), "wants to start"),
            Self::ReturnSlot(name) => Words::Service(name.clone(), "is no longer starting"),
            Self::HoldsSlot(name) => Words::Service(name.clone(), "is starting"),
            Self::Died(actor, panic) => format!("{actor} panicked: {panic}").into(),
            Self::RestartAll => "restart every service actor".into(),
            Self::Close => "stop every service in order".into(),
            Self::Hurry => "stop every service at once".into(),
            Self::Closed(name) => Words::Service(name.clone(), "is stopped for good"),
        }
    }
}
