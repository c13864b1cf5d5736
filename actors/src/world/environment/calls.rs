//! Simulated calls to drivers, under the real rules of which may run: they hang past their bound, come back late, fail, or take their
//! thread with them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::WifiMode;
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::{Supply, WifiBaseline};
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::Generation;

use super::files::real_path;
use super::radios::{Course, Wanted};
use super::table::{MILLISECOND, SECOND};
use super::{Cause, Consequences, Environment, Event, Happening, Lie};
use crate::action::files::FileIdentity;
use crate::action::ports::Places;
use crate::effect::calls::{CHANGE_WITHIN, CallId, Calls, End, LOOK_WITHIN, PROBE_SPARE, Sort, Verdict};
use crate::effect::wakefulness;
use crate::message::device::DeviceMessage;
use crate::message::lease::LeaseMessage;
use crate::message::{Message, OperationId, Outside};
use mainstay_hardware::error::NoAnswer;

/// What a driver, or the kernel, is asked.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "few calls are under way")]
pub(in crate::world) enum Call {
    Access(OperationId, DeviceName, Generation),
    Probe(OperationId, DeviceName, Generation, Duration),
    Supply(OperationId, DeviceName),
    ReadRadio(OperationId, DeviceName, u32),
    SetRadio(OperationId, DeviceName, u32, WifiMode),
    Restore(OperationId, DeviceName, WifiBaseline),
    Ports(OperationId, Places),
    Files(OperationId, BTreeSet<PathBuf>),
    Autosuspend(Box<wakefulness::Call>),
}

/// How a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answers,
    Hangs,
    /// Its thread dies: before it has done anything, or afterwards.
    Dies(Done),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Nothing,
    All,
}

/// Calls that were asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Of which life of mainstay: numbers of calls begin anew with each.
    life: u64,
    calls: Calls,
    asked: BTreeMap<CallId, (Call, Option<Cause>)>,
    /// Radios whose drivers are at a call, whether anybody still waits for it or not.
    busy: BTreeMap<CallId, DeviceName>,
    /// Ports of which it could not be seen who listens: then the service's own bind decides.
    pub(super) unseen: BTreeSet<u16>,
}

impl Asked {
    /// Those of the next life.
    pub(super) fn next_life(&self) -> Self {
        Self { life: self.life + 1, ..Self::default() }
    }
}

impl Call {
    fn sort(&self) -> Sort {
        match self {
            Self::Access(..) | Self::Supply(..) | Self::Autosuspend(_) => Sort::Look,
            Self::ReadRadio(..) | Self::SetRadio(..) | Self::Restore(..) => Sort::Look,
            Self::Probe(..) => Sort::Probe,
            Self::Ports(..) => Sort::Ports,
            Self::Files(..) => Sort::Files,
        }
    }

    fn radio(&self) -> Option<DeviceName> {
        match self {
            Self::ReadRadio(_, device, _) | Self::SetRadio(_, device, ..) | Self::Restore(_, device, _) => {
                Some(device.clone())
            }
            _ => None,
        }
    }

    fn within(&self) -> Duration {
        match self {
            Self::SetRadio(..) | Self::Restore(..) => CHANGE_WITHIN,
            Self::Probe(.., within) => within.saturating_add(PROBE_SPARE),
            _ => LOOK_WITHIN,
        }
    }
}

impl Environment {
    /// Something is asked of a driver.
    pub(super) fn call(&mut self, call: Call, cause: Option<Cause>, so: &mut Consequences) {
        let forgets = self.table().lie == Some(Lie::CallsTogether);
        let id = self.drivers.calls.ask(call.sort(), call.radio().filter(|_| !forgets));
        self.drivers.asked.insert(id, (call, cause));
        self.begin_calls(so);
    }

    fn begin_calls(&mut self, so: &mut Consequences) {
        for verdict in self.drivers.calls.verdicts() {
            match verdict {
                Verdict::Begin(id) => self.begin_call(id, so),
                Verdict::Refuse(id, why) => self.fail_call(id, why, so),
            }
        }
    }

