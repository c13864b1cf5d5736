//! Where a device can be when it is told something: every pair, for seeing which of them were tried.

use super::machine::{DeviceMachine, State};
use crate::machine::closed::{Taken, closed};
use crate::message::device::{DeviceMessage, DeviceTimer};

closed! {
    /// Where a device is.
    pub(crate) enum Is { Absent, Settling, Checking, Probing, Ready, InUse, Faulted, Quarantined, Ejected }
}

closed! {
    /// What it is told.
    pub(crate) enum Told {
        Seen, Gone, Rivals, NoRivals, Accessible, Probed, Supply, Leased, Unleased, Withheld, PutBack, Awaited, Lent, Fault,
        Eject, Admit, Settled, AccessRetry, LookAfterAll, QuarantineOver, Mistaken,
    }
}

impl DeviceMachine {
    /// Where it is.
    pub(crate) fn is(&self) -> Is {
        match &self.state {
            State::Absent { .. } => Is::Absent,
            State::Settling { .. } => Is::Settling,
            State::Checking { .. } => Is::Checking,
            State::Probing { .. } => Is::Probing,
            State::Ready if self.leased_since.is_some() => Is::InUse,
            State::Ready => Is::Ready,
            State::Faulted { .. } => Is::Faulted,
            State::Quarantined { .. } => Is::Quarantined,
            State::Ejected => Is::Ejected,
        }
    }
}

impl Told {
    pub(crate) fn of(message: &DeviceMessage) -> Self {
        match message {
            DeviceMessage::Seen(_) => Self::Seen,
            DeviceMessage::Gone { .. } => Self::Gone,
            DeviceMessage::Rivals(_) => Self::Rivals,
            DeviceMessage::NoRivals => Self::NoRivals,
            DeviceMessage::Accessible(..) => Self::Accessible,
            DeviceMessage::Probed(..) => Self::Probed,
            DeviceMessage::Supply(..) => Self::Supply,
            DeviceMessage::Leased { .. } => Self::Leased,
            DeviceMessage::Unleased => Self::Unleased,
            DeviceMessage::Withheld(_) => Self::Withheld,
            DeviceMessage::PutBack(_) => Self::PutBack,
            DeviceMessage::Awaited(_) => Self::Awaited,
            DeviceMessage::Lent(_) => Self::Lent,
            DeviceMessage::Fault(..) => Self::Fault,
            DeviceMessage::Eject(_) => Self::Eject,
            DeviceMessage::Admit(_) => Self::Admit,
            DeviceMessage::Timer(DeviceTimer::Settling) => Self::Settled,
            DeviceMessage::Timer(DeviceTimer::AccessRetry) => Self::AccessRetry,
            DeviceMessage::Timer(DeviceTimer::LookAfterAll) => Self::LookAfterAll,
            DeviceMessage::Timer(DeviceTimer::Quarantine) => Self::QuarantineOver,
            DeviceMessage::Timer(DeviceTimer::Mistaken) => Self::Mistaken,
        }
    }
}

const LEFT: &str = "a state that is left takes its timers with it";

/// Why it is never told this there.
pub(crate) fn impossible(is: Is, told: Told) -> Option<&'static str> {
    let only = |places: &[Is], why| (!places.contains(&is)).then_some(why);
    match told {
        Told::Settled | Told::AccessRetry => only(&[Is::Settling], LEFT),
        Told::QuarantineOver => only(&[Is::Quarantined], LEFT),
        Told::LookAfterAll => only(&[Is::Faulted], LEFT),
        Told::Mistaken if is == Is::Probing => Some("only radios are renamed, and no radio is asked what it is"),
        Told::Mistaken => matches!(is, Is::Absent | Is::InUse).then_some(LEFT),
        Told::Seen | Told::Gone | Told::Rivals | Told::NoRivals => None,
        // Calls to drivers take their time, and whatever happens meanwhile.
        Told::Accessible | Told::Probed | Told::Supply => None,
        Told::PutBack | Told::Fault => {
            (is == Is::Probing).then_some("only radios are changed, and no radio is asked what it is")
        }
        Told::Leased | Told::Unleased | Told::Withheld | Told::Awaited => None,
        Told::Lent => None,
        Told::Eject | Told::Admit => None,
    }
}

/// How it takes what it is told there.
pub(crate) fn taken(is: Is, told: Told) -> Taken {
    let only = |place: Is| Taken::passed_if(is != place, Taken::Either);
    let is_out_of_use = matches!(is, Is::Quarantined | Is::Ejected);
    match told {
        Told::Accessible => only(Is::Checking),
        Told::Probed => only(Is::Probing),
        Told::Supply => only(Is::Quarantined),
        Told::Fault => Taken::passed_if(is_out_of_use || is == Is::Absent, Taken::Either),
        Told::PutBack => Taken::passed_if(matches!(is, Is::Absent | Is::InUse), Taken::Either),
        Told::Seen if is == Is::Absent => Taken::Handled,
        Told::Leased | Told::Unleased | Told::Withheld if is == Is::Absent => Taken::Passed,
        // Where several pieces fit it and none was taken, it has none.
        Told::Leased | Told::Unleased | Told::Withheld if is == Is::Faulted => Taken::Either,
        Told::Leased | Told::Unleased | Told::Withheld if !is_out_of_use => Taken::Handled,
        Told::Seen | Told::Gone | Told::Leased | Told::Unleased | Told::Withheld | Told::Mistaken => Taken::Either,
        Told::Rivals | Told::NoRivals | Told::Awaited | Told::Lent | Told::Eject | Told::Admit => Taken::Handled,
        Told::Settled | Told::AccessRetry | Told::LookAfterAll | Told::QuarantineOver => Taken::Handled,
    }
}
