//! How the registry can stand to somebody, or to a device, when it is told something of him, or of it: every pair, for seeing
//! which of them were tried.

use mainstay_config::names::DeviceName;

use super::holding::{Holding, Use};
use super::machine::{Closing, LeaseMachine};
use super::prospect::DeviceState;
use super::radios::Restoring;
use crate::cause::Holder;
use crate::machine::closed::{Taken, closed};
use crate::message::lease::{LeaseMessage, LeaseTimer};

closed! {
    /// How it stands to whom a message is about, or to what.
    pub(crate) enum Is {
        // To somebody.
        Unknown, Waiting, Preparing, Held, Renewing, Idle, Draining, Abandoned,
        // To a device.
        Unheard, Unavailable, Available, Lent, Changing, Changed, PuttingBack, Pausing, GivenUp,
        // To everybody.
        Open, Closing,
    }
}

closed! {
    /// What it is told.
    pub(crate) enum Told {
        // Of somebody.
        Request, Withdraw, Release, Stands, SetIdle, SetBusy, Renew, Abandon, PatienceOver, LookAgain,
        // Of a device.
        DeviceAvailable, DeviceUnavailable, Lend, RadioRead, RadioSet, RadioRestored, PauseOver,
        // Of neither.
        PortsSeen, FilesSeen, Close,
    }
}

impl LeaseMachine {
    /// How it stands to what a message is about, and what it is told.
    pub(crate) fn pair(&self, message: &LeaseMessage) -> (Is, Told) {
        match message {
            LeaseMessage::Request(request) => (self.to(&request.holder), Told::Request),
            LeaseMessage::Withdraw(holder) => (self.to(holder), Told::Withdraw),
            LeaseMessage::Release(holder, _) => (self.to(holder), Told::Release),
            LeaseMessage::Stands(standing) => (self.to(&standing.holder), Told::Stands),
            LeaseMessage::Idle(holder) => (self.to(holder), Told::SetIdle),
            LeaseMessage::Busy(holder) => (self.to(holder), Told::SetBusy),
            LeaseMessage::Renew(request) => (self.to(&request.holder), Told::Renew),
            LeaseMessage::Abandoned(holder) => (self.to(holder), Told::Abandon),
            LeaseMessage::DeviceAvailable(device, _) => (self.to_device(device), Told::DeviceAvailable),
            LeaseMessage::DeviceUnavailable { device, .. } => (self.to_device(device), Told::DeviceUnavailable),
            LeaseMessage::Lend(device, _) => (self.to_device(device), Told::Lend),
            LeaseMessage::RadioRead(_, device, _) => (self.to_device(device), Told::RadioRead),
            LeaseMessage::RadioSet(_, device, _) => (self.to_device(device), Told::RadioSet),
            LeaseMessage::RadioRestored(_, device, _) => (self.to_device(device), Told::RadioRestored),
            LeaseMessage::PortsSeen(..) => (self.to_all(), Told::PortsSeen),
            LeaseMessage::FilesSeen(..) => (self.to_all(), Told::FilesSeen),
            LeaseMessage::Close => (self.to_all(), Told::Close),
            LeaseMessage::Timer(LeaseTimer::Wait(holder)) => (self.to(holder), Told::PatienceOver),
            LeaseMessage::Timer(LeaseTimer::LookAgain(holder)) => (self.to(holder), Told::LookAgain),
            LeaseMessage::Timer(LeaseTimer::PutBack(device)) => (self.to_device(device), Told::PauseOver),
        }
    }

