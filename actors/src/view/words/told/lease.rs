//! What the lease registry is told.

use std::fmt;

use mainstay_config::model::PortNeed;

use crate::cause::Holder;
use crate::message::kind::kind;
use crate::message::lease::{LeaseMessage, LeaseTimer, Statement, Want};
use crate::message::{Described, Words};

impl Described for LeaseMessage {
    fn kind(&self) -> &'static str {
        kind! { self, LeaseMessage {
            Request, Withdraw, Release, Stands, Idle, Busy, Renew, Abandoned, DeviceAvailable, DeviceUnavailable,
            Lend, RadioRead, RadioSet, RadioRestored, PortsSeen, FilesSeen, Close, Timer,
        } }
    }

    fn detail(&self) -> Words {
        match self {
            Self::Request(request) => {
                let wants: Vec<String> = request.wants.iter().map(Want::spoken).collect();
                format!("{} wants {}", request.holder, list(&wants)).into()
            }
            Self::Withdraw(holder) => said_of(holder, "no longer wants what it asked for"),
            Self::Release(holder, _) => said_of(holder, "has stopped and gives back what it held"),
            Self::Stands(Statement { holder, wants: Some(_), .. }) => said_of(holder, "holds nothing, and waits"),
            Self::Stands(Statement { holder, held: Some(_), .. }) => said_of(holder, "still has its leases"),
            Self::Stands(Statement { holder, .. }) => said_of(holder, "holds nothing, and wants nothing"),
            Self::Idle(holder) => said_of(holder, "waits out a back-off"),
            Self::Busy(holder) => said_of(holder, "uses its leases again"),
            Self::Renew(request) => said_of(&request.holder, "is to use its leases again"),
            Self::Abandoned(holder) => said_of(holder, "outlives SIGKILL, and is not waited for"),
            Self::DeviceAvailable(device, offer) => format!("{device} can be leased ({})", offer.generation).into(),
            Self::DeviceUnavailable { device, reason, .. } => format!("{device} is {reason}").into(),
            Self::Lend(device, _) => {
                Words::Device(device.clone(), "was not asked what it is, and can be when it is free")
            }
            Self::RadioRead(_, device, Ok(_)) => Words::Device(device.clone(), "was looked at before it is changed"),
            Self::RadioRead(_, device, Err(error)) => format!("{device} could not be looked at: {error}").into(),
            Self::RadioSet(_, device, Ok(())) => Words::Device(device.clone(), "is in the mode asked for"),
            Self::RadioSet(_, device, Err(error)) => format!("{device} could not be prepared: {error}").into(),
            Self::RadioRestored(_, device, Ok(())) => Words::Device(device.clone(), "is as it was before"),
            Self::RadioRestored(_, device, Err(error)) => format!("{device} could not be put back: {error}").into(),
            Self::PortsSeen(_, Ok(seen)) if seen.is_empty() => "nobody else listens".into(),
            Self::PortsSeen(_, Ok(seen)) => {
                list(&seen.iter().map(|(port, listener)| format!("{listener} listens on {port}")).collect::<Vec<_>>())
                    .into()
            }
            Self::FilesSeen(_, Ok(_)) => "what each file is has been seen".into(),
            Self::FilesSeen(_, Err(error)) => format!("cannot see what its files are: {error}").into(),
            Self::PortsSeen(_, Err(error)) => format!("cannot see who listens: {error}").into(),
            Self::Close => "put everything back".into(),
            Self::Timer(LeaseTimer::LookAgain(holder)) => {
                format!("time to see again whether the ports of {holder} are free").into()
            }
            Self::Timer(LeaseTimer::PutBack(device)) => Words::Device(device.clone(), "is tried to be put back again"),
            Self::Timer(LeaseTimer::Wait(holder)) => said_of(holder, "has waited as long as it wanted to"),
        }
    }
}

/// Services are put into words only when somebody reads them.
fn said_of(holder: &Holder, words: &'static str) -> Words {
    match holder {
        Holder::Service(name) => Words::Service(name.clone(), words),
        Holder::Outside(_) | Holder::Mainstay => format!("{holder} {words}").into(),
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Want {
    /// What people call it, in a sentence.
    #[must_use]
    pub fn spoken(&self) -> String {
        match self {
            Self::Device { device, .. } => device.to_string(),
            Self::Port { need: PortNeed::Fixed(port), .. } => format!("port {port}"),
            Self::Port { need: PortNeed::Range { prefer, first, last }, .. } => {
                format!("port {prefer} or one of {first}-{last}")
            }
            Self::Other(resource) => resource.spoken(),
        }
    }
}

in_words! {
    Want, f:
    Self::Device { device, .. } => "device/{device}",
    Self::Port { need: PortNeed::Fixed(port), .. } => "port/{port}",
    Self::Port { need: PortNeed::Range { prefer, first, last }, .. } => "port/{prefer} or one of {first}-{last}",
    Self::Other(resource) => "{resource}",
}
