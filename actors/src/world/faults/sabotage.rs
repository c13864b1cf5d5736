//! Planted bugs: each breaks one invariant, and its checker must notice.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_config::names::ServiceName;
use mainstay_hardware::error::{Error, ErrorKind};

use super::super::environment::Consequences;
use super::Weather;
use crate::action::process::{ProcessEvent, RunId};
use crate::cause::{Blocker, Listed, Refusal, Resource, Standing};
use crate::message::device::DeviceMessage;
use crate::message::lease::{Grant, LeaseMessage};
use crate::message::service::{Attempts, ServiceMessage, ServiceTimer};
use crate::message::supervision::ServicesMessage;
use crate::message::{Action, Address, Message, Outside, RequestId};
use crate::trace::Cause;

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Who must wait for a device that is held is given it all the same.
    GrantTwice,
    /// Every program is started twice.
    SpawnTwice,
    /// Holders are not told that a lease is withdrawn.
    DropRevoked,
    /// Dependents are not told that a service is down.
    DropDown,
    /// A service does not wait until its dependents have stopped.
    SkipDependents,
    /// Start slots are never given back.
    KeepSlots,
    /// Nobody is told that a service is ready, nor that its time is over.
    NeverReady,
    /// Devices are not said to be available.
    DropArrival,
    /// Who must wait for a holder is refused, as if that were a failure.
    RefuseWaiters,
    /// Devices are not told that nobody leases them any more.
    DropUnleased,
    /// What the operator stopped is started again.
    StartHeld,
    /// Who waits for what it lost is refused, as if the loss were a failure.
    LossIsFailure,
    /// Radios are not put back.
    ForgetRestore,
    /// Radios are put back twice.
    RestoreTwice,
    /// How a radio was is forgotten when its mode could not be set, though it may have been changed half-way.
    ForgetBaseline,
    /// Programs are said to be gone that are not.
    LeaveProcesses,
    /// Probes go on for ever.
    LeaveProbes,
    /// Devices are looked at again and again.
    LookForEver,
    /// Messages do not say what caused them.
    LoseCause,
    /// Who is restarted is said to need nothing meanwhile.
    IdleOverRestart,
}

impl Sabotage {
    /// Every planted bug.
    pub const ALL: [Self; 20] = [
        Self::GrantTwice,
        Self::SpawnTwice,
        Self::DropRevoked,
        Self::DropDown,
        Self::SkipDependents,
        Self::KeepSlots,
        Self::NeverReady,
        Self::DropArrival,
        Self::RefuseWaiters,
        Self::DropUnleased,
        Self::StartHeld,
        Self::LossIsFailure,
        Self::ForgetRestore,
        Self::RestoreTwice,
        Self::ForgetBaseline,
        Self::LeaveProcesses,
        Self::LeaveProbes,
        Self::LookForEver,
        Self::LoseCause,
        Self::IdleOverRestart,
    ];

    /// What must go wrong besides, for it to do harm.
    #[must_use]
    pub fn weather(self) -> Weather {
        match self {
            // They must be caught even though actors that panic give grace anew.
            Self::DropRevoked | Self::DropDown => Weather::panicking(),
            // In rough weather a process that nobody knows of does harm before it is counted at the end.
            Self::LeaveProcesses => Weather::calm(),
            _ => Weather::rough(),
        }
    }

    /// The invariant that it breaks.
    #[must_use]
    pub fn breaks(self) -> u8 {
        match self {
            Self::GrantTwice | Self::SpawnTwice => 1,
            Self::DropRevoked | Self::DropDown => 2,
            Self::SkipDependents => 3,
            Self::KeepSlots | Self::NeverReady | Self::DropArrival | Self::RefuseWaiters | Self::DropUnleased => 4,
            Self::StartHeld | Self::LossIsFailure => 5,
            Self::ForgetRestore | Self::RestoreTwice | Self::ForgetBaseline => 6,
            Self::LeaveProcesses | Self::LeaveProbes | Self::LookForEver => 7,
            Self::LoseCause => 8,
            Self::IdleOverRestart => 11,
        }
    }
}

/// A planted bug at work.
#[derive(Debug)]
pub(in super::super) struct Sabotaged {
    sabotage: Sabotage,
    granted: BTreeMap<ServiceName, Grant>,
    services: BTreeMap<RunId, ServiceName>,
    duplicates: u64,
}

impl Sabotaged {
    pub(in super::super) fn new(sabotage: Sabotage) -> Self {
        Self { sabotage, granted: BTreeMap::new(), services: BTreeMap::new(), duplicates: u64::MAX / 2 }
    }

    /// What a message is said to be caused by.
    pub(in super::super) fn cause(&self, from: &Address, cause: Option<Cause>) -> Option<Cause> {
        match (self.sabotage, from) {
            (Sabotage::LoseCause, Address::Actor(_)) => None,
            _ => cause,
        }
    }

