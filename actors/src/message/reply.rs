//! What an operator is answered, as data. The words are made in `view::words`.

use mainstay_config::names::{DeviceName, ServiceName};

use crate::cause::{Failed, Missing, Rivals};
use crate::message::ActorId;
use crate::message::device::DeviceStatus;
use crate::message::service::Waiting;

/// What was done, or why not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Reply {
    /// A service is to start.
    Start(ServiceName, Start),
    /// A service is to stop.
    Stop(ServiceName, Stop),
    /// A service is to be restarted.
    Restart(ServiceName, Restart),
    /// Nothing is started any more: mainstay is stopping.
    Closing(ServiceName),
    /// This version cannot run it.
    CannotRun(ServiceName, Failed),
    /// What it requires is not meant to run.
    HeldNeed(ServiceName, Missing),
    /// A device is taken out of use.
    Ejected(DeviceName),
    /// It was already.
    EjectedAlready(DeviceName),
    /// A device is taken back, and looked at.
    Admitted(DeviceName),
    /// The same, and it is not plugged in.
    AdmittedAbsent(DeviceName),
    /// A device that is so need not be taken back.
    NothingToAdmit(DeviceName, DeviceStatus),
    /// Several pieces of hardware fit a device: the operator must say which is meant.
    Undecided(DeviceName, Rivals),
    /// What fits a device is taken for it.
    Taken(DeviceName),
    /// An actor has panicked over the request.
    Panicked(ActorId),
}

/// What comes of a start.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Start {
    /// It runs already.
    Running,
    /// It is starting already.
    Starting,
    /// It runs, or is starting, already, and is not stopped for what it requires.
    GoesOnWithout,
    /// It is started with what it needs.
    WithNeeds,
    /// It is wanted up.
    Wanted(NextStep),
}

/// What comes of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Stop {
    /// It is held already.
    Held,
    /// It does not run.
    AtRest,
    /// It stops.
    Stopping,
    /// It stops when its dependents have.
    DependentsFirst,
}

/// What comes of a restart.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Restart {
    /// It is restarted.
    Restarting,
    /// The same, when its dependents have stopped.
    DependentsFirst,
    /// It did not run.
    From(Before, NextStep),
}

/// What a restart finds, when it is not simply running, and what becomes of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Before {
    /// It was held, and still stops.
    HeldAndStopping,
    /// It was held.
    Held,
    /// It stops.
    Stopping,
    /// It was not meant to run.
    NotWanted,
    /// It had failed, and its attempts count anew.
    FailedAnew,
    /// It had failed, and is tried once more.
    FailedOnceMore,
    /// It had ended.
    Ended,
    /// It waited before it is started again.
    Backoff,
    /// It was about to start.
    Waiting,
}

/// What comes next for one that is wanted and neither starts nor runs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NextStep {
    /// It must stop first.
    WhenStopped,
    /// It waits for something.
    Waits(Waiting),
    /// It starts.
    Starts,
    /// It starts when it has what it leases.
    WhenLeased,
}
