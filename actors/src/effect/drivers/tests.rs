//! Devices of the simulated bus: radios changed and put back, receivers kept awake and let go, calls that hang.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use mainstay_config::model::{Takeover, WifiMode};
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::{Wakefulness, WifiBaseline};
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::Sighting;
use mainstay_hardware::simulated::SimulatedBus;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::effect::calls::HUNG_MAX;
use crate::message::OperationId;
use crate::trace::TraceId;

const GPS: &str = "gps";
const CAUSE: Cause = Cause { trace: TraceId(1), message: None };

fn named(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

/// The demo's survey radio and its receiver.
struct Bench {
    bus: SimulatedBus,
    drivers: Rc<Drivers>,
    heard: UnboundedReceiver<Message>,
    ifindex: u32,
}

impl Bench {
    fn new() -> Self {
        let bus = SimulatedBus::demo();
        let is_it = |ifindex: &u32| bus.wifi_baseline(*ifindex).is_ok_and(|found| found.interface == "wlan2");
        let ifindex = (1..100).find(is_it).unwrap();
        let (told, heard) = unbounded_channel();
        let deliver: Deliver = Rc::new(move |_, _, message| {
            told.send(message).unwrap();
            None
        });
        Self {
            drivers: Drivers::new(Arc::new(bus.clone()), Watched::new().0, Store::default(), deliver),
            bus,
            heard,
            ifindex,
        }
    }

    fn ask(&self, action: Action) {
        self.drivers.act(&ActorId::Leases, action, CAUSE);
    }

    async fn told(&mut self) -> LeaseMessage {
        let Some(Message::Leases(told)) = self.heard.recv().await else { panic!("it is told the registry") };
        told
    }

    fn ask_to_read(&self) {
        let (operation, device) = (OperationId(1), named("wlan2"));
        self.ask(Action::ReadRadio { operation, device, ifindex: self.ifindex });
    }

    async fn read(&mut self) -> WifiBaseline {
        self.ask_to_read();
        let LeaseMessage::RadioRead(_, _, Ok(baseline)) = self.told().await else { panic!("it can be read") };
        baseline
    }

    fn ask_for_monitor(&self) {
        let (operation, device, ifindex) = (OperationId(2), named("wlan2"), self.ifindex);
        let (mode, takeover) = (WifiMode::Monitor, Takeover::Refuse);
        self.ask(Action::SetRadio { operation, device, ifindex, mode, takeover });
    }

    async fn monitor(&mut self) -> Result<(), Error> {
        self.ask_for_monitor();
        let LeaseMessage::RadioSet(_, _, done) = self.told().await else { panic!("it was to be set") };
        done
    }

    async fn restore(&mut self, before: WifiBaseline) -> Result<(), Error> {
        self.ask(Action::RestoreRadio { operation: OperationId(3), device: named("wlan2"), before });
        let LeaseMessage::RadioRestored(_, _, done) = self.told().await else { panic!("it was to be put back") };
        done
    }

    /// The receiver as a USB device, and its serial port.
    fn sightings(&self) -> [Sighting; 2] {
        let listed = self.bus.list().into_iter().find(|listed| listed.name == GPS).unwrap();
        listed.sightings.try_into().unwrap()
    }

    fn keep(&self, name: &str, sighting: &Sighting) {
        self.drivers.act(&ActorId::Device(named(name)), Action::KeepAwake(sighting.clone()), CAUSE);
    }

    fn let_sleep(&self, name: &str) {
        self.drivers.act(&ActorId::Device(named(name)), Action::LetSleep, CAUSE);
    }

    async fn wakefulness(&self) -> Option<Wakefulness> {
        self.drivers.done().await;
        self.bus.wakefulness(GPS)
    }
}

#[tokio::test(flavor = "local")]
async fn a_radio_is_put_into_a_mode_and_back_one_call_after_the_other() {
    let mut bench = Bench::new();
    let before = bench.read().await;
    bench.ask_for_monitor();
    bench.ask(Action::RestoreRadio { operation: OperationId(3), device: named("wlan2"), before: before.clone() });
    bench.ask_to_read();
    assert!(matches!(bench.told().await, LeaseMessage::RadioSet(_, _, Ok(()))));
    assert!(matches!(bench.told().await, LeaseMessage::RadioRestored(_, _, Ok(()))));
    let LeaseMessage::RadioRead(_, _, Ok(after)) = bench.told().await else { panic!("it can be read") };
    assert_eq!(after.mode, before.mode);
}

#[tokio::test(flavor = "local")]
async fn while_an_abandoned_call_may_still_change_a_radio_no_other_is_begun() {
    let mut bench = Bench::new();
    let before = bench.read().await;
    bench.monitor().await.unwrap();
    bench.bus.hang("wlan2");
    tokio::time::pause();
    assert_eq!(bench.restore(before.clone()).await.unwrap_err().kind(), ErrorKind::TimedOut);
    tokio::time::resume();
    assert_eq!(bench.monitor().await.unwrap_err().to_string(), "an earlier call to its driver has not come back");
    bench.bus.release("wlan2");
    while bench.restore(before.clone()).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "local")]
