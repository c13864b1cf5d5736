//! Planted bugs at work.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_config::model::Sharing;
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::HardwareEvent;

use super::super::environment::Consequences;
use super::Sabotage;
use crate::action::probe::ProbeEvent;
use crate::action::process::{ProcessEvent, RunId};
use crate::cause::{Absence, Blocker, Listed, Matter, Refusal, Resource, Standing};
use crate::effect::watched::Lost;
use crate::engine::Letter;
use crate::message::device::DeviceMessage;
use crate::message::inventory::InventoryMessage;
use crate::message::lease::{Grant, LeaseMessage, Renewed, Want};
use crate::message::service::{Attempts, ServiceMessage, ServiceTimer};
use crate::message::supervision::{RootMessage, ServicesMessage};
use crate::message::{Action, Address, Message, Outside, RequestId};
use crate::trace::Cause;

/// How often a device is told that it is there, when that is forgotten afterwards.
const SIGHTINGS: u32 = 3;

/// A planted bug at work.
#[derive(Debug)]
pub(in super::super) struct Sabotaged {
    sabotage: Sabotage,
    granted: BTreeMap<ServiceName, Grant>,
    services: BTreeMap<RunId, ServiceName>,
    sightings: BTreeMap<DeviceName, u32>,
    /// Who was harmed: each is once.
    harmed: BTreeSet<ServiceName>,
    duplicates: u64,
}

