//! Simulated calls to drivers, under the real rules of which may run: they hang past their bound, come back late, fail, or take their
//! thread with them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::{Supply, Wakefulness};
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::Generation;

use super::files::real_path;
use super::radios::{Course, Wanted};
use super::table::{MILLISECOND, SECOND};
use super::{Cause, Consequences, Environment, Event, Happening, Lie};
use crate::effect::call::{Answer, Asked, Call, ports_seen, to_device};
use crate::effect::calls::{CallId, Calls, End, Sort};
use crate::effect::wakefulness::Wish;
use crate::message::device::DeviceMessage;
use crate::message::lease::LeaseMessage;
use crate::message::{Action, ActorId, Message, Outside};
use mainstay_config::paths::FileIdentity;
use mainstay_hardware::error::NoAnswer;

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

/// Calls to drivers, and what is true of them.
#[derive(Debug, Default)]
pub(super) struct Drivers {
    /// Of which life of mainstay: numbers of calls begin anew with each.
    life: u64,
    pub(super) calls: Calls,
    /// Radios whose drivers are at a call, whether anybody still waits for it or not.
    busy: BTreeMap<CallId, DeviceName>,
    /// Which arrival of each radio was there when its driver was asked last.
    asked_of: BTreeMap<DeviceName, Option<Generation>>,
    /// Ports of which it could not be seen who listens: then the service's own bind decides.
    pub(super) unseen: BTreeSet<u16>,
}

impl Drivers {
    /// What mainstay knows of them is this.
    pub(super) fn knowing(self, calls: Calls) -> Self {
        Self { calls, ..self }
    }

    /// Those of the next life.
    pub(super) fn next_life(&self) -> Self {
        Self { life: self.life + 1, ..Self::default() }
    }
}

impl Environment {
    /// What an actor wants of a driver.
    pub(super) fn ask(&mut self, from: &ActorId, action: Action, cause: Cause, so: &mut Consequences) {
        if let Some(wish) = Wish::of(from, &action) {
            let next = self.kept.want(wish, cause);
            return self.ask_in_its_time(next, so);
        }
        let Some(call) = Call::of(from, action) else { return };
        if let Call::Restore(operation, device, before) = &call {
            so.happened.push(Happening::RestoreOrdered(*operation, device.clone(), before.wiphy));
        }
        self.call(Asked { call, cause }, so);
    }

    fn ask_in_its_time(&mut self, next: Option<Asked>, so: &mut Consequences) {
        if let Some(asked) = next {
            so.later.push((self.now + asked.call.asked_after(), Event::Asked(Box::new(asked)), None));
        }
    }

    /// A call is asked for.
    pub(super) fn call(&mut self, asked: Asked, so: &mut Consequences) {
        self.drivers.calls.ask(asked);
        self.begin_calls(so);
    }

    pub(super) fn begin_calls(&mut self, so: &mut Consequences) {
        for (id, calls) in self.drivers.calls.begun() {
            // mainstay may be killed between two calls as well.
            if self.executor.kernel_mut().is_killed() {
                return;
            }
            self.begin_call(id, calls, so);
        }
        while let Some((asked, why)) = self.drivers.calls.refused() {
            asked.call.radio().cloned().into_iter().for_each(|radio| self.is_asked(&radio));
            self.fail_call(asked, why, so);
        }
    }

    fn begin_call(&mut self, id: CallId, calls: Vec<Call>, so: &mut Consequences) {
        // Only looks at ports are for several, and these are all alike.
        let Some(first) = calls.first().cloned() else { return };
        if let Some(radio) = first.radio() {
            if self.drivers.busy.values().any(|busy| busy == radio) {
                so.happened.push(Happening::CallsOverlap(radio.clone()));
            }
            self.drivers.busy.insert(id, radio.clone());
            self.is_asked(radio);
        }
        match self.fate(&first) {
            Fate::Hangs => {
                let given_up = self.now + first.within();
                so.later.push((given_up, Event::GivenUp(id, first.within()), None));
                self.hang(&first, so);
                let back = given_up + self.random.between(Duration::ZERO, SECOND * 60);
                so.later.push((back, Event::ComesBack(self.drivers.life, id, Box::new(first)), None));
            }
            Fate::Answers => {
                let longest = match first.sort() {
                    // A range is looked at port by port, and is only judged well while nobody comes or goes meanwhile.
                    Sort::Ports | Sort::Files => MILLISECOND * 5,
                    _ if self.random.happens(self.weather.calls_late) => first.within() - MILLISECOND,
                    _ => MILLISECOND * 80,
                };
                let at = self.now + self.random.between(MILLISECOND, longest);
                so.later.push((at, Event::Called(id), None));
            }
            Fate::Dies(done) => {
                if done == Done::All {
                    self.perform_unheard(calls, so);
                }
                let at = self.now + self.random.between(MILLISECOND, MILLISECOND * 80);
                so.later.push((at, Event::Died(id), None));
            }
        }
    }

    fn is_asked(&mut self, radio: &DeviceName) {
        let present = self.generation(radio).cloned();
        self.drivers.asked_of.insert(radio.clone(), present);
    }