    /// What becomes of a message.
    pub(in super::super) fn message(&mut self, message: Message) -> Vec<Message> {
        let Message::Service(name, said) = message else { return self.other_message(message) };
        let same = |said| vec![Message::Service(name.clone(), said)];
        match (self.sabotage, said) {
            (Sabotage::DropRevoked, ServiceMessage::Revoked(..))
            | (Sabotage::NeverReady, ServiceMessage::Probe(..) | ServiceMessage::Timer(ServiceTimer::ReadyWithin))
            | (
                Sabotage::DropDown,
                ServiceMessage::Dependency(
                    _,
                    Standing::Down(_) | Standing::Starting(_) | Standing::Coming(_) | Standing::Held(_),
                ),
            ) => Vec::new(),
            (Sabotage::SkipDependents, ServiceMessage::Dependency(left, Standing::Leaving { episode, .. })) => {
                vec![Message::Service(left, ServiceMessage::DependentStopped(name, episode))]
            }
            (Sabotage::GrantTwice, ServiceMessage::Granted(grant)) => {
                self.granted.insert(name.clone(), grant.clone());
                same(ServiceMessage::Granted(grant))
            }
            (Sabotage::GrantTwice, ServiceMessage::Queued(blockers)) => match self.stolen(&blockers) {
                Some(grant) => same(ServiceMessage::Granted(grant)),
                None => same(ServiceMessage::Queued(blockers)),
            },
            (Sabotage::RefuseWaiters | Sabotage::LossIsFailure, ServiceMessage::Queued(blockers)) => {
                match self.refused(&blockers) {
                    Some(refusal) => same(ServiceMessage::Refused(refusal)),
                    None => same(ServiceMessage::Queued(blockers)),
                }
            }
            (Sabotage::StartHeld, ServiceMessage::Stop(request)) => {
                let again = ServiceMessage::Restart(RequestId(u64::MAX), Attempts::Reset);
                vec![
                    Message::Service(name.clone(), ServiceMessage::Stop(request)),
                    Message::Service(name.clone(), again),
                ]
            }
            (Sabotage::IdleOverRestart, said @ ServiceMessage::Restart(..)) => {
                let idle = Message::Leases(LeaseMessage::Idle(name.clone().into()));
                vec![Message::Service(name.clone(), said), idle]
            }
            (_, said) => same(said),
        }
    }

    fn other_message(&self, message: Message) -> Vec<Message> {
        match (self.sabotage, &message) {
            (Sabotage::KeepSlots, Message::Services(ServicesMessage::ReturnSlot(_)))
            | (Sabotage::DropUnleased, Message::Device(_, DeviceMessage::Unleased))
            | (Sabotage::DropArrival, Message::Leases(LeaseMessage::DeviceAvailable(..))) => Vec::new(),
            (Sabotage::ForgetBaseline, Message::Leases(LeaseMessage::RadioSet(operation, device, Err(error)))) => {
                let unchanged = Err(Error::new(ErrorKind::Refused, error.to_string()));
                vec![Message::Leases(LeaseMessage::RadioSet(*operation, device.clone(), unchanged))]
            }
            (Sabotage::LookForEver, Message::Device(name, DeviceMessage::Probed(operation, Ok(_)))) => {
                let not_tried = Err(Error::new(ErrorKind::NotTried, "others keep it from being looked at (planted)"));
                vec![Message::Device(name.clone(), DeviceMessage::Probed(*operation, not_tried))]
            }
            _ => vec![message],
        }
    }

    /// Why somebody is refused who should wait.
    fn refused(&self, blockers: &[Blocker]) -> Option<Refusal> {
        let is_cause = |blocker: &&Blocker| match blocker {
            Blocker::Held { .. } => self.sabotage == Sabotage::RefuseWaiters,
            Blocker::Device { .. } => self.sabotage == Sabotage::LossIsFailure,
            _ => false,
        };
        let found = blockers.iter().find(is_cause)?;
        Some(Refusal::WaitedTooLong {
            patience: Duration::ZERO,
            blockers: Listed::of(std::iter::once(found.clone()), 1),
        })
    }

    /// The grant of somebody who holds what is waited for.
    fn stolen(&self, blockers: &[Blocker]) -> Option<Grant> {
        let holder = |blocker: &Blocker| match blocker {
            Blocker::Held { resource: Resource::Device(_), holder } => holder.service().cloned(),
            _ => None,
        };
        self.granted.get(&blockers.iter().find_map(holder)?).cloned()
    }

    /// What becomes of an act.
    pub(in super::super) fn action(&mut self, action: Action, cause: Cause, so: &mut Consequences) -> Vec<Action> {
        match (self.sabotage, action) {
            (Sabotage::SpawnTwice, Action::Spawn(order)) => {
                self.duplicates += 1;
                let twin =
                    Action::Spawn(crate::action::process::SpawnOrder { run: RunId(self.duplicates), ..order.clone() });
                vec![Action::Spawn(order), twin]
            }
            (Sabotage::LeaveProcesses, Action::Spawn(order)) => {
                self.services.insert(order.run, order.service.clone());
                vec![Action::Spawn(order)]
            }
            (Sabotage::LeaveProcesses, Action::Signal(order)) => {
                if let Some(service) = self.services.get(&order.run) {
                    let gone = ServiceMessage::Process(order.run, ProcessEvent::TreeGone);
                    so.told.push((Outside::Processes, Message::Service(service.clone(), gone), Some(cause)));
                }
                Vec::new()
            }
            (Sabotage::LeaveProbes, Action::Unwatch(_)) => Vec::new(),
            (Sabotage::ForgetRestore, Action::RestoreRadio { operation, device, .. }) => {
                let done = Message::Leases(LeaseMessage::RadioRestored(operation, device, Ok(())));
                so.told.push((Outside::Drivers, done, Some(cause)));
                Vec::new()
            }
            (Sabotage::RestoreTwice, action @ Action::RestoreRadio { .. }) => vec![action.clone(), action],
            (_, action) => vec![action],
        }
    }
}
