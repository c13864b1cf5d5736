//! Planted bugs: each breaks one invariant, and its checker must notice, and no other.

use super::super::checkers::Check;
use super::super::environment::Lie;
use super::Weather;
use crate::machine::closed::closed;

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
        /// An executor that ends kills services as well.
        KillServices,
        /// mainstay says that it gives up for another reason.
        WrongReason,
        /// It is not heard that a part is gone.
        DropLost,
        /// What was seen of a run is taken for said, though the task panicked that was to say it.
        SeenIsSaid,
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
            Self::KillServices | Self::WrongReason | Self::DropLost => Weather::losing(),
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
            Self::SeenIsSaid => Check::Ready,
            Self::KillServices | Self::WrongReason | Self::DropLost => Check::GivingUp,
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
            Self::SeenIsSaid => Some(Lie::SeenIsSaid),
            Self::KillServices => Some(Lie::SweepAll),
            _ => None,
        }
    }
}
