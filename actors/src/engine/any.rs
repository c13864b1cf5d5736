//! A machine of any kind. What one is told, and what its timers are, are told apart here and nowhere else.

use crate::device::DeviceMachine;
use crate::inventory::InventoryMachine;
use crate::lease::LeaseMachine;
use crate::machine::{Beginning, Machine};
use crate::message::device::DeviceTimer;
use crate::message::lease::LeaseTimer;
use crate::message::service::ServiceTimer;
use crate::message::supervision::NoTimer;
use crate::message::{ActorId, Effect, Effects, Message, Moment, Outcome};
use crate::service::ServiceMachine;
use crate::supervision::{RootMachine, ServicesMachine};

/// A machine.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum AnyMachine {
    /// The root supervisor.
    Root(RootMachine),
    /// The supervisor of devices.
    Hardware(Box<InventoryMachine>),
    /// A device.
    Device(Box<DeviceMachine>),
    /// The lease registry.
    Leases(Box<LeaseMachine>),
    /// The supervisor of services.
    Services(Box<ServicesMachine>),
    /// A service.
    Service(Box<ServiceMachine>),
}

/// A timer of any machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Timer {
    /// Of a device.
    Device(DeviceTimer),
    /// Of the lease registry.
    Leases(LeaseTimer),
    /// Of a service.
    Service(ServiceTimer),
}

impl From<NoTimer> for Timer {
    fn from(timer: NoTimer) -> Self {
        match timer {}
    }
}

impl From<DeviceTimer> for Timer {
    fn from(timer: DeviceTimer) -> Self {
        Self::Device(timer)
    }
}

impl From<LeaseTimer> for Timer {
    fn from(timer: LeaseTimer) -> Self {
        Self::Leases(timer)
    }
}

impl From<ServiceTimer> for Timer {
    fn from(timer: ServiceTimer) -> Self {
        Self::Service(timer)
    }
}

/// Does the same with the machine, whichever it is.
macro_rules! with {
    ($any:expr, $machine:ident => $what:expr) => {
        match $any {
            AnyMachine::Root($machine) => $what,
            AnyMachine::Hardware($machine) => $what,
            AnyMachine::Device($machine) => $what,
            AnyMachine::Leases($machine) => $what,
            AnyMachine::Services($machine) => $what,
            AnyMachine::Service($machine) => $what,
        }
    };
}

fn lift<T>(effects: Effects<T>) -> Effects<Timer>
where
    Timer: From<T>,
{
    effects.into_iter().map(Effect::lift).collect()
}

impl AnyMachine {
    /// Who it is.
    #[must_use]
    pub fn id(&self) -> ActorId {
        with!(self, machine => machine.id())
    }

    pub(crate) fn begin(&mut self, now: Moment, beginning: Beginning) -> Effects<Timer> {
        with!(self, machine => lift(machine.begin(now, beginning)))
    }

    /// A message that is for another kind of machine is not handled.
    pub(crate) fn handle(&mut self, now: Moment, message: Message) -> Effects<Timer> {
        match (self, message) {
            (Self::Root(machine), Message::Root(message)) => lift(machine.handle(now, message)),
            (Self::Hardware(machine), Message::Hardware(message)) => lift(machine.handle(now, message)),
            (Self::Device(machine), Message::Device(_, message)) => lift(machine.handle(now, message)),
            (Self::Leases(machine), Message::Leases(message)) => lift(machine.handle(now, message)),
            (Self::Services(machine), Message::Services(message)) => lift(machine.handle(now, message)),
            (Self::Service(machine), Message::Service(_, message)) => lift(machine.handle(now, message)),
            _ => vec![Effect::Note(Outcome::Ignored)],
        }
    }

    /// The message that a timer becomes.
    pub(super) fn rung(&self, timer: Timer) -> Message {
        match (self.id(), timer) {
            (ActorId::Device(name), Timer::Device(timer)) => Message::Device(name, DeviceMachine::timer(timer)),
            (ActorId::Service(name), Timer::Service(timer)) => Message::Service(name, ServiceMachine::timer(timer)),
            (_, Timer::Leases(timer)) => Message::Leases(LeaseMachine::timer(timer)),
            (id, timer) => unreachable!("{id} has no timer {timer:?}"),
        }
    }

    /// One without what it can be told again.
    pub(crate) fn successor(&self) -> Self {
        match self {
            Self::Root(machine) => Self::Root(machine.successor()),
            Self::Hardware(machine) => Self::Hardware(Box::new(machine.successor())),
            Self::Device(machine) => Self::Device(Box::new(machine.successor())),
            Self::Leases(machine) => Self::Leases(Box::new(machine.successor())),
            Self::Services(machine) => Self::Services(Box::new(machine.successor())),
            Self::Service(machine) => Self::Service(Box::new(machine.successor())),
        }
    }

    /// What it says again to an actor that was restarted.
    pub(super) fn tell_again(&self, to: &ActorId) -> Vec<Message> {
        with!(self, machine => machine.tell_again(to))
    }

    /// Who tells it something, or is told something by it.
    pub(super) fn peers(&self) -> Vec<ActorId> {
        with!(self, machine => machine.peers())
    }

    /// About how many parts a clone of it copies.
    pub(super) fn weight(&self) -> usize {
        with!(self, machine => machine.weight())
    }
}
