//! What the other supervisors are told.

use crate::message::kind::kind;
use crate::message::supervision::{RootMessage, ServicesMessage};
use crate::message::{Described, Left, Words};

impl Described for RootMessage {
    fn kind(&self) -> &'static str {
        kind!(self, RootMessage { Close, Hurry, ServicesClosed, LeasesClosed })
    }

    fn detail(&self) -> Words {
        match self {
            Self::Close => "stop everything in order".into(),
            Self::Hurry => "stop everything at once".into(),
            Self::ServicesClosed(left) if left.is_empty() => "every service has stopped".into(),
            Self::ServicesClosed(left) => format!("{} outlives SIGKILL, and is left", Left::all(left)).into(),
            Self::LeasesClosed(left) if left.is_empty() => "every lease is given back".into(),
            Self::LeasesClosed(left) => {
                let names: Vec<_> = left.iter().map(ToString::to_string).collect();
                format!("every lease is given back, but for what is held by {}", names.join(", ")).into()
            }
        }
    }
}

impl Described for ServicesMessage {
    fn kind(&self) -> &'static str {
        kind!(self, ServicesMessage { AskSlot, ReturnSlot, HoldsSlot, Close, Hurry, Closed, Stuck })
    }

    fn detail(&self) -> Words {
        match self {
            Self::AskSlot(name) => Words::Service(name.clone(), "wants to start"),
            Self::ReturnSlot(name) => Words::Service(name.clone(), "is no longer starting"),
            Self::HoldsSlot(name) => Words::Service(name.clone(), "is starting"),
            Self::Close => "stop every service in order".into(),
            Self::Hurry => "stop every service at once".into(),
            Self::Closed(name) => Words::Service(name.clone(), "is stopped for good"),
            Self::Stuck(left) => format!("{left} outlives SIGKILL").into(),
        }
    }
}
