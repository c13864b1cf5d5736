//! Simulated radios: they have a mode, which is read, changed and put back.

use mainstay_config::model::WifiMode;
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::{HardwareEvent, Link, Rfkill, Sighting, Sort, WifiFacts, Witness};

use super::hardware::{Plug, vanished};
use super::{Consequences, Environment, Happening};
use crate::effect::call::Call;

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
    /// A call of a mainstay that was killed has changed it at last: what the present one knew of it may be wrong.
    pub meddled_with: bool,
    /// Whether a call that hangs in its driver may be one of a mainstay that was killed.
    pub(super) call_outlived_daemon: bool,
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
                meddled_with: false,
                call_outlived_daemon: false,
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
        device: &DeviceName,
        ifindex: u32,
        so: &mut Consequences,
    ) -> Result<WifiBaseline, Error> {
        let before = self.radio(device, |radio| radio.ifindex == ifindex).map(|radio| baseline(radio))?;
        so.happened.push(Happening::RadioRead(device.clone(), before.wiphy));
        Ok(before)
    }

    pub(super) fn set_radio(
        &mut self,
        device: &DeviceName,
        (ifindex, mode): (u32, WifiMode),
        so: &mut Consequences,
    ) -> Result<(), Error> {
        let was = self.radio(device, |radio| radio.ifindex == ifindex).cloned()?;
        let course = self.course();
        if course == Course::Untouched {
            return Err(self.some_error(course));
        }
        self.note_set(device, Some(was.wiphy));
        so.happened.push(Happening::RadioSet(device.clone(), was.wiphy));
        // Some drivers refuse, and have changed it all the same.
        if course == Course::Done || self.random.happens(500) {
            self.change(device, ifindex, mode)?;
        }
        if course == Course::Done { Ok(()) } else { Err(self.some_error(course)) }
    }

    pub(super) fn restore(
        &mut self,
        device: &DeviceName,
        baseline: &WifiBaseline,
        so: &mut Consequences,
    ) -> Result<(), Error> {
        let radio = self.radio(device, |radio| radio.wiphy == baseline.wiphy)?;
        let (temper, present, is_called_so) = (radio.temper, radio.ifindex, radio.interface == baseline.interface);
        let course = self.course();
        if temper == Temper::Stubborn || course != Course::Done {
            return Err(self.some_error(Course::Refused));
        }
        self.note_set(device, None);
        so.happened.push(Happening::RadioRestored(device.clone(), baseline.wiphy));
        if present == baseline.ifindex && is_called_so {
            self.change(device, present, baseline.mode)
        } else {
            // What its user made, or somebody has renamed, is deleted, and what was there before is made again.
            self.make_anew(device, baseline.interface.clone(), baseline.mode, so);
            Ok(())
        }
    }

    /// The registry is told what came of something that it wanted of a radio.
    pub(super) fn count_refusals<T>(&mut self, device: &DeviceName, wanted: Wanted, result: &Result<T, Error>) {
        let Ok(radio) = self.radio(device, |_| true) else { return };
        match result {
            Err(error) if error.kind() == ErrorKind::TimedOut => radio.refusals = GIVEN_UP_AFTER,
            _ if wanted == Wanted::Change => {}
            Ok(_) => radio.refusals = 0,
            // That is nobody's refusal.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotTried) => {}
            Err(_) => radio.refusals = radio.refusals.saturating_add(1),
        }
    }

    /// How a change of a radio will go.
    fn course(&mut self) -> Course {
        if !self.random.happens(self.weather.radio_fails) {
            Course::Done
        } else if self.random.happens(300) {
            Course::Untouched
        } else {
            Course::Refused
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

    /// A call hangs, and does what it was to do when nobody waits for it any more.
    pub(super) fn hang(&mut self, call: &Call, so: &mut Consequences) {
        let (Call::SetRadio(_, device, ..) | Call::Restore(_, device, _)) = call else { return };
        if let Call::SetRadio(_, _, ifindex, ..) = call
            && let Ok(was) = self.radio(device, |radio| radio.ifindex == *ifindex).cloned()
        {
            self.note_set(device, Some(was.wiphy));
            so.happened.push(Happening::RadioSet(device.clone(), was.wiphy));
        }
        // Whatever it was asked for, nothing more is.
        if let Ok(radio) = self.radio(device, |_| true) {
            radio.refusals = GIVEN_UP_AFTER;
        }
    }

    /// It may have been pulled out meanwhile.
    pub(super) fn changes_late(&mut self, device: &DeviceName, ifindex: u32, mode: WifiMode) {
        let is_set = self.plugs.get(device).is_some_and(|plug| plug.set.is_some());
        if let Ok(radio) = self.radio(device, |radio| radio.ifindex == ifindex) {
            radio.mode = mode;
            if radio.call_outlived_daemon && !is_set {
                // Nobody has asked for it who could know how it was.
                (radio.first, radio.meddled_with) = (mode, true);
            }
        }
    }
}

/// What the registry wants of a radio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// To know how it is, or to have it otherwise.
    Change,
    /// To have it as it was.
    Restore,
}

/// How a change of a radio goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    Done,
    /// It fails, and may have been made all the same.
    Refused,
    /// It is refused before anything is done.
    Untouched,
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
