//! Every message between actors, by receiver.

use mainstay_config::names::{DeviceName, ServiceName};

use crate::message::device::DeviceMessage;
use crate::message::inventory::InventoryMessage;
use crate::message::lease::LeaseMessage;
use crate::message::service::ServiceMessage;
use crate::message::supervision::{RootMessage, ServicesMessage};
use crate::message::{ActorId, Effect, Outcome, Reply, Words};

/// A message that can say what it is, for traces.
pub trait Described {
    /// Its name, one word.
    fn kind(&self) -> &'static str;
    /// What it says; may be empty.
    fn detail(&self) -> Words;
}

/// A message with its receiver.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Message {
    /// To the root supervisor.
    Root(RootMessage),
    /// To the supervisor of devices.
    Hardware(InventoryMessage),
    /// To a device.
    Device(DeviceName, DeviceMessage),
    /// To the lease registry.
    Leases(LeaseMessage),
    /// To the supervisor of services.
    Services(ServicesMessage),
    /// To a service.
    Service(ServiceName, ServiceMessage),
}

impl Message {
    /// Who receives it.
    #[must_use]
    pub fn receiver(&self) -> ActorId {
        match self {
            Self::Root(_) => ActorId::Root,
            Self::Hardware(_) => ActorId::Hardware,
            Self::Device(name, _) => ActorId::Device(name.clone()),
            Self::Leases(_) => ActorId::Leases,
            Self::Services(_) => ActorId::Services,
            Self::Service(name, _) => ActorId::Service(name.clone()),
        }
    }
}

impl Message {
    /// What it says, whoever receives it.
    #[must_use]
    pub fn described(&self) -> &dyn Described {
        match self {
            Self::Root(message) => message,
            Self::Hardware(message) => message,
            Self::Device(_, message) => message,
            Self::Leases(message) => message,
            Self::Services(message) => message,
            Self::Service(_, message) => message,
        }
    }
}

/// A request of an operator that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct RequestId(pub u64);

/// The answer to an operator.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OperatorAnswer {
    /// To which request.
    pub request: RequestId,
    /// Handled, or refused.
    pub outcome: Outcome,
    /// What was done, or why not.
    pub said: Reply,
}

impl OperatorAnswer {
    /// It is done, or begun.
    pub(crate) fn done<T>(request: RequestId, said: Reply) -> Effect<T> {
        Effect::Answer(Self { request, outcome: Outcome::Handled, said })
    }

    /// It is not done.
    pub(crate) fn refused<T>(request: RequestId, said: Reply) -> Effect<T> {
        Effect::Answer(Self { request, outcome: Outcome::Refused, said })
    }
}
