//! Simulated radios: they have a mode, which is read, changed and put back.

use std::time::Duration;

use mainstay_config::model::WifiMode;
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::{HardwareEvent, Link, Rfkill, Sighting, Sort, WifiFacts, Witness};

use super::hardware::{Driver, Plug, vanished};
use super::{Cause, Consequences, Environment, Event, Happening};
use crate::message::lease::LeaseMessage;
use crate::message::{Message, OperationId, Outside};

/// A radio that is plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadioState {
    /// The radio itself.
    pub wiphy: u32,
    /// Index of its interface; its user may make that anew.
    pub ifindex: u32,
    /// The name of its interface.
    pub interface: String,
    /// How it was when it arrived.
    pub first: WifiMode,
    /// How it is.
    pub mode: WifiMode,
    /// Whether it lets itself be put back.
    pub temper: Temper,
    /// How often in a row it was to be put back in vain. A driver that hangs is not tried again.
    pub refusals: u32,
}

/// Whether a radio lets itself be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    /// It refuses now and then.
    Willing,
    /// It refuses every time, as long as it is plugged in.
    Stubborn,
}

/// A radio is given up when it was to be put back in vain so often.
pub const GIVEN_UP_AFTER: u32 = 5;

/// When nobody waits any longer for a call that hangs.
const ABANDONED_AFTER: Duration = Duration::from_secs(15);

impl RadioState {
    pub(super) fn of(sighting: &Sighting, temper: Temper) -> Option<Self> {
        match &sighting.sort {
            Sort::Wifi(WifiFacts { wiphy, ifindex, interface, mode, .. }) => Some(Self {
                wiphy: *wiphy,
                ifindex: *ifindex,
                interface: interface.clone(),
                first: *mode,
                mode: *mode,
                temper,
                refusals: 0,
            }),
            Sort::Usb { .. } | Sort::Tty { .. } => None,
        }
    }
}

impl Environment {
    fn radio(&mut self, device: &DeviceName, is_it: impl Fn(&RadioState) -> bool) -> Result<&mut RadioState, Error> {
        let arrival = self.plugs.get_mut(device).and_then(|plug| plug.arrival.as_mut());
        let radio = arrival.and_then(|arrival| arrival.radio.as_mut());
        radio.filter(|radio| is_it(radio)).ok_or_else(vanished)
    }

    /// Its user makes the interface of a radio anew under another name, as airmon-ng does. The radio stays what it is; now and
    /// then the kernel is looked at just when it has no interface.
    pub(in crate::world) fn make_anew_by_user(&mut self, device: &DeviceName, so: &mut Consequences) {
        let Ok(RadioState { wiphy, .. }) = self.radio(device, |_| true).cloned() else { return };
        // Whoever lived on the last arrival has nothing of this one.
        if self.plugs.get(device).is_none_or(|plug| plug.set != Some(wiphy)) {
            return;
        }
        if self.random.happens(300)
            && let Some(Sighting { key, generation, .. }) = self.plugs.get(device).and_then(Plug::sighted).cloned()
        {
            let generation = Some(generation);
            self.kernel_says(HardwareEvent::Gone { key, generation, witness: Witness::Netlink }, so);
        }
        self.make_anew(device, format!("wlan{wiphy}mon"), WifiMode::Monitor, so);
    }

    fn make_anew(&mut self, device: &DeviceName, name: String, in_mode: WifiMode, so: &mut Consequences) {
        self.arrivals += 1;
        let number = self.arrivals;
        let Some(arrival) = self.plugs.get_mut(device).and_then(|plug| plug.arrival.as_mut()) else { return };
        let (Some(radio), Sort::Wifi(facts)) = (&mut arrival.radio, &mut arrival.sighting.sort) else { return };
        (radio.ifindex, radio.interface, radio.mode) = (number, name.clone(), in_mode);
        (facts.ifindex, facts.interface, facts.mode) = (number, name, in_mode);
        let seen = arrival.sighting.clone();
        self.kernel_says(HardwareEvent::Seen(seen), so);
    }

    pub(super) fn read_radio(
        &mut self,
        operation: OperationId,
        device: DeviceName,
        ifindex: u32,
        cause: Option<Cause>,
        so: &mut Consequences,
    ) {
        let result = match self.course(&device) {
            Course::HangsAlready => Err(hung()),
            _ => self.radio(&device, |radio| radio.ifindex == ifindex).map(|radio| baseline(radio)),
        };
        self.remember(&device, &result);
        if let Ok(before) = &result {
            so.happened.push(Happening::RadioRead(device.clone(), before.wiphy));
        }
        so.told.push((Outside::Drivers, Message::Leases(LeaseMessage::RadioRead(operation, device, result)), cause));
    }

    pub(super) fn set_radio(
        &mut self,
        operation: OperationId,
        device: DeviceName,
        (ifindex, mode): (u32, WifiMode),
        cause: Option<Cause>,
        so: &mut Consequences,
    ) {
        let course = self.course(&device);
        let is_done = self.random.happens(500);
        let was = self.radio(&device, |radio| radio.ifindex == ifindex).cloned();
        let result = match (was, course) {
            (_, Course::HangsAlready) => Err(hung()),
            (Err(error), _) => Err(error),
            // Some drivers refuse, and have changed it all the same.
            (Ok(_), Course::Refused) if !is_done => Err(refused()),
            (Ok(was), course) => {
                self.note_set(&device, Some(was.wiphy));
                so.happened.push(Happening::RadioSet(device.clone(), was.wiphy));
                match course {
                    Course::Hangs => {
                        self.hang(&device, ifindex, mode, so);
                        Err(hung())
                    }
                    Course::Refused => self.change(&device, ifindex, mode).and(Err(busy())),
                    Course::Done | Course::HangsAlready => self.change(&device, ifindex, mode),
                }
            }
        };
        self.remember(&device, &result);
        self.answer(course, LeaseMessage::RadioSet(operation, device, result), cause, so);
    }

