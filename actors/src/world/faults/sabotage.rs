//! Planted bugs: each breaks one invariant, and its checker must notice, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_config::model::Sharing;
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::HardwareEvent;

use super::super::checkers::Check;
use super::super::environment::{Consequences, Lie};
use super::Weather;
use crate::action::probe::ProbeEvent;
use crate::action::process::{ProcessEvent, RunId};
use crate::cause::{Absence, Blocker, Listed, Matter, Refusal, Resource, Standing};
use crate::engine::Letter;
use crate::machine::closed::closed;
use crate::message::device::DeviceMessage;
use crate::message::inventory::InventoryMessage;
use crate::message::lease::{Grant, LeaseMessage, Renewed, Want};
use crate::message::service::{Attempts, ServiceMessage, ServiceTimer};
use crate::message::supervision::{RootMessage, ServicesMessage};
use crate::message::{Action, Address, Message, Outside, RequestId};
use crate::trace::Cause;

closed! {
    /// A planted bug.
    pub enum Sabotage {
        /// Who wants something alone is said to share it.
        ShareAll,
        /// Who must wait for a device that is held is given it all the same.
        GrantTwice,
        /// Every program is started twice.
        SpawnTwice,
        /// Holders are told much later that a lease is withdrawn.
        DelayRevoked,
        /// Whose turn it is by its priority is not minded.
        ForgetPriority,
        /// Of what is needed and does not run, it is always said that it waits for others.
        VagueNeeds,
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
        /// Devices are not told that somebody leases them.
        DropLeased,
        /// Devices are not told that nobody leases them any more.
        DropUnleased,
        /// Devices are not told that they are there again.
        DropSightings,
        /// It is not said that hardware can be watched again.
        DropWorks,
        /// Devices are told of each arrival as if they had come and gone twice before.
        ComeAndGo,
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
        /// What was made ahead for a start is never let go of.
        KeepPrepared,
        /// Devices are looked at again and again.
        LookForEver,
        /// Messages do not say what caused them.
        LoseCause,
        /// Who is restarted is said to need nothing meanwhile.
        IdleOverRestart,
        /// Who is restarted is told to give back what it holds and to wait.
        WaitAtRestart,
        /// Services are restarted that nobody wants restarted.
        StopForNothing,
        /// Starts are given up at once.
        GiveUpAtOnce,
        /// A machine knows something that it was not told.
        HiddenInput,
        /// A machine panics over a message.
        Panic,
        /// Who is told that all is given back asks for that once more.
        AskForEver,
        /// The kernel says that nobody is a child of ours.
        EmptyRoll,
        /// Time to look again at a tree that is being killed never comes.
        NoSecondSweep,
        /// The ends of some children are not told.
        SilentEnds,
        /// A process is signalled once more when it was waited for, and its number may stand for a stranger.
        SignalStrangers,
        /// Several calls to the driver of one radio run at once.
        CallsTogether,
        /// The operator's word is not written down.
        LoseWord,
        /// How a radio was is not written down.
        LoseRadio,
    }
}

impl Sabotage {
    /// What must go wrong besides, for it to do harm.
    #[must_use]
    pub fn weather(self) -> Weather {
        match self {
            // They must be caught even though actors that panic give grace anew.
            Self::DropRevoked | Self::DropDown => Weather::panicking(),
            // In rough weather a process that nobody knows of does harm before it is counted at the end.
            Self::LeaveProcesses => Weather::calm(),
            // What comes late, or for nothing, must do no other harm.
            Self::DelayRevoked | Self::StopForNothing => Weather::only_hardware(),
            Self::SkipDependents => Weather::only_operator(),
            // Calls that change a radio would do harm besides.
            Self::CallsTogether => Weather::hanging(),
            Self::LoseWord | Self::LoseRadio => Weather::deadly(),
            _ => Weather::rough(),
        }
    }

    /// The checker that catches it.
    #[must_use]
    pub fn caught_by(self) -> Check {
        match self {
            Self::ShareAll | Self::GrantTwice | Self::SpawnTwice | Self::EmptyRoll => Check::Exclusive,
            Self::DelayRevoked | Self::DropRevoked | Self::DropDown | Self::NoSecondSweep => Check::Outliving,
            Self::SkipDependents => Check::Order,
            Self::KeepSlots | Self::NeverReady | Self::DropArrival | Self::RefuseWaiters => Check::Quiet,
            Self::SilentEnds | Self::ForgetPriority | Self::VagueNeeds => Check::Quiet,
            Self::LookForEver | Self::DropSightings | Self::DropWorks | Self::ComeAndGo => Check::Devices,
            Self::DropLeased | Self::DropUnleased => Check::Holders,
            Self::StartHeld | Self::LossIsFailure | Self::LoseWord => Check::Wanted,
            Self::ForgetRestore | Self::RestoreTwice | Self::ForgetBaseline | Self::LoseRadio => Check::Radios,
            Self::LeaveProcesses | Self::LeaveProbes | Self::KeepPrepared => Check::Leftovers,
            Self::LoseCause => Check::Traces,
            Self::IdleOverRestart | Self::WaitAtRestart => Check::Keeping,
            Self::StopForNothing | Self::GiveUpAtOnce => Check::Needless,
            Self::HiddenInput => Check::Replay,
            Self::Panic => Check::Bearing,
            Self::AskForEver => Check::Livelock,
            Self::SignalStrangers => Check::Strangers,
            Self::CallsTogether => Check::Calls,
        }
    }

    /// What the kernel, or the executor, is made to lie about for it.
    pub(in super::super) fn lie(self) -> Option<Lie> {
        match self {
            Self::EmptyRoll => Some(Lie::EmptyRoll),
            Self::NoSecondSweep => Some(Lie::NoSecondSweep),
            Self::SilentEnds => Some(Lie::SilentEnds),
            Self::SignalStrangers => Some(Lie::LateSignal),
            Self::CallsTogether => Some(Lie::CallsTogether),
            Self::LoseWord => Some(Lie::LosesWords),
            Self::LoseRadio => Some(Lie::LosesRadios),
            _ => None,
        }
    }
}

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