    fn begin_call(&mut self, id: CallId, so: &mut Consequences) {
        let Some((call, _)) = self.drivers.asked.get(&id).cloned() else { return };
        if let Some(radio) = call.radio() {
            if self.drivers.busy.values().any(|busy| *busy == radio) {
                so.happened.push(Happening::CallsOverlap(radio.clone()));
            }
            self.drivers.busy.insert(id, radio);
        }
        match self.fate(&call) {
            Fate::Hangs => {
                let given_up = self.now + call.within();
                so.later.push((given_up, Event::GivenUp(id, call.within()), None));
                self.hang(&call, so);
                let back = given_up + self.random.between(Duration::ZERO, SECOND * 60);
                so.later.push((back, Event::ComesBack(self.drivers.life, id, Box::new(call)), None));
            }
            Fate::Answers => {
                let longest = match call.sort() {
                    // A range is looked at port by port, and is only judged well while nobody comes or goes meanwhile.
                    Sort::Ports | Sort::Files => MILLISECOND * 5,
                    _ if self.random.happens(self.weather.calls_late) => call.within() - MILLISECOND,
                    _ => MILLISECOND * 80,
                };
                let at = self.now + self.random.between(MILLISECOND, longest);
                so.later.push((at, Event::Called(id), None));
            }
            Fate::Dies(done) => {
                if done == Done::All {
                    let mut unheard = Consequences::default();
                    let _ = self.perform(call, &mut unheard);
                    // That it was put back nobody has heard, so it is put back once more.
                    let is_told = |happening: &Happening| !matches!(happening, Happening::RadioRestored(..));
                    so.happened.extend(unheard.happened.into_iter().filter(is_told));
                    so.later.extend(unheard.later);
                }
                let at = self.now + self.random.between(MILLISECOND, MILLISECOND * 80);
                so.later.push((at, Event::Died(id), None));
            }
        }
    }

    fn fate(&mut self, call: &Call) -> Fate {
        let is_change = matches!(call, Call::SetRadio(..) | Call::Restore(..));
        let hangs = if is_change { self.weather.radio_hangs } else { self.weather.calls_hang };
        if self.random.happens(hangs) {
            Fate::Hangs
        } else if self.random.happens(self.weather.calls_die) {
            Fate::Dies(if self.random.happens(500) { Done::All } else { Done::Nothing })
        } else {
            Fate::Answers
        }
    }

    pub(super) fn called(&mut self, id: CallId, so: &mut Consequences) {
        let Some((call, cause)) = self.drivers.asked.remove(&id) else { return };
        self.drivers.busy.remove(&id);
        self.drivers.calls.over(id, End::Done);
        if let Call::Autosuspend(call) = &call {
            let before = self.suspend_or_not(call);
            self.awake_call_is_over(before, so);
        } else if let Some((from, message)) = self.perform(call, so) {
            self.remember_what_is_told(&message);
            so.told.push((from, message, cause));
        }
        self.begin_calls(so);
    }

    pub(super) fn call_died(&mut self, id: CallId, so: &mut Consequences) {
        self.drivers.busy.remove(&id);
        self.drivers.calls.over(id, End::Done);
        self.fail_call(id, NoAnswer::Panicked, so);
        self.begin_calls(so);
    }

    pub(super) fn give_up_call(&mut self, id: CallId, within: Duration, so: &mut Consequences) {
        self.drivers.calls.over(id, End::OutOfTime);
        self.fail_call(id, NoAnswer::Late(within), so);
        self.begin_calls(so);
    }

    /// A call that was given up goes on, when nobody waits for it any more.
    pub(super) fn comes_back(&mut self, life: u64, id: CallId, call: Call) {
        if life == self.drivers.life {
            self.drivers.calls.came_back(id);
            self.drivers.busy.remove(&id);
        }
        match call {
            Call::SetRadio(_, device, ifindex, mode) => self.changes_late(&device, ifindex, mode),
            Call::Restore(_, device, before) => self.changes_late(&device, before.ifindex, before.mode),
            _ => {}
        }
    }