    pub(super) fn restore(
        &mut self,
        operation: OperationId,
        device: DeviceName,
        baseline: &WifiBaseline,
        cause: Option<Cause>,
        so: &mut Consequences,
    ) {
        let course = self.course(&device);
        let is = self.radio(&device, |radio| radio.wiphy == baseline.wiphy);
        let is = is.map(|radio| (radio.temper, radio.ifindex));
        let result = match (is, course) {
            (_, Course::HangsAlready) => Err(hung()),
            (Err(error), _) => Err(error),
            (Ok((_, present)), Course::Hangs) => {
                self.hang(&device, present, baseline.mode, so);
                Err(hung())
            }
            (Ok((Temper::Stubborn, _)), _) | (_, Course::Refused) => Err(busy()),
            (Ok((Temper::Willing, present)), Course::Done) => {
                self.note_set(&device, None);
                so.happened.push(Happening::RadioRestored(device.clone(), baseline.wiphy));
                if present == baseline.ifindex {
                    self.change(&device, present, baseline.mode)
                } else {
                    // What its user made is deleted, and what was there before is made again.
                    self.make_anew(&device, baseline.interface.clone(), baseline.mode, so);
                    Ok(())
                }
            }
        };
        self.remember(&device, &result);
        self.count_refusals(&device, &result);
        self.answer(course, LeaseMessage::RadioRestored(operation, device, result), cause, so);
    }

    fn count_refusals(&mut self, device: &DeviceName, restored: &Result<(), Error>) {
        let Ok(radio) = self.radio(device, |_| true) else { return };
        match restored {
            Ok(()) => radio.refusals = 0,
            Err(error) if error.kind == ErrorKind::TimedOut => radio.refusals = GIVEN_UP_AFTER,
            Err(_) => radio.refusals = radio.refusals.saturating_add(1),
        }
    }

    /// How a change of a radio will go.
    fn course(&mut self, device: &DeviceName) -> Course {
        let hangs = self.plugs.get(device).is_some_and(|plug| plug.driver == Driver::Hangs);
        if hangs {
            Course::HangsAlready
        } else if self.random.happens(self.weather.radio_hangs) {
            Course::Hangs
        } else if self.random.happens(self.weather.radio_fails) {
            Course::Refused
        } else {
            Course::Done
        }
    }

    fn note_set(&mut self, device: &DeviceName, wiphy: Option<u32>) {
        if let Some(plug) = self.plugs.get_mut(device) {
            plug.set = wiphy;
        }
    }

    fn change(&mut self, device: &DeviceName, ifindex: u32, mode: WifiMode) -> Result<(), Error> {
        self.radio(device, |radio| radio.ifindex == ifindex)?.mode = mode;
        Ok(())
    }

    /// The call is abandoned after a while, and does what it was to do when nobody waits for it any more.
    fn hang(&mut self, device: &DeviceName, ifindex: u32, mode: WifiMode, so: &mut Consequences) {
        let Some(plug) = self.plugs.get_mut(device) else { return };
        plug.driver = Driver::Hangs;
        // Whatever it was asked for, nothing more is.
        let radio = plug.arrival.as_mut().and_then(|arrival| arrival.radio.as_mut());
        radio.into_iter().for_each(|radio| radio.refusals = GIVEN_UP_AFTER);
        plug.busy_until = self.now + ABANDONED_AFTER;
        let back = self.now + ABANDONED_AFTER + self.random.between(Duration::ZERO, ABANDONED_AFTER * 4);
        so.later.push((back, Event::ComesBack(device.clone(), ifindex, mode), None));
    }

    pub(super) fn comes_back(&mut self, device: &DeviceName, ifindex: u32, mode: WifiMode) {
        if let Some(plug) = self.plugs.get_mut(device) {
            plug.driver = Driver::Answers;
        }
        // It may have been pulled out meanwhile.
        let _ = self.change(device, ifindex, mode);
    }

    fn answer(&mut self, course: Course, message: LeaseMessage, cause: Option<Cause>, so: &mut Consequences) {
        if course == Course::Hangs {
            so.later.push((self.now + ABANDONED_AFTER, Event::Answer(Box::new(message)), cause));
        } else {
            so.told.push((Outside::Drivers, Message::Leases(message), cause));
        }
    }
}

/// How a change of a radio goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Done,
    Refused,
    Hangs,
    HangsAlready,
}

fn hung() -> Error {
    Error::new(ErrorKind::TimedOut, "no answer from the driver (simulated)")
}

fn refused() -> Error {
    Error::new(ErrorKind::Refused, "the radio cannot do that (simulated)")
}

fn busy() -> Error {
    Error::new(ErrorKind::Busy, "the radio is busy (simulated)")
}

fn baseline(radio: &RadioState) -> WifiBaseline {
    WifiBaseline {
        wiphy: radio.wiphy,
        ifindex: radio.ifindex,
        interface: radio.interface.clone(),
        mode: radio.mode,
        link: Link::Up,
        mac: mainstay_config::names::MacAddress([2, 0, 0, 0, 0, 0]),
        frequency_mhz: None,
        interfaces: vec![radio.ifindex],
        rfkill: Rfkill::Unblocked,
    }
}