    fn perform_unheard(&mut self, calls: Vec<Call>, so: &mut Consequences) {
        let mut unheard = Consequences::default();
        for call in calls {
            let _ = self.perform(call, &mut unheard);
        }
        // That it was put back nobody has heard, so it is put back once more.
        let is_told = |happening: &Happening| !matches!(happening, Happening::RadioRestored(..));
        so.happened.extend(unheard.happened.into_iter().filter(is_told));
        so.later.extend(unheard.later);
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
        self.drivers.busy.remove(&id);
        for Asked { call, cause } in self.drivers.calls.over(id, End::Done) {
            let answer = self.perform(call, so);
            self.answer(cause, answer, so);
        }
        self.begin_calls(so);
    }

    pub(super) fn call_died(&mut self, id: CallId, so: &mut Consequences) {
        self.drivers.busy.remove(&id);
        self.fail_calls((id, End::Done), &NoAnswer::Panicked, so);
    }

    pub(super) fn give_up_call(&mut self, id: CallId, within: Duration, so: &mut Consequences) {
        let forgets = self.table().lie == Some(Lie::CallsTogether);
        let end = if forgets { End::Done } else { End::OutOfTime };
        self.fail_calls((id, end), &NoAnswer::Late(within), so);
    }

    fn fail_calls(&mut self, (id, end): (CallId, End), why: &NoAnswer, so: &mut Consequences) {
        for asked in self.drivers.calls.over(id, end) {
            self.fail_call(asked, why.clone(), so);
        }
        self.begin_calls(so);
    }

    /// A call that was given up goes on, when nobody waits for it any more.
    pub(super) fn comes_back(&mut self, life: u64, id: CallId, call: Call) {
        if life == self.drivers.life {
            self.drivers.calls.came_back(id);
            self.drivers.busy.remove(&id);
        }
        match call {
            Call::SetRadio(_, device, ifindex, mode, _) => self.changes_late(&device, ifindex, mode),
            Call::Restore(_, device, before) => self.changes_late(&device, before.ifindex, before.mode),
            _ => {}
        }
    }

    fn fail_call(&mut self, Asked { call, cause }: Asked, why: NoAnswer, so: &mut Consequences) {
        match &call {
            Call::Ports(_, places) => self.drivers.unseen.extend(places.keys()),
            Call::KeepAwake(device, _) | Call::LetSleep(device, _) => self.could_not_change_sleep(device),
            _ => {}
        }
        self.answer(cause, call.fail(why), so);
    }

    fn answer(&mut self, cause: Cause, answer: Answer, so: &mut Consequences) {
        match answer {
            Answer::Tell(message) => {
                self.remember_what_is_told(&message);
                so.told.push((Outside::Drivers, message, Some(cause)));
            }
            Answer::Sleep(before) => {
                let next = self.kept.done(before);
                self.ask_in_its_time(next, so);
            }
        }
    }

    /// What mainstay is told of a device, it may act on. What it has asked of a radio that is gone is no failure of the next.
    fn remember_what_is_told(&mut self, message: &Message) {
        if let Message::Leases(
            LeaseMessage::RadioRead(_, device, _)
            | LeaseMessage::RadioSet(_, device, _)
            | LeaseMessage::RadioRestored(_, device, _),
        ) = message
            && self.drivers.asked_of.get(device).is_some_and(|asked| asked.as_ref() != self.generation(device))
        {
            return;
        }
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

    /// The driver does what it was asked, or not.
    fn perform(&mut self, call: Call, so: &mut Consequences) -> Answer {
        Answer::Tell(match call {
            Call::Access(operation, device, sighting) => self.access(operation, device, &sighting.generation),
            Call::Probe(operation, device, sighting, ..) => self.probe(operation, device, &sighting.generation),
            Call::Supply(operation, device) => to_device(device, DeviceMessage::Supply(operation, Supply::Unknown)),
            Call::ReadRadio(operation, device, ifindex) => {
                let read = self.read_radio(&device, ifindex, so);
                Message::Leases(LeaseMessage::RadioRead(operation, device, read))
            }
            Call::SetRadio(operation, device, ifindex, mode, _) => {
                let set = self.set_radio(&device, (ifindex, mode), so);
                Message::Leases(LeaseMessage::RadioSet(operation, device, set))
            }
            Call::Restore(operation, device, before) => {
                let restored = self.restore(&device, &before, so);
                Message::Leases(LeaseMessage::RadioRestored(operation, device, restored))
            }
            Call::Ports(operation, places) => {
                self.drivers.unseen.retain(|port| !places.contains_key(port));
                let seen = places.into_keys().filter_map(|port| Some((port, self.listener(port)?))).collect();
                ports_seen(operation, Ok(seen))
            }
            Call::Files(operation, paths) => {
                let identity = |path: PathBuf| {
                    (path.clone(), FileIdentity { path: real_path(&path), node: None, rest: PathBuf::new() })
                };
                let seen = Ok(paths.into_iter().map(identity).collect());
                Message::Leases(LeaseMessage::FilesSeen(operation, seen))
            }
            Call::KeepAwake(device, sighting) => {
                return Answer::Sleep(self.set_sleep(&device, &sighting, Wakefulness::WasAwake));
            }
            Call::LetSleep(device, sighting) => {
                return Answer::Sleep(self.set_sleep(&device, &sighting, Wakefulness::CouldSleep));
            }
        })
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
