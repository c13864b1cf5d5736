//! The receiver of the simulated bus, kept awake and let go.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use mainstay_hardware::bus::Bus;
use mainstay_hardware::simulated::SimulatedBus;

use super::*;

const GPS: &str = "gps";

struct Bench {
    bus: SimulatedBus,
    autosuspend: Autosuspend,
}

impl Bench {
    fn new() -> Self {
        let bus = SimulatedBus::demo();
        Self { autosuspend: Autosuspend::new(Drivers::new(Arc::new(bus.clone())), Watched::new().0), bus }
    }

    /// The receiver as a USB device, and its serial port.
    fn sightings(&self) -> [Sighting; 2] {
        let listed = self.bus.list().into_iter().find(|listed| listed.name == GPS).unwrap();
        listed.sightings.try_into().unwrap()
    }

    async fn wakefulness(&self) -> Option<Wakefulness> {
        self.autosuspend.done().await;
        self.bus.wakefulness(GPS)
    }
}

fn named(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

#[tokio::test(flavor = "local")]
async fn a_device_may_sleep_again_after_its_lease_and_the_last_word_counts() {
    let bench = Bench::new();
    let [_, port] = bench.sightings();
    bench.autosuspend.keep(&named(GPS), port.clone());
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
    bench.autosuspend.let_sleep(&named(GPS));
    bench.autosuspend.keep(&named(GPS), port.clone());
    bench.autosuspend.keep(&named(GPS), port);
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
    bench.autosuspend.let_sleep(&named(GPS));
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::CouldSleep));
}

#[tokio::test(flavor = "local")]
async fn what_never_slept_is_left_awake() {
    let bench = Bench::new();
    let [_, port] = bench.sightings();
    bench.bus.keep_awake(&port).unwrap();
    bench.autosuspend.keep(&named(GPS), port);
    bench.autosuspend.let_sleep(&named(GPS));
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
}

#[tokio::test(flavor = "local")]
async fn of_two_devices_on_one_piece_of_hardware_the_last_one_lets_it_sleep() {
    let bench = Bench::new();
    let [whole, port] = bench.sightings();
    bench.autosuspend.keep(&named("whole"), whole);
    bench.autosuspend.keep(&named("port"), port);
    bench.autosuspend.let_sleep(&named("whole"));
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
    bench.autosuspend.let_sleep(&named("port"));
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::CouldSleep));
}

#[tokio::test(flavor = "local")]
async fn the_next_arrival_is_none_of_what_was_kept_before() {
    let bench = Bench::new();
    let [_, port] = bench.sightings();
    bench.autosuspend.keep(&named(GPS), port);
    bench.autosuspend.done().await;
    bench.bus.unplug(GPS).unwrap();
    bench.bus.plug(GPS, None).unwrap();
    let [_, port] = bench.sightings();
    bench.bus.keep_awake(&port).unwrap();
    bench.autosuspend.let_sleep(&named(GPS));
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
}

#[tokio::test(flavor = "local")]
async fn whoever_is_given_a_device_is_started_before_a_driver_is_called_for_it() {
    let bench = Bench::new();
    let [_, port] = bench.sightings();
    tokio::time::pause();
    bench.autosuspend.keep(&named(GPS), port);
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        // A call would be made on another thread.
        std::thread::yield_now();
    }
    assert_eq!(bench.bus.wakefulness(GPS), Some(Wakefulness::CouldSleep));
    tokio::time::resume();
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
}
