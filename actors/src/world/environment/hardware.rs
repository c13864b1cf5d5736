//! Simulated hardware: it comes and goes, and the kernel says so late, twice, or not at all.

use std::time::Duration;

use mainstay_config::model::{Device, DeviceKind, WifiMode};
use mainstay_config::names::{DeviceName, MacAddress, UsbId};
use mainstay_hardware::bus::{Findings, Wakefulness};
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::{
    Access, Generation, HardwareEvent, Key, Link, Rfkill, ScanReason, Sighting, Sort, UsbFacts, WifiFacts, Witness,
};

use super::radios::{RadioState, Temper};
use super::table::Course;
use super::{Consequences, Environment, Event, Happening};
use crate::cause::Resource;
use crate::message::device::DeviceMessage;
use crate::message::{Message, Moment, OperationId};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A place where a device can be plugged in.
#[derive(Debug)]
pub struct Plug {
    pub(super) spec: Device,
    pub(super) place: usize,
    /// What is plugged in.
    pub arrival: Option<Arrival>,
    /// Another piece that fits its name, plugged in beside it.
    pub(super) twin: Option<Sighting>,
    /// The radio that was put into a mode and not put back: the number of its arrival.
    pub(super) set: Option<u32>,
    /// What it is: whether it could be suspended now, and whether it could before anybody used it.
    pub(super) sleep: Sleep,
}

/// Whether a device may be suspended, as the kernel has it; and as it had it when it was plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sleep {
    /// Now.
    pub(super) now: Wakefulness,
    /// At first.
    pub(super) first: Wakefulness,
    /// Whether a call that was to change it has failed: then it may be anyhow.
    pub(super) is_in_doubt: bool,
}

/// A device that is plugged in.
#[derive(Debug)]
pub struct Arrival {
    /// As the kernel shows it.
    pub sighting: Sighting,
    /// The radio, if it is one.
    pub radio: Option<RadioState>,
    pub(super) openable_at: Moment,
    /// Whether mainstay was told that something of it does not work.
    pub(super) record: Record,
}

/// Whether an arrival has failed in anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    Clean,
    Failed,
}

impl Arrival {
    fn has_failed(&self) -> bool {
        self.record == Record::Failed
    }
}

impl Plug {
    pub(super) fn new(spec: &Device, place: usize) -> Self {
        Self {
            spec: spec.clone(),
            place,
            arrival: None,
            twin: None,
            set: None,
            sleep: Sleep { now: Wakefulness::WasAwake, first: Wakefulness::WasAwake, is_in_doubt: false },
        }
    }

    /// What is plugged in, as the kernel shows it.
    pub(super) fn sighted(&self) -> Option<&Sighting> {
        self.arrival.as_ref().map(|arrival| &arrival.sighting)
    }

    /// What the kernel would show of the arrival with this number.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a USB address is eight bits; the generation has the whole number"
    )]
    pub(super) fn sighting(&self, number: u32) -> Sighting {
        let place = self.place + 1;
        let usb = |generation: &Generation, key: String, sort: Sort| Sighting {
            key: Key(key),
            generation: generation.clone(),
            usb: Some(UsbFacts {
                id: UsbId { vendor: 0x1d50, product: 0x6089 },
                path: format!("1-{place}").parse().unwrap_or_else(|_| unreachable!("a path of digits")),
                bus: 1,
                address: number as u8,
                serial: self.spec.matching.serial.clone(),
                product: None,
                interface: None,
            }),
            sort,
            access: Access::Unknown,
        };
        let generation = Generation(format!("usb 1:{number}"));
        match self.spec.kind {
            DeviceKind::Hackrf | DeviceKind::Usb => {
                let node = format!("/dev/bus/usb/001/{number:03}").into();
                usb(&generation, format!("usb/1-{place}"), Sort::Usb { node })
            }
            DeviceKind::Gps | DeviceKind::Serial => {
                let node = format!("/dev/ttyACM{number}").into();
                usb(&generation, format!("tty/ttyACM{number}"), Sort::Tty { node, driver: Some("cdc_acm".to_owned()) })
            }
            DeviceKind::Wifi => Sighting {
                key: Key(format!("wifi/phy{number}")),
                generation: Generation(format!("wifi {number}")),
                usb: None,
                sort: Sort::Wifi(self.wifi(number)),
                access: Access::Unknown,
            },
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "there are few sockets")]
    fn wifi(&self, number: u32) -> WifiFacts {
        WifiFacts {
            wiphy: number,
            ifindex: number,
            interface: self.own_name(),
            mac: self.spec.matching.mac.unwrap_or(MacAddress([2, 0, 0, 1, self.place as u8, 0])),
            driver: None,
            mode: WifiMode::Managed,
            link: Link::Up,
            supported: vec![WifiMode::Managed, WifiMode::Monitor],
            rfkill: Rfkill::Unblocked,
            others: Vec::new(),
            manager: None,
        }
    }
}