async fn while_several_calls_hang_no_further_one_is_begun_which_is_nobody_elses_fault() {
    let mut bench = Bench::new();
    bench.bus.hang("wlan2");
    tokio::time::pause();
    for radio in 0..20 {
        let (operation, device) = (OperationId(radio), named(&format!("same-radio-{radio}")));
        bench.ask(Action::ReadRadio { operation, device, ifindex: bench.ifindex });
    }
    let mut kinds = Vec::new();
    for _ in 0..20 {
        let LeaseMessage::RadioRead(_, _, Err(error)) = bench.told().await else { panic!("it hangs") };
        kinds.push(error.kind());
    }
    tokio::time::resume();
    assert_eq!(kinds.iter().filter(|kind| **kind == ErrorKind::TimedOut).count(), HUNG_MAX);
    assert_eq!(kinds.iter().filter(|kind| **kind == ErrorKind::NotTried).count(), 20 - HUNG_MAX);
    bench.bus.release("wlan2");
    while bench.monitor().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "local")]
async fn of_many_who_ask_at_once_who_listens_one_looks_for_all_and_each_hears_of_its_own_port() {
    let mut bench = Bench::new();
    let listening: Vec<_> = (0..20).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = listening.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    for (number, port) in (0..).zip(&ports) {
        bench.ask(Action::LookAtPorts(OperationId(number), [(*port, None)].into()));
    }
    let us = Some(std::process::id());
    for (number, port) in (0..).zip(&ports) {
        let LeaseMessage::PortsSeen(OperationId(heard), Ok(seen)) = bench.told().await else { panic!("it was seen") };
        let seen: Vec<_> = seen.into_iter().map(|(port, listener)| (port, listener.pid)).collect();
        assert_eq!((heard, seen), (number, vec![(*port, us)]));
    }
}

#[tokio::test(flavor = "local")]
async fn a_device_may_sleep_again_after_its_lease_and_the_last_word_counts() {
    let bench = Bench::new();
    let [_, port] = bench.sightings();
    bench.keep(GPS, &port);
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
    bench.let_sleep(GPS);
    bench.keep(GPS, &port);
    bench.keep(GPS, &port);
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
    bench.let_sleep(GPS);
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::CouldSleep));
}

#[tokio::test(flavor = "local")]
async fn what_never_slept_is_left_awake() {
    let bench = Bench::new();
    let [_, port] = bench.sightings();
    bench.bus.keep_awake(&port).unwrap();
    bench.keep(GPS, &port);
    bench.let_sleep(GPS);
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
}

#[tokio::test(flavor = "local")]
async fn of_two_devices_on_one_piece_of_hardware_the_last_one_lets_it_sleep() {
    let bench = Bench::new();
    let [whole, port] = bench.sightings();
    bench.keep("whole", &whole);
    bench.keep("port", &port);
    bench.let_sleep("whole");
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
    bench.let_sleep("port");
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::CouldSleep));
}

#[tokio::test(flavor = "local")]
async fn the_next_arrival_is_none_of_what_was_kept_before() {
    let bench = Bench::new();
    let [_, port] = bench.sightings();
    bench.keep(GPS, &port);
    bench.drivers.done().await;
    bench.bus.unplug(GPS).unwrap();
    bench.bus.plug(GPS, None).unwrap();
    let [_, port] = bench.sightings();
    bench.bus.keep_awake(&port).unwrap();
    bench.let_sleep(GPS);
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
}

#[tokio::test(flavor = "local")]
async fn whoever_is_given_a_device_is_started_before_a_driver_is_called_for_it() {
    let bench = Bench::new();
    let [_, port] = bench.sightings();
    tokio::time::pause();
    bench.keep(GPS, &port);
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        // A call would be made on another thread.
        std::thread::yield_now();
    }
    assert_eq!(bench.bus.wakefulness(GPS), Some(Wakefulness::CouldSleep));
    tokio::time::resume();
    assert_eq!(bench.wakefulness().await, Some(Wakefulness::WasAwake));
}
