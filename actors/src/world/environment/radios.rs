//! Simulated radios: they have a mode, which is read, changed and put back.

use mainstay_config::model::WifiMode;
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::{Link, Rfkill, Sighting, Sort, WifiFacts};

use super::hardware::vanished;
use super::{Cause, Consequences, Environment, Happening};
use crate::lease::{LeaseMessage, NotPrepared};
use crate::machine::{Message, OperationId, Outside};

/// A radio that is plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadioState {
    /// Index of its interface.
    pub ifindex: u32,
    /// How it was when it arrived.
    pub first: WifiMode,
    /// How it is.
    pub mode: WifiMode,
    /// Whether it lets itself be put back.
    pub temper: Temper,
}

/// Whether a radio lets itself be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    /// It refuses now and then.
    Willing,
    /// It refuses every time, as long as it is plugged in.
    Stubborn,
}

impl RadioState {
    pub(super) fn of(sighting: &Sighting, temper: Temper) -> Option<Self> {
        match &sighting.sort {
            Sort::Wifi(WifiFacts { ifindex, mode, .. }) => {
                Some(Self { ifindex: *ifindex, first: *mode, mode: *mode, temper })
            }
            Sort::Usb { .. } | Sort::Tty { .. } => None,
        }
    }
}

impl Environment {
    fn radio(&mut self, device: &DeviceName, ifindex: u32) -> Result<&mut RadioState, Error> {
        let arrival = self.plugs.get_mut(device).and_then(|plug| plug.arrival.as_mut());
        let radio = arrival.and_then(|arrival| arrival.radio.as_mut());
        radio.filter(|radio| radio.ifindex == ifindex).ok_or_else(vanished)
    }

    pub(super) fn prepare(
        &mut self,
        operation: OperationId,
        device: DeviceName,
        ifindex: u32,
        mode: Option<WifiMode>,
        cause: Option<Cause>,
        so: &mut Consequences,
    ) {
        let fails = self.random.happens(self.weather.radio_fails);
        let half_way = self.random.happens(500);
        let result = match self.radio(&device, ifindex) {
            Ok(_) if fails && !half_way => Err(NotPrepared { error: busy(), before: None }),
            Ok(radio) => {
                let before = baseline(ifindex, radio.mode);
                radio.mode = mode.unwrap_or(radio.mode);
                self.keep(&device, Some(before.clone()));
                so.happened.push(Happening::RadioPrepared(device.clone(), ifindex));
                if fails { Err(NotPrepared { error: busy(), before: Some(before) }) } else { Ok(before) }
            }
            Err(error) => Err(NotPrepared { error, before: None }),
        };
        so.told.push((
            Outside::Drivers,
            Message::Leases(LeaseMessage::RadioPrepared(operation, device, result)),
            cause,
        ));
    }

    pub(super) fn restore(
        &mut self,
        operation: OperationId,
        device: DeviceName,
        baseline: &WifiBaseline,
        cause: Option<Cause>,
        so: &mut Consequences,
    ) {
        let fails = self.random.happens(self.weather.radio_fails);
        let result = self.radio(&device, baseline.ifindex).and_then(|radio| {
            if fails || radio.temper == Temper::Stubborn {
                return Err(busy());
            }
            radio.mode = baseline.mode;
            Ok(())
        });
        if !result.as_ref().is_err_and(|error| error.kind != ErrorKind::NotFound) {
            self.keep(&device, None);
        }
        if result.is_ok() {
            so.happened.push(Happening::RadioRestored(device.clone(), baseline.ifindex));
        }
        so.told.push((
            Outside::Drivers,
            Message::Leases(LeaseMessage::RadioRestored(operation, device, result)),
            cause,
        ));
    }

    fn keep(&mut self, device: &DeviceName, before: Option<WifiBaseline>) {
        if let Some(plug) = self.plugs.get_mut(device) {
            plug.before = before;
        }
    }

    pub(super) fn report_radio(
        &self,
        operation: OperationId,
        device: DeviceName,
        cause: Option<Cause>,
        so: &mut Consequences,
    ) {
        let before = self.plugs.get(&device).and_then(|plug| plug.before.clone());
        so.told.push((
            Outside::Drivers,
            Message::Leases(LeaseMessage::RadioReported(operation, device, before)),
            cause,
        ));
    }
}

fn busy() -> Error {
    Error::new(ErrorKind::Busy, "the radio is busy (simulated)")
}

fn baseline(ifindex: u32, mode: WifiMode) -> WifiBaseline {
    WifiBaseline {
        wiphy: ifindex,
        ifindex,
        interface: format!("wlan{ifindex}"),
        mode,
        link: Link::Up,
        mac: mainstay_config::names::MacAddress([2, 0, 0, 0, 0, 0]),
        frequency_mhz: None,
        interfaces: vec![ifindex],
        rfkill: Rfkill::Unblocked,
    }
}
