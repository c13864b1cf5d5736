//! Radios of the simulated bus, changed and put back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]

use mainstay_hardware::error::ErrorKind;
use mainstay_hardware::simulated::SimulatedBus;

use super::*;
use crate::effect::calls::HUNG_MAX;

fn radio() -> DeviceName {
    DeviceName::new("wlan2").unwrap()
}

/// The demo's survey radio.
struct Bench {
    bus: SimulatedBus,
    drivers: Drivers,
    ifindex: u32,
}

impl Bench {
    fn new() -> Self {
        let bus = SimulatedBus::demo();
        let is_it = |ifindex: &u32| bus.wifi_baseline(*ifindex).is_ok_and(|found| found.interface == "wlan2");
        let ifindex = (1..100).find(is_it).unwrap();
        Self { drivers: Drivers::new(Arc::new(bus.clone())), bus, ifindex }
    }

    async fn read(&self) -> WifiBaseline {
        self.drivers.read_radio(&radio(), self.ifindex).await.unwrap()
    }

    async fn monitor(&self) -> Result<(), Error> {
        self.drivers.set_radio(&radio(), self.ifindex, WifiMode::Monitor, Takeover::Refuse).await
    }

    async fn restore(&self, before: WifiBaseline) -> Result<(), Error> {
        self.drivers.restore_radio(&radio(), before).await
    }
}

#[tokio::test(flavor = "local")]
async fn a_radio_is_put_into_a_mode_and_back_one_call_after_the_other() {
    let bench = Bench::new();
    let before = bench.read().await;
    let (set, restored, after) = futures::join!(bench.monitor(), bench.restore(before.clone()), bench.read());
    set.and(restored).unwrap();
    assert_eq!(after.mode, before.mode);
}

#[tokio::test(flavor = "local")]
async fn while_an_abandoned_call_may_still_change_a_radio_no_other_is_begun() {
    let bench = Bench::new();
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
    let bench = Bench::new();
    let (release, hold) = std::sync::mpsc::channel::<()>();
    let hold = Arc::new(std::sync::Mutex::new(hold));
    tokio::time::pause();
    for _ in 0..HUNG_MAX {
        let hold = Arc::clone(&hold);
        let hangs = bench.drivers.look(move |_| {
            let _ = hold.lock().unwrap().recv();
            Ok(())
        });
        assert_eq!(hangs.await.unwrap_err().kind(), ErrorKind::TimedOut);
    }
    tokio::time::resume();
    assert_eq!(bench.drivers.look(|_| Ok(())).await.unwrap_err().kind(), ErrorKind::NotTried);
    assert_eq!(bench.monitor().await.unwrap_err().kind(), ErrorKind::NotTried);
    drop(release);
    while bench.drivers.look(|_| Ok(())).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "local")]
#[allow(clippy::disallowed_methods, reason = "the end of each task is waited for")]
async fn of_many_who_ask_at_once_who_listens_one_looks_for_all_and_each_hears_of_its_own_port() {
    let bench = Bench::new();
    let listening: Vec<_> = (0..20).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = listening.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    let mut busy = bench.drivers.turn(Sort::Ports, None);
    busy.permitted().await.unwrap();
    #[allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
    let ask = |port: &u16| tokio::task::spawn_local(bench.drivers.listeners([(*port, None)].into()));
    let mut looks = ports.iter().map(ask).collect::<Vec<_>>().into_iter();
    while bench.drivers.asked.borrow().len() < ports.len() {
        tokio::task::yield_now().await;
    }
    drop(busy);
    let mut answers = vec![looks.next().unwrap().await.unwrap().unwrap()];
    assert!(bench.drivers.asked.borrow().is_empty(), "the first has looked for itself only");
    for look in looks {
        answers.push(look.await.unwrap().unwrap());
    }
    let us = Some(std::process::id());
    for (port, answer) in ports.iter().zip(answers) {
        let heard: Vec<_> = answer.into_iter().map(|(port, listener)| (port, listener.pid)).collect();
        assert_eq!(heard, [(*port, us)]);
    }
}

#[tokio::test(flavor = "local")]
async fn of_many_calls_that_are_asked_for_at_once_no_more_than_a_few_can_hang() {
    let bench = Bench::new();
    let begun = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (release, hold) = std::sync::mpsc::channel::<()>();
    let hold = Arc::new(std::sync::Mutex::new(hold));
    tokio::time::pause();
    let calls = (0..20).map(|_| {
        let (begun, hold) = (Arc::clone(&begun), Arc::clone(&hold));
        bench.drivers.look(move |_| {
            begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let _ = hold.lock().unwrap().recv();
            Ok(())
        })
    });
    let kinds: Vec<ErrorKind> =
        futures::future::join_all(calls).await.into_iter().map(|r| r.unwrap_err().kind()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == ErrorKind::TimedOut).count(), Sort::Look.at_once());
    assert_eq!(kinds.iter().filter(|kind| **kind == ErrorKind::NotTried).count(), 20 - Sort::Look.at_once());
    // One of the threads may not have got round to it yet.
    assert!(begun.load(std::sync::atomic::Ordering::SeqCst) <= Sort::Look.at_once());
    drop(release);
}
