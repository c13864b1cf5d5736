//! What a driver, or the kernel, is asked; and what whoever asked is told. Data: the shell and the world both have it done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Takeover, WifiMode};
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::{Depth, Supply, Wakefulness, WifiBaseline};
use mainstay_hardware::error::NoAnswer;
use mainstay_hardware::sighting::Sighting;

use super::calls::{CHANGE_WITHIN, LOOK_WITHIN, PROBE_SPARE, Sort};
use crate::action::ports::{Listener, Places};
use crate::message::device::DeviceMessage;
use crate::message::lease::LeaseMessage;
use crate::message::{Action, ActorId, Message, OperationId};
use crate::trace::Cause;

/// Whoever is given a device is started first: that is not held up by the thread that keeps it awake. What nobody uses yet may sleep that
/// long.
const START_FIRST: Duration = Duration::from_millis(100);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[allow(clippy::large_enum_variant, reason = "few calls are under way")]
pub(crate) enum Call {
    /// Whether a device node is there and may be opened.
    Access(OperationId, DeviceName, Sighting),
    /// A closer look at a device, which keeps this bound by itself.
    Probe(OperationId, DeviceName, Sighting, DeviceKind, Depth, Duration),
    /// What the board says of its supply voltage.
    Supply(OperationId, DeviceName),
    /// How the radio with this interface is.
    ReadRadio(OperationId, DeviceName, u32),
    /// To put the radio with this interface into a mode.
    SetRadio(OperationId, DeviceName, u32, WifiMode, Takeover),
    /// To put a radio back as it was.
    Restore(OperationId, DeviceName, WifiBaseline),
    /// Who listens on ports.
    Ports(OperationId, Places),
    /// What files are.
    Files(OperationId, BTreeSet<PathBuf>),
    /// To keep a device awake, and to say how it was before.
    KeepAwake(DeviceName, Sighting),
    /// To let it be suspended.
    LetSleep(DeviceName, Sighting),
}

/// A call that was asked for.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Asked {
    /// What.
    pub call: Call,
    /// Why.
    pub cause: Cause,
}

/// What comes of a call.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "few calls are under way")]
pub(crate) enum Answer {
    /// Whoever asked is told this.
    Tell(Message),
    /// A device is kept awake, or let sleep. How it was before, when that was asked and is known.
    Sleep(Option<Wakefulness>),
}

impl Call {
    /// What an actor wants done, when it is a call.
    pub(crate) fn of(from: &ActorId, action: Action) -> Option<Self> {
        let device = || if let ActorId::Device(name) = from { Some(name.clone()) } else { None };
        Some(match action {
            Action::CheckAccess(operation, sighting) => Self::Access(operation, device()?, sighting),
            Action::ProbeDevice(operation, sighting, kind, depth, within) => {
                Self::Probe(operation, device()?, sighting, kind, depth, within)
            }
            Action::ReadSupply(operation) => Self::Supply(operation, device()?),
            Action::ReadRadio { operation, device, ifindex } => Self::ReadRadio(operation, device, ifindex),
            Action::SetRadio { operation, device, ifindex, mode, takeover } => {
                Self::SetRadio(operation, device, ifindex, mode, takeover)
            }
            Action::RestoreRadio { operation, device, before } => Self::Restore(operation, device, before),
            Action::LookAtPorts(operation, places) => Self::Ports(operation, places),
            Action::LookAtFiles(operation, paths) => Self::Files(operation, paths),
            _ => return None,
        })
    }

    /// Of each sort a few run at a time.
    pub(crate) fn sort(&self) -> Sort {
        match self {
            Self::Access(..) | Self::Supply(..) | Self::KeepAwake(..) | Self::LetSleep(..) => Sort::Look,
            Self::ReadRadio(..) | Self::SetRadio(..) | Self::Restore(..) => Sort::Look,
            Self::Probe(..) => Sort::Probe,
            Self::Ports(..) => Sort::Ports,
            Self::Files(..) => Sort::Files,
        }
    }

    /// The radio that it is about: operations on one never overlap.
    pub(crate) fn radio(&self) -> Option<&DeviceName> {
        match self {
            Self::ReadRadio(_, device, _) | Self::SetRadio(_, device, ..) | Self::Restore(_, device, _) => Some(device),
            _ => None,
        }
    }

    /// How long it is waited before it is asked for.
    pub(crate) fn asked_after(&self) -> Duration {
        if matches!(self, Self::KeepAwake(..)) { START_FIRST } else { Duration::ZERO }
    }

    /// When it is given up.
    pub(crate) fn within(&self) -> Duration {
        match self {
            Self::SetRadio(..) | Self::Restore(..) => CHANGE_WITHIN,
            Self::Probe(.., within) => within.saturating_add(PROBE_SPARE),
            _ => LOOK_WITHIN,
        }
    }

    /// What comes of it when there is no answer.
    pub(crate) fn fail(self, why: NoAnswer) -> Answer {
        Answer::Tell(match self {
            Self::Access(operation, name, _) => to_device(name, DeviceMessage::Accessible(operation, Err(why.into()))),
            Self::Probe(operation, name, ..) => to_device(name, DeviceMessage::Probed(operation, Err(why.into()))),
            Self::Supply(operation, name) => to_device(name, DeviceMessage::Supply(operation, Supply::Unknown)),
            Self::ReadRadio(operation, name, _) => {
                Message::Leases(LeaseMessage::RadioRead(operation, name, Err(why.into())))
            }
            Self::SetRadio(operation, name, ..) => {
                Message::Leases(LeaseMessage::RadioSet(operation, name, Err(why.into())))
            }
            Self::Restore(operation, name, _) => {
                Message::Leases(LeaseMessage::RadioRestored(operation, name, Err(why.into())))
            }
            Self::Ports(operation, _) => ports_seen(operation, Err(why)),
            Self::Files(operation, _) => Message::Leases(LeaseMessage::FilesSeen(operation, Err(why))),
            Self::KeepAwake(..) | Self::LetSleep(..) => return Answer::Sleep(None),
        })
    }
}

pub(crate) fn to_device(name: DeviceName, message: DeviceMessage) -> Message {
    Message::Device(name, message)
}

pub(crate) fn ports_seen(operation: OperationId, seen: Result<BTreeMap<u16, Listener>, NoAnswer>) -> Message {
    Message::Leases(LeaseMessage::PortsSeen(operation, seen))
}
