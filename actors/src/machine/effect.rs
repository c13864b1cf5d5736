//! What machines answer: effects, which are data.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Takeover, WifiMode};
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::{Depth, WifiBaseline};
use mainstay_hardware::sighting::Sighting;

use super::{Message, OperatorAnswer, Words};
use crate::device::DeviceSnapshot;
use crate::effect::ports::Places;
use crate::effect::probe::order::ProbeOrder;
use crate::effect::process::order::{RunId, Scope, SignalOrder, SpawnOrder};
use crate::inventory::InventorySnapshot;
use crate::lease::LeaseSnapshot;
use crate::service::ServiceSnapshot;

/// All that one message leads to, in order.
pub type Effects<T> = Vec<Effect<T>>;

/// One thing that a machine wants done. `T` is the machine's timers.
#[derive(Debug, Clone)]
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

impl<T> Effect<T> {
    /// The same, with the timer as one of a larger kind.
    #[must_use]
    pub fn lift<U: From<T>>(self) -> Effect<U> {
        match self {
            Self::Tell(message) => Effect::Tell(message),
            Self::SetTimer(timer, after) => Effect::SetTimer(timer.into(), after),
            Self::CancelTimer(timer) => Effect::CancelTimer(timer.into()),
            Self::Act(action) => Effect::Act(action),
            Self::Publish(publication) => Effect::Publish(publication),
            Self::Answer(answer) => Effect::Answer(answer),
            Self::Note(outcome) => Effect::Note(outcome),
        }
    }
}

/// How a message was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

/// One act of a machine: its answer is told apart from answers to earlier acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

impl OperationId {
    /// The next operation; `self` becomes it.
    pub fn advance(&mut self) -> Self {
        self.0 = self.0.wrapping_add(1);
        *self
    }
}

/// Something done to the world, by an executor outside the actors.
#[derive(Debug, Clone)]
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
    /// Read how a radio is. Answer: `LeaseMessage::RadioRead`.
    ReadRadio {
        /// Whose answer.
        operation: OperationId,
        /// Which.
        device: DeviceName,
        /// Its interface.
        ifindex: u32,
    },
    /// Put a radio into a mode. Answer: `LeaseMessage::RadioSet`.
    SetRadio {
        /// Whose answer.
        operation: OperationId,
        /// Which.
        device: DeviceName,
        /// Its interface.
        ifindex: u32,
        /// The mode.
        mode: WifiMode,
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
    /// Look who listens on ports. Answer: `LeaseMessage::PortsSeen`.
    LookAtPorts(OperationId, Places),
    /// Look what files are, however they are spelled. Answer: `LeaseMessage::FilesSeen`.
    LookAtFiles(OperationId, BTreeSet<PathBuf>),
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
    /// Say again what was said of a run. Answers: `ServiceMessage::Process`, `ServiceMessage::Probe`.
    TellAgain(RunId),
    /// Look at all hardware anew.
    Rescan,
    /// End the daemon.
    Exit(Exit),
}

/// Why the daemon ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// Everything was stopped as asked.
    Stopped,
    /// Actors died more often than supervision bears; services were left running.
    GaveUp(String),
}

/// A state to show.
#[derive(Debug, Clone)]
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
            Self::ReadRadio { .. } => "ReadRadio",
            Self::SetRadio { .. } => "SetRadio",
            Self::RestoreRadio { .. } => "RestoreRadio",
            Self::LookAtPorts(..) => "LookAtPorts",
            Self::LookAtFiles(..) => "LookAtFiles",
            Self::Spawn(_) => "Spawn",
            Self::Signal(_) => "Signal",
            Self::Sweep(_) => "Sweep",
            Self::Watch(_) => "Watch",
            Self::Unwatch(_) => "Unwatch",
            Self::TellAgain(_) => "TellAgain",
            Self::Rescan => "Rescan",
            Self::Exit(_) => "Exit",
        }
    }

    /// What it does, in words.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::CheckAccess(_, sighting) => format!("see whether {} can be opened", sighting.key).into(),
            Self::ProbeDevice(_, sighting, kind, depth, _) => {
                let depth = match depth {
                    Depth::Identity => "what identifies it",
                    Depth::Full => "everything",
                };
                format!("look at {} as {}: {depth}", sighting.key, kind.as_str()).into()
            }
            Self::KeepAwake(sighting) => format!("keep {} from being suspended", sighting.key).into(),
            Self::LetSleep => "let it be suspended as before".into(),
            Self::ReadSupply(_) => "ask whether the supply voltage is too low".into(),
            Self::SetRadio { device, mode, .. } => {
                format!("put {device} into {} mode", mainstay_hardware::matching::mode_word(*mode)).into()
            }
            Self::ReadRadio { device, .. } => format!("note how {device} is").into(),
            Self::RestoreRadio { device, .. } => format!("put {device} back as it was").into(),
            Self::LookAtFiles(_, paths) => {
                let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
                format!("see what file each of these is: {}", paths.join(", ")).into()
            }
            Self::LookAtPorts(_, ports) => {
                let ports: Vec<String> = ports.keys().map(ToString::to_string).collect();
                format!("see who listens on {}", ports.join(", ")).into()
            }
            Self::Spawn(order) => order.argv.join(" ").into(),
            Self::Signal(order) => {
                let whom = if order.scope == Scope::Main { "main process" } else { "processes" };
                format!("SIG{} to its {whom}", order.signal.as_str()).into()
            }
            Self::Sweep(_) => "SIGKILL to all that is left of it".into(),
            Self::Watch(order) => format!("see whether it is ready: {}", order.target).into(),
            Self::Unwatch(_) => "no longer look whether it is ready".into(),
            Self::TellAgain(_) => "say again what became of its processes".into(),
            Self::Rescan => "look at all hardware anew".into(),
            Self::Exit(Exit::Stopped) => "everything has stopped".into(),
            Self::Exit(Exit::GaveUp(words)) => words.clone().into(),
        }
    }
}
