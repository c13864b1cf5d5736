//! Random stations.

use std::time::Duration;

use mainstay_config::model::{
    Autostart, Dependency, DeviceKind, Match, OnReturn, Probe, RestartWhen, Sharing, Station, StopTo, WifiMode,
};

use mainstay_config::template::Template;

use super::{Draft, assemble};
use crate::world::Random;

const KINDS: [DeviceKind; 4] = [DeviceKind::Gps, DeviceKind::Hackrf, DeviceKind::Wifi, DeviceKind::Serial];
const DEVICES: [&str; 4] = ["d0", "d1", "d2", "d3"];

/// A station of three to twelve services and up to four devices, with every sort of dependency and lease.
#[must_use]
pub fn random(seed: u64) -> Station {
    let mut random = Random::new(seed);
    let devices: Vec<(&str, DeviceKind)> = DEVICES
        .iter()
        .take(1 + random.below(DEVICES.len()))
        .map(|name| (*name, random.choose(&KINDS).copied().unwrap_or(DeviceKind::Serial)))
        .collect();
    let count = 3 + random.below(10);
    let mut drafts: Vec<Draft> = Vec::new();
    for number in 0..count {
        let draft = Draft::new(&format!("s{number}"));
        let draft = lease(draft, &devices, number, &mut random);
        let draft = depend(draft, number, &mut random);
        let mut draft = character(draft, &mut random);
        if (seed + number as u64).is_multiple_of(3) {
            draft.0.stop.to = StopTo::Main;
        }
        if (seed + number as u64) % 4 == 1 {
            // One and the same file: `/link` leads to `/data`.
            draft = draft.file(if number / 4 % 2 == 0 { "/data/db" } else { "/link/db" });
        }
        drafts.push(draft);
    }
    let mut station = assemble(&devices, drafts);
    for (place, device) in station.devices.values_mut().enumerate() {
        if device.kind == DeviceKind::Wifi && random.happens(500) {
            // As the simulated kernel calls them.
            device.matching = Match { name: Some(format!("wlan{place}")), ..Match::default() };
        }
    }
    if random.happens(300) {
        // Such a quarantine is not over when everything is quiet.
        station.devices.values_mut().for_each(|device| device.flap.quarantine = Duration::from_secs(300));
    }
    station
}

fn lease(mut draft: Draft, devices: &[(&str, DeviceKind)], number: usize, random: &mut Random) -> Draft {
    for (name, kind) in devices {
        if !random.happens(300) {
            continue;
        }
        let sharing = if random.happens(300) { Sharing::Shared } else { Sharing::Exclusive };
        draft = draft.device(name, sharing);
        if *kind == DeviceKind::Wifi {
            let needs = draft.0.devices.iter_mut().filter(|(device, _)| device.as_str() == *name);
            needs.for_each(|(_, need)| need.mode = Some(WifiMode::Monitor));
        }
        if random.happens(300) {
            draft = draft.priority(name, 10);
        }
    }
    if random.happens(100) {
        draft = draft.patience(Duration::from_secs(20));
    }
    if random.happens(200) {
        draft = draft.port("fixed", if random.happens(500) { 7000 } else { 7001 });
    }
    if random.happens(300) {
        draft = draft.range("web", 8000, if random.happens(500) { 8001 } else { 8003 });
    }
    if random.happens(100) {
        draft = draft.named("lock");
    }
    if number > 0 && random.happens(100) {
        draft = draft.conflicts(&format!("s{}", random.below(number)));
    }
    draft
}

fn depend(mut draft: Draft, number: usize, random: &mut Random) -> Draft {
    for other in 0..number {
        let name = format!("s{other}");
        if !random.happens(250) || draft.0.conflicts.iter().any(|conflict| conflict.as_str() == name) {
            continue;
        }
        draft = match random.below(6) {
            0 => draft.requires(&name, 0),
            1 => draft.requires(&name, 15),
            2 => draft.requires(&name, 2),
            3 => draft.wants(&name),
            4 => {
                let timeout = Duration::from_secs(5);
                draft.depends(&name, Dependency::Optional { timeout, on_return: OnReturn::Restart })
            }
            _ => draft.after(&name),
        };
    }
    draft
}

fn character(mut draft: Draft, random: &mut Random) -> Draft {
    if random.happens(300) {
        draft = draft.ready(if random.happens(500) { Probe::Process } else { Probe::Notify });
    }
    if random.happens(150) {
        draft = draft.ready(Probe::Exec { command: vec![Template::literal("check")] });
    }
    if random.happens(150) {
        draft.0.autostart = Autostart::No;
    }
    if random.happens(250) {
        draft.0.restart.when = if random.happens(500) { RestartWhen::Never } else { RestartWhen::Failure };
    }
    if random.happens(150) {
        draft.0.restart.backoff = if random.happens(500) { Duration::ZERO } else { Duration::from_secs(20) };
    }
    if random.happens(200) {
        draft.0.ready.within = Duration::from_secs(3);
    }
    if random.happens(200) {
        draft.0.stop.grace = Duration::from_secs(1);
    }
    draft
}