    fn to(&self, holder: &Holder) -> Is {
        match self.holders.get(holder) {
            Some(Holding { r#use: Use::Active, renewal: Some(_), .. }) => Is::Renewing,
            Some(Holding { r#use: Use::Active, .. }) => Is::Held,
            Some(Holding { r#use: Use::Idle, .. }) => Is::Idle,
            Some(Holding { r#use: Use::Draining(_), .. }) => Is::Draining,
            Some(Holding { r#use: Use::Abandoned, .. }) => Is::Abandoned,
            None => match self.queue.get(holder) {
                Some(queued) if queued.preparation.is_some() => Is::Preparing,
                Some(_) => Is::Waiting,
                None => Is::Unknown,
            },
        }
    }

    fn to_device(&self, device: &DeviceName) -> Is {
        match self.radios.restoring.get(device) {
            Some(Restoring::UnderWay { .. }) => return Is::PuttingBack,
            Some(Restoring::Pausing { .. }) => return Is::Pausing,
            Some(Restoring::GivenUp { .. }) => return Is::GivenUp,
            None if self.radios.preparing.contains_key(device) => return Is::Changing,
            None if self.radios.changed.contains_key(device) => return Is::Changed,
            None => {}
        }
        match self.devices.get(device) {
            None => Is::Unheard,
            Some(DeviceState::Unavailable { .. }) => Is::Unavailable,
            Some(DeviceState::Available(_)) => Is::Available,
            Some(DeviceState::Lent(_)) => Is::Lent,
        }
    }

    fn to_all(&self) -> Is {
        if self.closing == Closing::No { Is::Open } else { Is::Closing }
    }
}

/// Why it never stands so to what it is told this of.
pub(crate) fn impossible(is: Is, told: Told) -> Option<&'static str> {
    let about = |is: Is| match is {
        Is::Unknown
        | Is::Waiting
        | Is::Preparing
        | Is::Held
        | Is::Renewing
        | Is::Idle
        | Is::Draining
        | Is::Abandoned => 0,
        Is::Unheard | Is::Unavailable | Is::Available | Is::Lent | Is::Changing | Is::Changed => 1,
        Is::PuttingBack | Is::Pausing | Is::GivenUp => 1,
        Is::Open | Is::Closing => 2,
    };
    let said_of = match told {
        Told::Request | Told::Withdraw | Told::Release | Told::Stands | Told::SetIdle | Told::SetBusy => 0,
        Told::Renew | Told::Abandon | Told::PatienceOver | Told::LookAgain => 0,
        Told::DeviceAvailable | Told::DeviceUnavailable | Told::RadioRead | Told::RadioSet => 1,
        Told::RadioRestored | Told::PauseOver | Told::Lend => 1,
        Told::PortsSeen | Told::FilesSeen | Told::Close => 2,
    };
    if about(is) != said_of {
        return Some("it is told of something else");
    }
    let only = |places: &[Is], why| (!places.contains(&is)).then_some(why);
    match told {
        Told::PatienceOver => only(&[Is::Waiting, Is::Preparing], "this wait is cancelled when a request is served"),
        Told::LookAgain => only(&[Is::Waiting, Is::Preparing], "this wait is cancelled when a request is served"),
        Told::PauseOver => only(&[Is::Pausing], "this wait is cancelled when a radio is tried again before"),
        Told::Request | Told::Withdraw => (is == Is::Abandoned)
            .then_some("whoever knows that he holds something gives it back before he asks for more"),
        Told::SetBusy if is == Is::Renewing => Some("his ports are looked at instead"),
        Told::SetBusy | Told::Renew if is == Is::Abandoned => Some("nothing starts any more"),
        Told::Release | Told::SetIdle | Told::SetBusy | Told::Renew => {
            matches!(is, Is::Unknown | Is::Waiting | Is::Preparing).then_some("he holds what he says that he holds")
        }
        Told::Stands => None,
        Told::Abandon => matches!(is, Is::Waiting | Is::Preparing | Is::Renewing | Is::Idle)
            .then_some("whose process lives has no request, and no other process to come"),
        Told::RadioRead | Told::RadioSet => {
            only(&[Is::Changing], "a change goes on until all that it asked for is answered")
        }
        Told::RadioRestored => matches!(is, Is::Lent | Is::Changed | Is::Pausing | Is::GivenUp)
            .then_some("it is answered before anything else is done with the radio"),
        Told::Lend => matches!(is, Is::Changing | Is::Changed | Is::PuttingBack | Is::Pausing | Is::GivenUp)
            .then_some("no radio is lent"),
        Told::DeviceAvailable | Told::DeviceUnavailable => None,
        Told::PortsSeen | Told::FilesSeen | Told::Close => None,
    }
}

/// How it takes that.
pub(crate) fn taken(is: Is, told: Told) -> Taken {
    let holds = matches!(is, Is::Held | Is::Renewing | Is::Idle | Is::Draining);
    let passed_if = |is_passed| Taken::passed_if(is_passed, Taken::Handled);
    match told {
        Told::Request => passed_if(holds),
        Told::Withdraw => passed_if(holds || is == Is::Unknown),
        Told::SetIdle | Told::SetBusy | Told::Renew => passed_if(matches!(is, Is::Draining | Is::Abandoned)),
        Told::Abandon => passed_if(is == Is::Unknown),
        Told::Lend => Taken::passed_if(is != Is::Available, Taken::Either),
        Told::RadioRestored => Taken::passed_if(is != Is::PuttingBack, Taken::Either),
        Told::Stands | Told::RadioRead | Told::RadioSet | Told::PortsSeen | Told::FilesSeen => Taken::Either,
        Told::Release | Told::PatienceOver | Told::LookAgain | Told::PauseOver => Taken::Handled,
        Told::DeviceAvailable | Told::DeviceUnavailable | Told::Close => Taken::Handled,
    }
}
