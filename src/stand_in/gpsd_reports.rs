//! What gpsd writes (gpsd_json(5)), about a simulated receiver that goes slowly round in a circle.

use std::f64::consts::TAU;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::program::timestamp;

/// A hillside near Wattens in Tyrol.
const LATITUDE: f64 = 47.2852;
const LONGITUDE: f64 = 11.5167;
const ALTITUDE_M: f64 = 567.0;
/// Height of the geoid above the ellipsoid there.
const GEOID_M: f64 = 50.2;
/// About 55 m.
const RADIUS_DEGREES: f64 = 0.0005;
const RADIUS_M: f64 = 55.6;
const ROUND: Duration = Duration::from_secs(600);

/// A report. Its fields are written in the order in which they stand here, the class first as gpsd does it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "class", rename_all = "UPPERCASE")]
pub(super) enum Report {
    Version { release: &'static str, rev: &'static str, proto_major: u8, proto_minor: u8 },
    Devices { devices: Vec<Report> },
    Device(Device),
    Watch { enable: bool, json: bool, nmea: bool, raw: u8 },
    Poll { time: String, active: u8, tpv: Vec<Report>, sky: Vec<Report> },
    Tpv(Tpv),
    Sky(Sky),
    Error { message: String },
}

/// A receiver.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Device {
    path: String,
    driver: &'static str,
    subtype: &'static str,
    activated: String,
    flags: u8,
    native: u8,
    bps: u32,
    parity: char,
    stopbits: u8,
    cycle: f64,
}

/// Time, position, velocity; metres, degrees, metres per second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tpv {
    device: String,
    mode: u8,
    time: String,
    ept: f64,
    lat: f64,
    lon: f64,
    #[serde(rename = "altHAE")]
    alt_hae: f64,
    #[serde(rename = "altMSL")]
    alt_msl: f64,
    alt: f64,
    epx: f64,
    epy: f64,
    epv: f64,
    track: f64,
    speed: f64,
    climb: f64,
}

/// The sky as the receiver sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Sky {
    device: String,
    time: String,
    hdop: f64,
    vdop: f64,
    pdop: f64,
    #[serde(rename = "nSat")]
    seen: usize,
    #[serde(rename = "uSat")]
    used: usize,
    satellites: [Satellite; 8],
}

/// Elevation and azimuth in degrees, signal in dB-Hz.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Satellite {
    #[serde(rename = "PRN")]
    prn: u8,
    el: u16,
    az: u16,
    ss: u16,
    used: bool,
}

const fn satellite(prn: u8, el: u16, az: u16, ss: u16) -> Satellite {
    Satellite { prn, el, az, ss, used: ss >= 20 }
}

const SATELLITES: [Satellite; 8] = [
    satellite(2, 71, 285, 44),
    satellite(5, 38, 60, 39),
    satellite(7, 22, 144, 31),
    satellite(13, 55, 98, 42),
    satellite(15, 48, 196, 41),
    satellite(18, 12, 320, 24),
    satellite(24, 8, 22, 17),
    satellite(30, 5, 170, 12),
];

impl Report {
    /// What is said first.
    pub(super) fn version() -> Self {
        Self::Version { release: "3.25-stand-in", rev: "mainstay", proto_major: 3, proto_minor: 15 }
    }
}

/// The simulated receiver.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    /// Its node, as gpsd was told.
    pub(super) path: String,
    /// Since when it is "open".
    pub(super) activated: SystemTime,
}

impl Receiver {
    pub(super) fn device(&self) -> Report {
        Report::Device(Device {
            path: self.path.clone(),
            driver: "u-blox",
            subtype: "simulated by mainstay",
            activated: timestamp(self.activated),
            flags: 1,
            native: 0,
            bps: 9600,
            parity: 'N',
            stopbits: 1,
            cycle: 1.0,
        })
    }

    pub(super) fn devices(&self) -> Report {
        Report::Devices { devices: vec![self.device()] }
    }

    /// The latest of everything.
    pub(super) fn poll(&self, now: SystemTime) -> Report {
        Report::Poll { time: timestamp(now), active: 1, tpv: vec![self.tpv(now)], sky: vec![self.sky(now)] }
    }

    pub(super) fn tpv(&self, now: SystemTime) -> Report {
        let elapsed = now.duration_since(self.activated).unwrap_or_default();
        let angle = TAU * elapsed.div_duration_f64(ROUND).fract();
        // Degrees of longitude are shorter than those of latitude.
        let longitude_scale = LATITUDE.to_radians().cos();
        Report::Tpv(Tpv {
            device: self.path.clone(),
            mode: 3,
            time: timestamp(now),
            ept: 0.005,
            lat: rounded(LATITUDE + RADIUS_DEGREES * angle.cos(), 9),
            lon: rounded(LONGITUDE + RADIUS_DEGREES * angle.sin() / longitude_scale, 9),
            alt_hae: ALTITUDE_M + GEOID_M,
            alt_msl: ALTITUDE_M,
            alt: ALTITUDE_M,
            epx: 2.4,
            epy: 2.9,
            epv: 5.1,
            track: rounded((angle.to_degrees() + 90.0).rem_euclid(360.0), 1),
            speed: rounded(TAU * RADIUS_M / ROUND.as_secs_f64(), 3),
            climb: 0.0,
        })
    }

    pub(super) fn sky(&self, now: SystemTime) -> Report {
        Report::Sky(Sky {
            device: self.path.clone(),
            time: timestamp(now),
            hdop: 1.1,
            vdop: 1.7,
            pdop: 2.0,
            seen: SATELLITES.len(),
            used: SATELLITES.iter().filter(|satellite| satellite.used).count(),
            satellites: SATELLITES,
        })
    }
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_position_moves_but_stays_near() {
        let receiver = Receiver { path: "/dev/ttyACM0".into(), activated: SystemTime::UNIX_EPOCH };
        let place = |seconds| match receiver.tpv(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)) {
            Report::Tpv(tpv) => (tpv.lat, tpv.lon),
            other => panic!("{other:?}"),
        };
        assert_ne!(place(10), place(11));
        for seconds in (0..2000).step_by(7) {
            let (latitude, longitude) = place(seconds);
            assert!((latitude - LATITUDE).abs() < 0.001 && (longitude - LONGITUDE).abs() < 0.001);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_matter() {
        let now = SystemTime::UNIX_EPOCH;
        let receiver = Receiver { path: String::new(), activated: now + Duration::from_secs(9) };
        let tpv = serde_json::to_string(&receiver.tpv(now)).unwrap();
        assert!(tpv.starts_with(r#"{"class":"TPV","device":"","mode":3,"time":"1970-01-01T00:00:00.000Z","#), "{tpv}");
    }
}
