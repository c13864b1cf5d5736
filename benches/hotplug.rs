//! From the unplugging of a device to the end of a service's process, and from plugging in to its start; and what it costs
//! to keep every message for `mainstay trace`. On the simulated bus, so the kernel's own part and udev's are not in it.
//!
//! `cargo bench --bench hotplug`. Real actors, leases and processes, in this process; the program is `tiny.c`.
#![allow(clippy::expect_used, reason = "a bench that cannot go on says where, and ends")]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use mainstay_actors::message::service::ServiceStatus;
use mainstay_actors::trace::Keeping;
use mainstay_hardware::simulated::SimulatedBus;
use support::figures::{Figures, line, ratio};
use support::kernel::{monotonic, wait_for_end};
use support::programs::{Marks, Workshop};
use support::station::Station;

/// Stations of each kind, in turn. Each has one arrival and one departure: after more of them mainstay waits to see whether
/// the device stays, as it should.
const STATIONS: usize = 15;
/// What belongs to starting is over by then.
const QUIET: Duration = Duration::from_millis(100);

/// What was measured with messages kept, or not.
#[derive(Default)]
struct Measured {
    stopped: Figures,
    started: Figures,
    processor: Figures,
}

fn main() {
    let workshop = Workshop::new();
    for dependents in [1, 30] {
        let (mut on, mut off) = (Measured::default(), Measured::default());
        // Alternating, so that both meet the same weather.
        for _ in 0..STATIONS {
            station(&workshop, dependents, Keeping::On, &mut on);
            station(&workshop, dependents, Keeping::Off, &mut off);
        }
        println!("\n{dependents} services that lease a device");
        line("unplugged → the last process has ended", "ms", &on.stopped);
        line("plugged in → the last process has started", "ms", &on.started);
        line("the same without keeping messages, stopped", "ms", &off.stopped);
        line("the same without keeping messages, started", "ms", &off.started);
        line("processor time of the actors, messages kept", "ms", &on.processor);
        line("processor time of the actors, messages not kept", "ms", &off.processor);
        ratio("processor time of the actors, kept to not kept", &on.processor, &off.processor);
    }
}

fn configuration(dependents: usize, tiny: &Path, marks: &Marks) -> String {
    let mut text = "[hardware.hackrf]\nkind = \"hackrf\"\n".to_owned();
    for number in 0..dependents {
        let command = format!("command = [{tiny:?}, {:?}]", marks.path());
        write!(text, "[services.s{number:04}]\n{command}\ndevices = {{ hackrf = \"shared\" }}\n").expect("room");
    }
    text
}

fn station(workshop: &Workshop, dependents: usize, keeping: Keeping, measured: &mut Measured) {
    let room = workshop.room();
    let marks = Marks::in_folder(room.path());
    let bus = SimulatedBus::demo();
    bus.unplug("hackrf").expect("a device that is there");
    let text = configuration(dependents, &workshop.tiny(), &marks);
    let station = Station::start(&text, room.path(), keeping, bus);
    station.wait_until(ServiceStatus::Waiting);
    std::thread::sleep(QUIET);

    let begin = monotonic();
    station.bus.plug("hackrf", None).expect("a device that is not there");
    let started = marks.wait_for(dependents);
    let last = started.into_iter().map(|(when, _)| when).max().unwrap_or_default();
    measured.started.add_time(last - begin);
    let running = station.wait_until(ServiceStatus::Running);
    std::thread::sleep(QUIET);

    let begin = monotonic();
    station.bus.unplug("hackrf").expect("a device that is there");
    running.into_iter().for_each(wait_for_end);
    measured.stopped.add_time(monotonic() - begin);
    station.wait_until(ServiceStatus::Waiting);
    measured.processor.add_time(station.stop());
}
