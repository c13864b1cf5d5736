//! What machines answer: effects, which are data.

use std::collections::BTreeSet;
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Takeover, WifiMode};
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::bus::{Depth, WifiBaseline};
use mainstay_hardware::sighting::Sighting;

use super::{ActorId, Message, OperatorAnswer};
use crate::device::DeviceSnapshot;
use crate::effect::probe::order::ProbeOrder;
use crate::effect::process::order::{RunId, SignalOrder, SpawnOrder};
use crate::inventory::InventorySnapshot;
use crate::lease::LeaseSnapshot;
use crate::service::ServiceSnapshot;

/// All that one message leads to, in order.
pub type Effects<T> = Vec<Effect<T>>;

/// One thing that a machine wants done. `T` is the machine's timers.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Effect<T> {
    /// Tell another machine.
    Tell(Message),
    /// Set a timer, in place of one with the same name.
    SetTimer(T, Duration),
    /// Let a timer not go off.
    CancelTimer(T),
    /// Act on the world.
    Act(Action),
    /// Show the present state.
    Publish(Publication),
    /// Answer an operator.
    Answer(OperatorAnswer),
    /// How the message was taken, when it was not simply handled.
    Note(Outcome),
}

/// How a message was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Outcome {
    /// It waits in a queue.
    Queued,
    /// It was acted on.
    #[default]
    Handled,
    /// It was known already, or concerns nothing here.
    Ignored,
    /// It was refused.
    Refused,
    /// It answers something that is no longer asked.
    Superseded,
    /// The receiver panicked over it. It is not delivered again.
    Panicked,
}

impl Outcome {
    /// The word used in traces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Handled => "handled",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::Superseded => "superseded",
            Self::Panicked => "panicked",
        }
    }
}

/// One act of one incarnation of a machine: its answer is told apart from answers to earlier acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct OperationId {
    /// Which incarnation of the actor asked.
    pub incarnation: u32,
    /// Its how-manieth operation.
    pub number: u32,
}

impl OperationId {
    /// The operation before the first of an incarnation.
    #[must_use]
    pub fn none_of(incarnation: u32) -> Self {
        Self { incarnation, number: 0 }
    }

    /// The next operation; `self` becomes it.
    pub fn advance(&mut self) -> Self {
        self.number = self.number.wrapping_add(1);
        *self
    }
}

/// Something done to the world, by an executor outside the actors.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Action {
    /// Look whether a device node is there and may be opened. Answer: `DeviceMessage::Accessible`.
    CheckAccess(OperationId, Sighting),
    /// Look closer at a device. Answer: `DeviceMessage::Probed`.
    ProbeDevice(OperationId, Sighting, DeviceKind, Depth, Duration),
    /// Keep a device that is in use from being suspended. No answer.
    KeepAwake(Sighting),
    /// Nobody uses the device any more: where it could be suspended before, it can be again. No answer.
    LetSleep,
    /// Ask what the board says of its supply voltage. Answer: `DeviceMessage::Supply`.
    ReadSupply(OperationId),
    /// Read how a radio is, then put it into a mode. Answer: `LeaseMessage::RadioPrepared`.
    PrepareRadio {
        /// Whose answer.
        operation: OperationId,
        /// Which.
        device: DeviceName,
        /// Its interface.
        ifindex: u32,
        /// The mode; `None` leaves it.
        mode: Option<WifiMode>,
        /// Whether somebody's network may be taken down.
        takeover: Takeover,
    },
    /// Put a radio back as it was. Answer: `LeaseMessage::RadioRestored`.
    RestoreRadio {
        /// Whose answer.
        operation: OperationId,
        /// Which.
        device: DeviceName,
        /// How it was before it was changed.
        before: WifiBaseline,
    },
    /// Say how a radio was before it was changed, once what is under way with it is over. Answer: `LeaseMessage::RadioReported`.
    ReportRadio(OperationId, DeviceName),
    /// Look who listens on ports. Answer: `LeaseMessage::PortsSeen`.
    LookAtPorts(OperationId, BTreeSet<u16>),
    /// Start a program. Answers: `ServiceMessage::Process`.
    Spawn(SpawnOrder),
    /// Send a signal.
    Signal(SignalOrder),
    /// Kill the whole tree until nothing is left.
    Sweep(RunId),
    /// Look whether a run is ready. Answers: `ServiceMessage::Probe`.
    Watch(ProbeOrder),
    /// Stop looking.
    Unwatch(RunId),
    /// Say what runs for a service. Answer: `ServiceMessage::Reported`.
    ReportRun(ServiceName),
    /// Look at all hardware anew.
    Rescan,
    /// Let an actor begin anew with fresh state, after a pause.
    RestartActor(ActorId, Duration),
    /// End the daemon.
    Exit(Exit),
}

/// Why the daemon ends.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Exit {
    /// Everything was stopped as asked.
    Stopped,
    /// Actors died more often than supervision bears; services were left running.
    GaveUp(String),
}

/// What the executor says of a service's process tree, when it has one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ReportedRun {
    /// Which run.
    pub run: RunId,
    /// Its main process; `None` while the kernel still loads its program.
    pub pid: Option<u32>,
}

/// A state to show.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Publication {
    /// Of a device.
    Device(DeviceSnapshot),
    /// Of all leases.
    Leases(LeaseSnapshot),
    /// Of a service.
    Service(ServiceSnapshot),
    /// Of what is attached.
    Inventory(InventorySnapshot),
}

impl Action {
    /// Its name in traces.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CheckAccess(..) => "CheckAccess",
            Self::ProbeDevice(..) => "ProbeDevice",
            Self::KeepAwake(_) => "KeepAwake",
            Self::LetSleep => "LetSleep",
            Self::ReadSupply(_) => "ReadSupply",
            Self::PrepareRadio { .. } => "PrepareRadio",
            Self::RestoreRadio { .. } => "RestoreRadio",
            Self::ReportRadio(..) => "ReportRadio",
            Self::LookAtPorts(..) => "LookAtPorts",
            Self::Spawn(_) => "Spawn",
            Self::Signal(_) => "Signal",
            Self::Sweep(_) => "Sweep",
            Self::Watch(_) => "Watch",
            Self::Unwatch(_) => "Unwatch",
            Self::ReportRun(_) => "ReportRun",
            Self::Rescan => "Rescan",
            Self::RestartActor(..) => "RestartActor",
            Self::Exit(_) => "Exit",
        }
    }
}
