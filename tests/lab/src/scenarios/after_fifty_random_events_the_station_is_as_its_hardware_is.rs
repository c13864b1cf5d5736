//! Fifty times something is plugged in or pulled out, wherever mainstay happens to be; then everything must fit again.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::daemon::Daemon;
use crate::hardware::gadget::Socket;
use crate::hardware::gps::Gps;
use crate::hardware::hackrf::{SERIAL, plug_hackrf};
use crate::hardware::radio::{Mac, Radio, plug_radio};
use crate::hardware::usbip::{Plugged, Port};
use crate::{invariants, stand_in, station, wait};
use crate::random::Random;
use crate::stage::Stage;

const EVENTS: u32 = 50;
/// The longest pause between two events, in milliseconds: from before the first look at a device to after its service runs.
const LONGEST_PAUSE: u64 = 2500;

pub(super) fn run(stage: &Stage) -> Result<()> {
    let mut random = Random::new(stage.seed);
    let kismet = stand_in::write(&stage.folder, "kismet", stand_in::UNTIL_TERMINATED)?;
    let uplink = plug_radio(Mac(1))?;
    let mut bench = Bench { hackrf: None, gps: Gps::new()?, gps_is_in: false, radio: None };
    let daemon = stage.daemon(&[
        station::HACKRF,
        station::GPS,
        &station::radio("survey", station::SURVEY),
        &station::radio("uplink", Mac(1)),
        station::OPENWEBRX,
        &station::gpsd(),
        &station::kismet(&kismet),
        &station::idle("wigletotak", &["kismet"]),
        &station::idle("dashboard", &[]),
    ])?;
    // A round with everything, before anything is counted: what mainstay keeps for good it has by then.
    for kind in Kind::ALL {
        bench.toggle(kind, &mut random)?;
    }
    settle(&daemon, &bench)?;
    bench.clear()?;
    settle(&daemon, &bench)?;
    let before = daemon.resting_holdings()?;

    for event in 1..=EVENTS {
        let kind = random.choose(&Kind::ALL).copied().unwrap_or(Kind::Hackrf);
        bench.toggle(kind, &mut random).with_context(|| format!("event {event}"))?;
        thread::sleep(Duration::from_millis(random.below(LONGEST_PAUSE)));
    }
    settle(&daemon, &bench).with_context(|| format!("after {EVENTS} events"))?;
    bench.clear()?;
    settle(&daemon, &bench).context("after everything was unplugged")?;
    invariants::mode_is(&uplink.interface()?, "managed")?;

    daemon.until_it_holds_no_more_than(&before)?;
    daemon.stop()
}

/// What can be plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hackrf,
    Gps,
    Radio,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Hackrf, Self::Gps, Self::Radio];
}

/// What is plugged in now.
struct Bench {
    hackrf: Option<Plugged>,
    gps: Gps,
    gps_is_in: bool,
    radio: Option<Radio>,
}

impl Bench {
    /// Pulls something out when it is in, else plugs it in somewhere.
    fn toggle(&mut self, kind: Kind, random: &mut Random) -> Result<()> {
        let place = u8::try_from(random.below(4))?;
        match kind {
            Kind::Hackrf => {
                self.hackrf = if self.hackrf.take().is_some() { None } else { Some(plug_hackrf(SERIAL, Port(place))?) };
            }
            Kind::Gps if self.gps_is_in => {
                self.gps.unplug()?;
                self.gps_is_in = false;
            }
            Kind::Gps => {
                self.gps.plug(Socket(place))?;
                self.gps_is_in = true;
            }
            Kind::Radio => {
                self.radio = if self.radio.take().is_some() { None } else { Some(plug_radio(station::SURVEY)?) };
            }
        }
        Ok(())
    }

    /// Pulls everything out.
    fn clear(&mut self) -> Result<()> {
        self.hackrf = None;
        self.radio = None;
        self.gps_is_in = false;
        self.gps.unplug()
    }
}

/// Waits until every service is as the hardware on the bench wants it, and stays so; then looks at everything.
fn settle(daemon: &Daemon, bench: &Bench) -> Result<()> {
    let gpsd = bench.gps_is_in;
    let kismet = gpsd && bench.radio.is_some();
    let expected = [
        ("openwebrx", bench.hackrf.is_some()),
        ("gpsd", gpsd),
        ("kismet", kismet),
        ("wigletotak", kismet),
        ("dashboard", true),
    ];
    let present = [("hackrf", bench.hackrf.is_some()), ("gps", gpsd), ("survey", bench.radio.is_some()), ("uplink", true)];
    let (mut services, mut devices) = (Vec::new(), Vec::new());
    wait::steady("every service and device to be as the hardware wants it", wait::QUIET, wait::STEP * 2, || {
        let status = daemon.status()?;
        (services, devices) = (status.services, status.devices);
        let services_fit = expected.iter().all(|(name, runs)| {
            let wanted = if *runs { "running" } else { "waiting" };
            services.iter().any(|service| service.name == *name && service.status == wanted)
        });
        // One that is set aside for a while and pulled out meanwhile is absent only when that is over.
        let devices_fit = present.iter().all(|(name, is_in)| {
            devices.iter().any(|device| device.name == *name && (device.status != "absent") == *is_in)
        });
        Ok(services_fit && devices_fit)
    })
    .with_context(|| format!("expected to run: {expected:?}; present: {present:?}; seen: {services:?}, {devices:?}"))?;
    let status = daemon.status()?;
    invariants::services_say_what_they_wait_for(&status)?;
    invariants::processes_are_those_of_the_services(&status)?;
    invariants::leases_fit_the_services(&status)?;
    match &bench.radio {
        Some(radio) if kismet => invariants::mode_is(&radio.interface()?, "monitor")?,
        Some(radio) => radio.until_put_back()?,
        None => {}
    }
    Ok(())
}
