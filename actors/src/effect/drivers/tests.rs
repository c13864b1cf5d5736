//! Radios of the simulated bus, changed and put back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use mainstay_hardware::simulated::SimulatedBus;

use super::*;

fn radio() -> DeviceName {
    DeviceName::new("wlan2").unwrap()
}

/// The demo's survey radio.
struct Bench {
    bus: SimulatedBus,
    drivers: Drivers,
}

impl Bench {
    fn new() -> Self {
        let bus = SimulatedBus::demo();
        Self { drivers: Drivers::new(Arc::new(bus.clone())), bus }
    }

    async fn monitor(&self) -> Result<WifiBaseline, Error> {
        let is_it = |ifindex: &u32| self.bus.wifi_baseline(*ifindex).is_ok_and(|found| found.interface == "wlan2");
        let ifindex = (1..100).find(is_it).unwrap();
        self.drivers.prepare_radio(&radio(), ifindex, Some(WifiMode::Monitor), Takeover::Refuse).await
    }

    async fn restore(&self, before: WifiBaseline, on_failure: OnFailure) -> Result<(), Error> {
        self.drivers.restore_radio(&radio(), before, on_failure).await
    }

    async fn reported(&self) -> Option<WifiBaseline> {
        self.drivers.report_radio(&radio()).await
    }
}

#[tokio::test(flavor = "local")]
async fn how_a_radio_was_is_known_from_its_change_until_it_is_put_back() {
    let bench = Bench::new();
    assert_eq!(bench.reported().await, None);
    let before = bench.monitor().await.unwrap();
    assert_eq!(bench.reported().await.as_ref(), Some(&before));
    bench.restore(before, OnFailure::TryAgain).await.unwrap();
    assert_eq!(bench.reported().await, None);
}

#[tokio::test(flavor = "local")]
async fn whoever_asks_during_a_change_hears_what_comes_of_it() {
    let bench = Bench::new();
    let (before, reported) = futures::join!(bench.monitor(), bench.reported());
    let before = before.unwrap();
    assert_eq!(reported.as_ref(), Some(&before));
    let (restored, reported) = futures::join!(bench.restore(before, OnFailure::GiveUp), bench.reported());
    restored.unwrap();
    assert_eq!(reported, None);
}

#[tokio::test(flavor = "local")]
async fn a_radio_that_refuses_a_mode_was_not_changed() {
    let bench = Bench::new();
    bench.bus.fail_mode("wlan2", Some(Error::new(ErrorKind::Busy, "somebody has it")));
    assert!(bench.monitor().await.is_err());
    assert_eq!(bench.reported().await, None);
}

#[tokio::test(flavor = "local")]
async fn how_a_radio_was_is_known_until_its_last_try_to_be_put_back_has_failed() {
    let bench = Bench::new();
    let before = bench.monitor().await.unwrap();
    bench.bus.fail_mode("wlan2", Some(Error::new(ErrorKind::Busy, "somebody has it")));
    assert!(bench.restore(before.clone(), OnFailure::TryAgain).await.is_err());
    assert_eq!(bench.reported().await.as_ref(), Some(&before), "a registry that panics meanwhile must know it");
    assert!(bench.restore(before, OnFailure::GiveUp).await.is_err());
    assert_eq!(bench.reported().await, None);
}
