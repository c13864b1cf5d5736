//! What machines answer: effects, which are data.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Takeover, WifiMode};
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::bus::{Depth, WifiBaseline};
use mainstay_hardware::sighting::Sighting;
use mainstay_hardware::watched::Lost;

use super::kind::kind;
use crate::action::ports::Places;
use crate::action::probe::ProbeOrder;
use crate::action::process::{RunId, SignalOrder, SpawnOrder};
use crate::message::device::DeviceSnapshot;
use crate::message::inventory::InventorySnapshot;
use crate::message::lasting::Lasting;
use crate::message::lease_table::LeaseNews;
use crate::message::service::ServiceSnapshot;
use crate::message::supervision::Haste;
use crate::message::{ActorId, Message, OperatorAnswer};

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

impl<T: Clone> Effect<T> {
    /// Timers belong to states, and a state that is left takes its timers with it: of those that there were, and those that were set
    /// since, the ones that do not belong to where the machine is now are cancelled.
    pub(crate) fn cancel_left(were: impl IntoIterator<Item = T>, out: &mut Effects<T>, belongs: impl Fn(&T) -> bool) {
        let set = out
            .iter()
            .filter_map(|effect| if let Self::SetTimer(timer, _) = effect { Some(timer.clone()) } else { None });
        let left: Vec<T> = were.into_iter().chain(set).filter(|timer| !belongs(timer)).collect();
        out.extend(left.into_iter().map(Self::CancelTimer));
    }
}

/// What is told by these.
pub fn told<T>(effects: Effects<T>) -> Vec<Message> {
    let message = |effect| if let Effect::Tell(message) = effect { Some(message) } else { None };
    effects.into_iter().filter_map(message).collect()
}

mainstay_config::words! {
    /// How a message was taken.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub enum Outcome {
        /// It waits in a queue.
        Queued = "queued",
        /// It was acted on.
        #[default]
        Handled = "handled",
        /// It was known already, or concerns nothing here.
        Ignored = "ignored",
        /// It was refused.
        Refused = "refused",
        /// It answers something that is no longer asked.
        Superseded = "superseded",
        /// The receiver panicked over it. It is not delivered again.
        Panicked = "panicked",
    }
}

/// One act of a machine: its answer is told apart from answers to earlier acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct OperationId(pub u64);

impl OperationId {
    /// The next operation; `self` becomes it.
    pub fn advance(&mut self) -> Self {
        self.0 = self.0.wrapping_add(1);
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
    /// A run of this service will come, which has this number: make what can be made before. No answer.
    Prepare(ServiceName, RunId),
    /// It does not come: let go of what was made. No answer.
    LetGo(ServiceName),
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
    /// Write down what outlives mainstay, before anything that was to be done later is done to the world. No answer.
    Remember(Lasting),
    /// Look at all hardware anew.
    Rescan,
    /// End the daemon.
    Exit(DaemonExit),
}

/// Why the daemon ends.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DaemonExit {
    /// Everything was stopped as asked.
    Stopped,
    /// Everything but this was stopped as asked.
    Left(Vec<Left>),
    /// Mainstay does not work any more; services were left running.
    GaveUp(GaveUp),
}

impl From<Lost> for DaemonExit {
    /// Without a part that is not begun anew nothing would be started, stopped or heard any more. No actor is asked: it may be down, and
    /// nobody left who restarts it.
    fn from(lost: Lost) -> Self {
        Self::GaveUp(GaveUp::PartLost(lost))
    }
}

/// Why mainstay gave up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum GaveUp {
    /// Actors panicked more often than supervision bears.
    Panics {
        /// How many it bears …
        borne: usize,
        /// … within this time.
        within: Duration,
        /// Who panicked last.
        last: ActorId,
    },
    /// A thread or a task is gone.
    PartLost(Lost),
}

/// A service of which a process outlives SIGKILL.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Left {
    /// Which.
    pub service: ServiceName,
    /// Its process, where it is known: while a program is being loaded, it is not.
    pub pid: Option<u32>,
}

/// A state to show.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Publication {
    /// Of a device.
    Device(DeviceSnapshot),
    /// Of what is leased: what has changed.
    Leases(LeaseNews),
    /// Of a service.
    Service(ServiceSnapshot),
    /// Of what is attached.
    Inventory(InventorySnapshot),
    /// Of the daemon: it closes down.
    Closing(Haste),
}

impl Action {
    /// Its name in traces.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        kind! { self, Action {
            CheckAccess, ProbeDevice, KeepAwake, LetSleep, ReadSupply, ReadRadio, SetRadio, RestoreRadio,
            LookAtPorts, LookAtFiles, Prepare, LetGo, Spawn, Signal, Sweep, Watch, Unwatch, TellAgain, Remember, Rescan, Exit,
        } }
    }
}
