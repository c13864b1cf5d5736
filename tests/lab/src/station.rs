//! Configurations: a small field station, in pieces.
//!
//! Its devices may come and go as they like: that is what the lab does with them. One that drops out in use again and again is
//! set aside all the same, but not for long.

use std::path::Path;

use crate::hardware::radio::Mac;

/// The port the station's gpsd listens on.
pub(crate) const GPSD_PORT: u16 = 2947;
/// The radio that is listened with.
pub(crate) const SURVEY: Mac = Mac(2);

/// A HackRF, by its serial number.
pub(crate) const HACKRF: &str = r#"
[hardware.hackrf]
kind = "hackrf"
match = { serial = "88c869dc2b5c8d1b" }
flap = { departures = 64, quarantine = "1s" }
"#;

/// A GPS receiver, by what it is.
pub(crate) const GPS: &str = r#"
[hardware.gps]
kind = "gps"
match = { usb = "1546:01a7" }
flap = { departures = 64, quarantine = "1s" }
"#;

/// Something that needs the HackRF.
pub(crate) const OPENWEBRX: &str = r#"
[services.openwebrx]
command = ["sleep", "infinity"]
devices = { hackrf = "exclusive" }
"#;

/// A radio, by its permanent address.
pub(crate) fn radio(name: &str, mac: Mac) -> String {
    format!(
        "\n[hardware.{name}]\nkind = \"wifi\"\nmatch = {{ mac = \"{mac}\" }}\nflap = {{ departures = 64, quarantine = \"1s\" }}\n"
    )
}

/// The real gpsd on the GPS's real node.
pub(crate) fn gpsd() -> String {
    format!(
        r#"
[services.gpsd]
command = ["gpsd", "-N", "-n", "-S", "{{port.gpsd}}", "{{device.gps.path}}"]
devices = {{ gps = "exclusive" }}
ports = {{ gpsd = {GPSD_PORT} }}
ready = {{ gpsd = {{ port = "{{port.gpsd}}", within = "60s" }} }}
"#
    )
}

/// A stand-in for Kismet: it listens with the radio `survey` in monitor mode and needs gpsd.
pub(crate) fn kismet(program: &Path) -> String {
    format!(
        r#"
[services.kismet]
command = [{program:?}, "{{device.survey.interface}}"]
devices = {{ survey = {{ lease = "exclusive", mode = "monitor" }} }}
requires = ["gpsd"]
"#
    )
}

/// A service that does nothing, and needs these services.
pub(crate) fn idle(name: &str, requires: &[&str]) -> String {
    format!("\n[services.{name}]\ncommand = [\"sleep\", \"infinity\"]\nrequires = {requires:?}\n")
}

/// A service that does nothing but hold the radio `survey` in monitor mode.
pub(crate) const LISTENER: &str = r#"
[services.listener]
command = ["sleep", "infinity"]
devices = { survey = { lease = "exclusive", mode = "monitor" } }
"#;
