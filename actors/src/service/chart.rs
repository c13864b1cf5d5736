//! Where a service can be when it is told something: every pair, for seeing which of them were tried.

use super::machine::ServiceMachine;
use super::state::{Phase, Rest, StopStage};
use crate::action::probe::ProbeEvent;
use crate::action::process::ProcessEvent;
use crate::cause::Standing;
use crate::machine::closed::{Taken, closed};
use crate::message::service::{ServiceMessage, ServiceTimer};

closed! {
    /// Where a service is.
    pub(crate) enum Is {
        Fresh, Backoff, Failed, Ended, Leasing, Renewing, Slotting, Starting, Running, Leaving, Unborn, Grace,
        LastGrace, Killing, Unkillable,
    }
}

closed! {
    /// What it is told. What is said of a run is of the present one, but for `OldRun`.
    pub(crate) enum Told {
        Begin, NeedUp, NeedComing, NeedLeaving, NeedDown, DependentStopped, DependentStuck, Granted, Queued, Refused, Renewed,
        Revoked, NothingHeld, DeviceArrived, Corrected, DeviceLeft, SlotGranted, Spawned, LoadsSlowly, SpawnFailed,
        MainExited, TreeGone, Notified, ProbeReady, ProbeNotYet, OldRun, Start, StartForDependent, Stop, Restart, Close,
        Hurry, ReadyWithin, BackoffOver, ResetAfter, GraceOver, StillThere, NeedLost, NeedWaited,
    }
}

impl ServiceMachine {
    /// Where it is.
    pub(crate) fn is(&self) -> Is {
        match (&self.phase, &self.rest) {
            (Phase::Idle, Rest::Fresh) => Is::Fresh,
            (Phase::Idle, Rest::Backoff { .. }) => Is::Backoff,
            (Phase::Idle, Rest::Failed(_)) => Is::Failed,
            (Phase::Idle, Rest::Ended(_)) => Is::Ended,
            (Phase::Leasing { .. }, _) => Is::Leasing,
            (Phase::Renewing { .. }, _) => Is::Renewing,
            (Phase::Slotting, _) => Is::Slotting,
            (Phase::Starting(_), _) => Is::Starting,
            (Phase::Running(_), _) => Is::Running,
            (Phase::Leaving { .. }, _) => Is::Leaving,
            (Phase::Stopping { stage, .. }, _) => match stage {
                StopStage::Unborn => Is::Unborn,
                StopStage::Grace => Is::Grace,
                StopStage::LastGrace => Is::LastGrace,
                StopStage::Killing => Is::Killing,
                StopStage::Unkillable => Is::Unkillable,
            },
        }
    }

    /// What it is told by a message.
    pub(crate) fn told(&self, message: &ServiceMessage) -> Told {
        match message {
            ServiceMessage::Process(run, _) | ServiceMessage::Probe(run, _)
                if self.run().is_none_or(|present| present.id != *run) =>
            {
                Told::OldRun
            }
            ServiceMessage::Process(_, event) => of_process(event),
            ServiceMessage::Timer(timer) => of_timer(timer),
            ServiceMessage::Probe(_, ProbeEvent::Ready(_)) => Told::ProbeReady,
            ServiceMessage::Probe(_, ProbeEvent::NotYet(_)) => Told::ProbeNotYet,
            ServiceMessage::Dependency(_, standing) => match standing {
                Standing::Up => Told::NeedUp,
                Standing::Unknown | Standing::Starting(_) | Standing::Coming(_) => Told::NeedComing,
                Standing::Leaving { .. } => Told::NeedLeaving,
                Standing::Down(_) | Standing::Held(_) => Told::NeedDown,
            },
            ServiceMessage::Begin => Told::Begin,
            ServiceMessage::DependentStopped(..) => Told::DependentStopped,
            ServiceMessage::DependentStuck(..) => Told::DependentStuck,
            ServiceMessage::Granted(_) => Told::Granted,
            ServiceMessage::Queued(_) => Told::Queued,
            ServiceMessage::Refused(_) => Told::Refused,
            ServiceMessage::Renewed(..) => Told::Renewed,
            ServiceMessage::Revoked(..) => Told::Revoked,
            ServiceMessage::NothingHeld => Told::NothingHeld,
            ServiceMessage::DeviceArrived(..) => Told::DeviceArrived,
            ServiceMessage::Corrected(..) => Told::Corrected,
            ServiceMessage::DeviceLeft(_) => Told::DeviceLeft,
            ServiceMessage::SlotGranted(_) => Told::SlotGranted,
            ServiceMessage::Start(..) => Told::Start,
            ServiceMessage::StartForDependent(..) => Told::StartForDependent,
            ServiceMessage::Stop(_) => Told::Stop,
            ServiceMessage::Restart(..) => Told::Restart,
            ServiceMessage::Close => Told::Close,
            ServiceMessage::Hurry => Told::Hurry,
        }
    }
}