impl Sabotaged {
    pub(in super::super) fn new(sabotage: Sabotage) -> Self {
        Self {
            sabotage,
            granted: BTreeMap::new(),
            services: BTreeMap::new(),
            sightings: BTreeMap::new(),
            harmed: BTreeSet::new(),
            duplicates: u64::MAX / 2,
        }
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
        if self.drops(&said) {
            return Vec::new();
        }
        let same = |said| vec![Message::Service(name.clone(), said)];
        match (self.sabotage, said) {
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
            (Sabotage::VagueNeeds, ServiceMessage::Dependency(need, Standing::Held(_))) => {
                same(ServiceMessage::Dependency(need, Standing::Held(Matter::Needs)))
            }
            // From now on somebody else would notice as well: whoever is restarted keeps what it has.
            (Sabotage::ShareAll, said @ ServiceMessage::Restart(..)) => {
                self.harmed.insert(name.clone());
                same(said)
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
            (Sabotage::WaitAtRestart, ServiceMessage::Renewed(token, _)) => {
                same(ServiceMessage::Renewed(token, Renewed::MustWait))
            }
            (Sabotage::StopForNothing, said @ ServiceMessage::Probe(_, ProbeEvent::Ready(_)))
                if self.harmed.insert(name.clone()) =>
            {
                let restart = ServiceMessage::Restart(RequestId(u64::MAX), Attempts::Keep);
                vec![Message::Service(name.clone(), said), Message::Service(name.clone(), restart)]
            }
            (Sabotage::GiveUpAtOnce, said @ ServiceMessage::Process(_, ProcessEvent::Spawned { .. })) => {
                let over = ServiceMessage::Timer(ServiceTimer::ReadyWithin);
                vec![Message::Service(name.clone(), said), Message::Service(name.clone(), over)]
            }
            (_, said) => same(said),
        }
    }

    /// Whether a message is lost.
    fn drops(&self, said: &ServiceMessage) -> bool {
        match (self.sabotage, said) {
            (Sabotage::DropRevoked, ServiceMessage::Revoked(..))
            | (Sabotage::NeverReady, ServiceMessage::Probe(..) | ServiceMessage::Timer(ServiceTimer::ReadyWithin)) => {
                true
            }
            (Sabotage::DropDown, ServiceMessage::Dependency(_, standing)) => {
                matches!(standing, Standing::Down(_) | Standing::Starting(_) | Standing::Coming(_) | Standing::Held(_))
            }
            _ => false,
        }
    }

    /// How much later a message comes.
    pub(in super::super) fn delay(&self, message: &Message) -> Option<Duration> {
        let Message::Service(_, ServiceMessage::Revoked(..)) = message else { return None };
        (self.sabotage == Sabotage::DelayRevoked).then_some(Duration::from_secs(45))
    }

    /// Whether a machine panics over a message.
    pub(in super::super) fn breaks_over(&mut self, message: &Message) -> bool {
        let Message::Service(name, ServiceMessage::SlotGranted(_)) = message else { return false };
        self.sabotage == Sabotage::Panic && self.harmed.insert(name.clone())
    }

    /// What a machine is told instead of what is written down that it was.
    pub(in super::super) fn unseen(&self, mut letter: Letter) -> Letter {
        if let (Sabotage::HiddenInput, Message::Service(_, ServiceMessage::Granted(grant))) =
            (self.sabotage, &mut letter.message)
        {
            grant.since = grant.since + Duration::from_millis(1);
        }
        letter
    }

    fn other_message(&mut self, mut message: Message) -> Vec<Message> {
        let shares = self.sabotage == Sabotage::ShareAll && self.harmed.is_empty();
        if let (true, Message::Leases(LeaseMessage::Request(request))) = (shares, &mut message) {
            let devices = request.wants.iter_mut().filter_map(|want| match want {
                Want::Device { sharing, .. } => Some(sharing),
                _ => None,
            });
            devices.for_each(|sharing| *sharing = Sharing::Shared);
        }
        if let (Sabotage::ForgetPriority, Message::Leases(LeaseMessage::Request(request))) =
            (self.sabotage, &mut message)
        {
            request.priority = 0;
        }
        match (self.sabotage, &message) {
            (Sabotage::KeepSlots, Message::Services(ServicesMessage::ReturnSlot(_)))
            | (Sabotage::DropWorks, Message::Hardware(InventoryMessage::Event(HardwareEvent::Works(_))))
            | (Sabotage::DropUnleased, Message::Device(_, DeviceMessage::Unleased))
            | (Sabotage::DropLeased, Message::Device(_, DeviceMessage::Leased { .. }))
            | (Sabotage::DropArrival, Message::Leases(LeaseMessage::DeviceAvailable(..))) => Vec::new(),
            (Sabotage::ForgetBaseline, Message::Leases(LeaseMessage::RadioSet(operation, device, Err(_)))) => {
                let unchanged = Err(Error::Simulated(ErrorKind::Refused));
                vec![Message::Leases(LeaseMessage::RadioSet(*operation, device.clone(), unchanged))]
            }
            (Sabotage::LookForEver, Message::Device(name, DeviceMessage::Probed(operation, Ok(_)))) => {
                let not_tried = Err(Error::Simulated(ErrorKind::NotTried));
                vec![Message::Device(name.clone(), DeviceMessage::Probed(*operation, not_tried))]
            }
            (Sabotage::DropSightings, Message::Device(name, DeviceMessage::Seen(_))) => {
                let count = self.sightings.entry(name.clone()).or_default();
                *count += 1;
                if *count > SIGHTINGS { Vec::new() } else { vec![message] }
            }
            (Sabotage::ComeAndGo, Message::Device(name, DeviceMessage::Seen(sighting))) => {
                let gone = DeviceMessage::Gone { generation: None, how: Absence::Left(sighting.key.clone()) };
                let gone = Message::Device(name.clone(), gone);
                vec![message.clone(), gone.clone(), message.clone(), gone, message]
            }
            (Sabotage::AskForEver, Message::Root(RootMessage::LeasesClosed(_))) => {
                vec![Message::Leases(LeaseMessage::Close)]
            }
            _ => vec![message],
        }
    }

    /// What is heard of a part of mainstay that is gone.
    pub(in super::super) fn loss(&self, lost: Lost) -> Option<Lost> {
        match self.sabotage {
            Sabotage::DropLost => None,
            Sabotage::WrongReason => Some(Lost { part: "main".to_owned(), ..lost }),
            _ => Some(lost),
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
            (Sabotage::LeaveProbes, Action::Unwatch(_)) | (Sabotage::KeepPrepared, Action::LetGo(_)) => Vec::new(),
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