impl Environment {
    /// Whether mainstay was told of a device that is plugged in that something of it does not work.
    #[must_use]
    pub fn has_failed(&self, device: &DeviceName) -> bool {
        self.plugs.get(device).and_then(|plug| plug.arrival.as_ref()).is_some_and(Arrival::has_failed)
    }

    /// Whether a program that uses a device has just begun.
    pub(in crate::world) fn is_just_taken_into_use(&self, device: &DeviceName) -> bool {
        let it = Resource::Device(device.clone());
        let is_young = |tree: &super::Tree| tree.born.is_some_and(|born| self.now.since(born) <= SECOND * 8);
        let uses = |tree: &super::Tree| tree.uses.iter().any(|(used, _)| *used == it);
        self.table().trees.values().any(|tree| is_young(tree) && uses(tree))
    }

    /// Plugs a device in, when it is not.
    pub(in crate::world) fn plug(&mut self, name: &DeviceName, so: &mut Consequences) {
        self.arrivals += 1;
        let openable_at = if self.random.happens(self.weather.access_refused) {
            self.now + self.random.between(SECOND, SECOND * 6)
        } else {
            self.now + self.random.between(Duration::ZERO, MILLISECOND * 300)
        };
        let access = if self.random.happens(300) { Access::Open } else { Access::Unknown };
        let temper = if self.random.happens(self.weather.radio_fails) { Temper::Stubborn } else { Temper::Willing };
        let number = self.arrivals;
        let sleep = if self.random.happens(500) { Wakefulness::CouldSleep } else { Wakefulness::WasAwake };
        let Some(plug) = self.plugs.get_mut(name) else { return };
        if plug.arrival.is_some() {
            return;
        }
        let mut sighting = plug.sighting(number);
        // Of a radio the kernel's bus does not say so, since it may be renamed a moment later.
        if access == Access::Open && sighting.usb.is_some() {
            sighting.access = access;
        }
        let openable_at = if sighting.access == Access::Open { self.now } else { openable_at };
        let radio = RadioState::of(&sighting, temper);
        plug.sleep = Sleep { now: sleep, first: sleep, is_in_doubt: false };
        plug.arrival = Some(Arrival { sighting: sighting.clone(), radio, openable_at, record: Record::Clean });
        self.kernel_says(HardwareEvent::Seen(sighting), so);
        if self.random.happens(300) {
            let at = self.now + self.random.between(MILLISECOND, SECOND);
            so.later.push((at, Event::SeenAgain(name.clone()), None));
        }
    }

    /// Unplugs a device, when it is plugged in, and what is like it with it. Up to three witnesses say so, in any order.
    pub(in crate::world) fn unplug(&mut self, name: &DeviceName, so: &mut Consequences) {
        self.remove_twin(name, so);
        let Some(arrival) = self.plugs.get_mut(name).and_then(|plug| plug.arrival.take()) else { return };
        so.happened.push(Happening::Unplugged(name.clone()));
        self.die_of_loss(name, so);
        let Sighting { key, generation, .. } = arrival.sighting;
        let said = self.random.happens(500).then(|| generation.clone());
        let event = HardwareEvent::Gone { key: key.clone(), generation: said, witness: Witness::Uevent };
        self.kernel_says(event, so);
        for witness in [Witness::Libusb, Witness::Netlink] {
            if self.random.happens(400) {
                let at = self.now + self.random.between(MILLISECOND, SECOND);
                let generation = Some(generation.clone());
                self.watch_hears(at, HardwareEvent::Gone { key: key.clone(), generation, witness }, so);
            }
        }
    }