fn of_process(event: &ProcessEvent) -> Told {
    match event {
        ProcessEvent::Spawned { .. } => Told::Spawned,
        ProcessEvent::LoadsSlowly => Told::LoadsSlowly,
        ProcessEvent::SpawnFailed(_) => Told::SpawnFailed,
        ProcessEvent::MainExited { .. } => Told::MainExited,
        ProcessEvent::TreeGone => Told::TreeGone,
        ProcessEvent::Notified(_) => Told::Notified,
    }
}

fn of_timer(timer: &ServiceTimer) -> Told {
    match timer {
        ServiceTimer::ReadyWithin => Told::ReadyWithin,
        ServiceTimer::Backoff => Told::BackoffOver,
        ServiceTimer::ResetAfter => Told::ResetAfter,
        ServiceTimer::Grace => Told::GraceOver,
        ServiceTimer::Unkillable => Told::StillThere,
        ServiceTimer::Lost(_) => Told::NeedLost,
        ServiceTimer::Optional(_) => Told::NeedWaited,
    }
}

const LEFT: &str = "a state that is left takes its timer with it";

/// Why it is never told this there.
pub(crate) fn impossible(is: Is, told: Told) -> Option<&'static str> {
    let only = |places: &[Is], why| (!places.contains(&is)).then_some(why);
    let has_run =
        !matches!(is, Is::Fresh | Is::Backoff | Is::Failed | Is::Ended | Is::Leasing | Is::Renewing | Is::Slotting);
    match told {
        Told::LoadsSlowly if matches!(is, Is::Running | Is::Grace | Is::LastGrace) => {
            Some("it was said before that it runs")
        }
        Told::Spawned | Told::LoadsSlowly | Told::MainExited | Told::TreeGone | Told::Notified => {
            (!has_run).then_some("it has no run: whatever is said is of an old one")
        }
        Told::ProbeReady | Told::ProbeNotYet => match is {
            Is::Unborn => Some("it is looked at when it was heard to run"),
            Is::Starting | Is::Running | Is::Leaving | Is::Grace | Is::LastGrace | Is::Killing | Is::Unkillable => None,
            Is::Fresh | Is::Backoff | Is::Failed | Is::Ended | Is::Leasing | Is::Renewing | Is::Slotting => {
                Some("it has no run: whatever is said is of an old one")
            }
        },
        Told::SpawnFailed if !has_run => Some("it has no run: whatever is said is of an old one"),
        Told::SpawnFailed => {
            only(&[Is::Starting, Is::Leaving, Is::Unborn, Is::Killing, Is::Unkillable], "its run was spawned")
        }
        Told::ReadyWithin => only(&[Is::Starting], LEFT),
        Told::BackoffOver => only(&[Is::Backoff], LEFT),
        Told::ResetAfter => only(&[Is::Running], LEFT),
        Told::GraceOver => only(&[Is::Unborn, Is::Grace, Is::LastGrace], LEFT),
        Told::StillThere => only(&[Is::Killing], LEFT),
        Told::Queued | Told::Refused => (has_run || matches!(is, Is::Slotting | Is::Renewing | Is::Ended))
            .then_some("it has been granted what it asked for since, by the same registry"),
        Told::NothingHeld => (is == Is::Renewing).then_some("the registry knows what it holds"),
        Told::Begin | Told::NeedUp | Told::NeedComing | Told::NeedLeaving | Told::NeedDown => None,
        Told::NeedLost => only(&[Is::Starting, Is::Running, Is::Leaving], "who does not run loses nobody"),
        Told::NeedWaited => matches!(is, Is::Backoff | Is::Failed | Is::Ended).then_some("who rests waits for nobody"),
        Told::DependentStopped | Told::DependentStuck => None,
        Told::Granted | Told::Renewed | Told::Revoked => None,
        // Once the next is ordered, nothing is said of the one before; and whatever is said of the next comes after all that was.
        Told::OldRun => matches!(is, Is::Running | Is::Grace | Is::LastGrace | Is::Unkillable)
            .then_some("it has heard of its present run, or waited for a time, since that was said"),
        Told::DeviceArrived | Told::Corrected | Told::DeviceLeft | Told::SlotGranted => None,
        Told::Start | Told::StartForDependent | Told::Stop | Told::Restart | Told::Close | Told::Hurry => None,
    }
}

