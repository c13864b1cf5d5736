//! What gpsd writes (gpsd_json(5)), about a simulated receiver that goes slowly round in a circle. Each report is a line of JSON, its
//! class first as gpsd does it.

use std::f64::consts::TAU;
use std::time::{Duration, SystemTime};

use serde_json::Value;

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

/// Number, elevation and azimuth in degrees, signal in dB-Hz.
const SATELLITES: [(u8, u16, u16, u16); 8] = [
    (2, 71, 285, 44),
    (5, 38, 60, 39),
    (7, 22, 144, 31),
    (13, 55, 98, 42),
    (15, 48, 196, 41),
    (18, 12, 320, 24),
    (24, 8, 22, 17),
    (30, 5, 170, 12),
];
/// With a weaker signal none is used.
const USABLE: u16 = 20;

/// What is said first.
pub(super) fn version() -> String {
    r#"{"class":"VERSION","release":"3.25-stand-in","rev":"mainstay","proto_major":3,"proto_minor":15}"#.to_owned()
}

/// What is said of a request that means nothing.
pub(super) fn error(message: String) -> String {
    format!(r#"{{"class":"ERROR","message":{}}}"#, Value::from(message))
}

/// Whether and how reports are sent unasked.
pub(super) fn watch(enable: bool) -> String {
    format!(r#"{{"class":"WATCH","enable":{enable},"json":true,"nmea":false,"raw":0}}"#)
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
    pub(super) fn device(&self) -> String {
        let (path, activated) = (self.node(), timestamp(self.activated));
        format!(
            r#"{{"class":"DEVICE","path":{path},"driver":"u-blox","subtype":"simulated by mainstay","activated":"{activated}","flags":1,"native":0,"bps":9600,"parity":"N","stopbits":1,"cycle":1.0}}"#
        )
    }

    pub(super) fn devices(&self) -> String {
        format!(r#"{{"class":"DEVICES","devices":[{}]}}"#, self.device())
    }

    /// The latest of everything.
    pub(super) fn poll(&self, now: SystemTime) -> String {
        let (time, tpv, sky) = (timestamp(now), self.tpv(now), self.sky(now));
        format!(r#"{{"class":"POLL","time":"{time}","active":1,"tpv":[{tpv}],"sky":[{sky}]}}"#)
    }

    /// Time, position, velocity; metres, degrees, metres per second.
    pub(super) fn tpv(&self, now: SystemTime) -> String {
        let elapsed = now.duration_since(self.activated).unwrap_or_default();
        let angle = TAU * elapsed.div_duration_f64(ROUND).fract();
        // Degrees of longitude are shorter than those of latitude.
        let longitude_scale = LATITUDE.to_radians().cos();
        let lat = rounded(LATITUDE + RADIUS_DEGREES * angle.cos(), 9);
        let lon = rounded(LONGITUDE + RADIUS_DEGREES * angle.sin() / longitude_scale, 9);
        let track = rounded((angle.to_degrees() + 90.0).rem_euclid(360.0), 1);
        let speed = rounded(TAU * RADIUS_M / ROUND.as_secs_f64(), 3);
        let (device, time, height) = (self.node(), timestamp(now), ALTITUDE_M + GEOID_M);
        format!(
            r#"{{"class":"TPV","device":{device},"mode":3,"time":"{time}","ept":0.005,"lat":{lat:?},"lon":{lon:?},"altHAE":{height:?},"altMSL":{ALTITUDE_M:?},"alt":{ALTITUDE_M:?},"epx":2.4,"epy":2.9,"epv":5.1,"track":{track:?},"speed":{speed:?},"climb":0.0}}"#
        )
    }

    /// The sky as the receiver sees it.
    pub(super) fn sky(&self, now: SystemTime) -> String {
        let (device, time, seen) = (self.node(), timestamp(now), SATELLITES.len());
        let used = SATELLITES.iter().filter(|(.., ss)| *ss >= USABLE).count();
        let satellites = SATELLITES.map(|(prn, el, az, ss)| {
            let used = ss >= USABLE;
            format!(r#"{{"PRN":{prn},"el":{el},"az":{az},"ss":{ss},"used":{used}}}"#)
        });
        let satellites = satellites.join(",");
        format!(
            r#"{{"class":"SKY","device":{device},"time":"{time}","hdop":1.1,"vdop":1.7,"pdop":2.0,"nSat":{seen},"uSat":{used},"satellites":[{satellites}]}}"#
        )
    }

    fn node(&self) -> Value {
        Value::from(self.path.as_str())
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
        let place = |seconds| {
            let tpv = receiver.tpv(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
            let tpv: Value = serde_json::from_str(&tpv).unwrap();
            (tpv["lat"].as_f64().unwrap(), tpv["lon"].as_f64().unwrap())
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
        let tpv = receiver.tpv(now);
        assert!(tpv.starts_with(r#"{"class":"TPV","device":"","mode":3,"time":"1970-01-01T00:00:00.000Z","#), "{tpv}");
    }

    #[test]
    fn every_report_is_json_whatever_the_device_is_called() {
        let receiver = Receiver { path: "/dev/\"tty\\\n".into(), activated: SystemTime::UNIX_EPOCH };
        let now = SystemTime::UNIX_EPOCH;
        let of_all = [version(), watch(true), receiver.device(), receiver.devices(), receiver.poll(now)];
        for report in of_all.into_iter().chain([error("no \"such\"\n".to_owned())]) {
            assert!(serde_json::from_str::<Value>(&report).is_ok_and(|read| read["class"].is_string()), "{report}");
            assert!(!report.contains('\n'));
        }
    }
}
