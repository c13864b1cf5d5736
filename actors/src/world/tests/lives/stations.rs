//! Small stations, so that much happens to each.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use mainstay_config::model::{
    Dependency, DeviceKind, Match, OnReturn, Probe, RestartWhen, Sharing, Station, StopSignal, StopTo, WifiMode,
};

use super::{MILLISECOND, SECOND, Story};
use crate::world::Random;
use crate::world::stations::{Draft, assemble};

impl Story {
    /// Only one service starts at a time.
    pub(super) fn station(self, random: &mut Random) -> Station {
        let mut station = match self {
            Self::Lag => ports(random),
            Self::Stuck | Self::StuckAtTheEnd => dependents(random),
            Self::Devices => devices(random),
            Self::Radios => radios(random),
        };
        if self != Self::Devices {
            station.runtime.max_parallel_starts = NonZeroUsize::MIN;
        }
        // Half of them are in quarantine as soon as they have left twice.
        for device in station.devices.values_mut().filter(|_| random.happens(500)) {
            device.flap.departures = NonZeroU32::MIN.saturating_add(1);
        }
        station
    }
}

fn ports(random: &mut Random) -> Station {
    let drafts = vec![
        character(Draft::new("a").range("web", 8000, 8002), random),
        character(Draft::new("b").range("web", 8000, 8002).requires("a", 0), random),
        character(Draft::new("c").port("fixed", 7000), random),
        character(Draft::new("d").named("d"), random),
        character(Draft::new("e").named("e").requires("d", 0), random),
    ];
    assemble(&[], drafts)
}

fn dependents(random: &mut Random) -> Station {
    let waits = Dependency::Optional { timeout: SECOND * 30, on_return: OnReturn::Keep };
    let drafts = vec![
        character(Draft::new("x"), random),
        character(Draft::new("s").requires("x", 0).named("s"), random),
        character(Draft::new("d").named("d").requires("s", 0).depends("x", waits), random),
        character(Draft::new("e").named("e").depends("s", waits), random),
        character(Draft::new("f").after("e").wants("d"), random),
        character(Draft::new("g").port("fixed", 7000), random),
        character(Draft::new("h").after("s"), random),
        character(Draft::new("i").after("h"), random),
    ];
    assemble(&[], drafts)
}

fn devices(random: &mut Random) -> Station {
    let kinds = [DeviceKind::Hackrf, DeviceKind::Gps, DeviceKind::Serial, DeviceKind::Hackrf];
    let devices: Vec<_> = ["d0", "d1", "d2", "d3"].into_iter().zip(kinds).collect();
    let mut user = |name: &str, device: &str| {
        let sharing = if random.happens(300) { Sharing::Shared } else { Sharing::Exclusive };
        Draft::new(name).device(device, sharing).ready(Probe::Process)
    };
    let drafts =
        vec![user("a", "d0"), user("b", "d0"), user("c", "d1"), user("d", "d2"), user("e", "d3").autostart_no()];
    assemble(&devices, drafts)
}

fn radios(random: &mut Random) -> Station {
    let mut user = |name: &str, device: &str| {
        let sharing = if random.happens(300) { Sharing::Shared } else { Sharing::Exclusive };
        character(Draft::new(name).radio(device, sharing, WifiMode::Monitor), random)
    };
    let drafts = vec![user("a", "d0"), user("b", "d0"), user("c", "d1")];
    let mut station = assemble(&[("d0", DeviceKind::Wifi), ("d1", DeviceKind::Wifi)], drafts);
    for (place, device) in station.devices.values_mut().enumerate().filter(|_| random.happens(500)) {
        device.matching = Match { name: Some(format!("wlan{place}")), ..Match::default() };
    }
    station
}

/// How a service starts, ends and stops.
fn character(mut draft: Draft, random: &mut Random) -> Draft {
    let spec = &mut draft.0;
    let probes = [Probe::Process, Probe::Process, Probe::Notify, spec.ready.probe.clone()];
    spec.ready.probe = random.choose(&probes).cloned().unwrap_or(Probe::Process);
    spec.ready.within = SECOND * 4;
    spec.restart.when = match random.below(3) {
        0 => RestartWhen::Never,
        1 => RestartWhen::Failure,
        _ => RestartWhen::Always,
    };
    spec.restart.backoff = if random.happens(500) { Duration::ZERO } else { SECOND * 2 };
    spec.restart.attempts = if random.happens(500) { 2 } else { 5 };
    spec.stop.grace = if random.happens(500) { MILLISECOND * 20 } else { SECOND };
    spec.stop.to = if random.happens(500) { StopTo::Main } else { StopTo::All };
    if random.happens(200) {
        spec.stop.signal = StopSignal::Kill;
    }
    draft
}