/// How it takes what it is told there.
pub(crate) fn taken(is: Is, told: Told) -> Taken {
    let only = |place: Is, taken| Taken::passed_if(is != place, taken);
    match told {
        Told::OldRun => Taken::Passed,
        Told::DependentStopped | Told::DependentStuck => only(Is::Leaving, Taken::Either),
        Told::Granted => only(Is::Leasing, Taken::Either),
        Told::Queued | Told::Refused | Told::NothingHeld => only(Is::Leasing, Taken::Handled),
        Told::Renewed => only(Is::Renewing, Taken::Either),
        Told::SlotGranted => only(Is::Slotting, Taken::Handled),
        Told::ProbeReady | Told::ProbeNotYet => only(Is::Starting, Taken::Handled),
        Told::Revoked => match is {
            Is::Failed | Is::Ended | Is::Leasing => Taken::Passed,
            Is::Renewing | Is::Slotting | Is::Starting | Is::Running => Taken::Handled,
            Is::Fresh
            | Is::Backoff
            | Is::Leaving
            | Is::Unborn
            | Is::Grace
            | Is::LastGrace
            | Is::Killing
            | Is::Unkillable => Taken::Either,
        },
        Told::Corrected => match is {
            Is::Failed | Is::Ended | Is::Leasing => Taken::Passed,
            Is::Fresh | Is::Backoff => Taken::Either,
            Is::Renewing | Is::Slotting | Is::Starting | Is::Running | Is::Leaving => Taken::Handled,
            Is::Unborn | Is::Grace | Is::LastGrace | Is::Killing | Is::Unkillable => Taken::Handled,
        },
        Told::Spawned | Told::MainExited | Told::StartForDependent => Taken::Either,
        Told::Begin | Told::NeedUp | Told::NeedComing | Told::NeedLeaving | Told::NeedDown => Taken::Handled,
        Told::DeviceArrived | Told::DeviceLeft | Told::LoadsSlowly | Told::SpawnFailed => Taken::Handled,
        Told::TreeGone | Told::Notified | Told::Start | Told::Stop | Told::Restart | Told::Close => Taken::Handled,
        Told::Hurry | Told::ReadyWithin | Told::BackoffOver | Told::ResetAfter | Told::GraceOver => Taken::Handled,
        Told::StillThere | Told::NeedLost | Told::NeedWaited => Taken::Handled,
    }
}
