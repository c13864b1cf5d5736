//! What really happens around the machines, and what people ask for.

use std::time::Duration;

use mainstay_config::names::{DeviceName, ServiceName};

use crate::action::process::RunId;
use crate::message::{ActorId, GaveUp, OperationId};

/// Something that really happened, for checkers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A program was told to start.
    Ordered(RunId),
    /// A program runs.
    Born(RunId),
    /// A machine had a run signalled, or killed.
    Signalled(RunId),
    /// A process outlives SIGKILL for this long.
    Unkillable(RunId, Duration),
    /// Nothing of a run is left.
    Gone(RunId),
    /// A number was signalled that stands for no child of ours any more, or for one that is nobody's.
    StrangerSignalled(u32),
    /// A call to the driver of a radio was begun while an earlier one of the same mainstay had not come back.
    CallsOverlap(DeviceName),
    /// A command that looks at a service was started while an earlier one was being loaded.
    CommandsOverlap(ServiceName),
    /// A device was unplugged.
    Unplugged(DeviceName),
    /// Somebody has renamed a radio, or given it its name back.
    Renamed(DeviceName),
    /// It was read how a radio is, by the number of its arrival.
    RadioRead(DeviceName, u32),
    /// A radio was put into a mode.
    RadioSet(DeviceName, u32),
    /// A radio is to be put back as it was.
    RestoreOrdered(OperationId, DeviceName, u32),
    /// A radio was put back as it was.
    RadioRestored(DeviceName, u32),
    /// A part of mainstay is gone that is not begun anew.
    Lost(&'static str),
    /// mainstay gives up.
    GivesUp(GaveUp),
    /// An actor panicked.
    Panicked(ActorId),
    /// An actor begins anew, after a panic of its own or of one above it.
    Restarted(ActorId),
    /// An actor really panicked, in these words: that was not simulated.
    Fell(ActorId, String),
    /// The operator was told that what was asked of a service is done.
    Done(ServiceName, Command),
    /// The operator was told that what was asked of a device is done.
    DeviceDone(DeviceName, DeviceCommand),
    /// A service is started because another needs it.
    StartedForDependent(ServiceName),
}

/// What the operator asks of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `start`.
    Start,
    /// `start --with-needs`.
    StartWithNeeds,
    /// `start --ignore-needs`.
    StartIgnoringNeeds,
    /// `stop`.
    Stop,
    /// `restart`.
    Restart,
    /// `restart --force`.
    Force,
}

/// What the operator does with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceCommand {
    /// `eject`.
    Eject,
    /// `admit`.
    Admit,
}