    fn fail_call(&mut self, id: CallId, why: NoAnswer, so: &mut Consequences) {
        let Some((call, cause)) = self.drivers.asked.remove(&id) else { return };
        let leases = |message| Some((Outside::Drivers, Message::Leases(message)));
        let device = |name, message| Some((Outside::Drivers, Message::Device(name, message)));
        let told = match call {
            Call::Access(operation, name, _) => device(name, DeviceMessage::Accessible(operation, Err(why.into()))),
            Call::Probe(operation, name, ..) => device(name, DeviceMessage::Probed(operation, Err(why.into()))),
            Call::Supply(operation, name) => device(name, DeviceMessage::Supply(operation, Supply::Unknown)),
            Call::ReadRadio(operation, name, _) => leases(LeaseMessage::RadioRead(operation, name, Err(why.into()))),
            Call::SetRadio(operation, name, ..) => leases(LeaseMessage::RadioSet(operation, name, Err(why.into()))),
            Call::Restore(operation, name, _) => leases(LeaseMessage::RadioRestored(operation, name, Err(why.into()))),
            Call::Ports(operation, places) => {
                self.drivers.unseen.extend(places.into_keys());
                leases(LeaseMessage::PortsSeen(operation, Err(why)))
            }
            Call::Files(operation, _) => leases(LeaseMessage::FilesSeen(operation, Err(why))),
            Call::Autosuspend(call) => {
                self.could_not_change_sleep(&call);
                self.awake_call_is_over(None, so);
                None
            }
        };
        if let Some((from, message)) = told {
            self.remember_what_is_told(&message);
            so.told.push((from, message, cause));
        }
    }

    /// What mainstay is told of a device, it may act on.
    fn remember_what_is_told(&mut self, message: &Message) {
        match message {
            Message::Device(device, DeviceMessage::Accessible(_, result)) => self.remember(device, result),
            Message::Device(device, DeviceMessage::Probed(_, result)) => self.remember(device, result),
            Message::Leases(LeaseMessage::RadioRead(_, device, result)) => {
                self.remember(device, result);
                self.count_refusals(device, Wanted::Change, result);
            }
            Message::Leases(LeaseMessage::RadioSet(_, device, result)) => {
                self.remember(device, result);
                self.count_refusals(device, Wanted::Change, result);
            }
            Message::Leases(LeaseMessage::RadioRestored(_, device, result)) => {
                self.remember(device, result);
                self.count_refusals(device, Wanted::Restore, result);
            }
            _ => {}
        }
    }

    /// The driver does what it was asked, or not. What whoever asked is told.
    fn perform(&mut self, call: Call, so: &mut Consequences) -> Option<(Outside, Message)> {
        let (from, message) = match call {
            Call::Access(operation, device, generation) => {
                (Outside::Drivers, self.access(operation, device, &generation))
            }
            Call::Probe(operation, device, generation, _) => {
                (Outside::Drivers, self.probe(operation, device, &generation))
            }
            Call::Supply(operation, name) => {
                (Outside::Drivers, Message::Device(name, DeviceMessage::Supply(operation, Supply::Unknown)))
            }
            Call::ReadRadio(operation, device, ifindex) => {
                let read = self.read_radio(&device, ifindex, so);
                (Outside::Drivers, Message::Leases(LeaseMessage::RadioRead(operation, device, read)))
            }
            Call::SetRadio(operation, device, ifindex, mode) => {
                let set = self.set_radio(&device, (ifindex, mode), so);
                (Outside::Drivers, Message::Leases(LeaseMessage::RadioSet(operation, device, set)))
            }
            Call::Restore(operation, device, before) => {
                let restored = self.restore(&device, &before, so);
                (Outside::Drivers, Message::Leases(LeaseMessage::RadioRestored(operation, device, restored)))
            }
            Call::Ports(operation, places) => {
                self.drivers.unseen.retain(|port| !places.contains_key(port));
                let seen = places.into_keys().filter_map(|port| Some((port, self.listener(port)?))).collect();
                (Outside::Processes, Message::Leases(LeaseMessage::PortsSeen(operation, Ok(seen))))
            }
            Call::Files(operation, paths) => {
                let identity = |path: PathBuf| (path.clone(), FileIdentity { path: real_path(&path), node: None });
                let seen = Ok(paths.into_iter().map(identity).collect());
                (Outside::Drivers, Message::Leases(LeaseMessage::FilesSeen(operation, seen)))
            }
            Call::Autosuspend(call) => {
                self.suspend_or_not(&call);
                return None;
            }
        };
        Some((from, message))
    }

    /// An error of any class with which a driver may refuse a change; it may have made it all the same, but for those that say not.
    pub(super) fn some_error(&mut self, course: Course) -> Error {
        let half_way = [
            ErrorKind::Busy,
            ErrorKind::PermissionDenied,
            ErrorKind::NotSupported,
            ErrorKind::Other,
            ErrorKind::TimedOut,
        ];
        let kind = match course {
            Course::Untouched => ErrorKind::Refused,
            Course::Refused | Course::Done => self.random.choose(&half_way).copied().unwrap_or(ErrorKind::Other),
        };
        Error::Simulated(kind)
    }
}