    /// What reads from it reads the end of its input, or an error, and may know of the loss before mainstay does.
    fn die_of_loss(&mut self, name: &DeviceName, so: &mut Consequences) {
        let device = Resource::Device(name.clone());
        let trees = self.executor.kernel().trees.iter();
        for (run, _) in trees.filter(|(_, tree)| tree.uses.iter().any(|(used, _)| *used == device)) {
            if self.random.happens(self.weather.die_of_loss) {
                let at = self.now + self.random.between(MILLISECOND, SECOND);
                so.later.push((at, Event::Course(Course::Crashes(*run)), None));
            }
        }
    }

    /// One socket delivers in order. Sometimes it loses a message, notices, and everything is looked at anew.
    pub(super) fn kernel_says(&mut self, event: HardwareEvent, so: &mut Consequences) {
        if self.random.happens(self.weather.lost_events) {
            self.scan_later(ScanReason::LostMessages, None, so);
            return;
        }
        let at = self.in_order(MILLISECOND * 400);
        self.watch_hears(at, event, so);
    }

    pub(super) fn in_order(&mut self, longest: Duration) -> Moment {
        self.channel = self.channel.max(self.now + self.random.between(MILLISECOND, longest));
        self.channel
    }

    pub(super) fn seen_again(&self, device: &DeviceName, so: &mut Consequences) {
        if let Some(seen) = self.plugs.get(device).and_then(Plug::sighted) {
            self.watch_hears(self.now, HardwareEvent::Seen(seen.clone()), so);
        }
    }

    fn arrival(&self, device: &DeviceName, generation: &Generation) -> Result<&Arrival, Error> {
        let plugged = self.plugs.get(device).and_then(|plug| plug.arrival.as_ref());
        plugged.filter(|arrival| arrival.sighting.generation == *generation).ok_or_else(vanished)
    }

    /// What a driver says of a device. That it does not work is remembered as long as it is plugged in.
    pub(super) fn remember<T>(&mut self, device: &DeviceName, result: &Result<T, Error>) {
        let arrival = self.plugs.get_mut(device).and_then(|plug| plug.arrival.as_mut());
        if let (Some(arrival), Err(error)) = (arrival, result)
            && !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotTried)
        {
            arrival.record = Record::Failed;
        }
    }

    pub(super) fn access(&self, operation: OperationId, device: DeviceName, generation: &Generation) -> Message {
        let result = self.arrival(&device, generation).and_then(|arrival| {
            let open = self.now >= arrival.openable_at;
            open.then_some(()).ok_or(Error::Simulated(ErrorKind::PermissionDenied))
        });
        Message::Device(device, DeviceMessage::Accessible(operation, result))
    }

    pub(super) fn probe(&mut self, operation: OperationId, device: DeviceName, generation: &Generation) -> Message {
        let fails = self.random.happens(self.weather.probe_fails);
        let result = self
            .arrival(&device, generation)
            .map(|_| Findings::Opened)
            .and_then(|findings| if fails { Err(Error::Simulated(ErrorKind::TimedOut)) } else { Ok(findings) });
        Message::Device(device, DeviceMessage::Probed(operation, result))
    }

    /// The kernel is told whether it may suspend a device. How it was before.
    pub(super) fn set_sleep(&mut self, device: &DeviceName, it: &Sighting, now: Wakefulness) -> Option<Wakefulness> {
        let plug = self.plugs.get_mut(device)?;
        if plug.sighted().map(|seen| &seen.generation) != Some(&it.generation) {
            return None;
        }
        Some(std::mem::replace(&mut plug.sleep.now, now))
    }

    /// The driver did not answer, or its thread died.
    pub(super) fn could_not_change_sleep(&mut self, device: &DeviceName) {
        if let Some(plug) = self.plugs.get_mut(device) {
            plug.sleep.is_in_doubt = true;
        }
    }

    /// What is wrong with how devices may sleep, when nothing is under way.
    #[cfg(test)]
    pub(in crate::world) fn wrong_sleep(&self) -> Option<String> {
        let wrong = |(name, plug): (&DeviceName, &Plug)| {
            let Sleep { now, first, is_in_doubt } = plug.sleep;
            let should = if self.is_used(name) { Wakefulness::WasAwake } else { first };
            let may_be_judged = plug.sighted().is_some_and(|seen| seen.usb.is_some()) && !is_in_doubt;
            (may_be_judged && now != should).then(|| format!("{name} is {now:?}, and should be {should:?}"))
        };
        self.plugs.iter().find_map(wrong)
    }
}

pub(super) fn vanished() -> Error {
    Error::Simulated(ErrorKind::NotFound)
}
